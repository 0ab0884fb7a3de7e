//! Where a merge puts its pages: into the file, or aside, for the owner of the file to write later.
//!
//! Of what a merge makes of a tree's leaves, another merge of the same change decides nothing but the numbers of the
//! pages. So a second thread can make the leaves of one tree while the owner of the file merges another, and the file
//! is the same as if the owner had done one after the other.

use std::cell::Cell;
use std::rc::Rc;

use crate::error::{Error, Result};
use crate::ids::{MAX_U48, PageRef};

/// Takes the pages that a merge makes, and those that it gives up.
pub(crate) trait PageSink {
    /// Takes a page image, and returns what to call it.
    fn write(&mut self, image: Box<[u8]>) -> Result<PageRef>;

    /// Says that the new state does not reach this page.
    fn drop_page(&mut self, at: PageRef);
}

/// What the owner of the file has to do, in this order.
pub(super) enum Step {
    Write(Box<[u8]>),
    Drop(PageRef),
}

/// The steps of a merge. [`PageWriter::write_staged`](super::PageWriter::write_staged) takes them.
pub(crate) struct Steps(pub(super) Vec<Step>);

/// Pages that are kept aside, under numbers of their own.
#[derive(Default)]
pub(crate) struct Stage {
    steps: Vec<Step>,
    written: u64,
    dropped: Rc<Cell<u64>>,
}

impl Stage {
    /// How many pages were given up so far: a count that goes on while the stage is lent to somebody.
    pub(crate) fn dropped(&self) -> Rc<Cell<u64>> {
        Rc::clone(&self.dropped)
    }

    pub(crate) fn into_steps(self) -> Steps {
        Steps(self.steps)
    }

    /// Which of the pages written here this is, from 0 on.
    pub(crate) fn index_of(at: PageRef) -> usize {
        usize::try_from(at.page() - 1).unwrap_or(usize::MAX)
    }
}

impl PageSink for Stage {
    fn write(&mut self, image: Box<[u8]>) -> Result<PageRef> {
        self.written += 1;
        let at = PageRef::new(self.written, 0).ok_or(Error::Limit {
            what: "pages of a change",
            max: MAX_U48,
            got: self.written,
        })?;
        self.steps.push(Step::Write(image));
        Ok(at)
    }

    fn drop_page(&mut self, at: PageRef) {
        self.dropped.set(self.dropped.get() + 1);
        self.steps.push(Step::Drop(at));
    }
}
