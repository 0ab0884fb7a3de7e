//! A handle's share in its record: what everything that counts holds on to.

use std::panic::Location;
use std::sync::Arc;

use super::RECORDS;
use super::counts::Counts;
use super::ledger::Ledger;
use super::record::Record;
use super::register::Ownership;
use super::trace::Sink;
use crate::error::Result;

/// Where to count for one database. Without the feature it has no size and leads nowhere.
#[derive(Clone)]
pub(crate) struct Tally {
    record: [Arc<Record>; RECORDS],
}

impl Default for Tally {
    fn default() -> Tally {
        Tally::traced(Sink::default())
    }
}

impl Tally {
    /// A tally whose events also go to this sink.
    pub(crate) fn traced(sink: Sink) -> Tally {
        let mut sink = Some(sink);
        Tally {
            record: std::array::from_fn(|_| Arc::new(Record::new(sink.take().unwrap_or_default()))),
        }
    }

    /// Where events are noted; `None` in a build that does not count.
    #[inline(always)]
    pub(crate) fn record(&self) -> Option<&Record> {
        self.record.first().map(|record| &**record)
    }

    pub(crate) fn counts(&self) -> Counts {
        self.record().map(Record::counts).unwrap_or_default()
    }

    pub(crate) fn ownership(&self) -> Ownership {
        self.record().map(Record::ownership).unwrap_or_default()
    }

    /// Ends the trace and says whether all of it was written.
    pub(crate) fn end_trace(&self) -> Result<()> {
        self.record().map_or(Ok(()), Record::end_trace)
    }

    /// Opens a ledger for this thread.
    pub(crate) fn open_ledger(&self) -> OpenLedger {
        OpenLedger {
            number: self.record().map(Record::open_ledger),
            tally: self.clone(),
        }
    }
}

/// A ledger that is open until this is closed or dropped.
pub(crate) struct OpenLedger {
    tally: Tally,
    number: Option<usize>,
}

impl OpenLedger {
    pub(crate) fn close(mut self) -> Ledger {
        self.take()
    }

    fn take(&mut self) -> Ledger {
        let record = self.tally.record().zip(self.number.take());
        record.map_or_else(Ledger::default, |(record, number)| {
            record.close_ledger(number)
        })
    }
}

impl Drop for OpenLedger {
    fn drop(&mut self) {
        self.take();
    }
}

/// A place in the engine's source. Without the feature it has no size.
#[derive(Clone, Copy)]
pub(crate) struct Site([&'static Location<'static>; RECORDS]);

impl Site {
    /// Where this is called, or where a function with `#[track_caller]` that calls it is.
    #[track_caller]
    #[inline(always)]
    pub(crate) fn here() -> Site {
        Site([Location::caller(); RECORDS])
    }

    pub(super) fn location(self) -> Option<&'static Location<'static>> {
        self.0.first().copied()
    }
}
