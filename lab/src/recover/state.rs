//! The newest state that header slots and log describe, and the records to replay over it.

use vellum::format::header::Header;

use crate::inspect::log::{Chain, Found, Log, Stop};
use crate::inspect::source::Source;
use crate::units::counted;

use super::scan::Scan;

/// Where salvage starts from.
pub(super) struct State<'s> {
    /// The header whose trees are read; without one they are looked for among the pages.
    pub(super) header: Option<Header>,
    /// What to replay over the trees, in order.
    pub(super) records: Vec<Found<'s>>,
    /// How the state was found, in a sentence.
    pub(super) basis: String,
    /// What is wrong with the log, if commits may be lost by it.
    pub(super) log_problem: Option<String>,
    /// How the log ends, where it does not end with a whole record.
    pub(super) log_end: Option<String>,
    /// What was mended in the log.
    pub(super) mended: Vec<String>,
}

impl<'s> State<'s> {
    pub(super) fn of(source: &'s Source, scan: &Scan<'_>) -> State<'s> {
        let Some(slot) = source.pages.newest().cloned() else {
            return State::without_header(source, "no header slot is whole");
        };
        let other_is_lost = source.pages.slots().iter().any(Result::is_err);
        let mut state = match slot.log_generation {
            0 => State::closed(source, slot, other_is_lost),
            _ => match State::logged(source, slot.clone()) {
                Err(_) if other_is_lost => {
                    let text =
                        "the log is not that of the slot that is left, so the other one was newer";
                    return State::without_header(source, text);
                }
                Ok(state) => state,
                Err(problem) => State {
                    basis: format!("state {} of the header", slot.sequence),
                    header: Some(slot),
                    records: Vec::new(),
                    log_problem: Some(problem),
                    log_end: None,
                    mended: Vec::new(),
                },
            },
        };
        // Births are reserved in a durable header before any of them is used.
        let newest = scan.newest_birth();
        if other_is_lost
            && state
                .header
                .as_ref()
                .is_some_and(|header| newest >= header.birth_limit)
        {
            state = State::without_header(
                source,
                "pages are younger than the slot that is left, so the other one was newer",
            );
        }
        state
    }

    /// A slot that names no log. If the other slot is lost, it may have named one.
    fn closed(source: &'s Source, slot: Header, other_is_lost: bool) -> State<'s> {
        let mut state = State {
            basis: format!("state {}, closed cleanly", slot.sequence),
            header: Some(slot),
            records: Vec::new(),
            log_problem: None,
            log_end: None,
            mended: Vec::new(),
        };
        if other_is_lost && source.log.is_some() {
            state.replay_all(source);
        }
        state
    }

    /// A slot that names a log, replayed from where it says.
    fn logged(source: &'s Source, slot: Header) -> Result<State<'s>, String> {
        let log = source
            .log()
            .ok_or("the log that the header names is missing")?;
        let generation = slot.log_generation;
        let chain = log.read_from(generation, slot.log_position, slot.log_chain);
        if let Stop::Absent(why) = chain.stop {
            return Err(why);
        }
        let mut state = State {
            basis: format!("state {} and its log", slot.sequence),
            header: Some(slot),
            records: Vec::new(),
            log_problem: None,
            log_end: None,
            mended: Vec::new(),
        };
        state.follow(&log, generation, chain);
        Ok(state)
    }

    /// No header counts: the trees are what the pages tell, and the whole log follows.
    pub(super) fn without_header(source: &'s Source, why: &str) -> State<'s> {
        let mut state = State {
            header: None,
            records: Vec::new(),
            basis: format!("{why}; the trees were put together from the pages alone"),
            log_problem: None,
            log_end: None,
            mended: Vec::new(),
        };
        state.replay_all(source);
        state
    }

    /// Replays all that the log holds. Operations are outcomes, so replaying what the trees have
    /// already changes nothing, provided that the end is reached; what ends early could take back
    /// what came later. Of a log with a gap that is what stands behind the last one.
    fn replay_all(&mut self, source: &'s Source) {
        let Some(log) = source.log() else { return };
        let ours = |generation| {
            log.segment(generation)
                .map(|(_, header)| header)
                .filter(|header| source.pages.has_identity(&header.file_id))
        };
        let Some(first) = log.oldest().and_then(ours) else {
            self.log_problem = Some("the log is not readable, or not of this database".to_owned());
            return;
        };
        let chain = log.read_from(first.generation, first.base, first.checksum());
        self.mended = log.mended(&chain.records);
        self.log_end = unfinished(&chain);
        let Some(problem) = problem(&chain) else {
            self.adopt(chain.records);
            return;
        };
        let behind = to_the_end(log.behind(first.generation, &chain));
        self.log_problem = Some(format!(
            "{problem}; {} replayed, those whose successors are all there",
            counted(
                behind.len() as u64,
                "record behind it was",
                "records behind it were"
            )
        ));
        self.adopt(behind);
    }

    /// Replays a chain that begins at this header's state, and what stands behind where it is damaged.
    fn follow(&mut self, log: &Log<'s>, generation: u64, chain: Chain<'s>) {
        let behind = match chain.stop {
            Stop::Damaged(_) => log.behind(generation, &chain),
            _ => Vec::new(),
        };
        self.mended = log.mended(&chain.records);
        self.log_end = unfinished(&chain);
        self.log_problem = problem(&chain).map(|problem| {
            let behind = counted(behind.len() as u64, "record", "records");
            format!("{problem}; {behind} behind it could be replayed")
        });
        self.adopt(chain.records);
        self.adopt(behind);
    }

    /// Takes the records after the last root record, and that one's header.
    fn adopt(&mut self, records: Vec<Found<'s>>) {
        let committed = self.header.as_ref().map_or(0, |header| header.commit);
        for record in records {
            let root = record.root().and_then(|root| Header::decode(root).ok());
            match root {
                Some(header) => {
                    self.basis = format!(
                        "state {}, which a root record of the log holds",
                        header.sequence
                    );
                    self.header = Some(header);
                    self.records.clear();
                }
                None if record.header.commit > committed => self.records.push(record),
                None => {}
            }
        }
    }
}

/// The records whose successors are all there, up to the last.
fn to_the_end(mut records: Vec<Found<'_>>) -> Vec<Found<'_>> {
    let commit = |record: &Found<'_>| record.header.commit;
    let broken = records
        .windows(2)
        .rposition(|pair| matches!(pair, [a, b] if commit(b) != commit(a) + 1));
    records.split_off(broken.map_or(0, |at| at + 1))
}

/// What a crash in the middle of a commit leaves behind a chain.
fn unfinished(chain: &Chain<'_>) -> Option<String> {
    let Stop::Torn(bytes) = chain.stop else {
        return None;
    };
    Some(format!(
        "at offset {} {} of a record that is not whole: a commit that a crash cut short, or a log that was cut off",
        chain.offset,
        counted(bytes, "byte is", "bytes are")
    ))
}

/// What is wrong with a chain, if anything is lost by it.
fn problem(chain: &Chain<'_>) -> Option<String> {
    match &chain.stop {
        Stop::Clean | Stop::Torn(_) => None,
        Stop::Damaged(why) => Some(format!(
            "the log is damaged at offset {}: {}; {why}",
            chain.offset, chain.rule
        )),
        Stop::Absent(why) => Some(why.clone()),
    }
}
