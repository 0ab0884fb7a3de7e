//! Going through a key space in order.

use super::descent::Descent;
use super::space::Space;
use crate::error::{Error, Result};
use crate::forensics::count;
use crate::format::header::Root;
use crate::pager::Pages;

/// The items of a tree from some key on. Ends after an error.
pub(crate) struct Cursor<'a, S: Space, P> {
    pages: &'a P,
    descent: Descent<'a, P>,
    items: std::vec::IntoIter<(S::Key, S::Stored)>,
    /// Where to begin; taken by the first step.
    start: Option<Vec<u8>>,
    from: Option<S::Key>,
    done: bool,
}

impl<'a, S: Space, P: Pages> Cursor<'a, S, P> {
    /// From the first item whose key is not less than `from`, or from the first of all.
    pub(crate) fn from(pages: &'a P, root: Root, from: Option<S::Key>) -> Cursor<'a, S, P> {
        let mut start = Vec::new();
        if let Some(key) = &from {
            S::encode_key(key, &mut start);
        }
        Cursor {
            pages,
            descent: Descent::new(pages, S::SPACE, root, 0),
            items: Vec::new().into_iter(),
            start: Some(start),
            from,
            done: false,
        }
    }

    /// Loads the next leaf; `false` at the end.
    fn load(&mut self) -> Result<bool> {
        match self.start.take() {
            Some(start) => self.descent.seek(&start)?,
            None => {
                if !self.descent.advance()? {
                    return Ok(false);
                }
            }
        }
        let Some(leaf) = self.descent.page()? else {
            return Ok(false);
        };
        let mut items = S::items(&leaf).map_err(|rule| {
            Error::corrupt_page(leaf.at().page(), self.pages.page_size(), rule.0)
        })?;
        count!(self.pages.tally(), LeavesDecoded);
        if let Some(from) = self.from.take() {
            items.drain(..items.partition_point(|(key, _)| *key < from));
        }
        self.items = items.into_iter();
        Ok(true)
    }
}

impl<S: Space, P: Pages> Iterator for Cursor<'_, S, P> {
    type Item = Result<(S::Key, S::Stored)>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(item) = self.items.next() {
                return Some(Ok(item));
            }
            if self.done {
                return None;
            }
            match self.load() {
                Ok(true) => {}
                Ok(false) => self.done = true,
                Err(error) => {
                    self.done = true;
                    return Some(Err(error));
                }
            }
        }
    }
}
