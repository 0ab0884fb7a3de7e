//! Log segments and records.

use super::checksum::{crc, locate_flip};
use super::header::{Header, SLOT_LEN};
use super::{FileId, FormatError, Reader, Result, ensure};
use crate::plant::planted;

/// What a segment begins with.
pub const MAGIC: [u8; 8] = *b"VellumLG";
/// The version of segments and records.
pub const VERSION: u16 = 1;
/// Bytes of a segment before its first record.
pub const SEGMENT_HEADER_LEN: usize = 128;
/// Bytes of a record besides payload and padding.
pub const RECORD_OVERHEAD: usize = RECORD_HEADER_LEN + CHECKSUM_LEN;
/// Bytes of a record before its payload.
pub const RECORD_HEADER_LEN: usize = 40;
/// Records begin at multiples of this many bytes.
pub const RECORD_ALIGN: usize = 8;

const CHECKSUM_LEN: usize = 8;
const SEGMENT_CHECKSUM_AT: usize = SEGMENT_HEADER_LEN - CHECKSUM_LEN;

/// Every field of a segment's header: name, offset, size in bytes; in order and without gaps.
pub const SEGMENT_FIELDS: &[(&str, usize, usize)] = &[
    ("magic", 0, 8),
    ("version", 8, 2),
    ("reserved", 10, 6),
    ("file_id", 16, 16),
    ("generation", 32, 8),
    ("salt", 40, 8),
    ("base", 48, 8),
    ("previous_chain", 56, 8),
    ("reserved", 64, 56),
    ("checksum", SEGMENT_CHECKSUM_AT, CHECKSUM_LEN),
];

/// Every field of a record before its payload: name, offset, size in bytes.
pub const RECORD_FIELDS: &[(&str, usize, usize)] = &[
    ("length", 0, 4),
    ("kind", 4, 1),
    ("padding", 5, 1),
    ("reserved", 6, 2),
    ("position", 8, 8),
    ("durable_to", 16, 8),
    ("commit", 24, 8),
    ("chain", 32, 8),
];

/// What a segment says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SegmentHeader {
    /// The database it belongs to.
    pub file_id: FileId,
    /// Its number, at least 1. It stands in half `generation mod 2` of the log.
    pub generation: u64,
    /// Tells its records from those of every other segment.
    pub salt: u64,
    /// Position of its first record.
    pub base: u64,
    /// Checksum of the last record of the generation before, or 0.
    pub previous_chain: u64,
}

impl SegmentHeader {
    /// The header's bytes, checksum included.
    pub fn encode(&self) -> [u8; SEGMENT_HEADER_LEN] {
        let mut out = Vec::with_capacity(SEGMENT_HEADER_LEN);
        out.extend_from_slice(&MAGIC);
        out.extend_from_slice(&VERSION.to_le_bytes());
        out.extend_from_slice(&[0; 6]);
        out.extend_from_slice(&self.file_id);
        for number in [self.generation, self.salt, self.base, self.previous_chain] {
            out.extend_from_slice(&number.to_le_bytes());
        }
        out.resize(SEGMENT_CHECKSUM_AT, 0);
        let checksum = crc(&[&out]);
        out.extend_from_slice(&checksum.to_le_bytes());
        out.first_chunk()
            .copied()
            .unwrap_or([0; SEGMENT_HEADER_LEN])
    }

    /// Reads a header. Bytes after it are ignored.
    pub fn decode(bytes: &[u8]) -> Result<SegmentHeader> {
        let mut r = Reader::new(bytes);
        let bytes = Reader::new(bytes).bytes(SEGMENT_HEADER_LEN)?;
        let (body, checksum) = bytes.split_at(SEGMENT_CHECKSUM_AT);
        ensure(r.array::<8>()? == MAGIC, "not a log segment")?;
        ensure(
            checksum == crc(&[body]).to_le_bytes(),
            "segment header fails its checksum",
        )?;
        ensure(r.u16()? == VERSION, "log segment of another version")?;
        r.reserved(6)?;
        let header = SegmentHeader {
            file_id: r.array()?,
            generation: r.u64()?,
            salt: r.u64()?,
            base: r.u64()?,
            previous_chain: r.u64()?,
        };
        r.reserved(56)?;
        ensure(header.generation > 0, "log generation is 0")?;
        Ok(header)
    }

    /// The header's checksum, with which the chain of its records begins.
    pub fn checksum(&self) -> u64 {
        self.encode()
            .last_chunk()
            .map_or(0, |bytes| u64::from_le_bytes(*bytes))
    }
}

/// What a record's payload is, with its number on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "lowercase"))]
#[repr(u8)]
pub enum RecordKind {
    /// The operations of a commit.
    Commit = 1,
    /// A complete header slot.
    Root = 2,
}

/// The fields of a record. Its length follows from the payload's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordHeader {
    /// What the payload is.
    pub kind: RecordKind,
    /// Where the record begins in the log.
    pub position: u64,
    /// The log was known to be durable up to here when the record was written.
    pub durable_to: u64,
    /// Number of the commit.
    pub commit: u64,
    /// Checksum of the record before, or of the segment header for the first.
    pub chain: u64,
}

/// A record whose checksum and fields hold. Whether it is the next one is the reader's to judge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record<'a> {
    /// Its fields.
    pub header: RecordHeader,
    /// What it carries.
    pub payload: &'a [u8],
    /// Its checksum, which the next record chains to.
    pub checksum: u64,
    /// Bytes of the whole record.
    pub len: usize,
}

impl Record<'_> {
    /// Log position after the record.
    pub fn end(&self) -> u64 {
        self.header.position + self.len as u64
    }
}

/// Where a record states its position.
const POSITION_AT: usize = 8;

/// Bytes of a record with a payload of this length.
pub const fn record_len(payload_len: usize) -> usize {
    (RECORD_OVERHEAD + payload_len).next_multiple_of(RECORD_ALIGN)
}

/// Appends a record of the segment and gives its checksum. The record must be shorter than 4 GiB.
pub fn encode_record(
    out: &mut Vec<u8>,
    segment: &SegmentHeader,
    header: &RecordHeader,
    payload: &[u8],
) -> u64 {
    let len = record_len(payload.len());
    let padding = len - RECORD_OVERHEAD - payload.len();
    debug_assert!(u32::try_from(len).is_ok(), "record too long");
    let start = out.len();
    out.reserve(len);
    out.extend_from_slice(&(len as u32).to_le_bytes());
    out.extend_from_slice(&[header.kind as u8, padding as u8, 0, 0]);
    for number in [
        header.position,
        header.durable_to,
        header.commit,
        header.chain,
    ] {
        out.extend_from_slice(&number.to_le_bytes());
    }
    out.extend_from_slice(payload);
    out.resize(start + len - CHECKSUM_LEN, 0);
    let checksum = record_checksum(segment, out.get(start..).unwrap_or_default());
    out.extend_from_slice(&checksum.to_le_bytes());
    checksum
}

/// Reads the record at `position`. `bytes` go from there to the end of the segment.
pub fn decode_record<'a>(
    bytes: &'a [u8],
    segment: &SegmentHeader,
    position: u64,
) -> Result<Record<'a>> {
    let mut start = Reader::new(bytes);
    let len = start.u32()? as usize;
    ensure(
        len.is_multiple_of(RECORD_ALIGN) && len >= RECORD_OVERHEAD,
        "record length is wrong",
    )?;
    let record = bytes
        .get(..len)
        .ok_or(FormatError("record exceeds its segment"))?;
    // Looked at before the checksum only to refuse: a search for records tries every place, and
    // almost all of them fail here, at no cost.
    start.u32()?;
    ensure(
        start.u64()? == position,
        "record stands at another position",
    )?;
    let (body, stored) = record.split_at(len - CHECKSUM_LEN);
    let checksum = record_checksum(segment, body);
    ensure(
        stored == checksum.to_le_bytes() || planted!("record-checksum-unchecked"),
        "record fails its checksum",
    )?;
    let mut r = Reader::new(body);
    r.u32()?;
    let kind = match r.u8()? {
        1 => RecordKind::Commit,
        2 => RecordKind::Root,
        _ => return Err(FormatError("unknown record kind")),
    };
    let padding = usize::from(r.u8()?);
    r.reserved(2)?;
    let header = RecordHeader {
        kind,
        position: r.u64()?,
        durable_to: r.u64()?,
        commit: r.u64()?,
        chain: r.u64()?,
    };
    ensure(padding < RECORD_ALIGN, "record padding too long")?;
    let payload_len = (len - RECORD_OVERHEAD).checked_sub(padding);
    let payload = r.bytes(payload_len.ok_or(FormatError("record padding too long"))?)?;
    r.reserved(padding)?;
    ensure(
        header.position == position,
        "record stands at another position",
    )?;
    ensure(
        header.durable_to <= position,
        "record claims that what follows it was durable",
    )?;
    ensure(
        position.checked_add(len as u64).is_some(),
        "record position out of range",
    )?;
    let record = Record {
        header,
        payload,
        checksum,
        len,
    };
    if kind == RecordKind::Root {
        check_root(&record)?;
    }
    Ok(record)
}

/// The payload of a root record is the state as of the record's end.
fn check_root(record: &Record<'_>) -> Result<()> {
    ensure(
        record.payload.len() == SLOT_LEN,
        "root record does not hold a header",
    )?;
    let header = Header::decode(record.payload);
    let header = header.map_err(|_| FormatError("root record holds a damaged header"))?;
    ensure(
        header.log_position == record.end(),
        "root record names another log position",
    )
}

/// Looks for the one bit whose flip turns the bytes at `position` into a record that
/// [`decode_record`] accepts. Gives the bit (`8 k + j` is bit `j` of byte `k`) and the mended record.
pub fn repair_one_bit(
    bytes: &[u8],
    segment: &SegmentHeader,
    position: u64,
) -> Option<(usize, Vec<u8>)> {
    let stated = u64::from_le_bytes(*bytes.get(POSITION_AT..)?.first_chunk()?);
    let mut bits = match (stated ^ position).count_ones() {
        // A flip in the length changes which bytes are the record: each of those bits has to be tried.
        // Any other leaves the extent as it is, and the difference of checksums tells the bit.
        0 => (0..32).chain(flip_within(bytes, segment)),
        1 => (0..0).chain(Some(
            8 * POSITION_AT + (stated ^ position).trailing_zeros() as usize,
        )),
        // Most places that are tried hold no record of this position, nor one that is a bit away from it.
        _ => return None,
    };
    bits.find_map(|bit| {
        let mended = flipped(bytes, bit)?;
        let len = decode_record(&mended, segment, position).ok()?.len;
        Some((bit, mended.get(..len)?.to_vec()))
    })
}

fn flip_within(bytes: &[u8], segment: &SegmentHeader) -> Option<usize> {
    let len = Reader::new(bytes).u32().ok()? as usize;
    let (body, stored) = bytes.get(..len)?.split_last_chunk::<CHECKSUM_LEN>()?;
    let difference = record_checksum(segment, body) ^ u64::from_le_bytes(*stored);
    if difference.is_power_of_two() {
        return Some(8 * body.len() + difference.trailing_zeros() as usize);
    }
    locate_flip(difference, body.len())
}

/// As much of `bytes` as the record at their start takes once `bit` is flipped, with the bit flipped.
fn flipped(bytes: &[u8], bit: usize) -> Option<Vec<u8>> {
    // Only what the flipped record would be is copied.
    let mut start = *bytes.first_chunk::<4>()?;
    if let Some(byte) = start.get_mut(bit / 8) {
        *byte ^= 1 << (bit % 8);
    }
    let len = u32::from_le_bytes(start) as usize;
    let mut mended = bytes.get(..len)?.to_vec();
    *mended.get_mut(bit / 8)? ^= 1 << (bit % 8);
    Some(mended)
}

fn record_checksum(segment: &SegmentHeader, body: &[u8]) -> u64 {
    crc(&[
        &segment.salt.to_le_bytes(),
        &segment.generation.to_le_bytes(),
        body,
    ])
}

#[cfg(test)]
mod tests;
