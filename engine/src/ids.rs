//! Numbers with names: a node is not a page, and neither is a log position.

use std::fmt;
use std::hash::{BuildHasherDefault, Hasher};
use std::num::NonZeroU64;

/// Largest number that fits the 48 bits which ids, page numbers and births have on disk.
pub const MAX_U48: u64 = (1 << 48) - 1;

/// A node's identity: 1 to 2^48 − 1, never reused once its insertion has been committed.
///
/// ```
/// use vellum::NodeId;
/// assert_eq!(NodeId::new(7).map(NodeId::get), Some(7));
/// assert_eq!(NodeId::new(0), None);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct NodeId(NonZeroU64);

impl NodeId {
    /// The smallest id.
    pub const MIN: NodeId = NodeId(NonZeroU64::MIN);

    /// The id with this number, or `None` for 0 and for 2^48 and more.
    #[inline]
    pub fn new(number: u64) -> Option<NodeId> {
        if number > MAX_U48 {
            return None;
        }
        NonZeroU64::new(number).map(NodeId)
    }

    /// The number.
    pub const fn get(self) -> u64 {
        self.0.get()
    }
}

impl fmt::Debug for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NodeId({})", self.0)
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// An interned node kind: 0 to 65,535, in order of first use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct KindId(pub u16);

/// An interned edge label: 0 to 65,535, in order of first use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct LabelId(pub u16);

/// One end's view of an edge, in the order in which adjacency is stored and read.
///
/// In the out-adjacency `node` is the source and `peer` the target; in the in-adjacency it is the
/// other way round. The kind index uses the same shape: `node` is the kind and `peer` a node of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EdgeKey {
    /// The node whose adjacency this is.
    pub node: u64,
    /// The edge's label.
    pub label: u16,
    /// The node at the other end.
    pub peer: u64,
    /// Tells parallel edges of one (source, label, target) apart.
    pub ordinal: u32,
}

impl EdgeKey {
    /// The same edge seen from its other end.
    #[must_use]
    pub fn reversed(self) -> EdgeKey {
        EdgeKey {
            node: self.peer,
            peer: self.node,
            ..self
        }
    }
}

/// A page and the birth it must carry: the only way to name a page from within another.
///
/// Page 0 holds the header and is never referred to, so a reference always names a real page.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct PageRef {
    page: NonZeroU64,
    birth: u64,
}

impl PageRef {
    /// A page that is in no file: reading it fails.
    pub(crate) const NOWHERE: PageRef = PageRef {
        page: match NonZeroU64::new(MAX_U48) {
            Some(last) => last,
            None => NonZeroU64::MIN,
        },
        birth: MAX_U48,
    };

    /// The reference, or `None` if the page is 0 or either number needs more than 48 bits.
    pub fn new(page: u64, birth: u64) -> Option<PageRef> {
        if page > MAX_U48 || birth > MAX_U48 {
            return None;
        }
        NonZeroU64::new(page).map(|page| PageRef { page, birth })
    }

    /// The page number.
    pub const fn page(self) -> u64 {
        self.page.get()
    }

    /// The birth the page must carry.
    pub const fn birth(self) -> u64 {
        self.birth
    }
}

impl fmt::Debug for PageRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "page {} (birth {})", self.page, self.birth)
    }
}

/// The key spaces, each a tree of its own, with their numbers on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "lowercase"))]
#[repr(u8)]
pub enum KeySpace {
    /// Node id to kind, name and data.
    Nodes = 1,
    /// Source to its outgoing edges, with data.
    Out = 2,
    /// Target to its incoming edges.
    In = 3,
    /// Name and node id.
    Names = 4,
    /// Kind to the ids of its nodes.
    Kinds = 5,
    /// Kind and label strings, both ways.
    Dictionary = 6,
    /// Runs of ids that name no node.
    Absent = 7,
}

impl KeySpace {
    /// Every key space, in the order of their numbers.
    pub const ALL: [KeySpace; 7] = [
        KeySpace::Nodes,
        KeySpace::Out,
        KeySpace::In,
        KeySpace::Names,
        KeySpace::Kinds,
        KeySpace::Dictionary,
        KeySpace::Absent,
    ];

    /// The key space with this number on disk.
    pub fn from_number(number: u8) -> Option<KeySpace> {
        KeySpace::ALL
            .into_iter()
            .find(|space| *space as u8 == number)
    }

    /// The name used in reports and in `FORMAT.md`.
    pub const fn name(self) -> &'static str {
        match self {
            KeySpace::Nodes => "nodes",
            KeySpace::Out => "out",
            KeySpace::In => "in",
            KeySpace::Names => "names",
            KeySpace::Kinds => "kinds",
            KeySpace::Dictionary => "dictionary",
            KeySpace::Absent => "absent",
        }
    }

    /// Place of this space in arrays that hold one entry per space.
    pub const fn index(self) -> usize {
        self as usize - 1
    }
}

impl fmt::Display for KeySpace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Hashes ids by one multiplication, whose high half depends on every bit. The default hasher is
/// made for keys that an adversary chooses, and takes several times as long.
#[derive(Default)]
pub(crate) struct Mixer(u64);

impl Hasher for Mixer {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    #[inline]
    fn write_u64(&mut self, number: u64) {
        // 2^64 over the golden ratio, made odd.
        let product = u128::from(self.0 ^ number) * 0x9E37_79B9_7F4A_7C15;
        self.0 = (product >> 64) as u64 ^ product as u64;
    }
}

/// The hasher of maps keyed by numbers. No order of such a map is ever looked at.
pub(crate) type Mixed = BuildHasherDefault<Mixer>;
