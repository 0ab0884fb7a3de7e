//! Readers in the middle of a walk while any operations go on: each sees the graph as it was when it
//! began, and nothing of what is written, merged or rolled back meanwhile.

use arbitrary::Unstructured;
use vellum::storage::MemoryDirectory;
use vellum::{Direction, ReadTxn};

use crate::changes::id;
use crate::model::Model;
use crate::session::{Files, Saw, Session, Step, steps};

/// What happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// In the session.
    pub saw: Saw,
    /// Nodes and edges that readers saw while operations went on between them.
    pub items: u64,
}

/// The input: options, how many operations come before the readers, then operations.
pub fn run(data: &[u8]) -> Outcome {
    let mut u = Unstructured::new(data);
    let (Ok(setup), Ok(before)) = (u.arbitrary(), u.arbitrary::<u8>()) else {
        return Outcome::default();
    };
    let mut session = Session::new(Files::Memory(MemoryDirectory::new()), setup);
    session.create().unwrap();
    let steps = steps(&mut u);
    let (first, rest) = steps.split_at(steps.len().min(before.into()));
    for step in first {
        session.step(*step).unwrap();
    }
    let mut outcome = Outcome::default();
    let mut rest = rest.iter().copied();
    while rest.len() > 0 {
        let (txn, model) = (session.snapshot().unwrap(), session.committed().clone());
        outcome.items += walk(&txn, &model, &mut || advance(&mut session, &mut rest));
        advance(&mut session, &mut rest);
        model.assert_shown(&txn);
    }
    session.look().unwrap();
    outcome.saw = session.saw;
    outcome
}

fn advance(session: &mut Session, rest: &mut impl Iterator<Item = Step>) {
    // A step that ends the database would wait for the reader, so it is left to `ops_model`.
    if let Some(step) = rest.next().filter(|step| !step.ends()) {
        session.step(step).unwrap();
    }
}

/// Walks the nodes and their edges both ways, with something going on between any two.
fn walk(txn: &ReadTxn, model: &Model, between: &mut dyn FnMut()) -> u64 {
    let mut items = 0;
    let mut expected = model.nodes.iter();
    for node in txn.nodes() {
        between();
        let node = node.unwrap();
        let (number, model) = expected.next().expect("a node too many");
        assert_eq!(node.id().get(), *number);
        assert_eq!((node.kind(), node.name()), (&*model.0, &*model.1));
        assert!(*node.data().unwrap() == model.2, "data of node {number}");
        items += 1;
    }
    assert!(expected.next().is_none(), "a node is missing");
    let most = model.nodes.keys().take(16);
    for number in most {
        for direction in [Direction::Out, Direction::In] {
            let mut count = 0;
            for edge in txn.edges(id(*number), direction, None) {
                between();
                let edge = edge.unwrap();
                let (source, target) = (edge.source().get(), edge.target().get());
                let key = (source, edge.label().to_owned(), target, edge.ordinal());
                let data = model.edges.get(&key).expect("an edge too many");
                assert!(*edge.data().unwrap() == *data, "data of {key:?}");
                count += 1;
            }
            let ends = model.edges.keys().map(|edge| match direction {
                Direction::In => edge.2,
                Direction::Out => edge.0,
            });
            assert_eq!(
                count,
                ends.filter(|end| end == number).count(),
                "edges of {number}"
            );
            items += count as u64;
        }
    }
    items
}
