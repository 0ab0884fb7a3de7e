//! Any operations, and an I/O call that fails: a clear error, nothing acknowledged lost, and the
//! database opens again.

use std::io::ErrorKind;

use arbitrary::{Arbitrary, Unstructured};
use vellum::storage::sim::{Fault, FaultKind, SimDirectory, Survives, SyncFailure};

use crate::ops_crash::recover;
use crate::power::Cut;
use crate::session::{Files, Saw, Session, Setup, steps};

/// What happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// In the session, the failures included.
    pub saw: Saw,
    /// The fault struck.
    pub struck: bool,
    /// Operations that failed.
    pub failed: u64,
    /// A commit failed of which only opening again tells whether it is there.
    pub uncertain: bool,
    /// The power went afterwards, and there was a database to recover.
    pub recovered: bool,
}

/// Which call fails, and how.
#[derive(Arbitrary, Clone, Copy, Debug)]
struct Trouble {
    call: u16,
    kind: u8,
    lasts: bool,
}

impl Trouble {
    fn fault(self) -> Fault {
        let survives = [Survives::None, Survives::Half, Survives::All];
        let survives = survives[usize::from(self.kind >> 4) % 3];
        let sync = [SyncFailure::Dirty, SyncFailure::Clean, SyncFailure::Dropped];
        let kind = match self.kind % 6 {
            0 => FaultKind::Fails(ErrorKind::Other, survives),
            1 => FaultKind::Fails(ErrorKind::StorageFull, survives),
            2 => FaultKind::SyncFails(sync[usize::from(self.kind >> 4) % 3]),
            3 => FaultKind::Interrupted,
            4 => FaultKind::Short(1 + usize::from(self.kind >> 3) * 300),
            _ => FaultKind::Fails(ErrorKind::QuotaExceeded, Survives::None),
        };
        Fault {
            call: self.call.into(),
            kind,
            // A call that is interrupted for ever is tried for ever.
            lasts: self.lasts && kind != FaultKind::Interrupted,
        }
    }
}

/// The input: options, which call fails and how, the power cut, then operations.
pub fn run(data: &[u8]) -> Outcome {
    let mut u = Unstructured::new(data);
    let (Ok(setup), Ok(trouble), Ok(cut)) = (
        u.arbitrary::<Setup>(),
        u.arbitrary::<Trouble>(),
        u.arbitrary::<Cut>(),
    ) else {
        return Outcome::default();
    };
    let directory = SimDirectory::new();
    directory.plan(Some(trouble.fault()));
    let mut session = Session::new(Files::Simulated(directory.clone()), setup);
    let mut failed = 0;
    if session.create().is_err() {
        failed += 1;
        directory.plan(None);
        session
            .create()
            .expect("an interrupted create can be repeated");
    }
    for step in steps(&mut u) {
        if session.step(step).is_ok() {
            continue;
        }
        failed += 1;
        if session.is_shut() {
            // Opening or closing failed.
            directory.plan(None);
            session.create().expect("it opens once the fault is over");
        }
        if session.uncertain.is_some() {
            break;
        }
    }
    let events = directory.events();
    let mut outcome = Outcome {
        saw: session.saw,
        struck: directory.struck() > 0,
        failed,
        uncertain: session.uncertain.is_some(),
        recovered: false,
    };
    session.shut();
    directory.plan(None);
    let mut states = std::mem::take(&mut session.states);
    states.extend(session.uncertain.take());
    outcome.recovered = survives(setup, &directory, &events, cut, &states);
    outcome
}

/// What the files hold now, and what a power cut leaves of them, are both as some commit left them.
fn survives(
    setup: Setup,
    directory: &SimDirectory,
    events: &[vellum::storage::sim::Event],
    cut: Cut,
    states: &[crate::model::Model],
) -> bool {
    let mut now = Cut::NONE.apply(&Default::default(), events, [0; 2]);
    now.disk = directory.disk();
    recover(setup, &SimDirectory::with(now.disk.clone()), &now, states);
    let left = cut.apply(&Default::default(), events, [0; 2]);
    recover(setup, &SimDirectory::with(left.disk.clone()), &left, states).is_some()
}
