//! Any operations: the database answers as the model does, after each of them, in every snapshot and
//! after every way to end it.

use arbitrary::Unstructured;
use vellum::storage::MemoryDirectory;

use crate::session::{Files, Session, steps};

pub use crate::session::Saw;

/// The input: options, then operations.
pub fn run(data: &[u8]) -> Saw {
    let mut u = Unstructured::new(data);
    let Ok(setup) = u.arbitrary() else {
        return Saw::default();
    };
    let mut session = Session::new(Files::Memory(MemoryDirectory::new()), setup);
    session.create().unwrap();
    for step in steps(&mut u) {
        session.step(step).unwrap();
    }
    session.look().unwrap();
    session.shut();
    session.create().unwrap();
    session.look().unwrap();
    session.assert_sound();
    session.saw
}
