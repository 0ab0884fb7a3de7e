//! The changes of many runs as one ascending sequence.

use std::cmp::Ordering;

use crate::btree::Change;

/// What is left of one run.
pub(crate) trait Rest {
    /// A change's key.
    type Key: Ord;
    /// What a key is put to.
    type Value;

    fn is_empty(&self) -> bool;
    /// How the first key left compares with this one; `None` if nothing is left.
    fn compare(&self, key: &Self::Key) -> Option<Ordering>;
    /// How the first keys left compare, of rests that are not empty.
    fn compare_heads(&self, other: &Self) -> Ordering;
    /// The first key left.
    fn key(&self) -> Option<Self::Key>;
    /// The first change left.
    fn head(&self) -> Option<(Self::Key, Change<Self::Value>)>;
    /// Passes the first change.
    fn skip(&mut self);
}

/// The changes of several runs in order of their keys, each key's newest only.
pub(crate) struct Changes<R> {
    /// What is left of each run that has something left.
    newest_first: Vec<R>,
}

impl<R> Default for Changes<R> {
    fn default() -> Self {
        Changes {
            newest_first: Vec::new(),
        }
    }
}

impl<R: Rest> Changes<R> {
    /// Adds what is left of a run that is older than all before it.
    pub(super) fn add(&mut self, rest: R) {
        if !rest.is_empty() {
            self.newest_first.push(rest);
        }
    }

    /// How the next key that changed compares with this one; `None` if no other changed.
    #[inline]
    pub(crate) fn compare(&self, key: &R::Key) -> Option<Ordering> {
        self.newest_first.get(self.least().at)?.compare(key)
    }

    /// The next key that changed.
    #[inline]
    pub(crate) fn peek(&self) -> Option<R::Key> {
        self.newest_first.get(self.least().at)?.key()
    }

    #[inline]
    fn least(&self) -> Least {
        let mut least = Least {
            at: 0,
            repeated: false,
        };
        let Some((mut first, others)) = self.newest_first.split_first() else {
            return least;
        };
        for (at, rest) in (1..).zip(others) {
            match rest.compare_heads(first) {
                Ordering::Less => {
                    first = rest;
                    least = Least {
                        at,
                        repeated: false,
                    };
                }
                Ordering::Equal => least.repeated = true,
                Ordering::Greater => {}
            }
        }
        least
    }

    /// Passes the first change of a rest.
    #[inline]
    fn skip(&mut self, at: usize) {
        if let Some(rest) = self.newest_first.get_mut(at) {
            rest.skip();
            if rest.is_empty() {
                self.newest_first.remove(at);
            }
        }
    }

    /// Passes older changes of a key, which stand in rests after the newest.
    #[cold]
    fn skip_older(&mut self, newest: usize, key: &R::Key) {
        for at in (newest + 1..self.newest_first.len()).rev() {
            let rest = self.newest_first.get(at);
            if rest.and_then(|rest| rest.compare(key)) == Some(Ordering::Equal) {
                self.skip(at);
            }
        }
    }
}

/// Where the least key stands first: in the newest rest that begins with it.
struct Least {
    at: usize,
    /// Older rests begin with it too.
    repeated: bool,
}

impl<R: Rest> Iterator for Changes<R> {
    type Item = (R::Key, Change<R::Value>);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let least = self.least();
        let change = self.newest_first.get(least.at)?.head()?;
        if least.repeated {
            self.skip_older(least.at, &change.0);
        }
        self.skip(least.at);
        Some(change)
    }
}
