//! A scenario file exactly as written. Every value that a later check may refuse carries its place.
//!
//! No enum here is untagged: serde would lose the place of what is wrong inside it.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use toml::Spanned;

use super::crash::{Crash, Oracle};
use super::damage::Damage;
use super::faults::Faults;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Scenario {
    pub(super) schema: Spanned<u32>,
    /// Followed before anything else is read.
    #[serde(rename = "extends")]
    pub(super) _extends: Option<Spanned<String>>,
    pub(super) name: Option<Spanned<String>>,
    pub(super) question: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) seed: u64,
    pub(super) engine: Option<Spanned<Engine>>,
    /// Every `[[phase]]` needs one.
    pub(super) dataset: Option<Spanned<Dataset>>,
    #[serde(default)]
    pub(super) sweep: Sweep,
    /// Applied to the tree before this is read, if `--quick` asks for it.
    #[serde(rename = "quick")]
    pub(super) _quick: Option<toml::Table>,
    #[serde(default)]
    pub(super) budget: Budget,
    #[serde(default)]
    pub(super) peers: Peers,
    #[serde(default)]
    pub(super) phase: Vec<Spanned<Phase>>,
    pub(super) crash: Option<Spanned<Crash>>,
    pub(super) oracle: Option<Spanned<Oracle>>,
    pub(super) faults: Option<Spanned<Faults>>,
    pub(super) damage: Option<Spanned<Damage>>,
    #[serde(default)]
    pub(super) check: Vec<Spanned<Check>>,
    #[serde(default)]
    pub(super) plot: Vec<Spanned<Plot>>,
}

impl Scenario {
    /// Where the graph's files are named.
    pub(super) fn file_place(&self) -> Range<usize> {
        let file = self
            .dataset
            .as_ref()
            .and_then(|dataset| dataset.get_ref().file.as_ref());
        file.map_or_else(Range::default, Spanned::span)
    }
}

/// What is left of the section once its axes are taken.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Sweep {
    pub(super) repeats: Option<Spanned<u32>>,
    #[serde(default)]
    pub(super) order: super::sweep::Order,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Budget {
    pub(super) time: Option<Spanned<String>>,
    pub(super) disk: Option<Spanned<Size>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Peers {
    #[serde(default)]
    pub(super) with: Vec<Spanned<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Engine {
    pub(super) page_size: Option<Spanned<Size>>,
    pub(super) cache: Option<Spanned<Size>>,
    pub(super) write_buffer: Option<Spanned<Size>>,
    pub(super) log_segment: Option<Spanned<Size>>,
    pub(super) durability: Option<Durability>,
    pub(super) group_delay: Option<Spanned<String>>,
    pub(super) checkpoint: Option<Checkpoint>,
    pub(super) name_index: Option<bool>,
    pub(super) unique_edges: Option<bool>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Checkpoint {
    /// In a thread of the database's own.
    Background,
    /// In the commit that begins one: the same operations then give the same bytes.
    Inline,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Durability {
    #[default]
    Sync,
    Group,
    None,
}

impl Durability {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Durability::Sync => "sync",
            Durability::Group => "group",
            Durability::None => "none",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Durability> {
        [Durability::Sync, Durability::Group, Durability::None]
            .into_iter()
            .find(|one| one.name() == name)
    }
}

/// A size, written as a number of bytes or as text with a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Size {
    Bytes(u64),
    /// So many pages of the engine.
    Pages(u64),
}

impl Size {
    pub(super) fn bytes(self, page_size: u64) -> u64 {
        match self {
            Size::Bytes(bytes) => bytes,
            Size::Pages(pages) => pages.saturating_mul(page_size),
        }
    }

    fn parse(text: &str) -> Option<Size> {
        match text.strip_suffix("pages") {
            Some(pages) => pages.trim().replace('_', "").parse().ok().map(Size::Pages),
            None => crate::units::parse_bytes(text).map(Size::Bytes),
        }
    }
}

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Size, D::Error> {
        struct Bytes;
        impl Visitor<'_> for Bytes {
            type Value = Size;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a size such as 4096, \"32 MiB\" or \"64 pages\"")
            }

            fn visit_i64<E: Error>(self, bytes: i64) -> Result<Size, E> {
                u64::try_from(bytes)
                    .map(Size::Bytes)
                    .map_err(|_| E::custom("a size cannot be negative"))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Size, E> {
                Size::parse(text).ok_or_else(|| {
                    E::custom(format!(
                        "`{text}` is not a size such as 4096, \"32 MiB\" or \"64 pages\""
                    ))
                })
            }
        }
        deserializer.deserialize_any(Bytes)
    }
}

/// A plain value in the words of the file: text, a number, true or false.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Plain(pub(super) String);

impl<'de> Deserialize<'de> for Plain {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Plain, D::Error> {
        struct Any;
        impl Visitor<'_> for Any {
            type Value = Plain;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("text, a number, true or false")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Plain, E> {
                Ok(Plain(text.to_owned()))
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<Plain, E> {
                Ok(Plain(number.to_string()))
            }

            fn visit_f64<E: Error>(self, number: f64) -> Result<Plain, E> {
                Ok(Plain(number.to_string()))
            }

            fn visit_bool<E: Error>(self, on: bool) -> Result<Plain, E> {
                Ok(Plain(on.to_string()))
            }
        }
        deserializer.deserialize_any(Any)
    }
}

/// Operations and their weights, as a table or, for one operation, as its name alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mix(pub(super) Vec<(Option<Range<usize>>, String, u32)>);

impl<'de> Deserialize<'de> for Mix {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Mix, D::Error> {
        struct Weights;
        impl<'de> Visitor<'de> for Weights {
            type Value = Mix;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an operation, or a table such as { get-node = 9, insert-node = 1 }")
            }

            fn visit_str<E: Error>(self, name: &str) -> Result<Mix, E> {
                Ok(Mix(vec![(None, name.to_owned(), 1)]))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Mix, A::Error> {
                let mut all = Vec::new();
                while let Some((name, weight)) = map.next_entry::<Spanned<String>, u32>()? {
                    all.push((Some(name.span()), name.into_inner(), weight));
                }
                Ok(Mix(all))
            }
        }
        deserializer.deserialize_any(Weights)
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Dataset {
    /// A folder with a file of nodes and one of edges, or a file of nodes; relative to the scenario.
    pub(super) file: Option<Spanned<String>>,
    pub(super) generator: Option<Spanned<Shape>>,
    pub(super) nodes: Option<Spanned<u64>>,
    pub(super) degree: Option<Spanned<u64>>,
    pub(super) stride: Option<Spanned<u64>>,
    pub(super) seed: Option<Spanned<u64>>,
    pub(super) kinds: Option<Spanned<u64>>,
    pub(super) labels: Option<Spanned<u64>>,
    pub(super) node_bytes: Option<Spanned<Size>>,
    pub(super) node_bytes_max: Option<Spanned<Size>>,
    pub(super) edge_bytes: Option<Spanned<Size>>,
}

/// The shape of a generated graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Shape {
    Uniform,
    PowerLaw,
    Rmat,
    Chain,
    Star,
    Grid,
    Tree,
    Complete,
}

impl Shape {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Shape::Uniform => "uniform",
            Shape::PowerLaw => "power-law",
            Shape::Rmat => "rmat",
            Shape::Chain => "chain",
            Shape::Star => "star",
            Shape::Grid => "grid",
            Shape::Tree => "tree",
            Shape::Complete => "complete",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Load {
    /// By transactions of a stated size.
    Batch,
    /// By one bulk load.
    Bulk,
}

/// The order in which a bulk load is given its edges.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum EdgeOrder {
    /// As the source has them, or as the generator made them.
    Source,
    /// By source, label and target: as they are stored.
    Sorted,
    /// At random.
    Shuffled,
}

impl EdgeOrder {
    pub(crate) fn name(self) -> &'static str {
        match self {
            EdgeOrder::Source => "as they came",
            EdgeOrder::Sorted => "sorted",
            EdgeOrder::Shuffled => "shuffled",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Ask {
    Neighbors,
    KHop,
    Path,
    ByKind,
    ByName,
    ByPrefix,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Verify {
    /// Everything readable equals the source rows, and the structure is sound.
    All,
    /// Everything readable equals the source rows.
    Source,
    /// The engine's own complete check finds nothing.
    Structure,
    /// Closes the database and digests the bytes of its file, and those of a compacted copy.
    Bytes,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Reopen {
    /// Closed and opened again.
    Clean,
    /// The files as they are while the database is open, copied and opened: what the death of the
    /// process would leave.
    Log,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kill {
    /// A child process that commits transactions until it is killed.
    Writer,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Direction {
    Out,
    In,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Cold {
    /// The database is closed and opened again first; the operating system's cache stays warm.
    Handle,
    /// The same, and the kernel is asked to drop the file's pages from its cache.
    Os,
}

/// How the node that an operation is about is chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Keys {
    /// Every node equally often, at random.
    #[default]
    Uniform,
    /// At random, the node of rank r in proportion to 1/r.
    Zipf,
    /// One after the other.
    Sequential,
    /// One after the other, backwards.
    Reverse,
    /// Blocks of neighbours at random places, each block one after the other.
    BlockSequential,
    /// The first node of each block, then the second of each, and so on: never the same page twice
    /// in a row.
    BlockSkip,
    /// Always the same node, from the middle.
    Same,
}

/// One phase. Exactly one of the action fields says what it does; the others belong to actions.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Phase {
    pub(super) name: Option<Spanned<String>>,
    pub(super) database: Option<Spanned<String>>,
    pub(super) measure: Option<bool>,
    // Actions.
    pub(super) load: Option<Spanned<Load>>,
    pub(super) mix: Option<Spanned<Mix>>,
    pub(super) ask: Option<Spanned<Ask>>,
    pub(super) verify: Option<Spanned<Verify>>,
    pub(super) reopen: Option<Spanned<Reopen>>,
    pub(super) kill: Option<Spanned<Kill>>,
    // Their fields.
    pub(super) order: Option<Spanned<EdgeOrder>>,
    pub(super) operations: Option<Spanned<u64>>,
    pub(super) duration: Option<Spanned<String>>,
    pub(super) keys: Option<Spanned<Keys>>,
    pub(super) block: Option<Spanned<u32>>,
    pub(super) clients: Option<Spanned<u32>>,
    pub(super) beside: Option<Spanned<Mix>>,
    pub(super) rate: Option<Spanned<Plain>>,
    pub(super) depth: Option<Spanned<u32>>,
    pub(super) traversal_cache: Option<Spanned<u32>>,
    pub(super) hold_snapshot: Option<Spanned<bool>>,
    pub(super) rollback_every: Option<Spanned<u32>>,
    pub(super) stream: Option<Spanned<u32>>,
    pub(super) batch: Option<Spanned<u32>>,
    pub(super) direction: Option<Spanned<Direction>>,
    pub(super) label: Option<Spanned<String>>,
    pub(super) from: Option<Spanned<String>>,
    pub(super) to: Option<Spanned<String>>,
    pub(super) hops: Option<Spanned<u32>>,
    pub(super) kind: Option<Spanned<String>>,
    pub(super) prefix: Option<Spanned<String>>,
    pub(super) named: Option<Spanned<String>>,
    pub(super) repeats: Option<Spanned<u32>>,
    pub(super) cold: Option<Spanned<Cold>>,
    pub(super) rounds: Option<Spanned<u32>>,
    pub(super) after: Option<Spanned<u32>>,
    pub(super) nodes: Option<Spanned<u32>>,
    pub(super) edges: Option<Spanned<u32>>,
    pub(super) data_bytes: Option<Spanned<u32>>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Severity {
    #[default]
    Fail,
    /// Reported, but without effect on the exit code.
    Warn,
}

/// When a check is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum OnlyIf {
    /// Only where the baseline was made on the same machine.
    SameHost,
    /// Only in the size that the scenario states, not with `--quick`.
    Full,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Check {
    pub(super) metric: Spanned<String>,
    pub(super) expect: Spanned<String>,
    #[serde(default)]
    pub(super) severity: Severity,
    pub(super) only_if: Option<OnlyIf>,
    #[serde(default, rename = "where")]
    pub(super) only_where: BTreeMap<Spanned<String>, Spanned<Plain>>,
    /// Why it is checked.
    pub(super) note: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Plot {
    pub(super) title: Spanned<String>,
    pub(super) note: Option<String>,
    /// A table to draw; without it, `x` is an axis of the sweep and `y` are metrics.
    pub(super) table: Option<Spanned<String>>,
    pub(super) x: Spanned<String>,
    pub(super) y: Vec<Spanned<String>>,
    #[serde(default, rename = "where")]
    pub(super) only_where: BTreeMap<Spanned<String>, Spanned<Plain>>,
    pub(super) form: Option<crate::results::PlotForm>,
    #[serde(default)]
    pub(super) x_scale: crate::results::Scale,
    #[serde(default)]
    pub(super) y_scale: crate::results::Scale,
}

impl Scenario {
    /// Where the first peer is named, if one is.
    pub(crate) fn first_peer(&self) -> Option<Range<usize>> {
        self.peers.with.first().map(Spanned::span)
    }
}
