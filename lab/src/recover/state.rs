//! The newest state that header slots and log describe, and the records to replay over it.

use vellum::format::header::Header;

use crate::inspect::log::{Chain, Found, Stop};
use crate::inspect::source::Source;

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
        let chain = log.read_from(slot.log_generation, slot.log_position, slot.log_chain);
        if let Stop::Absent(why) = chain.stop {
            return Err(why);
        }
        let mut state = State {
            basis: format!("state {} and its log", slot.sequence),
            header: Some(slot),
            records: Vec::new(),
            log_problem: problem(&chain),
        };
        state.adopt(chain);
        Ok(state)
    }

    /// No header counts: the trees are what the pages tell, and the whole log follows.
    pub(super) fn without_header(source: &'s Source, why: &str) -> State<'s> {
        let mut state = State {
            header: None,
            records: Vec::new(),
            basis: format!("{why}; the trees were put together from the pages alone"),
            log_problem: None,
        };
        state.replay_all(source);
        state
    }

    /// Replays all that the log holds. Operations are outcomes, so replaying what the trees have
    /// already changes nothing, provided that the end is reached; what ends early could take back
    /// what came later.
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
        match problem(&chain) {
            Some(problem) => {
                self.log_problem = Some(format!("{problem}; nothing of it was replayed"))
            }
            None => self.adopt(chain),
        }
    }

    /// Takes the records after the last root record, and that one's header.
    fn adopt(&mut self, chain: Chain<'s>) {
        let committed = self.header.as_ref().map_or(0, |header| header.commit);
        for record in chain.records {
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

fn problem(chain: &Chain<'_>) -> Option<String> {
    match &chain.stop {
        Stop::Clean | Stop::Torn(_) => None,
        Stop::Damaged(why) => Some(format!(
            "the log is damaged at offset {}: {}; {why}; what follows is lost",
            chain.offset, chain.rule
        )),
        Stop::Absent(why) => Some(why.clone()),
    }
}
