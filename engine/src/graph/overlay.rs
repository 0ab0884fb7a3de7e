//! A key space in order, newer changes laid over its tree.

use std::cmp::Ordering;
use std::iter::{Fuse, Peekable};

use crate::btree::{Change, Cursor};
use crate::delta::{Changes, ChangesOf, Overlaid};
use crate::error::Result;
use crate::pager::Pager;

/// The items of a key space from some key on. Ends after an error.
pub(crate) struct Overlay<'a, S: Overlaid> {
    base: Peekable<Fuse<Cursor<'a, S, Pager>>>,
    changes: ChangesOf<'a, S>,
}

impl<'a, S: Overlaid> Overlay<'a, S> {
    pub(super) fn new(base: Cursor<'a, S, Pager>, changes: ChangesOf<'a, S>) -> Overlay<'a, S> {
        Overlay {
            base: base.fuse().peekable(),
            changes,
        }
    }
}

impl<S: Overlaid> Iterator for Overlay<'_, S> {
    type Item = Result<(S::Key, S::Stored)>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.base.peek() {
                Some(Ok((key, _))) => match self.changes.compare(key) {
                    None | Some(Ordering::Greater) => return self.base.next(),
                    Some(Ordering::Equal) => drop(self.base.next()),
                    Some(Ordering::Less) => {}
                },
                Some(Err(_)) => {
                    self.changes = Changes::default();
                    return self.base.next();
                }
                None => {}
            }
            if let (key, Change::Put(value)) = self.changes.next()? {
                return Some(Ok((key, S::stored(&value))));
            }
        }
    }
}
