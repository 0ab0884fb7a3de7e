//! Events as lines of JSON.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::event::{Action, Event};
use crate::error::{Error, Result};

/// What a trace's first line says, so that a reader knows what follows.
const FORMAT: u32 = 1;

/// Where a trace goes, if one was asked for. Clones lead to the same place.
#[derive(Clone, Default)]
pub(crate) struct Sink {
    to: Option<Arc<Mutex<To>>>,
}

struct To {
    out: Option<Box<dyn Write + Send>>,
    failed: Option<io::Error>,
    begun: bool,
}

impl Sink {
    pub(crate) fn new(out: Box<dyn Write + Send>) -> Sink {
        let to = To {
            out: Some(out),
            failed: None,
            begun: false,
        };
        Sink {
            to: Some(Arc::new(Mutex::new(to))),
        }
    }

    pub(crate) fn is_set(&self) -> bool {
        self.to.is_some()
    }

    /// Writes one line. The first failure ends the trace, not the work.
    pub(super) fn write(&self, event: &Event) {
        let Some(mut to) = self.lock() else { return };
        let begun = std::mem::replace(&mut to.begun, true);
        let Some(out) = &mut to.out else { return };
        let head = if begun {
            Ok(())
        } else {
            writeln!(out, "{{\"trace\":{FORMAT}}}")
        };
        if let Err(error) = head.and_then(|()| line(out, event)) {
            to.out = None;
            to.failed = Some(error);
        }
    }

    /// Ends the trace and says whether all of it was written.
    pub(super) fn end(&self) -> Result<()> {
        let Some(mut to) = self.lock() else {
            return Ok(());
        };
        let flushed = match to.out.take() {
            Some(mut out) => out.flush(),
            None => Ok(()),
        };
        let failed = to.failed.take().map_or(flushed, Err);
        failed.map_err(|e| Error::io("writing the trace", e))
    }

    // A trace that a panicking thread cut in the middle of a line is read up to there.
    fn lock(&self) -> Option<MutexGuard<'_, To>> {
        let to = self.to.as_ref()?;
        Some(to.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn line(out: &mut dyn Write, event: &Event) -> io::Result<()> {
    let Event { number, action, .. } = event;
    write!(out, "{{\"n\":{number},\"event\":\"{}\"", action.name())?;
    if event.page > 0 {
        write!(out, ",\"page\":{},\"pages\":{}", event.page, event.pages)?;
    }
    let placed = event.page > 0 || *action == Action::Append;
    if placed {
        write!(
            out,
            ",\"offset\":{},\"bytes\":{}",
            event.offset, event.bytes
        )?;
    }
    if let Some(birth) = event.birth {
        write!(out, ",\"birth\":{birth}")?;
    }
    if let Some(kind) = event.kind {
        write!(out, ",\"kind\":\"{}\"", kind.name())?;
    }
    if let Some(space) = event.space {
        write!(out, ",\"space\":\"{space}\",\"level\":{}", event.level)?;
    }
    if let Some(site) = event.call_site() {
        write!(out, ",\"site\":\"{site}\"")?;
    }
    writeln!(out, "}}")
}
