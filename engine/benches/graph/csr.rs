//! The limit that reads are measured against: the same graph in plain arrays, without a key, a page or
//! a check. Offsets and peers in two flat arrays a direction, and the nodes' bytes in one arena.

use vellum::{Direction, NodeId};

pub struct Csr {
    directions: [Adjacency; 2],
    ends: Vec<usize>,
    arena: Vec<u8>,
}

struct Adjacency {
    offsets: Vec<u32>,
    peers: Vec<u32>,
}

impl Adjacency {
    /// By counting sort, as `edges` come in any order.
    fn of(nodes: u64, edges: impl Iterator<Item = (u32, u32)> + Clone) -> Adjacency {
        let mut offsets = vec![0u32; nodes as usize + 2];
        for (node, _) in edges.clone() {
            offsets[node as usize + 1] += 1;
        }
        for i in 1..offsets.len() {
            offsets[i] += offsets[i - 1];
        }
        let mut next = offsets.clone();
        let mut peers = vec![0; offsets[offsets.len() - 1] as usize];
        for (node, peer) in edges {
            peers[next[node as usize] as usize] = peer;
            next[node as usize] += 1;
        }
        Adjacency { offsets, peers }
    }
}

impl Csr {
    /// `records`: name and data of each node, from the first on.
    pub fn of(
        nodes: u64,
        records: impl Iterator<Item = Vec<u8>>,
        edges: impl Iterator<Item = (u32, u32)> + Clone,
    ) -> Csr {
        let (mut ends, mut arena) = (vec![0, 0], Vec::new());
        for record in records {
            arena.extend_from_slice(&record);
            ends.push(arena.len());
        }
        let reversed = edges.clone().map(|(a, b)| (b, a));
        Csr {
            directions: [Adjacency::of(nodes, edges), Adjacency::of(nodes, reversed)],
            ends,
            arena,
        }
    }

    pub fn record(&self, node: NodeId) -> &[u8] {
        let id = node.get() as usize;
        &self.arena[self.ends[id]..self.ends[id + 1]]
    }

    pub fn neighbors(&self, node: NodeId, direction: Direction) -> &[u32] {
        let adjacency = &self.directions[usize::from(direction == Direction::In)];
        let id = node.get() as usize;
        let (start, end) = (adjacency.offsets[id], adjacency.offsets[id + 1]);
        &adjacency.peers[start as usize..end as usize]
    }

    /// Nodes that can be reached, the start included.
    pub fn reach(&self, start: NodeId, hops: u32) -> usize {
        let mut seen = vec![false; self.ends.len()];
        seen[start.get() as usize] = true;
        let (mut level, mut count) = (vec![start.get() as u32], 1);
        for _ in 0..hops {
            let mut next = Vec::new();
            for node in level {
                let (start, end) = (
                    self.directions[0].offsets[node as usize],
                    self.directions[0].offsets[node as usize + 1],
                );
                for &peer in &self.directions[0].peers[start as usize..end as usize] {
                    if !seen[peer as usize] {
                        seen[peer as usize] = true;
                        next.push(peer);
                    }
                }
            }
            count += next.len();
            if next.is_empty() {
                break;
            }
            level = next;
        }
        count
    }
}
