//! Graphs made from a seed. Whole numbers only: no rounding differs between machines.

use crate::random::Random;
use crate::scenario::raw::Shape;
use crate::units::grouped;

use super::model::Model;
use super::{EdgeRow, NodeRow};

/// Streams of the seed, so that edges stay the same when only the data changes.
const NODES: u64 = 1 << 32;
const EDGES: u64 = 2 << 32;
const EDGE_DATA: u64 = 3 << 32;

/// What nodes and edges hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Content {
    pub(crate) kinds: u64,
    pub(crate) labels: u64,
    /// Bytes of a node's data: from here …
    pub(crate) node_bytes: u64,
    /// … to here, each doubling equally often.
    pub(crate) node_bytes_max: u64,
    pub(crate) edge_bytes: u64,
}

impl Default for Content {
    fn default() -> Content {
        Content {
            kinds: 10,
            labels: 3,
            node_bytes: 60,
            node_bytes_max: 60,
            edge_bytes: 0,
        }
    }
}

/// A graph to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Generator {
    pub(crate) shape: Shape,
    pub(crate) nodes: u64,
    /// Edges that leave a node, or children of a node of a tree.
    pub(crate) degree: u64,
    /// How far along the chain an edge leads.
    pub(crate) stride: u64,
    pub(crate) seed: u64,
    pub(crate) content: Content,
}

impl Generator {
    /// What it makes, in a few words for people.
    pub(crate) fn describe(&self) -> String {
        format!(
            "{}, {} nodes, {} edges, seed {}",
            self.shape.name(),
            grouped(self.nodes),
            grouped(self.edges()),
            self.seed
        )
    }
}

impl Content {
    pub(crate) fn kind(&self, random: &mut Random) -> String {
        format!("kind-{}", random.below_u64(self.kinds))
    }

    pub(crate) fn label(&self, random: &mut Random) -> String {
        format!("label-{}", random.below_u64(self.labels))
    }

    /// Data of a node.
    pub(crate) fn node_data(&self, random: &mut Random) -> Vec<u8> {
        let spread = self.node_bytes_max.saturating_sub(self.node_bytes);
        let more = match spread {
            0 => 0,
            // First how many bits, then which number of so many: each doubling equally often.
            _ => {
                let bits = random.below_u64(u64::from(u64::BITS - spread.leading_zeros()) + 1);
                random.below_u64(1 << bits).min(spread)
            }
        };
        random.letters(self.node_bytes + more)
    }

    pub(crate) fn edge_data(&self, random: &mut Random) -> Vec<u8> {
        random.letters(self.edge_bytes)
    }

    pub(crate) fn node(&self, id: u64, random: &mut Random) -> NodeRow {
        NodeRow {
            id,
            kind: self.kind(random),
            name: name(id),
            data: self.node_data(random),
        }
    }
}

/// The name of a node, in one of fifteen patterns: short and long, with and without common beginnings,
/// in several scripts.
pub(crate) fn name(id: u64) -> String {
    match id % 15 {
        0 => format!("node-{id}"),
        1 => format!("{id}"),
        2 => format!("src/module_{}/file_{id}.rs", id % 97),
        3 => format!("crate::module_{}::Type{id}", id % 31),
        4 => format!("https://example.org/{}/{id}?page={}", id % 11, id % 7),
        5 => format!("Ünïcode-{id}-名前"),
        6 => format!(
            "{:032x}",
            u128::from(id).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835)
        ),
        7 => format!("a{id}"),
        8 => format!("z/{}/{}/{id}", id % 3, id % 5),
        9 => format!("user.{}@host-{id}.example", id % 1000),
        10 => format!("{}{id}", "long-common-beginning-of-a-name-".repeat(6)),
        11 => format!("{id} with spaces, and a comma"),
        12 => format!("\u{1F600}{id}"),
        13 => format!("UPPER_{id}_CASE"),
        _ => format!("lib{}-{id}-dev", id % 211),
    }
}

impl Generator {
    /// How many edges the graph has.
    pub(crate) fn edges(&self) -> u64 {
        let nodes = self.nodes;
        match self.shape {
            Shape::Uniform | Shape::PowerLaw | Shape::Rmat if nodes > 0 => {
                nodes.saturating_mul(self.degree)
            }
            Shape::Uniform | Shape::PowerLaw | Shape::Rmat => 0,
            Shape::Chain => nodes.saturating_sub(self.stride),
            Shape::Star | Shape::Tree => nodes.saturating_sub(1),
            Shape::Grid => {
                let width = nodes.isqrt().max(1);
                let right = nodes - nodes.div_ceil(width);
                right + nodes.saturating_sub(width)
            }
            Shape::Complete => nodes.saturating_mul(nodes.saturating_sub(1)),
        }
    }

    /// Makes the graph.
    pub(crate) fn model(&self) -> Model {
        let mut random = Random::new(self.seed, NODES);
        let nodes = (1..=self.nodes)
            .map(|id| self.content.node(id, &mut random))
            .collect();
        let mut data = Random::new(self.seed, EDGE_DATA);
        let edges = self.pairs().into_iter().map(|(source, target)| EdgeRow {
            source,
            label: self.content.label(&mut data),
            target,
            data: self.content.edge_data(&mut data),
        });
        Model::new(nodes, edges)
    }

    /// Both ends of every edge, in the order of their arrival.
    fn pairs(&self) -> Vec<(u64, u64)> {
        let (nodes, mut random) = (self.nodes, Random::new(self.seed, EDGES));
        match self.shape {
            Shape::Uniform => (0..self.edges())
                .map(|_| (random.below_u64(nodes) + 1, random.below_u64(nodes) + 1))
                .collect(),
            Shape::PowerLaw => self.preferential(&mut random),
            Shape::Rmat => (0..self.edges())
                .map(|_| rmat(nodes, &mut random))
                .collect(),
            Shape::Chain => (1..=nodes.saturating_sub(self.stride))
                .map(|id| (id, id + self.stride))
                .collect(),
            Shape::Star => (2..=nodes).map(|id| (1, id)).collect(),
            Shape::Grid => grid(nodes),
            Shape::Tree => (2..=nodes)
                .map(|id| ((id - 2) / self.degree.max(1) + 1, id))
                .collect(),
            Shape::Complete => (1..=nodes)
                .flat_map(|a| (1..=nodes).filter(move |b| *b != a).map(move |b| (a, b)))
                .collect(),
        }
    }

    /// Half of the edges lead to an end of an earlier edge, so that whoever has many gets more.
    fn preferential(&self, random: &mut Random) -> Vec<(u64, u64)> {
        let mut pairs: Vec<(u64, u64)> = Vec::new();
        for source in 1..=self.nodes {
            for _ in 0..self.degree {
                let earlier = random.below_u64(pairs.len() as u64) as usize;
                let target = match pairs.get(earlier) {
                    Some((_, target)) if random.below(2) == 0 => *target,
                    _ => random.below_u64(source) + 1,
                };
                pairs.push((source, target));
            }
        }
        pairs
    }
}

/// Each bit of both ends is chosen with the usual 57, 19, 19 and 5 percent.
fn rmat(nodes: u64, random: &mut Random) -> (u64, u64) {
    let bits = u64::BITS - nodes.saturating_sub(1).leading_zeros();
    let (mut source, mut target) = (0, 0);
    for _ in 0..bits {
        let (a, b) = match random.below(100) {
            0..57 => (0, 0),
            57..76 => (0, 1),
            76..95 => (1, 0),
            _ => (1, 1),
        };
        source = source << 1 | a;
        target = target << 1 | b;
    }
    (source % nodes + 1, target % nodes + 1)
}

/// Each node leads to its right and to its lower neighbour.
fn grid(nodes: u64) -> Vec<(u64, u64)> {
    let width = nodes.isqrt().max(1);
    let mut pairs = Vec::new();
    for id in 1..=nodes {
        if id % width != 0 && id < nodes {
            pairs.push((id, id + 1));
        }
        if id + width <= nodes {
            pairs.push((id, id + width));
        }
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPES: [Shape; 8] = [
        Shape::Uniform,
        Shape::PowerLaw,
        Shape::Rmat,
        Shape::Chain,
        Shape::Star,
        Shape::Grid,
        Shape::Tree,
        Shape::Complete,
    ];

    fn generator(shape: Shape, nodes: u64) -> Generator {
        Generator {
            shape,
            nodes,
            degree: 3,
            stride: 1,
            seed: 7,
            content: Content::default(),
        }
    }

    #[test]
    fn every_shape_is_as_large_as_it_says_and_repeats() {
        for shape in SHAPES {
            for nodes in [0, 1, 2, 3, 10, 17, 60] {
                let generator = generator(shape, nodes);
                let (one, two) = (generator.pairs(), generator.pairs());
                assert_eq!(one, two, "{shape:?}");
                assert_eq!(one.len() as u64, generator.edges(), "{shape:?} of {nodes}");
                let known = 1..=nodes;
                let inside = |(a, b): &(u64, u64)| known.contains(a) && known.contains(b);
                assert!(one.iter().all(inside), "{shape:?} of {nodes}");
            }
        }
    }

    /// A seed means the same graph for ever: stored results name it.
    #[test]
    fn a_seed_means_one_graph() {
        let first = |shape| {
            generator(shape, 60)
                .pairs()
                .into_iter()
                .take(4)
                .collect::<Vec<_>>()
        };
        assert_eq!(first(Shape::Grid), [(1, 2), (1, 8), (2, 3), (2, 9)]);
        assert_eq!(first(Shape::Tree), [(1, 2), (1, 3), (1, 4), (2, 5)]);
        let mut digest = crate::digest::Digest::new();
        for shape in [Shape::Uniform, Shape::PowerLaw, Shape::Rmat] {
            for (source, target) in generator(shape, 60).pairs() {
                digest.number(source);
                digest.number(target);
            }
        }
        assert_eq!(digest.to_string(), "8345cecbe0e739dbf5478b746c0f5e20");
    }

    #[test]
    fn names_differ_and_data_has_its_size() {
        let names: std::collections::BTreeSet<String> = (1..1000).map(name).collect();
        assert_eq!(names.len(), 999);
        let content = Content {
            node_bytes: 5,
            node_bytes_max: 1000,
            ..Content::default()
        };
        let mut random = Random::new(1, 1);
        let sizes: Vec<usize> = (0..500)
            .map(|_| content.node_data(&mut random).len())
            .collect();
        assert!(sizes.iter().all(|size| (5..=1000).contains(size)));
        assert!(sizes.contains(&5) && sizes.iter().any(|size| *size > 500));
    }
}
