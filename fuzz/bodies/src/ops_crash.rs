//! Any operations, a power cut, and another while recovering from it: every acknowledged commit is
//! there, every other whole or absent.

use arbitrary::Unstructured;
use vellum::storage::Directory;
use vellum::storage::sim::SimDirectory;

use crate::model::Model;
use crate::power::{Cut, Left};
use crate::session::{Files, NAME, Saw, Session, Setup, acked, begun, steps};

/// What happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// In the session before the power cut.
    pub saw: Saw,
    /// A database was there to recover.
    pub recovered: bool,
    /// The newest write was torn.
    pub torn: bool,
    /// Unsynced changes were lost.
    pub lost: bool,
    /// A commit survived that nobody was told of.
    pub unacknowledged: bool,
    /// A database was there to recover after the second power cut, too.
    pub twice: bool,
}

/// The input: options, the first and the second power cut, then operations.
pub fn run(data: &[u8]) -> Outcome {
    let mut u = Unstructured::new(data);
    let (Ok(setup), Ok(first), Ok(second)) = (
        u.arbitrary::<Setup>(),
        u.arbitrary::<Cut>(),
        u.arbitrary::<Cut>(),
    ) else {
        return Outcome::default();
    };
    let directory = SimDirectory::new();
    let mut session = Session::new(Files::Simulated(directory.clone()), setup);
    session.create().unwrap();
    for step in steps(&mut u) {
        session.step(step).unwrap();
    }
    let events = directory.events();
    let left = first.apply(&Default::default(), &events, [0; 2]);
    let mut outcome = Outcome {
        saw: session.saw,
        torn: left.torn,
        lost: left.lost > 0,
        ..Outcome::default()
    };
    let mut states = std::mem::take(&mut session.states);
    session.states.push(setup.model());
    let again = SimDirectory::with(left.disk.clone());
    let Some(found) = recover(setup, &again, &left, &states) else {
        return outcome;
    };
    outcome.recovered = true;
    outcome.unacknowledged = found > left.acked;
    states.truncate(found as usize + 1);
    states.extend(add_commit(setup, &again, &states[found as usize], found));
    let left = second.apply(&left.disk, &again.events(), [left.begun, left.acked]);
    let last = SimDirectory::with(left.disk.clone());
    outcome.twice = recover(setup, &last, &left, &states).is_some();
    outcome
}

/// Opens what a power cut left, and says to which commit it came. `None`: there is no database, and
/// none was promised.
pub(crate) fn recover(
    setup: Setup,
    directory: &SimDirectory,
    left: &Left,
    states: &[Model],
) -> Option<u64> {
    let builder = setup.builder(std::sync::Arc::new(directory.clone()));
    if !directory.exists(NAME).unwrap() {
        assert_eq!(
            left.acked, 0,
            "an acknowledged commit is gone with its file"
        );
        builder.create(NAME).unwrap().close().unwrap();
        return None;
    }
    let db = builder.open(NAME).unwrap();
    let txn = db.begin_read().unwrap();
    let found = txn.commit_number();
    assert!(
        (left.acked..=left.begun).contains(&found),
        "commit {found} is found; {} was acknowledged and {} had begun",
        left.acked,
        left.begun
    );
    states[found as usize].assert_shown(&txn);
    // What was shown once must be shown for ever.
    directory.mark(begun(found));
    directory.mark(acked(found));
    assert!(db.check().unwrap().is_sound(), "recovered, and not sound");
    Some(found)
}

/// A commit after recovery.
fn add_commit(setup: Setup, directory: &SimDirectory, model: &Model, found: u64) -> Option<Model> {
    let builder = setup.builder(std::sync::Arc::new(directory.clone()));
    let db = builder.open(NAME).unwrap();
    let mut model = model.clone();
    let mut txn = db.begin_write().unwrap();
    let node = txn.insert_node("after", "the cut", b"").unwrap();
    assert_eq!(node.get(), model.insert_node("after", "the cut", b""));
    directory.mark(begun(found + 1));
    txn.commit().unwrap();
    directory.mark(acked(found + 1));
    Some(model)
}
