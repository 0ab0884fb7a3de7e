//! The log from outside: its two halves, the records of a chain, and where and why they end.

use std::borrow::Cow;

use vellum::format::FormatError;
use vellum::format::log::{
    RecordHeader, RecordKind, SEGMENT_HEADER_LEN, SegmentHeader, decode_record, repair_one_bit,
};

/// Segment capacity where no header slot tells it.
const GUESSED_SEGMENT_BYTES: u64 = 16 << 20;

/// A log's bytes, cut in two.
pub(crate) struct Log<'l> {
    pub(crate) capacity: u64,
    pub(crate) halves: [Half<'l>; 2],
}

/// One half of the log: the place of every second segment.
pub(crate) struct Half<'l> {
    /// Where it begins in the file.
    pub(crate) offset: u64,
    pub(crate) bytes: &'l [u8],
    pub(crate) header: Result<SegmentHeader, FormatError>,
    /// The bit of the header that was flipped back.
    pub(crate) repaired: Option<usize>,
}

impl<'l> Half<'l> {
    fn new(offset: u64, bytes: &'l [u8]) -> Half<'l> {
        let (header, repaired) = match SegmentHeader::decode(bytes) {
            Err(rule) => match mend(bytes) {
                Some((bit, header)) => (Ok(header), Some(bit)),
                None => (Err(rule), None),
            },
            header => (header, None),
        };
        Half {
            offset,
            bytes,
            header,
            repaired,
        }
    }
}

/// The segment header whose one flipped bit makes these bytes none. Few enough bits to try each; the checksum tells.
fn mend(bytes: &[u8]) -> Option<(usize, SegmentHeader)> {
    let start: &[u8; SEGMENT_HEADER_LEN] = bytes.first_chunk()?;
    if start.iter().all(|byte| *byte == 0) {
        return None;
    }
    (0..8 * SEGMENT_HEADER_LEN).find_map(|bit| {
        let mut mended = *start;
        *mended.get_mut(bit / 8)? ^= 1 << (bit % 8);
        Some((bit, SegmentHeader::decode(&mended).ok()?))
    })
}

/// A record that continues the chain.
#[derive(Clone, Debug)]
pub(crate) struct Found<'l> {
    pub(crate) header: RecordHeader,
    pub(crate) payload: Cow<'l, [u8]>,
    /// Where it begins in the file.
    pub(crate) offset: u64,
    pub(crate) len: u64,
    /// The bit that was flipped back, counted from the record's start.
    pub(crate) repaired: Option<usize>,
}

impl Found<'_> {
    /// The header that a root record carries.
    pub(crate) fn root(&self) -> Option<&[u8]> {
        (self.header.kind == RecordKind::Root).then_some(&*self.payload)
    }
}

/// Why no further record follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// Nothing but zeros, or what an earlier use of the space left.
    Clean,
    /// A record was begun and not finished: bytes of it that are there.
    Torn(u64),
    /// The log was durable beyond this place once.
    Damaged(String),
    /// The chain does not begin here at all.
    Absent(String),
}

/// The records of a chain, and its end.
pub(crate) struct Chain<'l> {
    pub(crate) records: Vec<Found<'l>>,
    /// Log position after the last record, and where that is in the file.
    pub(crate) position: u64,
    pub(crate) offset: u64,
    pub(crate) chain: u64,
    /// The rule that the bytes at the end break as a record.
    pub(crate) rule: &'static str,
    pub(crate) stop: Stop,
}

impl<'l> Log<'l> {
    pub(crate) fn new(bytes: &'l [u8], capacity: Option<u64>) -> Log<'l> {
        let capacity = capacity.unwrap_or_else(|| guess_capacity(bytes));
        let at = usize::try_from(capacity)
            .unwrap_or(usize::MAX)
            .min(bytes.len());
        let (first, rest) = bytes.split_at(at);
        let second = rest.get(..at.min(rest.len())).unwrap_or_default();
        Log {
            capacity,
            halves: [Half::new(0, first), Half::new(capacity, second)],
        }
    }

    /// The half where this generation stands, if it does.
    pub(crate) fn segment(&self, generation: u64) -> Option<(&Half<'l>, SegmentHeader)> {
        self.halves.iter().find_map(|half| {
            let header = half
                .header
                .ok()
                .filter(|header| header.generation == generation)?;
            Some((half, header))
        })
    }

    /// The oldest segment that a later one continues, or the only one: its generation.
    pub(crate) fn oldest(&self) -> Option<u64> {
        let mut generations: Vec<u64> = self
            .halves
            .iter()
            .filter_map(|half| Some(half.header.ok()?.generation))
            .collect();
        generations.sort_unstable();
        match generations[..] {
            [one] => Some(one),
            [older, newer] if older + 1 == newer => Some(older),
            [_, newer] => Some(newer),
            _ => None,
        }
    }

    /// Flipped bits of segment headers and of the records of a chain, in words.
    pub(crate) fn mended(&self, records: &[Found<'_>]) -> Vec<String> {
        let flipped = |bit: usize| format!("bit {} of byte {} is flipped", bit % 8, bit / 8);
        let headers = self.halves.iter().filter_map(|half| {
            let bit = half.repaired?;
            Some(format!(
                "log, segment at offset {}: {}",
                half.offset,
                flipped(bit)
            ))
        });
        let records = records.iter().filter_map(|record| {
            let bit = record.repaired?;
            Some(format!(
                "log, record of commit {} at offset {}: {}",
                record.header.commit,
                record.offset,
                flipped(bit)
            ))
        });
        headers.chain(records).collect()
    }

    /// The records of one segment alone.
    pub(crate) fn segment_records(&self, half: &Half<'l>, header: &SegmentHeader) -> Chain<'l> {
        self.read_segment(half, header, header.base, header.checksum())
    }

    /// The records from a position on, through the segment that follows if one does.
    pub(crate) fn read_from(&self, generation: u64, position: u64, chain: u64) -> Chain<'l> {
        let absent = |why: &str| Chain {
            records: Vec::new(),
            position,
            offset: 0,
            chain,
            rule: "",
            stop: Stop::Absent(why.to_owned()),
        };
        let Some((half, header)) = self.segment(generation) else {
            return absent("the segment that the header names is not there");
        };
        if header.base > position || header.base == position && header.checksum() != chain {
            return absent("the segment is not the one that the header names");
        }
        let mut read = self.read_segment(half, &header, position, chain);
        let Some((half, next)) = self
            .segment(generation + 1)
            .filter(|(_, next)| next.file_id == header.file_id)
        else {
            return read;
        };
        if next.base != read.position || next.previous_chain != read.chain {
            read.stop =
                Stop::Damaged("the following segment says that the log went on here".to_owned());
            return read;
        }
        let mut more = self.read_segment(half, &next, next.base, next.checksum());
        read.records.append(&mut more.records);
        Chain {
            records: read.records,
            ..more
        }
    }

    /// Whole records behind the place where a chain is damaged, of its segment and of the next: their salt, generation,
    /// position and checksum say that they are of this log. What stood between is lost.
    pub(crate) fn behind(&self, generation: u64, chain: &Chain<'l>) -> Vec<Found<'l>> {
        let mut found = Vec::new();
        let ours = self.segment(generation).map(|(_, header)| header.file_id);
        for generation in [generation, generation.saturating_add(1)] {
            let next = self.segment(generation);
            if let Some((half, header)) = next.filter(|(_, header)| Some(header.file_id) == ours) {
                found.extend(whole_records(half, &header, chain.position));
            }
        }
        found
    }

    fn read_segment(
        &self,
        half: &Half<'l>,
        header: &SegmentHeader,
        position: u64,
        chain: u64,
    ) -> Chain<'l> {
        let within = position
            .saturating_sub(header.base)
            .saturating_add(SEGMENT_HEADER_LEN as u64);
        let mut at = usize::try_from(within)
            .unwrap_or(usize::MAX)
            .min(half.bytes.len());
        let (mut position, mut chain) = (position, chain);
        let mut records = Vec::new();
        let rule = loop {
            let rest = half.bytes.get(at..).unwrap_or_default();
            let (record, checksum) = match next(rest, header, position) {
                Ok(found) => found,
                Err(rule) => break rule.0,
            };
            if record.header.chain != chain {
                break "a record of another chain";
            }
            let record = Found {
                offset: half.offset + at as u64,
                ..record
            };
            at = at.saturating_add(usize::try_from(record.len).unwrap_or(usize::MAX));
            position = position.saturating_add(record.len);
            chain = checksum;
            records.push(record);
        };
        let rest = half.bytes.get(at..).unwrap_or_default();
        let stop = stop(rest, header, position);
        Chain {
            records,
            position,
            offset: half.offset + at as u64,
            chain,
            rule,
            stop,
        }
    }
}

/// Every whole record of a segment from a position on, whatever stands between them.
pub(crate) fn whole_records<'l>(
    half: &Half<'l>,
    header: &SegmentHeader,
    from: u64,
) -> Vec<Found<'l>> {
    let mut found = Vec::new();
    let start = from.saturating_sub(header.base);
    let mut at = usize::try_from(start).unwrap_or(usize::MAX);
    at = at.saturating_add(SEGMENT_HEADER_LEN);
    while at < half.bytes.len() {
        let position = header.base.saturating_add((at - SEGMENT_HEADER_LEN) as u64);
        let rest = half.bytes.get(at..).unwrap_or_default();
        let Ok(record) = decode_record(rest, header, position) else {
            at += 8;
            continue;
        };
        found.push(Found {
            header: record.header,
            payload: Cow::Borrowed(record.payload),
            offset: half.offset + at as u64,
            len: record.len as u64,
            repaired: None,
        });
        at += record.len.max(8);
    }
    found
}

/// The record here, mended if one flipped bit is all that is wrong, and its checksum.
fn next<'l>(
    bytes: &'l [u8],
    segment: &SegmentHeader,
    position: u64,
) -> Result<(Found<'l>, u64), FormatError> {
    let found = |header, payload, len: usize, repaired| Found {
        header,
        payload,
        offset: 0,
        len: len as u64,
        repaired,
    };
    let rule = match decode_record(bytes, segment, position) {
        Ok(record) => {
            let payload = Cow::Borrowed(record.payload);
            return Ok((
                found(record.header, payload, record.len, None),
                record.checksum,
            ));
        }
        Err(rule) => rule,
    };
    let (bit, mended) = repair_one_bit(bytes, segment, position).ok_or(rule)?;
    let record = decode_record(&mended, segment, position)?;
    let payload = Cow::Owned(record.payload.to_vec());
    Ok((
        found(record.header, payload, record.len, Some(bit)),
        record.checksum,
    ))
}

/// Tells the tail of an interrupted write from damage, as recovery does.
fn stop(rest: &[u8], segment: &SegmentHeader, position: u64) -> Stop {
    let mut torn = 0;
    for ahead in (8..rest.len()).step_by(8) {
        let later = position.saturating_add(ahead as u64);
        let Ok(record) = decode_record(rest.get(ahead..).unwrap_or_default(), segment, later)
        else {
            continue;
        };
        if record.header.durable_to > position {
            let what = format!(
                "a whole record at position {later} says that the log was durable beyond here"
            );
            return Stop::Damaged(what);
        }
        torn = (ahead + record.len) as u64;
    }
    let stated = rest
        .get(8..16)
        .and_then(|bytes| bytes.first_chunk())
        .map(|bytes| u64::from_le_bytes(*bytes));
    if torn == 0 && stated == Some(position) {
        let length = rest
            .first_chunk()
            .map_or(0, |bytes| u64::from(u32::from_le_bytes(*bytes)));
        torn = length.clamp(16, (rest.len() as u64).max(16));
    }
    if torn > 0 {
        Stop::Torn(torn)
    } else {
        Stop::Clean
    }
}

/// The second segment begins with the magic too, at a multiple of 4096 bytes.
fn guess_capacity(bytes: &[u8]) -> u64 {
    let starts = (4096..bytes.len()).step_by(4096);
    let second = starts
        .into_iter()
        .find(|at| SegmentHeader::decode(bytes.get(*at..).unwrap_or_default()).is_ok());
    second.map_or(GUESSED_SEGMENT_BYTES.max(bytes.len() as u64), |at| {
        at as u64
    })
}
