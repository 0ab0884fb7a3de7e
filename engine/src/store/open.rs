//! Opening: lock, header, recovery, and the parts put together.

use std::sync::Arc;

use super::Store;
use super::commits::{Commits, Log};
use super::exclusive::Exclusive;
use super::files::Files;
use super::recover::{Recovered, recover};
use super::slots::{Slots, read_newest};
use super::state::{Snapshot, State};
use super::trees::Trees;
use crate::delta::Delta;
use crate::error::{Error, Result};
use crate::forensics::{Counter, Tally};
use crate::graph::DictionaryCache;
use crate::options::{OnRecovery, Options};
use crate::pager::Pager;
use crate::plant::planted;
use crate::storage::{LockMode, OpenMode, Poison, Poisonable, Storage};
use crate::sync::Mutex;
use crate::sync::swap::ArcSwap;

impl Store {
    /// Opens an existing database. The header decides what the options leave open.
    pub(crate) fn open(
        files: Files,
        options: Options,
        watch: &OnRecovery,
        tally: Tally,
    ) -> Result<Arc<Store>> {
        let mode = if options.read_only && !planted!("read-only-writes") {
            OpenMode::Read
        } else {
            OpenMode::Write
        };
        let file = files
            .directory
            .open(&files.name, mode)
            .map_err(files.failed("opening", &files.name))?;
        if !planted!("lock-not-taken") {
            lock(&files, &*file, &options)?;
        }
        let store = Store::assemble(files, file, options, watch, tally)?;
        if planted!("read-only-writes") && store.options.read_only {
            let len = store.file.len().unwrap_or_default();
            let _ = store.file.set_len(len + 4096);
        }
        if !store.options.read_only {
            // What a bulk load left that was killed. If it stays, nothing depends on it.
            let _ = store.files.remove_sorted_runs();
        }
        Ok(store)
    }

    /// Puts a store together from a file that is locked already.
    pub(crate) fn assemble(
        files: Files,
        file: Arc<dyn Storage>,
        mut options: Options,
        watch: &OnRecovery,
        tally: Tally,
    ) -> Result<Arc<Store>> {
        let poison = Arc::new(Poison::default());
        let file: Arc<dyn Storage> = Arc::new(Poisonable::new(file, &poison));
        let newest = read_newest(&*file, &tally)?;
        let mode = if options.read_only {
            OpenMode::Read
        } else {
            OpenMode::Write
        };
        let recovered = recover(&files, newest, mode, watch, &tally)?;
        check_length(&*file, &recovered)?;
        options.adopt(&recovered.header);
        let pager = Arc::new(Pager::new(
            Arc::clone(&file),
            &poison,
            options.page_size,
            options.file_id,
            options.cache_bytes,
            tally.clone(),
        ));
        let slots = Slots::new(
            Arc::clone(&file),
            &poison,
            recovered.header,
            recovered.slot_pending,
            tally.clone(),
        );
        let (trees, base) = Trees::new(Arc::clone(&pager), slots);
        let state = Arc::new(State {
            base,
            frozen: Delta::default(),
            active: recovered.delta,
            totals: recovered.totals,
            commit: recovered.commit,
            visible_at: 0,
            snapshot: Snapshot::default(),
        });
        let log = match recovered.log_end {
            Some(end) => Log::Recovered(end),
            None => Log::Absent,
        };
        Ok(Arc::new(Store {
            options,
            files,
            file,
            pager,
            dictionary: Arc::new(DictionaryCache::default()),
            published: ArcSwap::new(Arc::clone(&state)),
            commits: Mutex::new(Commits::new(state, log)),
            trees: Exclusive::new(trees, tally.clone(), Counter::TreesWaits),
            writer: Exclusive::new((), tally.clone(), Counter::WriterWaits),
            recovery: recovered.report,
            poison,
            signal: Arc::default(),
            tally,
        }))
    }
}

fn lock(files: &Files, file: &dyn Storage, options: &Options) -> Result<()> {
    let mode = if options.read_only {
        LockMode::Shared
    } else {
        LockMode::Exclusive
    };
    let held = file
        .lock(mode)
        .map_err(files.failed("locking", &files.name))?;
    if held {
        Ok(())
    } else {
        Err(Error::Locked {
            path: files.describe(&files.name),
        })
    }
}

fn check_length(file: &dyn Storage, recovered: &Recovered) -> Result<()> {
    let header = &recovered.header;
    let len = file
        .len()
        .map_err(|e| Error::io("reading the database's length", e))?;
    let needed = header.page_count.saturating_mul(header.page_size as u64);
    if len < needed {
        let what = format!("the file has {len} bytes, but its header counts {needed}");
        return Err(Error::corrupt_at(len, what));
    }
    Ok(())
}
