//! What a store must do to be measured. Generic all the way, so that no call through a table stands
//! between a row and the store, and the flat arrays stay the limit that they are.

use std::path::PathBuf;

use crate::failure::Failure;
use crate::results::Setting;

use super::graph::{Edge, Graph, Node};

/// How a store is to be opened. Everything else is its own best practice.
#[derive(Clone, Debug)]
pub(super) struct Config {
    pub(super) folder: PathBuf,
    pub(super) cache_bytes: u64,
    pub(super) name_index: bool,
}

/// Which end of an edge a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Out,
    In,
}

/// One change of a commit. A node comes whole, so that no store has to read before it writes one.
#[derive(Clone, Copy, Debug)]
pub(super) enum Change<'a> {
    Insert(Node<'a>),
    /// Kind and name are as they were.
    Update(Node<'a>),
    Delete(Node<'a>),
    Link(Edge),
    Unlink(Edge),
}

/// A database of a store.
pub(super) trait Store: Sync + Sized {
    /// What a thread reads through.
    type Session: Session;

    /// Creates the database, or opens the one that is there.
    fn open(config: &Config) -> Result<Self, Failure>;

    fn session(&self) -> Result<Self::Session, Failure>;

    /// One durable transaction. Ids of new nodes ascend from 1 without a gap.
    fn commit(&self, changes: &[Change<'_>]) -> Result<(), Failure>;

    /// Loads a graph into the empty database in the store's own fastest way; all of it is durable afterwards.
    fn bulk(&self, graph: &Graph) -> Result<(), Failure>;

    /// Finishes what the store does in the background, and gives up its handle. Sessions are gone by then.
    fn close(self) -> Result<(), Failure>;

    /// What it says of its own settings, read back where that is possible.
    fn settings(&self) -> Result<Vec<Setting>, Failure>;
}

/// A thread's way to a database.
pub(super) trait Session: Send {
    type Reader<'s>: Reader
    where
        Self: 's;

    /// A snapshot, with whatever can be prepared once.
    fn reader(&self) -> Result<Self::Reader<'_>, Failure>;
}

/// A held snapshot.
pub(super) trait Reader {
    /// Gives the snapshot up for a new one.
    fn refresh(&mut self) -> Result<(), Failure>;

    /// Kind, name and data of a node; false where it is not.
    fn node(&mut self, id: u64, see: impl FnOnce(u8, &[u8], &[u8])) -> Result<bool, Failure>;

    /// The same from a snapshot of its own.
    fn fresh_node(&mut self, id: u64, see: impl FnOnce(u8, &[u8], &[u8])) -> Result<bool, Failure> {
        self.refresh()?;
        self.node(id, see)
    }

    /// Label and peer of each edge.
    fn neighbours(&mut self, id: u64, way: Way, see: impl FnMut(u8, u64)) -> Result<(), Failure>;

    fn of_kind(&mut self, kind: u8, see: impl FnMut(u64)) -> Result<(), Failure>;

    fn named(&mut self, name: &str, see: impl FnMut(u64)) -> Result<(), Failure>;

    fn prefixed(&mut self, prefix: &str, see: impl FnMut(u64)) -> Result<(), Failure>;

    /// How many nodes can be reached along outgoing edges, the start included, and the sum of their ids.
    /// As a user of a store without graphs would walk: a bitmap, and a list for each level.
    fn reach(&mut self, start: u64, hops: u32, nodes: u64) -> Result<(u64, u64), Failure> {
        let mut seen = vec![false; nodes as usize + 1];
        seen[start as usize] = true;
        let (mut level, mut next) = (vec![start], Vec::new());
        let (mut count, mut sum) = (1, start);
        for _ in 0..hops {
            for node in &level {
                self.neighbours(*node, Way::Out, |_, peer| {
                    if !std::mem::replace(&mut seen[peer as usize], true) {
                        next.push(peer);
                    }
                })?;
            }
            count += next.len() as u64;
            sum += next.iter().sum::<u64>();
            if next.is_empty() {
                break;
            }
            std::mem::swap(&mut level, &mut next);
            next.clear();
        }
        Ok((count, sum))
    }

    /// What the store says after reading, if it has a way to check itself.
    fn check(&self) -> Option<String> {
        None
    }
}
