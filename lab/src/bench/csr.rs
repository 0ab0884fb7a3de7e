//! The limit of reads: offsets and packed edges in two flat arrays a direction, and the nodes' bytes in one
//! arena, without a key, a page, a check or a hash.

use std::sync::Arc;

use crate::failure::Failure;
use crate::results::Setting;

use super::graph::{Graph, KINDS};
use super::subject::{Change, Config, Reader, Session, Store, Way};

#[derive(Default)]
pub(super) struct Arrays {
    directions: [Adjacency; 2],
    kinds: Vec<u8>,
    of_kind: Vec<Vec<u32>>,
    /// Where the name and where the data of each node ends.
    ends: Vec<(u32, u32)>,
    arena: Vec<u8>,
}

#[derive(Default)]
struct Adjacency {
    offsets: Vec<u32>,
    /// The peer, and the label in the lowest three bits.
    edges: Vec<u32>,
}

impl Adjacency {
    /// By counting sort, as edges come in any order.
    fn of(nodes: u64, edges: impl Iterator<Item = (u32, u32, u8)> + Clone) -> Adjacency {
        let mut offsets = vec![0u32; nodes as usize + 2];
        for (node, ..) in edges.clone() {
            offsets[node as usize + 1] += 1;
        }
        for i in 1..offsets.len() {
            offsets[i] += offsets[i - 1];
        }
        let mut next = offsets.clone();
        let mut packed = vec![0; offsets[offsets.len() - 1] as usize];
        for (node, peer, label) in edges {
            packed[next[node as usize] as usize] = peer << 3 | u32::from(label);
            next[node as usize] += 1;
        }
        Adjacency {
            offsets,
            edges: packed,
        }
    }
}

/// Built by its bulk load, and read only.
pub(super) struct Csr(std::sync::OnceLock<Arc<Arrays>>);

impl Store for Csr {
    type Session = Arc<Arrays>;

    fn open(_: &Config) -> Result<Csr, Failure> {
        Ok(Csr(std::sync::OnceLock::new()))
    }

    fn session(&self) -> Result<Arc<Arrays>, Failure> {
        Ok(self.0.get().cloned().unwrap_or_default())
    }

    fn commit(&self, _: &[Change<'_>]) -> Result<(), Failure> {
        Err(Failure::usage("plain arrays take no changes"))
    }

    fn bulk(&self, graph: &Graph) -> Result<(), Failure> {
        let out = graph.edges.iter().map(|e| (e.source, e.target, e.label));
        let into = graph.edges.iter().map(|e| (e.target, e.source, e.label));
        let mut arrays = Arrays {
            directions: [
                Adjacency::of(graph.nodes, out),
                Adjacency::of(graph.nodes, into),
            ],
            kinds: vec![0],
            of_kind: vec![Vec::new(); usize::from(KINDS)],
            ends: vec![(0, 0)],
            arena: Vec::new(),
        };
        for node in graph.all_nodes() {
            arrays.arena.extend_from_slice(node.name.as_bytes());
            let name = arrays.arena.len() as u32;
            arrays.arena.extend_from_slice(node.data);
            arrays.ends.push((name, arrays.arena.len() as u32));
            arrays.kinds.push(node.kind);
            arrays.of_kind[usize::from(node.kind)].push(node.id as u32);
        }
        self.0
            .set(Arc::new(arrays))
            .map_err(|_| Failure::usage("plain arrays are built once"))
    }

    fn close(self) -> Result<(), Failure> {
        Ok(())
    }

    fn settings(&self) -> Result<Vec<Setting>, Failure> {
        Ok(Vec::new())
    }
}

impl Session for Arc<Arrays> {
    type Reader<'s> = &'s Arrays;

    fn reader(&self) -> Result<&Arrays, Failure> {
        Ok(self)
    }
}

impl Reader for &Arrays {
    fn refresh(&mut self) -> Result<(), Failure> {
        Ok(())
    }

    fn node(&mut self, id: u64, see: impl FnOnce(u8, &[u8], &[u8])) -> Result<bool, Failure> {
        let Some(&(name, end)) = self.ends.get(id as usize) else {
            return Ok(false);
        };
        let start = self.ends[id as usize - 1].1;
        see(
            self.kinds[id as usize],
            &self.arena[start as usize..name as usize],
            &self.arena[name as usize..end as usize],
        );
        Ok(true)
    }

    fn neighbours(
        &mut self,
        id: u64,
        way: Way,
        mut see: impl FnMut(u8, u64),
    ) -> Result<(), Failure> {
        let adjacency = &self.directions[usize::from(way == Way::In)];
        let start = adjacency.offsets[id as usize] as usize;
        let end = adjacency.offsets[id as usize + 1] as usize;
        for packed in &adjacency.edges[start..end] {
            see((packed & 7) as u8, u64::from(packed >> 3));
        }
        Ok(())
    }

    fn of_kind(&mut self, kind: u8, mut see: impl FnMut(u64)) -> Result<(), Failure> {
        for id in &self.of_kind[usize::from(kind)] {
            see(u64::from(*id));
        }
        Ok(())
    }

    /// Flat arrays have no index of names: by looking at all, as their row is not taken.
    fn named(&mut self, name: &str, see: impl FnMut(u64)) -> Result<(), Failure> {
        self.search(|found| found == name.as_bytes(), see);
        Ok(())
    }

    fn prefixed(&mut self, prefix: &str, see: impl FnMut(u64)) -> Result<(), Failure> {
        self.search(|found| found.starts_with(prefix.as_bytes()), see);
        Ok(())
    }
}

impl Arrays {
    fn search(&self, wanted: impl Fn(&[u8]) -> bool, mut see: impl FnMut(u64)) {
        for id in 1..self.ends.len() {
            let name = &self.arena[self.ends[id - 1].1 as usize..self.ends[id].0 as usize];
            if wanted(name) {
                see(id as u64);
            }
        }
    }
}
