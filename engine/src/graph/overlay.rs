//! A key space in order, newer changes laid over its tree.

use std::iter::{Fuse, Peekable};

use crate::btree::{Change, Cursor};
use crate::delta::{Changes, Overlaid};
use crate::error::Result;
use crate::pager::Pager;

/// The items of a key space from some key on. Ends after an error.
pub(crate) struct Overlay<'a, S: Overlaid> {
    base: Peekable<Fuse<Cursor<'a, S, Pager>>>,
    changes: Changes<'a, S::Key, S::Value>,
}

impl<'a, S: Overlaid> Overlay<'a, S> {
    pub(super) fn new(
        base: Cursor<'a, S, Pager>,
        changes: Changes<'a, S::Key, S::Value>,
    ) -> Overlay<'a, S> {
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
            let Some(changed) = self.changes.peek() else {
                return self.base.next();
            };
            match self.base.peek() {
                Some(Ok((key, _))) if key < changed => return self.base.next(),
                Some(Ok((key, _))) if key == changed => {
                    self.base.next();
                }
                Some(Err(_)) => {
                    self.changes = Changes::default();
                    return self.base.next();
                }
                _ => {}
            }
            if let Some((key, Change::Put(value))) = self.changes.next() {
                return Some(Ok((key.clone(), S::stored(value))));
            }
        }
    }
}
