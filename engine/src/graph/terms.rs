//! Names and their numbers in memory: added to, never changed, read without a lock.

use std::sync::OnceLock;

const CHUNK: usize = 256;

/// Names by number, and numbers by name. Numbers are those of kinds, or of labels.
pub(super) struct Terms {
    chunks: [OnceLock<Box<[Term]>>; CHUNK],
    /// The first of the names with a hash, by hash. The others follow by [`Term::next`].
    heads: [OnceLock<u16>; CHUNK],
}

#[derive(Default)]
struct Term {
    name: OnceLock<Box<str>>,
    /// Another name with the same hash.
    next: OnceLock<u16>,
}

impl Default for Terms {
    fn default() -> Terms {
        Terms {
            chunks: [const { OnceLock::new() }; CHUNK],
            heads: [const { OnceLock::new() }; CHUNK],
        }
    }
}

impl Terms {
    /// The name of this number, if it is remembered.
    #[inline]
    pub(super) fn name(&self, id: u16) -> Option<&str> {
        let chunk = self.chunks.get(usize::from(id) / CHUNK)?.get()?;
        chunk
            .get(usize::from(id) % CHUNK)?
            .name
            .get()
            .map(|name| &**name)
    }

    /// The number of this name, if it is remembered.
    pub(super) fn id(&self, name: &str) -> Option<u16> {
        let mut place = self.head(name)?;
        loop {
            let id = *place.get()?;
            let term = self.term(id)?;
            if term.name.get().is_some_and(|found| **found == *name) {
                return Some(id);
            }
            place = &term.next;
        }
    }

    /// Remembers that a number has this name, and returns it from there.
    pub(super) fn remember<'t>(&'t self, id: u16, name: &str) -> &'t str {
        // Every number has a place, and every hash a head.
        let Some(term) = self.term(id) else { return "" };
        let name: &str = term.name.get_or_init(|| name.into());
        let mut place = self.head(name);
        // The chain ends at the number itself or grows by it. It has no cycle, as a number is only ever
        // put at the end of a chain that does not have it.
        while let Some(next) = place
            .map(|place| *place.get_or_init(|| id))
            .filter(|next| *next != id)
        {
            place = self.term(next).map(|term| &term.next);
        }
        name
    }

    fn term(&self, id: u16) -> Option<&Term> {
        let chunk = self.chunks.get(usize::from(id) / CHUNK)?;
        let terms = chunk.get_or_init(|| (0..CHUNK).map(|_| Term::default()).collect());
        terms.get(usize::from(id) % CHUNK)
    }

    /// Where the names with this name's hash begin.
    fn head(&self, name: &str) -> Option<&OnceLock<u16>> {
        // FNV-1a, folded to a byte.
        let step = |hash: u32, byte: &u8| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193);
        let hash = name.as_bytes().iter().fold(0x811C_9DC5, step);
        self.heads
            .get((hash ^ hash >> 8 ^ hash >> 16 ^ hash >> 24) as usize % CHUNK)
    }
}
