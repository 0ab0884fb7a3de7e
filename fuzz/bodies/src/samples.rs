//! Valid bytes to start from: headers, and a log of two segments.

use std::sync::OnceLock;

use vellum::format::FileId;
use vellum::format::changes::{Op, OpWriter};
use vellum::format::checksum::crc;
use vellum::format::header::{Header, Root, SLOT_LEN};
use vellum::format::log::{
    RecordHeader, RecordKind, SEGMENT_HEADER_LEN, SegmentHeader, encode_record, record_len,
};
use vellum::wal::{LogStart, Record};
use vellum::{EdgeKey, PageRef};

use crate::header::reseal;

/// The database that the log belongs to.
pub(crate) const FILE_ID: FileId = *b"a log to fuzz...";
/// Capacity of a segment of the log.
pub(crate) const SEGMENT_BYTES: u32 = 4096;
/// Log position of the log's first record.
const BASE: u64 = 1 << 20;

/// A valid header: of an empty database, or of one that uses every field; page size and flags vary.
pub(crate) fn header(variant: u8) -> Header {
    let page_size = 4096 << (variant / 2 % 5);
    let empty = Header {
        page_size,
        name_index: variant & 1 == 0,
        unique_edges: variant & 4 != 0,
        log_segment_bytes: 1 << 16,
        file_id: FILE_ID,
        sequence: u64::from(variant) + 1,
        birth_limit: 1 << 20,
        page_count: 64,
        next_node: 1,
        node_count: 0,
        edge_count: 0,
        commit: 0,
        log_generation: 0,
        log_position: 0,
        log_chain: 0,
        kind_count: 0,
        label_count: 0,
        freelist: None,
        free_pages: 0,
        roots: [Root::default(); 7],
    };
    if variant & 1 == 0 {
        return empty;
    }
    let root = |i: u64| Root {
        page: PageRef::new(10 + i, 100 + i),
        height: 1 + i as u8 % 3,
        entries: 40 + i,
        pages: 3 + i,
    };
    Header {
        next_node: 500,
        node_count: 40,
        edge_count: 41,
        commit: 12,
        log_generation: 3,
        log_position: BASE,
        log_chain: 77,
        kind_count: 14,
        label_count: 15,
        freelist: PageRef::new(9, 99),
        free_pages: 6,
        roots: [0, 1, 2, 3, 4, 5, 6].map(root),
        ..empty
    }
}

/// A log, and what stands where.
pub(crate) struct LogSample {
    pub(crate) bytes: Vec<u8>,
    pub(crate) segment_bytes: u32,
    records: Vec<Written>,
}

#[derive(Clone, Copy)]
struct Written {
    segment: SegmentHeader,
    header: RecordHeader,
    /// Where it stands in the file, and the bytes of its payload.
    offset: usize,
    payload_len: usize,
    checksum: u64,
}

/// The log: commits with every operation and a root, then a second segment that continues them.
pub(crate) fn log() -> &'static LogSample {
    static LOG: OnceLock<LogSample> = OnceLock::new();
    LOG.get_or_init(LogSample::build)
}

impl LogSample {
    fn build() -> LogSample {
        let mut log = LogSample {
            bytes: vec![0; 2 * SEGMENT_BYTES as usize],
            segment_bytes: SEGMENT_BYTES,
            records: Vec::new(),
        };
        let first = segment(1, BASE, 0);
        let end = log.put_segment(
            first,
            &[RecordKind::Commit, RecordKind::Root, RecordKind::Commit],
        );
        let chain = log.records.last().map_or(0, |record| record.checksum);
        log.put_segment(segment(2, end, chain), &[RecordKind::Commit; 3]);
        log
    }

    /// Writes a segment with records of these kinds, and gives the log position after them.
    fn put_segment(&mut self, segment: SegmentHeader, kinds: &[RecordKind]) -> u64 {
        let half = (segment.generation % 2 * u64::from(SEGMENT_BYTES)) as usize;
        let mut out = segment.encode().to_vec();
        let mut chain = segment.checksum();
        let mut position = segment.base;
        for kind in kinds {
            let commit = self.records.len() as u64 + 1;
            let payload = payload(*kind, position, commit);
            let header = RecordHeader {
                kind: *kind,
                position,
                durable_to: position,
                commit,
                chain,
            };
            let offset = half + out.len();
            chain = encode_record(&mut out, &segment, &header, &payload);
            self.records.push(Written {
                segment,
                header,
                offset,
                payload_len: payload.len(),
                checksum: chain,
            });
            position += record_len(payload.len()) as u64;
        }
        self.bytes[half..half + out.len()].copy_from_slice(&out);
        position
    }

    /// Where in the file the last record stands.
    pub(crate) fn last_record(&self) -> u32 {
        self.records.last().map_or(0, |record| record.offset as u32)
    }

    /// Where replay starts.
    pub(crate) fn start(&self) -> LogStart {
        let first = &self.records[0];
        LogStart {
            generation: 1,
            position: BASE,
            chain: first.segment.checksum(),
        }
    }

    /// Record `i` that the reader gave is record `i` that was written.
    pub(crate) fn assert_written(&self, i: usize, record: &Record) {
        let written = self
            .records
            .get(i)
            .expect("a record that was never written");
        let start = written.offset + record_len(0) - 8;
        assert_eq!(record.offset, written.offset as u64);
        assert_eq!(record.kind, written.header.kind);
        assert_eq!(record.commit, written.header.commit);
        assert_eq!(record.checksum, written.checksum);
        assert_eq!(
            record.payload,
            self.bytes[start..start + written.payload_len]
        );
    }

    /// Repairs the checksums of changed segment headers and records, and the chain through them.
    pub(crate) fn reseal(&self, bytes: &mut [u8]) {
        let mut chain = 0;
        for generation in [1u64, 2] {
            let half = (generation % 2 * u64::from(SEGMENT_BYTES)) as usize;
            let segment = reseal_segment(&mut bytes[half..], chain);
            chain = segment.checksum();
            let records = self.records.iter();
            for record in records.filter(|record| record.segment.generation == generation) {
                let whole = &mut bytes[record.offset..][..record_len(record.payload_len)];
                chain = reseal_record(whole, &segment, record.header.kind, chain);
            }
        }
    }
}

fn segment(generation: u64, base: u64, previous_chain: u64) -> SegmentHeader {
    SegmentHeader {
        file_id: FILE_ID,
        generation,
        salt: 1000 + generation,
        base,
        previous_chain,
    }
}

/// Gives the segment its checksum and its link to the segment before.
fn reseal_segment(bytes: &mut [u8], previous_chain: u64) -> SegmentHeader {
    if previous_chain != 0 {
        bytes[56..64].copy_from_slice(&previous_chain.to_le_bytes());
    }
    let sum = crc(&[&bytes[..SEGMENT_HEADER_LEN - 8]]);
    bytes[SEGMENT_HEADER_LEN - 8..SEGMENT_HEADER_LEN].copy_from_slice(&sum.to_le_bytes());
    SegmentHeader::decode(bytes).unwrap_or(segment(1, BASE, previous_chain))
}

/// Gives the record that fills `bytes` its checksum and its link to the record before; a root's
/// header gets its own checksum first.
pub(crate) fn reseal_record(
    bytes: &mut [u8],
    segment: &SegmentHeader,
    kind: RecordKind,
    chain: u64,
) -> u64 {
    bytes[32..40].copy_from_slice(&chain.to_le_bytes());
    if kind == RecordKind::Root {
        reseal(&mut bytes[40..40 + SLOT_LEN]);
    }
    let (body, checksum) = bytes.split_at_mut(bytes.len() - 8);
    let (salt, generation) = (segment.salt.to_le_bytes(), segment.generation.to_le_bytes());
    let sum = crc(&[&salt, &generation, body]);
    checksum.copy_from_slice(&sum.to_le_bytes());
    sum
}

fn payload(kind: RecordKind, position: u64, commit: u64) -> Vec<u8> {
    if kind == RecordKind::Root {
        let end = position + record_len(SLOT_LEN) as u64;
        let header = Header {
            log_position: end,
            commit,
            ..header(1)
        };
        return header.encode().to_vec();
    }
    let mut out = Vec::new();
    let mut writer = OpWriter::new();
    for op in operations(commit) {
        writer.put(&mut out, &op);
    }
    out
}

/// Every operation once.
fn operations(commit: u64) -> [Op<'static>; 13] {
    let edge = |peer| EdgeKey {
        node: commit,
        label: 3,
        peer,
        ordinal: 0,
    };
    let (kind, id, name) = (2, commit, "a name");
    [
        Op::DefineKind {
            id: kind,
            name: "kind",
        },
        Op::DefineLabel {
            id: 3,
            name: "label",
        },
        Op::PutNode {
            id,
            kind,
            name,
            data: b"data",
        },
        Op::DeleteNode { id: 300 },
        Op::PutEdge {
            key: edge(7),
            data: b"edge",
        },
        Op::DeleteEdge { key: edge(8) },
        Op::PutName { id, name },
        Op::DropName { id: 300, name },
        Op::PutKind { id, kind },
        Op::DropKind { id: 300, kind },
        Op::PutAbsent {
            first: 300,
            len: 2,
            reserved: true,
        },
        Op::DropAbsent { first: 299 },
        Op::Totals {
            next_node: 500,
            nodes: 20,
            edges: 30,
        },
    ]
}
