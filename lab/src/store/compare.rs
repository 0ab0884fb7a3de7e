//! Everything readable, held against the model: nodes, edges from both ends, degrees, kinds, names.

use std::collections::{BTreeMap, HashMap};

use vellum::{Edge, ReadTxn};

use crate::console::Console;
use crate::dataset::model::{Model, ModelEdge, Way};
use crate::digest::Digest;
use crate::failure::Failure;

use super::{direction, node_id};

/// Differences that are written out; more are counted.
const LISTED: usize = 20;

/// What a comparison found.
pub(crate) struct Comparison {
    pub(crate) nodes: u64,
    pub(crate) edges: u64,
    pub(crate) differences: u64,
    pub(crate) listed: Vec<String>,
    /// Of what the database holds: labels and kinds by name, so that their numbers do not matter.
    pub(crate) digest: String,
}

struct Comparer<'a> {
    txn: &'a ReadTxn,
    model: &'a Model,
    found: Comparison,
    digest: Digest,
    /// Place of each of the model's labels in the database's order of labels.
    ranks: Vec<usize>,
}

/// Compares the snapshot with the model. Only failures to read at all are errors.
pub(crate) fn compare(
    txn: &ReadTxn,
    model: &Model,
    console: &Console,
) -> Result<Comparison, Failure> {
    let known = txn.labels()?;
    let rank = |label: &String| {
        known
            .iter()
            .position(|other| other == label)
            .unwrap_or(usize::MAX)
    };
    let found = Comparison {
        nodes: 0,
        edges: 0,
        differences: 0,
        listed: Vec::new(),
        digest: String::new(),
    };
    let ranks = model.labels().iter().map(rank).collect();
    let mut comparer = Comparer {
        txn,
        model,
        found,
        digest: Digest::new(),
        ranks,
    };
    comparer.counts();
    comparer.nodes(console)?;
    comparer.edges(console)?;
    comparer.kinds()?;
    comparer.names()?;
    let Comparer {
        mut found, digest, ..
    } = comparer;
    found.digest = digest.to_string();
    Ok(found)
}

impl Comparer<'_> {
    fn differs(&mut self, what: impl FnOnce() -> String) {
        self.found.differences += 1;
        if self.found.listed.len() < LISTED {
            self.found.listed.push(what());
        }
    }

    fn expect<T: PartialEq + std::fmt::Debug>(
        &mut self,
        what: impl FnOnce() -> String,
        want: &T,
        got: &T,
    ) {
        if want != got {
            self.differs(|| format!("{}: {want:?} expected, {got:?} found", what()));
        }
    }

    fn counts(&mut self) {
        let (nodes, edges) = (
            self.model.nodes().len() as u64,
            self.model.edges().len() as u64,
        );
        self.expect(
            || "number of nodes".to_owned(),
            &nodes,
            &self.txn.node_count(),
        );
        self.expect(
            || "number of edges".to_owned(),
            &edges,
            &self.txn.edge_count(),
        );
    }

    /// The scan by id, and each node by itself.
    fn nodes(&mut self, console: &Console) -> Result<(), Failure> {
        let model = self.model;
        let mut wanted = model.nodes().iter();
        for node in self.txn.nodes() {
            let node = node?;
            let (id, data) = (node.id().get(), node.data()?);
            self.digest.number(id);
            self.digest.text(node.kind());
            self.digest.text(node.name());
            self.digest.bytes(&data);
            let want = wanted.next();
            let same = want.is_some_and(|want| {
                want.id == id
                    && want.kind == node.kind()
                    && want.name == node.name()
                    && want.data == *data
            });
            if !same {
                let place = want.map_or("nothing".to_owned(), |want| {
                    format!(
                        "{} ({}, {}, {} bytes)",
                        want.id,
                        want.name,
                        want.kind,
                        want.data.len()
                    )
                });
                let found = format!(
                    "{id} ({}, {}, {} bytes)",
                    node.name(),
                    node.kind(),
                    data.len()
                );
                self.differs(|| format!("node {found} found where the source has {place}"));
            }
            self.found.nodes += 1;
            console.progress("nodes compared:", self.found.nodes);
        }
        if let Some(missing) = wanted.next() {
            self.differs(|| {
                format!(
                    "node {} ({}) and those after it are missing",
                    missing.id, missing.name
                )
            });
        }
        for want in model.nodes() {
            let node = self.txn.node(node_id(want.id)?)?;
            if node.is_none_or(|node| node.name() != want.name) {
                self.differs(|| format!("node {} cannot be got by its id", want.id));
            }
        }
        Ok(())
    }

    /// Every node's edges in both directions, in the documented order, with degrees.
    fn edges(&mut self, console: &Console) -> Result<(), Failure> {
        let model = self.model;
        for node in model.nodes() {
            for way in Way::BOTH {
                let mut wanted: Vec<&ModelEdge> = model.edges_of(node.id, way).collect();
                wanted.sort_by_key(|edge| {
                    (
                        self.rank(edge),
                        crate::dataset::model::peer(edge, way),
                        edge.ordinal,
                    )
                });
                self.edges_of(node.id, way, &wanted)?;
                self.degrees(node.id, way, &wanted)?;
            }
            console.progress("edges compared:", self.found.edges);
        }
        Ok(())
    }

    fn rank(&self, edge: &ModelEdge) -> usize {
        self.ranks
            .get(usize::from(edge.label))
            .copied()
            .unwrap_or(usize::MAX)
    }

    fn edges_of(&mut self, id: u64, way: Way, wanted: &[&ModelEdge]) -> Result<(), Failure> {
        let mut wanted = wanted.iter();
        for edge in self.txn.edges(node_id(id)?, direction(way), None) {
            let edge = edge?;
            let data = edge.data()?;
            if way == Way::Out {
                self.found.edges += 1;
                self.digest.number(edge.source().get());
                self.digest.text(edge.label());
                self.digest.number(edge.target().get());
                self.digest.number(u64::from(edge.ordinal()));
                self.digest.bytes(&data);
            }
            let want = wanted.next();
            let same = want.is_some_and(|want| {
                want.source == edge.source().get()
                    && want.target == edge.target().get()
                    && want.ordinal == edge.ordinal()
                    && self.model.label(want) == edge.label()
                    && want.data == *data
            });
            if !same {
                let want = want.map(|want| self.describe(want));
                self.differs(|| {
                    let place = want.unwrap_or_else(|| "nothing".to_owned());
                    format!(
                        "{} edges of {id}: {} found where the source has {place}",
                        way.name(),
                        shown(&edge)
                    )
                });
            }
        }
        for missing in wanted {
            let missing = self.describe(missing);
            self.differs(|| format!("{} edges of {id}: {missing} is missing", way.name()));
        }
        Ok(())
    }

    fn describe(&self, edge: &ModelEdge) -> String {
        format!(
            "{} -{}-> {} #{}",
            edge.source,
            self.model.label(edge),
            edge.target,
            edge.ordinal
        )
    }

    fn degrees(&mut self, id: u64, way: Way, wanted: &[&ModelEdge]) -> Result<(), Failure> {
        let node = node_id(id)?;
        let degree = self.txn.degree(node, direction(way), None)?;
        self.expect(
            || format!("{}-degree of {id}", way.name()),
            &(wanted.len() as u64),
            &degree,
        );
        let mut by_label: BTreeMap<u16, u64> = BTreeMap::new();
        for edge in wanted {
            *by_label.entry(edge.label).or_default() += 1;
        }
        for (label, want) in by_label {
            let name = self
                .model
                .labels()
                .get(usize::from(label))
                .map_or("", String::as_str);
            let degree = self.txn.degree(node, direction(way), Some(name))?;
            self.expect(
                || format!("{}-degree of {id} by {name}", way.name()),
                &want,
                &degree,
            );
        }
        Ok(())
    }

    fn kinds(&mut self) -> Result<(), Failure> {
        let mut wanted: HashMap<&str, Vec<u64>> = HashMap::new();
        for node in self.model.nodes() {
            wanted.entry(&node.kind).or_default().push(node.id);
        }
        for kind in self.model.kinds() {
            let found = self.txn.nodes_of_kind(kind).map(|id| Ok(id?.get()));
            let found: Vec<u64> = found.collect::<Result<_, Failure>>()?;
            if wanted.get(kind) != Some(&found) {
                self.differs(|| {
                    format!(
                        "nodes of kind {kind}: {} found, and not those of the source",
                        found.len()
                    )
                });
            }
        }
        Ok(())
    }

    /// Every name finds its nodes, and the names in order are those of the source.
    fn names(&mut self) -> Result<(), Failure> {
        let mut wanted = self.model.with_prefix("").into_iter();
        for found in self.txn.nodes_with_prefix("") {
            let (name, id) = found?;
            let want = wanted.next();
            if want.as_ref() != Some(&(name.clone(), id.get())) {
                self.differs(|| {
                    format!("names in order: {name} ({id}) found where the source has {want:?}")
                });
            }
        }
        for (name, id) in wanted {
            self.differs(|| format!("names in order: {name} ({id}) is missing"));
        }
        let model = self.model;
        for node in model.nodes() {
            let mut ids = self.txn.nodes_named(&node.name);
            let found = ids.find_map(|id| match id {
                Ok(id) => (id.get() == node.id).then_some(Ok(())),
                Err(error) => Some(Err(error)),
            });
            if found.transpose()?.is_none() {
                self.differs(|| {
                    format!("node {} cannot be found by its name {}", node.id, node.name)
                });
            }
        }
        Ok(())
    }
}

fn shown(edge: &Edge) -> String {
    format!(
        "{} -{}-> {} #{}",
        edge.source(),
        edge.label(),
        edge.target(),
        edge.ordinal()
    )
}
