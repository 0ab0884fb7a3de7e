//! What happens to pages and to the log, one event after the other.

use std::fmt;
use std::panic::Location;

use crate::format::page::PageKind;
use crate::ids::KeySpace;

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "lowercase"))]
#[non_exhaustive]
pub enum Action {
    /// Pages found on the freelist of the state that was opened.
    Listed,
    /// A page was taken by lengthening the file.
    Grow,
    /// A free page was taken.
    Reuse,
    /// A page was given its content. It reaches the file no later than the next sync.
    Write,
    /// A page was read from the file.
    Read,
    /// A new state does not reach a page any more.
    Drop,
    /// A page is in use again: the change that dropped it did not come about.
    Restore,
    /// A dropped page became free: nobody reaches it any more.
    Free,
    /// A page that was taken became free: the change that took it did not come about.
    Unwind,
    /// A page that was taken waits to become free: a view of its change, which did not come about, is held.
    Keep,
    /// Free pages were left out at the end of the file.
    Trim,
    /// A page left the cache to make room.
    Evict,
    /// A record was appended to the log.
    Append,
    /// A file was synced.
    Sync,
}

impl Action {
    /// The name used in traces.
    pub const fn name(self) -> &'static str {
        match self {
            Action::Listed => "listed",
            Action::Grow => "grow",
            Action::Reuse => "reuse",
            Action::Write => "write",
            Action::Read => "read",
            Action::Drop => "drop",
            Action::Restore => "restore",
            Action::Free => "free",
            Action::Unwind => "unwind",
            Action::Keep => "keep",
            Action::Trim => "trim",
            Action::Evict => "evict",
            Action::Append => "append",
            Action::Sync => "sync",
        }
    }
}

/// One event. What does not apply is `None`, or 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Event {
    /// Its place among the events of this handle, from 1.
    pub number: u64,
    /// What happened.
    pub action: Action,
    /// The first page that it happened to; 0 for a file.
    pub page: u64,
    /// How many pages.
    pub pages: u64,
    /// Byte offset in the database file, or position in the log.
    pub offset: u64,
    /// Bytes read, written, appended or set free.
    pub bytes: u64,
    /// The page's birth, where it is known.
    pub birth: Option<u64>,
    /// What the page holds, where it is known.
    pub kind: Option<PageKind>,
    /// The key space that it belongs to, if one.
    pub space: Option<KeySpace>,
    /// Its level in the tree.
    pub level: u8,
    /// Where in the engine's source the page was taken, written, dropped or freed.
    #[cfg_attr(feature = "serde", serde(serialize_with = "super::data::site"))]
    pub site: Option<&'static Location<'static>>,
}

impl Event {
    pub(super) fn of(action: Action) -> Event {
        Event {
            number: 0,
            action,
            page: 0,
            pages: 0,
            offset: 0,
            bytes: 0,
            birth: None,
            kind: None,
            space: None,
            level: 0,
            site: None,
        }
    }

    /// The part of the engine that did it: `store/checkpoint`, `txn/spill`, `bulk/nodes`, …
    pub fn subsystem(&self) -> Option<&'static str> {
        let file = self.site.map(|site| source(site.file()))?;
        Some(file.strip_suffix(".rs").unwrap_or(file))
    }

    /// File and line of the call, from the engine's `src` folder on.
    pub fn call_site(&self) -> Option<String> {
        self.site.map(call_site)
    }
}

pub(super) fn call_site(site: &'static Location<'static>) -> String {
    format!("{}:{}", source(site.file()).replace('\\', "/"), site.line())
}

/// The path below the folder of sources.
fn source(file: &str) -> &str {
    match file.rfind("src/").or_else(|| file.rfind("src\\")) {
        Some(at) => file.get(at + 4..).unwrap_or(file),
        None => file,
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{} {}", self.number, self.action.name())?;
        match (self.page, self.pages) {
            (0, _) => {}
            (page, 1) => write!(f, " page {page}")?,
            (page, pages) => write!(f, " pages {page} to {}", page + pages.saturating_sub(1))?,
        }
        if let Some(kind) = self.kind {
            write!(f, ", {}", kind.name())?;
        }
        if let Some(space) = self.space {
            write!(f, " of {space}, level {}", self.level)?;
        }
        if let Some(site) = self.call_site() {
            write!(f, ", by {site}")?;
        }
        Ok(())
    }
}
