//! The limit that reads are measured against: the same graph in plain arrays, without a key, a page or
//! a check. Offsets and packed edges in two flat arrays a direction, and the nodes' bytes in one arena.

use vellum::{Direction, NodeId};

pub struct Csr {
    directions: [Adjacency; 2],
    ends: Vec<usize>,
    arena: Vec<u8>,
}

struct Adjacency {
    offsets: Vec<u32>,
    /// The peer, and the label in the lowest three bits.
    edges: Vec<u32>,
}

/// The peer of an edge.
pub fn peer(edge: u32) -> u32 {
    edge >> 3
}

impl Adjacency {
    /// By counting sort, as `edges` come in any order.
    fn of(nodes: u64, edges: impl Iterator<Item = (u32, u32, u32)> + Clone) -> Adjacency {
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
            packed[next[node as usize] as usize] = peer << 3 | label;
            next[node as usize] += 1;
        }
        Adjacency {
            offsets,
            edges: packed,
        }
    }
}

impl Csr {
    /// `records`: name and data of each node, from the first on.
    pub fn of(
        nodes: u64,
        records: impl Iterator<Item = Vec<u8>>,
        edges: impl Iterator<Item = (u32, u32, u32)> + Clone,
    ) -> Csr {
        let (mut ends, mut arena) = (vec![0, 0], Vec::new());
        for record in records {
            arena.extend_from_slice(&record);
            ends.push(arena.len());
        }
        let reversed = edges.clone().map(|(a, b, label)| (b, a, label));
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
        &adjacency.edges[start as usize..end as usize]
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
                for &edge in &self.directions[0].edges[start as usize..end as usize] {
                    let peer = peer(edge);
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
