//! A scenario file exactly as written. Every value that a later check may refuse carries its place.
//!
//! No enum here is untagged: serde would lose the place of what is wrong inside it.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, Visitor};
use toml::Spanned;

use super::crash::{Crash, Oracle};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Scenario {
    pub(super) schema: Spanned<u32>,
    pub(super) name: Spanned<String>,
    pub(super) question: Spanned<String>,
    #[serde(default)]
    pub(super) seed: u64,
    #[serde(default)]
    pub(super) engine: Engine,
    /// Every phase but a crash needs one.
    pub(super) dataset: Option<Spanned<Dataset>>,
    #[serde(default)]
    pub(super) phase: Vec<Spanned<Phase>>,
    pub(super) crash: Option<Spanned<Crash>>,
    pub(super) oracle: Option<Spanned<Oracle>>,
    #[serde(default)]
    pub(super) check: Vec<Spanned<Check>>,
    #[serde(default)]
    pub(super) plot: Vec<Spanned<Plot>>,
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
    pub(super) name_index: Option<bool>,
    pub(super) unique_edges: Option<bool>,
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

/// A number of bytes, written as a number or as text with a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Size(pub(super) u64);

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Size, D::Error> {
        struct Bytes;
        impl Visitor<'_> for Bytes {
            type Value = Size;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a size such as 4096 or \"32 MiB\"")
            }

            fn visit_i64<E: Error>(self, bytes: i64) -> Result<Size, E> {
                u64::try_from(bytes)
                    .map(Size)
                    .map_err(|_| E::custom("a size cannot be negative"))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Size, E> {
                crate::units::parse_bytes(text).map(Size).ok_or_else(|| {
                    E::custom(format!("`{text}` is not a size such as 4096 or \"32 MiB\""))
                })
            }
        }
        deserializer.deserialize_any(Bytes)
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Dataset {
    /// A folder with nodes.jsonl and edges.tsv, or one such file; relative to the scenario.
    pub(super) file: Spanned<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Load {
    /// By transactions of a stated size.
    Batch,
    /// By one bulk load.
    Bulk,
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
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Reopen {
    Clean,
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
pub(super) enum Cold {
    /// The database is closed and opened again first; the operating system's cache stays warm.
    Handle,
}

/// One phase. Exactly one of the action fields says what it does; the others belong to actions.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Phase {
    pub(super) name: Spanned<String>,
    pub(super) database: Option<Spanned<String>>,
    // Actions.
    pub(super) load: Option<Spanned<Load>>,
    pub(super) ask: Option<Spanned<Ask>>,
    pub(super) verify: Option<Spanned<Verify>>,
    pub(super) reopen: Option<Spanned<Reopen>>,
    pub(super) kill: Option<Spanned<Kill>>,
    // Their fields.
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

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Check {
    pub(super) metric: Spanned<String>,
    pub(super) expect: Spanned<String>,
    #[serde(default)]
    pub(super) severity: Severity,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Plot {
    pub(super) title: Spanned<String>,
    pub(super) note: Option<String>,
    pub(super) table: Spanned<String>,
    pub(super) x: Spanned<String>,
    pub(super) y: Vec<Spanned<String>>,
    #[serde(default)]
    pub(super) form: crate::results::PlotForm,
    #[serde(default)]
    pub(super) x_scale: crate::results::Scale,
    #[serde(default)]
    pub(super) y_scale: crate::results::Scale,
}
