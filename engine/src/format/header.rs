//! Header slots: the two places that say where a database's state begins.

use std::fmt;

use super::checksum::crc;
use super::limits::{MAX_COUNT, MAX_LEVEL, MAX_TERMS};
use super::log::RECORD_ALIGN;
use super::page::put_ref;
use super::{FileId, FormatError, Reader, Result, ensure};
use crate::ids::{KeySpace, MAX_U48, PageRef};
use crate::plant::planted;

/// What a database file begins with.
pub const MAGIC: [u8; 8] = *b"VellumDB";
/// The version this module reads and writes.
pub const VERSION: u16 = 1;
/// Bytes of one slot.
pub const SLOT_LEN: usize = 512;
/// Where the slots stand in the file.
pub const SLOT_OFFSETS: [u64; 2] = [0, 4096];
/// Log segments are a multiple of this many bytes.
pub const SEGMENT_UNIT: u32 = 4096;
/// Bytes of one root entry.
pub const ROOT_LEN: usize = 32;
/// Smallest and largest page size, as shifts.
pub const PAGE_SHIFTS: std::ops::RangeInclusive<u8> = 12..=16;

const FLAG_NAME_INDEX: u8 = 1;
const FLAG_UNIQUE_EDGES: u8 = 2;
const CHECKSUM_AT: usize = SLOT_LEN - 8;
/// Bytes between the last root and the checksum.
const RESERVED_LEN: usize = 136;

/// Every field of a slot: name, offset, size in bytes; in order and without gaps.
pub const FIELDS: &[(&str, usize, usize)] = &[
    ("magic", 0, 8),
    ("version", 8, 2),
    ("page_shift", 10, 1),
    ("flags", 11, 1),
    ("log_segment_bytes", 12, 4),
    ("file_id", 16, 16),
    ("sequence", 32, 8),
    ("birth_limit", 40, 8),
    ("page_count", 48, 8),
    ("next_node", 56, 8),
    ("node_count", 64, 8),
    ("edge_count", 72, 8),
    ("commit", 80, 8),
    ("log_generation", 88, 8),
    ("log_position", 96, 8),
    ("log_chain", 104, 8),
    ("kind_count", 112, 4),
    ("label_count", 116, 4),
    ("freelist", 120, 12),
    ("reserved", 132, 4),
    ("free_pages", 136, 8),
    ("root_nodes", 144, ROOT_LEN),
    ("root_out", 176, ROOT_LEN),
    ("root_in", 208, ROOT_LEN),
    ("root_names", 240, ROOT_LEN),
    ("root_kinds", 272, ROOT_LEN),
    ("root_dictionary", 304, ROOT_LEN),
    ("root_absent", 336, ROOT_LEN),
    ("reserved", 368, RESERVED_LEN),
    ("checksum", CHECKSUM_AT, 8),
];

/// Every field of a root entry: name, offset, size in bytes.
pub const ROOT_FIELDS: &[(&str, usize, usize)] = &[
    ("page", 0, 12),
    ("height", 12, 1),
    ("reserved", 13, 3),
    ("entries", 16, 8),
    ("pages", 24, 8),
];

/// Bytes before the first data page.
pub const fn header_region(page_size: usize) -> usize {
    if page_size > 8192 { page_size } else { 8192 }
}

/// Number of the first page that is not header.
pub const fn first_data_page(page_size: usize) -> u64 {
    match header_region(page_size).checked_div(page_size) {
        Some(pages) => pages as u64,
        None => 0,
    }
}

/// Where a tree begins, and how large it is. The default is an empty tree.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Root {
    /// The root page; none if the tree is empty.
    pub page: Option<PageRef>,
    /// Levels: 0 empty, 1 a single leaf.
    pub height: u8,
    /// Items in the tree.
    pub entries: u64,
    /// Branch and leaf pages of the tree.
    pub pages: u64,
}

impl Root {
    fn put(&self, out: &mut Vec<u8>) {
        put_ref(out, self.page);
        out.push(self.height);
        out.extend_from_slice(&[0; 3]);
        out.extend_from_slice(&self.entries.to_le_bytes());
        out.extend_from_slice(&self.pages.to_le_bytes());
    }

    fn read(r: &mut Reader<'_>) -> Result<Root> {
        let page = r.page_ref()?;
        let height = r.u8()?;
        r.reserved(3)?;
        Ok(Root {
            page,
            height,
            entries: r.u64()?,
            pages: r.u64()?,
        })
    }

    fn check(&self, header: &Header) -> Result<()> {
        let Some(page) = self.page else {
            return ensure(*self == Root::default(), "an empty tree has a size");
        };
        header.check_ref(page)?;
        ensure(
            (1..=MAX_LEVEL + 1).contains(&self.height),
            "tree height out of range",
        )?;
        ensure(self.entries > 0, "a tree with a root has no entries")?;
        ensure(self.entries <= MAX_COUNT, "tree entries out of range")?;
        ensure(
            self.pages >= u64::from(self.height),
            "a tree has fewer pages than levels",
        )?;
        ensure(
            self.pages <= header.page_count,
            "a tree has more pages than the file",
        )
    }
}

/// One state of the database, as a slot or a root record holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// Bytes of a page.
    pub page_size: usize,
    /// Whether names are indexed.
    pub name_index: bool,
    /// Whether edges are unique, so that every ordinal is 0.
    pub unique_edges: bool,
    /// Capacity of one log segment in bytes, header included.
    pub log_segment_bytes: u32,
    /// The file's identity.
    pub file_id: FileId,
    /// Number of this state; it stands in slot `sequence mod 2`.
    pub sequence: u64,
    /// Births below this may have been used.
    pub birth_limit: u64,
    /// Pages counted by this state, header region included.
    pub page_count: u64,
    /// The lowest node id never issued.
    pub next_node: u64,
    /// Nodes in the trees.
    pub node_count: u64,
    /// Edges in the trees.
    pub edge_count: u64,
    /// The last commit that the trees fully hold.
    pub commit: u64,
    /// First log segment that recovery needs; 0 if there is no log.
    pub log_generation: u64,
    /// Log position through which the trees hold everything.
    pub log_position: u64,
    /// Checksum of the record, or segment header, before `log_position`.
    pub log_chain: u64,
    /// Node kinds defined.
    pub kind_count: u32,
    /// Edge labels defined.
    pub label_count: u32,
    /// The first freelist page.
    pub freelist: Option<PageRef>,
    /// Pages that the freelist lists.
    pub free_pages: u64,
    /// The trees, by [`KeySpace::index`](crate::KeySpace::index).
    pub roots: [Root; 7],
}

impl Header {
    /// The slot's bytes, checksum included.
    pub fn encode(&self) -> [u8; SLOT_LEN] {
        let mut out = Vec::with_capacity(SLOT_LEN);
        out.extend_from_slice(&MAGIC);
        out.extend_from_slice(&VERSION.to_le_bytes());
        out.push(self.page_size.trailing_zeros() as u8);
        let name_index = if self.name_index { FLAG_NAME_INDEX } else { 0 };
        let unique_edges = if self.unique_edges {
            FLAG_UNIQUE_EDGES
        } else {
            0
        };
        out.push(name_index | unique_edges);
        out.extend_from_slice(&self.log_segment_bytes.to_le_bytes());
        out.extend_from_slice(&self.file_id);
        for number in [
            self.sequence,
            self.birth_limit,
            self.page_count,
            self.next_node,
            self.node_count,
            self.edge_count,
            self.commit,
            self.log_generation,
            self.log_position,
            self.log_chain,
        ] {
            out.extend_from_slice(&number.to_le_bytes());
        }
        out.extend_from_slice(&self.kind_count.to_le_bytes());
        out.extend_from_slice(&self.label_count.to_le_bytes());
        put_ref(&mut out, self.freelist);
        out.extend_from_slice(&[0; 4]);
        out.extend_from_slice(&self.free_pages.to_le_bytes());
        for root in &self.roots {
            root.put(&mut out);
        }
        out.resize(CHECKSUM_AT, 0);
        let checksum = crc(&[&out]);
        out.extend_from_slice(&checksum.to_le_bytes());
        let slot = out.first_chunk().copied().unwrap_or([0; SLOT_LEN]);
        debug_assert_eq!(
            Header::decode(&slot).as_ref(),
            Ok(self),
            "header breaks its own rules"
        );
        slot
    }

    /// Bytes before the first data page.
    pub fn header_region(&self) -> usize {
        header_region(self.page_size)
    }

    /// Reads a slot and checks everything but its parity. Bytes after the slot are ignored.
    pub fn decode(bytes: &[u8]) -> std::result::Result<Header, SlotProblem> {
        let Some(slot) = bytes.first_chunk::<SLOT_LEN>() else {
            return Err(match bytes.starts_with(&MAGIC) {
                true => SlotProblem::Damaged(FormatError("header slot ends too early")),
                false => SlotProblem::NotVellum,
            });
        };
        let mut r = Reader::new(slot);
        if r.array::<8>()? != MAGIC {
            return Err(SlotProblem::NotVellum);
        }
        match r.u16()? {
            VERSION => {}
            0 => return Err(FormatError("format version is 0").into()),
            newer => return Err(SlotProblem::Version(newer)),
        }
        let (body, checksum) = slot.split_at(CHECKSUM_AT);
        ensure(
            checksum == crc(&[body]).to_le_bytes() || planted!("slot-checksum-unchecked"),
            "header slot fails its checksum",
        )?;
        let header = Header::read(&mut r)?;
        header.check()?;
        Ok(header)
    }

    /// The fields after the version; the checksum has been verified.
    fn read(r: &mut Reader<'_>) -> Result<Header> {
        let shift = r.u8()?;
        ensure(PAGE_SHIFTS.contains(&shift), "page size out of range")?;
        let flags = r.u8()?;
        ensure(
            flags & !(FLAG_NAME_INDEX | FLAG_UNIQUE_EDGES) == 0,
            "reserved header flag is set",
        )?;
        let mut header = Header {
            page_size: 1 << shift,
            name_index: flags & FLAG_NAME_INDEX != 0,
            unique_edges: flags & FLAG_UNIQUE_EDGES != 0,
            log_segment_bytes: r.u32()?,
            file_id: r.array()?,
            sequence: r.u64()?,
            birth_limit: r.u64()?,
            page_count: r.u64()?,
            next_node: r.u64()?,
            node_count: r.u64()?,
            edge_count: r.u64()?,
            commit: r.u64()?,
            log_generation: r.u64()?,
            log_position: r.u64()?,
            log_chain: r.u64()?,
            kind_count: r.u32()?,
            label_count: r.u32()?,
            freelist: r.page_ref()?,
            free_pages: 0,
            roots: [Root::default(); 7],
        };
        r.reserved(4)?;
        header.free_pages = r.u64()?;
        for root in &mut header.roots {
            *root = Root::read(r)?;
        }
        r.reserved(RESERVED_LEN)?;
        Ok(header)
    }

    /// Whether every field is in its range and agrees with the others.
    pub(crate) fn check(&self) -> Result<()> {
        let counters = [
            self.sequence,
            self.edge_count,
            self.commit,
            self.log_generation,
            self.log_position,
        ];
        ensure(
            counters.iter().all(|counter| *counter <= MAX_COUNT),
            "a counter is out of range",
        )?;
        let unit = SEGMENT_UNIT;
        let segment = self.log_segment_bytes;
        ensure(
            segment >= unit && segment.is_multiple_of(unit),
            "log segment size out of range",
        )?;
        ensure(self.birth_limit <= MAX_U48 + 1, "birth limit out of range")?;
        let first_page = first_data_page(self.page_size);
        ensure(
            (first_page..=MAX_U48 + 1).contains(&self.page_count),
            "page count out of range",
        )?;
        ensure(
            (1..=MAX_U48 + 1).contains(&self.next_node),
            "next node id out of range",
        )?;
        ensure(
            self.node_count < self.next_node,
            "more nodes than ids issued",
        )?;
        ensure(self.kind_count <= MAX_TERMS, "too many kinds")?;
        ensure(self.label_count <= MAX_TERMS, "too many labels")?;
        ensure(
            self.log_position.is_multiple_of(RECORD_ALIGN as u64),
            "log position is no record's",
        )?;
        ensure(
            self.log_generation != 0 || self.log_chain == 0,
            "a header without a log names a record",
        )?;
        ensure(
            self.free_pages <= self.page_count - first_page,
            "more free pages than pages",
        )?;
        match self.freelist {
            Some(page) => self.check_ref(page)?,
            None => ensure(self.free_pages == 0, "free pages without a freelist")?,
        }
        self.roots.iter().try_for_each(|root| root.check(self))?;
        self.check_counts()
    }

    /// Whether what is counted twice agrees. A checkpoint that is under way has merged a part of the dictionary, so
    /// its tree may hold fewer entries than are counted.
    fn check_counts(&self) -> Result<()> {
        let entries = |space: KeySpace| {
            let root = self.roots.get(space.index());
            root.map_or(0, |root| root.entries)
        };
        ensure(
            self.node_count == entries(KeySpace::Nodes),
            "nodes are counted otherwise than in their tree",
        )?;
        ensure(
            self.edge_count == entries(KeySpace::Out),
            "edges are counted otherwise than in their tree",
        )?;
        let terms = u64::from(self.kind_count) + u64::from(self.label_count);
        ensure(
            entries(KeySpace::Dictionary) <= 2 * terms,
            "the dictionary holds more than the kinds and labels",
        )
    }

    fn check_ref(&self, page: PageRef) -> Result<()> {
        let pages = first_data_page(self.page_size)..self.page_count;
        ensure(
            pages.contains(&page.page()),
            "header refers to a page outside the file",
        )?;
        ensure(
            page.birth() < self.birth_limit,
            "header refers to a birth not yet reserved",
        )
    }
}

/// Reads the slot numbered `slot`, checking also that its state belongs there.
pub fn decode_slot(bytes: &[u8], slot: usize) -> std::result::Result<Header, SlotProblem> {
    let header = Header::decode(bytes)?;
    ensure(
        header.sequence % 2 == slot as u64,
        "header stands in the other slot",
    )?;
    Ok(header)
}

/// Why a header slot cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlotProblem {
    /// The bytes do not begin with the magic.
    NotVellum,
    /// A version that this module does not read.
    Version(u16),
    /// A version 1 slot that breaks this rule.
    Damaged(FormatError),
}

impl From<FormatError> for SlotProblem {
    fn from(error: FormatError) -> SlotProblem {
        SlotProblem::Damaged(error)
    }
}

impl fmt::Display for SlotProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SlotProblem::NotVellum => f.write_str("not a Vellum database"),
            SlotProblem::Version(version) => write!(f, "format version {version}"),
            SlotProblem::Damaged(error) => error.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests;
