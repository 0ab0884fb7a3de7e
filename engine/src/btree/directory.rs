//! Finding the leaf of an id without the branches: a table of every leaf of a tree, which holds on to
//! the pages it has seen.
//!
//! It exists for trees that fit in the page cache whole. There it saves a descent per read, and the
//! cache's guard per page: a read borrows a page from the directory, which lives as long as the
//! snapshot, and writes nothing that another thread reads. It is made once it pays, after some
//! descents, so that opening a database and reading a node costs no look at every branch.

use std::sync::OnceLock;

use super::descent::Descent;
use super::due::Due;
use super::name_directory::NameDirectory;
use crate::error::Result;
use crate::format::bytes::from_u48_be;
use crate::format::header::Root;
use crate::ids::{KeySpace, PageRef};
use crate::pager::{PagePin, Pager, Pages};

/// The directories of the trees that single reads go to.
pub(crate) struct Directories {
    pub(crate) nodes: Directory,
    pub(crate) out: Directory,
    pub(crate) inn: Directory,
    pub(crate) names: NameDirectory,
}

impl Directories {
    /// Directories for these trees, if all of them fit in the cache.
    pub(crate) fn new(pager: &Pager, roots: &[Root; 7]) -> Option<Directories> {
        let pages = roots
            .iter()
            .map(|root| root.pages)
            .fold(0, u64::saturating_add);
        let of = |space: KeySpace| {
            let root = roots.get(space.index()).copied().unwrap_or_default();
            Directory::new(space, root)
        };
        pager.may_pin(pages).then(|| Directories {
            nodes: of(KeySpace::Nodes),
            out: of(KeySpace::Out),
            inn: of(KeySpace::In),
            names: NameDirectory::new(
                roots
                    .get(KeySpace::Names.index())
                    .copied()
                    .unwrap_or_default(),
            ),
        })
    }
}

/// The leaves of one tree whose keys begin with an id.
pub(crate) struct Directory {
    space: KeySpace,
    root: Root,
    table: Due<Table>,
}

struct Table {
    /// For each leaf, in order: twice the id that its separator begins with, plus one if the separator
    /// goes on, so that the leaf begins among that id's edges.
    firsts: Box<[u64]>,
    /// For each block of ids, the leaf that the block's first id falls into.
    blocks: Box<[u32]>,
    /// A block has this many ids, as a power of two.
    block_shift: u32,
    refs: Box<[PageRef]>,
    pins: Box<[OnceLock<PagePin>]>,
}

impl Directory {
    fn new(space: KeySpace, root: Root) -> Directory {
        Directory {
            space,
            root,
            table: Due::new(root),
        }
    }

    /// The leaf that holds everything of this id, if there is anything. `None` where the directory does
    /// not know or the id's edges span several leaves: then a descent tells.
    #[inline]
    pub(crate) fn leaf(&self, pager: &Pager, id: u64) -> Result<Option<&PagePin>> {
        // Most reads find the leaf held, and what tells so much fits in a register.
        match self.held(id) {
            Some(pin) => {
                pager.read_held(pin);
                Ok(Some(pin))
            }
            None => self.find(pager, id),
        }
    }

    #[inline]
    fn held(&self, id: u64) -> Option<&PagePin> {
        let table = self.table.there()?;
        table.pins.get(table.place(id)?)?.get()
    }

    /// The same where the leaf is not held yet, or there is no table yet.
    #[cold]
    fn find(&self, pager: &Pager, id: u64) -> Result<Option<&PagePin>> {
        // A branch that cannot be read is no concern of those who read below another: without a
        // directory, every read meets the damage on its own way, or does not.
        let read = || Table::read(pager, self.space, self.root).unwrap_or(None);
        let table = self.table.get(read);
        match table.and_then(|table| Some((table, table.place(id)?))) {
            Some((table, place)) => table.pin(pager, self.space, place),
            None => Ok(None),
        }
    }
}

impl Table {
    /// Reads the level above the leaves. `None` if there is none or it is not as it should be, which a
    /// descent finds out with more to say.
    fn read(pager: &Pager, space: KeySpace, root: Root) -> Result<Option<Table>> {
        let Some(top) = root.page else {
            return Ok(None);
        };
        let (mut firsts, mut refs) = (Vec::new(), Vec::new());
        if root.height == 1 {
            firsts.push(0);
            refs.push(top);
        } else {
            let mut separator = Vec::new();
            let mut descent = Descent::new(pager, space, root, 1);
            descent.seek(&[])?;
            while let Some(branch) = descent.page()? {
                let Some(view) = branch.sorted() else {
                    return Ok(None);
                };
                for i in 0..view.len() {
                    view.key(i, &mut separator);
                    let Some(id) = separator.first_chunk() else {
                        return Ok(None);
                    };
                    firsts.push(from_u48_be(*id) << 1 | u64::from(separator.len() > 6));
                    refs.push(view.child(i));
                }
                if !descent.advance()? {
                    break;
                }
            }
        }
        if !firsts.is_sorted() || firsts.first() != Some(&0) {
            return Ok(None);
        }
        let (block_shift, blocks) = blocks(&firsts);
        let pins = refs.iter().map(|_| OnceLock::new()).collect();
        Ok(Some(Table {
            firsts: firsts.into(),
            blocks: blocks.into(),
            block_shift,
            refs: refs.into(),
            pins,
        }))
    }

    /// The number of the leaf that holds everything of this id. `None` if there may be several.
    #[inline]
    fn place(&self, id: u64) -> Option<usize> {
        let sought = id << 1 | 1;
        let block = (id >> self.block_shift) as usize;
        let last = self.firsts.len() - 1;
        let start = self.blocks.get(block).map_or(last, |leaf| *leaf as usize);
        let end = self
            .blocks
            .get(block + 1)
            .map_or(last, |leaf| *leaf as usize);
        // The leaf is the last that begins up to the id, and is between the two.
        let between = self.firsts.get(start + 1..=end).unwrap_or_default();
        let leaf = start + between.partition_point(|first| *first <= sought);
        (self.firsts.get(leaf) != Some(&sought)).then_some(leaf)
    }

    /// Reads a leaf and holds on to it. If there is no room for it, the read descends.
    #[cold]
    fn pin(&self, pager: &Pager, space: KeySpace, leaf: usize) -> Result<Option<&PagePin>> {
        let (Some(at), Some(place)) = (self.refs.get(leaf), self.pins.get(leaf)) else {
            return Ok(None);
        };
        let page = pager.page(*at, space, 0)?;
        let pin = pager.pin(&page, 0);
        Ok(pin.map(|pin| place.get_or_init(|| pin)))
    }
}

/// About as many blocks of ids as there are leaves: their size as a power of two, and for each the
/// leaf that its first id falls into.
fn blocks(firsts: &[u64]) -> (u32, Vec<u32>) {
    let last = firsts.last().map_or(0, |first| first >> 1);
    let shift = (last / firsts.len().max(1) as u64).checked_ilog2();
    let shift = shift.unwrap_or(0);
    let mut leaf = 0;
    let leaf_of = |block: u64| {
        let sought = block << shift << 1;
        while firsts.get(leaf + 1).is_some_and(|next| *next <= sought) {
            leaf += 1;
        }
        u32::try_from(leaf).unwrap_or(u32::MAX)
    };
    (shift, (0..=last >> shift).map(leaf_of).collect())
}
