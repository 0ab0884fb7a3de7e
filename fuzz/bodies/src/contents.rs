//! Everything that a database can be asked, as plain data.

use vellum::{Direction, Edge, NodeId, ReadTxn, Result};

/// Items read of a list at most. No image that the targets make holds as many, so a reader that
/// runs in circles is noticed.
const MOST: usize = 1 << 20;

/// Source, label, target, ordinal, data.
pub(crate) type EdgeItem = (u64, String, u64, u32, Vec<u8>);

/// What one snapshot answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Contents {
    /// Id, kind, name, data.
    pub(crate) nodes: Vec<(u64, String, String, Vec<u8>)>,
    pub(crate) out: Vec<EdgeItem>,
    pub(crate) incoming: Vec<EdgeItem>,
    pub(crate) names: Vec<(String, u64)>,
    pub(crate) kinds: Vec<(String, Vec<u64>)>,
    pub(crate) labels: Vec<String>,
}

impl Contents {
    /// Reads a snapshot whole; the first error ends it.
    pub(crate) fn read(txn: &ReadTxn, named: bool) -> Result<Contents> {
        let mut contents = Contents {
            labels: txn.labels()?,
            ..Contents::default()
        };
        for node in bounded(txn.nodes()) {
            let node = node?;
            let (kind, name) = (node.kind().to_owned(), node.name().to_owned());
            let data = node.data()?.into_owned();
            contents.nodes.push((node.id().get(), kind, name, data));
        }
        for number in contents.nodes.iter().map(|node| node.0) {
            let Some(id) = NodeId::new(number) else {
                continue;
            };
            for (direction, list) in [
                (Direction::Out, &mut contents.out),
                (Direction::In, &mut contents.incoming),
            ] {
                for edge in bounded(txn.edges(id, direction, None)) {
                    list.push(item(&edge?)?);
                }
            }
        }
        contents.read_indexes(txn, named)?;
        Ok(contents)
    }

    fn read_indexes(&mut self, txn: &ReadTxn, named: bool) -> Result<()> {
        for kind in txn.kinds()? {
            let ids = bounded(txn.nodes_of_kind(&kind)).map(|id| Ok(id?.get()));
            let ids = ids.collect::<Result<_>>()?;
            self.kinds.push((kind, ids));
        }
        if named {
            for entry in bounded(txn.nodes_with_prefix("")) {
                let (name, id) = entry?;
                self.names.push((name, id.get()));
            }
        }
        Ok(())
    }

    /// The least node, if there is any.
    pub(crate) fn first(&self) -> Option<NodeId> {
        self.nodes.first().and_then(|node| NodeId::new(node.0))
    }
}

fn item(edge: &Edge<'_>) -> Result<EdgeItem> {
    let (source, target) = (edge.source().get(), edge.target().get());
    let data = edge.data()?.into_owned();
    Ok((
        source,
        edge.label().to_owned(),
        target,
        edge.ordinal(),
        data,
    ))
}

fn bounded<T>(items: impl Iterator<Item = T>) -> impl Iterator<Item = T> {
    items.enumerate().map(|(i, item)| {
        assert!(i < MOST, "a list does not end");
        item
    })
}
