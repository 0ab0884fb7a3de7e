//! Everything that a store holds as one digest: of the model, of the engine and of every peer the same.

use vellum::{Direction, ReadTxn};

use crate::dataset::model::{Model, ModelEdge, Way};
use crate::digest::Digest;
use crate::failure::Failure;

/// Takes all nodes in the order of their ids, then all edges by source, label, target and ordinal, labels as
/// text: their numbers are a store's own affair.
pub(crate) struct Contents {
    digest: Digest,
}

impl Contents {
    pub(crate) fn new() -> Contents {
        Contents {
            digest: Digest::new(),
        }
    }

    pub(crate) fn node(&mut self, id: u64, kind: &str, name: &str, data: &[u8]) {
        self.digest.number(id);
        self.digest.text(kind);
        self.digest.text(name);
        self.digest.bytes(data);
    }

    pub(crate) fn edge(&mut self, source: u64, label: &str, target: u64, data: &[u8]) {
        self.digest.number(source);
        self.digest.text(label);
        self.digest.number(target);
        self.digest.bytes(data);
    }

    pub(crate) fn digest(&self) -> String {
        self.digest.to_string()
    }
}

/// Of the model.
pub(crate) fn of_model(model: &Model) -> String {
    let mut contents = Contents::new();
    for node in model.nodes() {
        contents.node(node.id, &node.kind, &node.name, &node.data);
    }
    for node in model.nodes() {
        let mut edges: Vec<&ModelEdge> = model.edges_of(node.id, Way::Out).collect();
        edges.sort_by_key(|edge| (model.label(edge), edge.target, edge.ordinal));
        for edge in edges {
            contents.edge(edge.source, model.label(edge), edge.target, &edge.data);
        }
    }
    contents.digest()
}

/// Of what a snapshot of the engine shows.
pub(crate) fn of_snapshot(txn: &ReadTxn) -> Result<String, Failure> {
    let mut contents = Contents::new();
    for node in txn.nodes() {
        let node = node?;
        contents.node(node.id().get(), node.kind(), node.name(), &node.data()?);
    }
    let mut labels = txn.labels()?;
    labels.sort_unstable();
    for node in txn.nodes() {
        let id = node?.id();
        for label in &labels {
            for edge in txn.edges(id, Direction::Out, Some(label)) {
                let edge = edge?;
                contents.edge(id.get(), label, edge.target().get(), &edge.data()?);
            }
        }
    }
    Ok(contents.digest())
}

/// What is wrong with a store that was loaded with a graph.
pub(crate) fn difference(found: &str, model: &str) -> Option<String> {
    (found != model).then(|| {
        format!("what was loaded is not the graph: its digest is {found}, and the model's {model}")
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use vellum::Database;

    use super::*;
    use crate::dataset::{EdgeRow, NodeRow};

    fn model(change: impl Fn(&mut NodeRow, &mut EdgeRow)) -> Model {
        let rows = (1..=20u64).map(|id| {
            let mut node = NodeRow {
                id,
                kind: format!("k{}", id % 3),
                name: format!("n{id}"),
                data: vec![b'x'; id as usize],
            };
            let mut edge = EdgeRow {
                source: id,
                label: ["to", "from", "a"][id as usize % 3].to_owned(),
                target: 21 - id,
                data: id.to_string().into_bytes(),
            };
            change(&mut node, &mut edge);
            (node, edge)
        });
        let (nodes, edges): (Vec<NodeRow>, Vec<EdgeRow>) = rows.unzip();
        // Parallel edges, and several labels of one node, the larger first.
        let more = edges
            .iter()
            .cloned()
            .chain(edges.iter().rev().map(|edge| EdgeRow {
                label: "b".to_owned(),
                ..edge.clone()
            }));
        Model::new(nodes, edges.iter().cloned().chain(more).collect::<Vec<_>>())
    }

    fn stored(model: &Model) -> String {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::create(folder.path().join("d")).unwrap();
        let mut txn = database.begin_write().unwrap();
        for node in model.nodes() {
            txn.insert_node(&node.kind, &node.name, &node.data).unwrap();
        }
        for edge in model.edges_as_they_came() {
            let id = |id| vellum::NodeId::new(id).unwrap();
            txn.insert_edge(
                id(edge.source),
                model.label(edge),
                id(edge.target),
                &edge.data,
            )
            .unwrap();
        }
        txn.commit().unwrap();
        of_snapshot(&database.begin_read().unwrap()).unwrap()
    }

    #[test]
    fn the_engine_and_the_model_give_one_digest_and_every_change_another() {
        let whole = model(|_, _| {});
        let want = of_model(&whole);
        assert_eq!(stored(&whole), want);
        let others = [
            model(|node, _| node.kind += "x"),
            model(|node, _| node.name += "x"),
            model(|node, _| node.data.push(1)),
            model(|_, edge| edge.label += "x"),
            model(|_, edge| edge.target = 1),
            model(|_, edge| edge.data.push(1)),
        ];
        for other in &others {
            let found = stored(other);
            assert_eq!(found, of_model(other));
            assert!(difference(&found, &want).is_some());
        }
        assert_eq!(difference(&want, &want), None);
    }
}
