//! Other stores, put to the same phases. What each one needs to be there is said where it is missing.

#[cfg(feature = "sqlite")]
mod sqlite;

use std::path::Path;

use toml::Spanned;

use crate::dataset::model::Model;
use crate::failure::Failure;
use crate::results::Setting;
use crate::scenario::plan::EnginePlan;

use crate::scenario::diagnose::Diagnostic;
use crate::scenario::plan::{Action, Plan};
use crate::scenario::raw;

use super::target::Target;

/// The name of the engine among the stores.
pub(crate) const VELLUM: &str = "vellum";

/// A peer, and whether this binary has it. `lab bench` measures beside each of them.
pub(crate) struct Peer {
    pub(crate) name: &'static str,
    pub(crate) what: &'static str,
    pub(crate) feature: &'static str,
    pub(crate) built_in: bool,
    /// Whether it carries out the phases of scenarios too.
    pub(crate) scenarios: bool,
}

/// Every peer that the lab knows.
pub(crate) const PEERS: &[Peer] = &[
    Peer {
        name: "sqlite",
        what: "tables of nodes and edges with the indexes that its users would make, write-ahead log",
        feature: "sqlite",
        built_in: cfg!(feature = "sqlite"),
        scenarios: true,
    },
    Peer {
        name: "redb",
        what: "copy-on-write B-trees in Rust",
        feature: "redb",
        built_in: cfg!(feature = "redb"),
        scenarios: false,
    },
    Peer {
        name: "lmdb",
        what: "a memory-mapped copy-on-write B-tree in C, duplicates of integers for edges",
        feature: "lmdb",
        built_in: cfg!(feature = "lmdb"),
        scenarios: false,
    },
    Peer {
        name: "fjall",
        what: "a log-structured merge tree in Rust",
        feature: "fjall",
        built_in: cfg!(feature = "fjall"),
        scenarios: false,
    },
];

/// Peers that scenarios can name.
fn in_scenarios() -> impl Iterator<Item = &'static Peer> + Clone {
    PEERS.iter().filter(|peer| peer.scenarios)
}

/// A peer with a database of its own, which it removes from nowhere: the folder is the run's.
pub(crate) trait PeerStore: Target {
    /// Loads the whole graph, by transactions of so many rows or in the peer's own fastest way, and
    /// returns how many commits that took.
    fn load(&mut self, model: &Model, batch: Option<usize>) -> Result<u64, Failure>;

    /// A digest of everything that it holds; see [`super::contents`].
    fn contents(&self) -> Result<String, Failure>;

    /// Bytes of all its files.
    fn file_bytes(&self) -> Result<u64, Failure>;

    /// Its options in effect, as shown.
    fn settings(&self) -> Vec<Setting>;

    /// Gives up what it keeps in memory of its own.
    fn forget(&mut self) -> Result<(), Failure>;
}

/// Makes a peer's database in the folder, as durable and with as much cache as the engine would have.
pub(crate) fn open(
    store: &str,
    folder: &Path,
    plan: &EnginePlan,
) -> Result<Box<dyn PeerStore>, Failure> {
    #[cfg(feature = "sqlite")]
    if store == "sqlite" {
        return Ok(Box::new(sqlite::Sqlite::create(folder, plan)?));
    }
    Err(Failure::missing(missing(store).unwrap_or_else(|| {
        format!(
            "there is no peer {store} to make in {} for {:?} commits",
            folder.display(),
            plan.durability
        )
    })))
}

/// The engine first, then the peers that a scenario names.
pub(crate) fn named(with: &[Spanned<String>]) -> Result<Vec<&'static str>, Vec<Diagnostic>> {
    let mut stores = vec![VELLUM];
    let mut wrong = Vec::new();
    for name in with {
        match in_scenarios().find(|peer| peer.name == name.get_ref()) {
            Some(peer) if !stores.contains(&peer.name) => stores.push(peer.name),
            Some(_) => {}
            None => wrong.push(unknown(name)),
        }
    }
    if wrong.is_empty() {
        Ok(stores)
    } else {
        Err(wrong)
    }
}

fn unknown(name: &Spanned<String>) -> Diagnostic {
    let known = PEERS.iter().any(|peer| peer.name == name.get_ref());
    let (message, label) = match known {
        true => (
            "the phases of scenarios are not for peer",
            "`lab bench` measures beside it",
        ),
        false => ("there is no peer", "unknown store"),
    };
    Diagnostic::new(name.span(), format!("{message} `{}`", name.get_ref()))
        .label(label)
        .suggest(name.get_ref(), in_scenarios().map(|peer| peer.name))
}

/// What is missing for a store, if anything is.
pub(crate) fn missing(store: &str) -> Option<String> {
    let peer = PEERS
        .iter()
        .find(|peer| peer.name == store && !peer.built_in)?;
    Some(format!(
        "{}: this lab was built without it; build it with `--features {}`",
        peer.name, peer.feature
    ))
}

/// Phases that only the engine can carry out cannot be compared with peers.
pub(crate) fn fits(raw: &raw::Scenario, plan: &Plan) -> Result<(), Vec<Diagnostic>> {
    let Some(span) = raw.first_peer() else {
        return Ok(());
    };
    let wrong: Vec<Diagnostic> = plan
        .phases
        .iter()
        .filter(|phase| match &phase.action {
            Action::Load(_) => false,
            Action::Mix(mix) => mix.clients > 1 || !mix.beside.is_empty(),
            _ => true,
        })
        .map(|phase| {
            let message = format!("phase `{}` is no phase that peers know", phase.name);
            Diagnostic::new(span.clone(), message)
                .label("peers load, and carry out mixes by one client")
        })
        .collect();
    if wrong.is_empty() { Ok(()) } else { Err(wrong) }
}
