//! `lab recover`: every readable node and edge of a damaged file, into a new one. The damaged file is
//! only read, and what could not be saved is listed with the reason.
//!
//! `scan` reads the pages, `state` finds out what header and log say, `picture` decides which pages
//! are those of the newest state, `salvage` collects its items, `write` puts them into a new file.

pub(crate) mod blob;
mod free;
pub(crate) mod leaf;
mod picture;
mod report;
mod salvage;
mod scan;
mod state;
mod terms;
mod write;

use vellum::{Builder, Database, KeySpace};

use crate::failure::Failure;
use crate::inspect::source::Source;

use self::picture::Picture;
pub(crate) use self::report::Report;
use self::salvage::Salvage;
use self::scan::Scan;
use self::state::State;

/// A damaged file, read and understood, before anything is written.
pub(crate) struct Recovery<'s> {
    scan: Scan<'s>,
    state: State<'s>,
    picture: Picture,
    salvage: Salvage,
}

impl<'s> Recovery<'s> {
    /// Reads the whole file.
    pub(crate) fn of(source: &'s Source) -> Result<Recovery<'s>, Failure> {
        let scan = Scan::of(source)?;
        let mut state = State::of(source, &scan);
        let other_is_lost = source.pages.slots().iter().any(Result::is_err);
        let mut picture = Picture::of(&scan, state.header.as_ref(), other_is_lost);
        if let (true, Some(header)) = (other_is_lost, &state.header)
            && (picture.overtaken || free::is_younger(&scan, header))
        {
            let why = "pages are younger than the slot that is left, so the other one was newer";
            state = State::without_header(source, why);
            picture = Picture::of(&scan, state.header.as_ref(), other_is_lost);
        }
        let salvage = Salvage::of(&scan, &picture, &state)?;
        Ok(Recovery {
            scan,
            state,
            picture,
            salvage,
        })
    }

    /// Whether neither a state nor a single node was found.
    pub(crate) fn is_empty(&self) -> bool {
        self.state.header.is_none() && self.salvage.nodes.is_empty()
    }

    /// A builder of databases like the damaged one.
    pub(crate) fn builder(&self) -> Builder {
        let header = self.state.header.as_ref();
        let names = header.map_or_else(
            || self.scan.pages_of(KeySpace::Names).next().is_some(),
            |header| header.name_index,
        );
        Database::builder()
            .page_size(self.scan.file.page_size())
            .name_index(names)
            .unique_edges(header.is_some_and(|header| header.unique_edges))
    }

    /// Loads everything that was found into an empty database.
    pub(crate) fn write(mut self, database: Database) -> Result<Report, Failure> {
        let written = write::write(&self.scan, &mut self.salvage, database)?;
        Ok(Report::new(
            &self.scan,
            &self.state,
            &self.picture,
            &self.salvage,
            written,
        ))
    }
}

#[cfg(test)]
mod proof;
