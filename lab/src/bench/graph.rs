//! The graph that every store gets: nodes with 40 to 200 bytes of JSON and 16 kinds, and R-MAT edges of
//! 8 labels in random order, no two alike.

use crate::random::Random;

/// Edges beyond the graph's own, for single inserts.
const SPARE_EDGES: usize = 20_000;
/// Nodes beyond the graph's own, likewise.
const SPARE_NODES: u64 = 2_000;
/// The chances of the quadrants, in thousandths (Chakrabarti, Zhan, Faloutsos: R-MAT).
const QUADRANTS: [u32; 3] = [570, 760, 950];

pub(super) const KINDS: u8 = 16;
pub(super) const LABELS: u8 = 8;
/// The names of kinds and labels, by number.
pub(super) const KIND_NAMES: [&str; 16] = [
    "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p",
];

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Edge {
    pub(super) source: u32,
    pub(super) target: u32,
    pub(super) label: u8,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Node<'a> {
    pub(super) id: u64,
    pub(super) kind: u8,
    pub(super) name: &'a str,
    pub(super) data: &'a [u8],
}

pub(super) struct Graph {
    /// Nodes have the ids 1 to this.
    pub(super) nodes: u64,
    pub(super) edges: Vec<Edge>,
    /// None of these is among the edges.
    pub(super) spare: Vec<Edge>,
    /// Where the name and where the data of each node ends.
    ends: Vec<(u32, u32)>,
    text: String,
}

impl Graph {
    pub(super) fn new(nodes: u64, edges: u64, seed: u64) -> Graph {
        let mut graph = Graph {
            nodes,
            edges: Vec::new(),
            spare: Vec::new(),
            ends: vec![(0, 0)],
            text: String::new(),
        };
        let mut random = Random::new(seed, 1);
        for id in 1..=nodes + SPARE_NODES {
            graph.text.push_str(&format!("node-{id}"));
            let name = graph.text.len() as u32;
            let head = format!("{{\"id\":{id},\"text\":\"");
            let length = 40 + u64::from(random.below(161));
            let filler = length.saturating_sub(head.len() as u64 + 2);
            let letters = random.letters(filler);
            graph.text.push_str(&head);
            graph.text.extend(letters.into_iter().map(char::from));
            graph.text.push_str("\"}");
            graph.ends.push((name, graph.text.len() as u32));
        }
        graph.link(edges as usize, seed);
        graph
    }

    /// Sorted to find those alike, then shuffled. Ids are permuted, so that hubs lie anywhere.
    fn link(&mut self, edges: usize, seed: u64) {
        let mut random = Random::new(seed, 2);
        let mut ids: Vec<u32> = (1..=self.nodes as u32).collect();
        random.shuffle(&mut ids);
        let mut found: Vec<Edge> = Vec::new();
        let wanted = edges + SPARE_EDGES;
        while found.len() < wanted {
            for _ in found.len()..wanted + wanted / 50 {
                found.push(edge(&mut random, &ids));
            }
            found.sort_unstable();
            found.dedup();
        }
        random.shuffle(&mut found);
        found.truncate(wanted);
        self.spare = found.split_off(edges);
        self.edges = found;
    }

    pub(super) fn node(&self, id: u64) -> Node<'_> {
        let (name, end) = self.ends[id as usize];
        let start = self.ends[id as usize - 1].1;
        Node {
            id,
            kind: (mix(id) % u64::from(KINDS)) as u8,
            name: &self.text[start as usize..name as usize],
            data: &self.text.as_bytes()[name as usize..end as usize],
        }
    }

    pub(super) fn all_nodes(&self) -> impl Iterator<Item = Node<'_>> + Clone {
        (1..=self.nodes).map(|id| self.node(id))
    }

    /// Bytes of kinds, names and data.
    pub(super) fn payload(&self) -> u64 {
        u64::from(self.ends[self.nodes as usize].1) + self.nodes
    }

    /// Ids in a random order, with repeats.
    pub(super) fn picks(&self, count: usize, stream: u64) -> Vec<u64> {
        let mut random = Random::new(7, stream);
        (0..count)
            .map(|_| random.below_u64(self.nodes) + 1)
            .collect()
    }

    /// The node with the most outgoing edges.
    pub(super) fn hub(&self) -> u64 {
        let mut degrees = vec![0u32; self.nodes as usize + 1];
        for edge in &self.edges {
            degrees[edge.source as usize] += 1;
        }
        let most = degrees.iter().max().copied().unwrap_or(0);
        degrees
            .iter()
            .position(|degree| *degree == most)
            .map_or(1, |id| id.max(1) as u64)
    }
}

fn edge(random: &mut Random, ids: &[u32]) -> Edge {
    let levels = usize::BITS - (ids.len().max(2) - 1).leading_zeros();
    loop {
        let (mut source, mut target) = (0usize, 0usize);
        for _ in 0..levels {
            let chance = random.below(1000);
            let quadrant = QUADRANTS.iter().filter(|end| chance >= **end).count();
            source = source << 1 | quadrant >> 1;
            target = target << 1 | quadrant & 1;
        }
        if source < ids.len() && target < ids.len() {
            return Edge {
                source: ids[source],
                target: ids[target],
                label: random.below(u32::from(LABELS)) as u8,
            };
        }
    }
}

/// The finaliser of SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators).
fn mix(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}
