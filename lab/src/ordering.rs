//! The order of writes and syncs, watched over a recorded session: whatever a crash happens to show, each
//! step must be durable before the next one relies on it.

use std::collections::BTreeMap;

use vellum::PageRef;
use vellum::format::header::{Header, SLOT_LEN, SLOT_OFFSETS, decode_slot};
use vellum::format::log::{
    MAGIC as LOG_MAGIC, RECORD_HEADER_LEN, SEGMENT_HEADER_LEN, SegmentHeader,
};
use vellum::storage::sim::{Change, Disk, Event, FileNumber};

/// Where pages begin in the files that are watched.
const HEADER_BYTES: u64 = 8192;
/// Where a page's birth stands, and how many bytes it has.
const BIRTH: std::ops::Range<usize> = 8..14;

/// What a file is to the database that is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Role {
    Database,
    Log,
}

/// Bytes written and not synced yet.
#[derive(Clone, Copy, Debug)]
struct Unsynced {
    offset: u64,
    len: u64,
    zeros: bool,
}

/// Watches the events of one database. Marks for which `promises` is true acknowledge commits as durable.
pub(crate) struct Monitor<'a> {
    name: &'a str,
    promises: fn(u64) -> bool,
    roles: BTreeMap<FileNumber, Role>,
    unsynced: BTreeMap<FileNumber, Vec<Unsynced>>,
    /// The state in each slot: as last written, and as last synced.
    written: [Option<Header>; 2],
    durable: [Option<Header>; 2],
    /// Changes of names that no sync of the directory has covered.
    names_unsynced: bool,
    /// A sync failed, of any file, and of the log.
    failed: bool,
    log_failed: bool,
    highest_birth: u64,
    at: usize,
    broken: Vec<String>,
}

/// The rules that a session broke, in its order. `start`: what was there before, durably. A session that
/// goes on after a failed sync must end where its handle does.
pub(crate) fn broken(
    name: &str,
    start: &Disk,
    events: &[Event],
    promises: fn(u64) -> bool,
) -> Vec<String> {
    let mut monitor = Monitor::new(name, start, promises);
    for (at, event) in events.iter().enumerate() {
        monitor.at = at;
        monitor.event(event);
    }
    monitor.broken
}

impl<'a> Monitor<'a> {
    fn new(name: &'a str, start: &Disk, promises: fn(u64) -> bool) -> Monitor<'a> {
        let mut monitor = Monitor {
            name,
            promises,
            roles: BTreeMap::new(),
            unsynced: BTreeMap::new(),
            written: [None, None],
            durable: [None, None],
            names_unsynced: false,
            failed: false,
            log_failed: false,
            highest_birth: 0,
            at: 0,
            broken: Vec::new(),
        };
        for (name, image) in start.entries() {
            if let (Some(role), Some(file)) = (monitor.role(name), start.number(name)) {
                monitor.roles.insert(file, role);
                if role == Role::Database {
                    let bytes = image.to_vec();
                    for (slot, offset) in SLOT_OFFSETS.into_iter().enumerate() {
                        let start = offset as usize;
                        let header = bytes.get(start..start + SLOT_LEN);
                        let header = header.and_then(|bytes| decode_slot(bytes, slot).ok());
                        monitor.durable[slot].clone_from(&header);
                        monitor.written[slot] = header;
                    }
                }
            }
        }
        monitor
    }

    fn role(&self, name: &str) -> Option<Role> {
        match name.strip_prefix(self.name)? {
            "" | "-new" => Some(Role::Database),
            "-log" | "-log-new" => Some(Role::Log),
            _ => None,
        }
    }

    fn broke(&mut self, rule: impl AsRef<str>) {
        self.broken
            .push(format!("event {}: {}", self.at, rule.as_ref()));
    }

    fn event(&mut self, event: &Event) {
        match event {
            Event::Change(change) => self.change(change),
            Event::Sync(file) => {
                if self.failed && self.roles.contains_key(file) {
                    self.broke("a sync after a failed one");
                }
                self.unsynced.remove(file);
                if self.roles.get(file) == Some(&Role::Database) {
                    self.durable.clone_from(&self.written);
                }
            }
            Event::SyncDirectory => self.names_unsynced = false,
            Event::SyncFailed(file, _) => {
                self.failed |= self.roles.contains_key(file);
                self.log_failed |= self.roles.get(file) == Some(&Role::Log);
            }
            Event::Mark(mark) => {
                if (self.promises)(*mark) {
                    self.promise();
                }
            }
        }
    }

    /// A commit is acknowledged.
    fn promise(&mut self) {
        if self.pending(Role::Log) {
            self.broke("a commit is acknowledged before its record is synced");
        }
        if self.names_unsynced {
            self.broke("a commit is acknowledged before the names of its files are durable");
        }
        if self.log_failed {
            self.broke("a commit is acknowledged after a failed sync");
        }
    }

    /// Whether a file of this role has bytes that matter and are not synced.
    fn pending(&self, role: Role) -> bool {
        let of_role = |file: &FileNumber| self.roles.get(file) == Some(&role);
        self.unsynced
            .iter()
            .any(|(file, writes)| of_role(file) && writes.iter().any(|write| !write.zeros))
    }

    fn change(&mut self, change: &Change) {
        match change {
            Change::Create { file, name } => {
                if let Some(role) = self.role(name) {
                    self.roles.insert(*file, role);
                    self.names_unsynced = true;
                }
            }
            Change::Rename { from, to } => self.renamed(from, to),
            Change::Remove { name } => self.removed(name),
            Change::SetLen { file, .. } => {
                if self.failed && self.roles.contains_key(file) {
                    self.broke("a length is set after a failed sync");
                }
            }
            Change::Write { file, offset, data } => {
                let Some(role) = self.roles.get(file).copied() else {
                    return;
                };
                if self.failed {
                    self.broke("a write after a failed sync");
                }
                match role {
                    Role::Database => self.database(*offset, data),
                    Role::Log => self.log(*file, *offset, data),
                }
                self.unsynced.entry(*file).or_default().push(Unsynced {
                    offset: *offset,
                    len: data.len() as u64,
                    zeros: data.iter().all(|byte| *byte == 0),
                });
            }
        }
    }

    fn renamed(&mut self, from: &str, to: &str) {
        let Some(role) = self.role(to) else { return };
        if self.role(from).is_some() && self.pending(role) {
            self.broke("a file gets its name before its bytes are durable");
        }
        self.names_unsynced = true;
    }

    fn removed(&mut self, name: &str) {
        if name != format!("{}-log", self.name) {
            return;
        }
        let named = self.durable.iter().flatten();
        if named.into_iter().any(|header| header.log_generation != 0) {
            self.broke("the log is removed while a durable slot names it");
        }
        // It may come back with the next power cut, which harms nobody.
    }

    fn database(&mut self, offset: u64, data: &[u8]) {
        match SLOT_OFFSETS.iter().position(|slot| *slot == offset) {
            Some(slot) if data.len() == SLOT_LEN => self.slot(slot, data),
            _ if offset >= HEADER_BYTES => self.pages(offset, data),
            _ => {}
        }
    }

    fn newest(&self) -> Option<&Header> {
        let durable = self.durable.iter().flatten();
        durable.max_by_key(|header| header.sequence)
    }

    fn slot(&mut self, slot: usize, data: &[u8]) {
        let Ok(header) = decode_slot(data, slot) else {
            self.broke("a slot is written that is no state, or in the wrong place");
            return;
        };
        if self.written != self.durable {
            self.broke("a slot is written before the other one is synced");
        }
        if let Some(newest) = self.newest().cloned() {
            if self.durable[slot]
                .as_ref()
                .is_some_and(|old| old.sequence == newest.sequence && old.sequence > 0)
            {
                self.broke("a slot is written over the newest state");
            }
            if header.sequence <= newest.sequence && newest.sequence > 0 {
                self.broke("a slot is written with a sequence that is not new");
            }
            if header.log_generation != 0 && newest.log_generation == 0 {
                self.names_log();
            }
        }
        self.rests_on_synced(&header, "a slot");
        if header.log_generation != 0 && self.pending(Role::Log) {
            let covers = self
                .newest()
                .is_none_or(|newest| newest.log_position < header.log_position);
            if covers {
                self.broke("a slot covers log that is not synced");
            }
        }
        self.written[slot] = Some(header);
    }

    /// A slot names a log for the first time.
    fn names_log(&mut self) {
        if self.pending(Role::Log) || !self.roles.values().any(|role| *role == Role::Log) {
            self.broke("a slot names a log that is not durable");
        }
        if self.names_unsynced {
            self.broke("a slot names a log whose name is not durable");
        }
    }

    /// The roots and the freelist of a state are durable.
    fn rests_on_synced(&mut self, header: &Header, what: &str) {
        let size = header.page_size as u64;
        let named: Vec<PageRef> = header
            .roots
            .iter()
            .filter_map(|root| root.page)
            .chain(header.freelist)
            .collect();
        let unsynced = self
            .unsynced
            .iter()
            .filter(|(file, _)| self.roles.get(file) == Some(&Role::Database))
            .flat_map(|(_, writes)| writes);
        let rests = unsynced.clone().any(|write| {
            named.iter().any(|at| {
                let start = at.page() * size;
                start < write.offset + write.len && write.offset < start + size
            })
        });
        if rests {
            self.broke(format!("{what} names pages that are not synced"));
        }
    }

    /// Pages are written where no durable state has its roots, with births that are new and reserved.
    fn pages(&mut self, offset: u64, data: &[u8]) {
        let Some(newest) = self.newest().cloned() else {
            return;
        };
        let size = newest.page_size;
        // The rest of a page that an earlier call has begun.
        let begun = (offset.next_multiple_of(size as u64) - offset) as usize;
        let whole = data.get(begun..).unwrap_or_default();
        let first = offset.div_ceil(size as u64);
        for (number, page) in (first..).zip(whole.chunks_exact(size)) {
            let roots = newest.roots.iter().filter_map(|root| root.page);
            if roots.chain(newest.freelist).any(|at| at.page() == number) {
                self.broke("a page of the durable state is written over");
            }
            let mut birth = [0; 8];
            if let Some(bytes) = page.get(BIRTH) {
                birth[..bytes.len()].copy_from_slice(bytes);
            }
            let birth = u64::from_le_bytes(birth);
            if birth >= newest.birth_limit {
                self.broke("a page is born before its birth is reserved");
            }
            if birth <= self.highest_birth {
                self.broke("a birth is used again");
            }
            self.highest_birth = self.highest_birth.max(birth);
        }
    }

    fn log(&mut self, file: FileNumber, offset: u64, data: &[u8]) {
        if data.starts_with(&LOG_MAGIC) {
            self.segment(file, offset, data);
        } else if let Some(payload) = data.get(RECORD_HEADER_LEN..RECORD_HEADER_LEN + SLOT_LEN)
            && let Ok(header) = Header::decode(payload)
        {
            self.rests_on_synced(&header, "a root record");
        }
    }

    fn segment(&mut self, file: FileNumber, _offset: u64, data: &[u8]) {
        if data.len() < SEGMENT_HEADER_LEN {
            // The part of a header that a failed write has left. It names nothing.
            return;
        }
        let Ok(segment) = SegmentHeader::decode(data) else {
            self.broke("a log segment is begun with a header that is none");
            return;
        };
        let pending = self.unsynced.get(&file);
        if pending.is_some_and(|writes| writes.iter().any(|write| !write.zeros)) {
            self.broke("a log segment is begun before the one before it is synced");
        }
        let needed = self.newest().map_or(0, |newest| newest.log_generation);
        if segment.generation > 2 && needed + 1 < segment.generation {
            self.broke("a log segment is begun over one that the durable state needs");
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::Arc;

    use super::*;
    use vellum::storage::sim::SimDirectory;
    use vellum::{CheckpointMode, Database};

    fn session() -> Vec<Event> {
        let directory = SimDirectory::new();
        let options = Database::builder()
            .in_directory(Arc::new(directory.clone()))
            .checkpoint(CheckpointMode::Inline)
            .log_segment_bytes(64 << 10)
            .write_buffer_bytes(64 << 10);
        let db = options.create("graph").unwrap();
        for round in 0..12u64 {
            let mut txn = db.begin_write().unwrap();
            for number in 0..20 {
                let name = format!("{round} {number}");
                txn.insert_node("kind", &name, &[7; 400]).unwrap();
            }
            txn.commit().unwrap();
            directory.mark(1);
            if round % 3 == 2 {
                db.checkpoint().unwrap();
            }
        }
        let mut large = db.begin_write().unwrap();
        for number in 0..200 {
            let name = format!("large {number}");
            large.insert_node("kind", &name, &[7; 500]).unwrap();
        }
        large.commit().unwrap();
        directory.mark(1);
        db.close().unwrap();
        directory.events()
    }

    fn rules(events: &[Event]) -> Vec<String> {
        broken("graph", &Disk::default(), events, |mark| mark == 1)
    }

    #[test]
    fn a_sound_session_breaks_no_rule() {
        assert_eq!(rules(&session()), [] as [String; 0]);
    }

    /// Leaving out any one sync of the session, or all of a kind, breaks a rule.
    #[test]
    fn every_kind_of_sync_is_missed() {
        let events = session();
        let without = |left_out: &dyn Fn(usize, &Event) -> bool| {
            let kept = events.iter().enumerate();
            let kept = kept.filter(|(at, event)| !left_out(*at, event));
            rules(&kept.map(|(_, event)| event.clone()).collect::<Vec<_>>())
        };
        let files: Vec<usize> = events
            .iter()
            .filter_map(|event| match event {
                Event::Sync(file) => Some(*file),
                _ => None,
            })
            .collect();
        assert!(files.len() > 30);
        for file in files {
            assert!(!without(&|_, event| *event == Event::Sync(file)).is_empty());
        }
        assert!(!without(&|_, event| *event == Event::SyncDirectory).is_empty());
    }
}
