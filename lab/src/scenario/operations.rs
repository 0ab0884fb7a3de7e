//! The operations that a `mix` is made of.

/// One kind of operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Operation {
    InsertNode,
    InsertEdge,
    UpdateNode,
    DeleteNode,
    DeleteEdge,
    Empty,
    GetNode,
    MissNode,
    MissName,
    Neighbors,
    Degree,
    TwoHop,
    BfsK,
    KHop,
    Path,
    ByKind,
    ByName,
    ByPrefix,
    Scan,
    Snapshot,
    Reopen,
    Check,
}

/// Name and meaning of each operation, for messages and for the reference.
pub(crate) const OPERATIONS: &[(Operation, &str, &str)] = &[
    (
        Operation::InsertNode,
        "insert-node",
        "a new node, with a kind, a name and data as the dataset has them",
    ),
    (
        Operation::InsertEdge,
        "insert-edge",
        "an edge between two nodes chosen by `keys`",
    ),
    (
        Operation::UpdateNode,
        "update-node",
        "new data for a node; every fourth time another kind and name too",
    ),
    (
        Operation::DeleteNode,
        "delete-node",
        "a node goes, with its edges",
    ),
    (
        Operation::DeleteEdge,
        "delete-edge",
        "one outgoing edge of a node goes, if it has one",
    ),
    (
        Operation::Empty,
        "empty",
        "a transaction without changes is committed",
    ),
    (
        Operation::GetNode,
        "get-node",
        "a node by its id, data included",
    ),
    (Operation::MissNode, "miss-node", "an id that no node has"),
    (Operation::MissName, "miss-name", "a name that no node has"),
    (
        Operation::Neighbors,
        "neighbors",
        "the other ends of a node's edges",
    ),
    (Operation::Degree, "degree", "how many edges a node has"),
    (Operation::TwoHop, "two-hop", "every node within two steps"),
    (
        Operation::BfsK,
        "bfs-k",
        "breadth-first search to `depth`; 0 is no limit",
    ),
    (
        Operation::KHop,
        "k-hop",
        "every node within `depth` steps, sorted",
    ),
    (
        Operation::Path,
        "path",
        "a shortest path between two nodes chosen by `keys`",
    ),
    (Operation::ByKind, "by-kind", "every node of a kind"),
    (Operation::ByName, "by-name", "a node by its exact name"),
    (
        Operation::ByPrefix,
        "by-prefix",
        "the nodes whose names begin as one node's does",
    ),
    (
        Operation::Scan,
        "scan",
        "every node in id order, data included",
    ),
    (
        Operation::Snapshot,
        "snapshot",
        "a snapshot is taken and given back",
    ),
    (
        Operation::Reopen,
        "reopen",
        "the database is closed and opened",
    ),
    (
        Operation::Check,
        "check",
        "the engine's complete check, which must find nothing",
    ),
];

impl Operation {
    /// Whether it is about a node that has to be there.
    pub(crate) fn needs_node(self) -> bool {
        !matches!(
            self,
            Operation::InsertNode
                | Operation::Empty
                | Operation::MissNode
                | Operation::MissName
                | Operation::ByKind
                | Operation::Scan
                | Operation::Snapshot
                | Operation::Reopen
                | Operation::Check
        )
    }

    pub(crate) fn named(name: &str) -> Option<Operation> {
        OPERATIONS
            .iter()
            .find(|(_, known, _)| *known == name)
            .map(|(operation, _, _)| *operation)
    }

    pub(crate) fn name(self) -> &'static str {
        OPERATIONS
            .iter()
            .find(|(operation, _, _)| *operation == self)
            .map_or("", |(_, name, _)| name)
    }

    pub(crate) fn names() -> impl Iterator<Item = &'static str> + Clone {
        OPERATIONS.iter().map(|(_, name, _)| *name)
    }

    /// Whether it goes into a write transaction.
    pub(crate) fn writes(self) -> bool {
        matches!(
            self,
            Operation::InsertNode
                | Operation::InsertEdge
                | Operation::UpdateNode
                | Operation::DeleteNode
                | Operation::DeleteEdge
                | Operation::Empty
        )
    }

    /// Whether it only adds, so that several clients give the same graph in whatever order they run.
    pub(crate) fn only_adds(self) -> bool {
        matches!(
            self,
            Operation::InsertNode | Operation::InsertEdge | Operation::Empty
        )
    }

    /// Whether it needs the database for itself.
    pub(crate) fn exclusive(self) -> bool {
        matches!(self, Operation::Reopen | Operation::Check)
    }

    /// Whether it looks names or kinds up.
    pub(crate) fn looks_up(self) -> bool {
        matches!(
            self,
            Operation::ByKind | Operation::ByName | Operation::ByPrefix | Operation::MissName
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_back() {
        for (operation, name, meaning) in OPERATIONS {
            assert_eq!(Operation::named(name), Some(*operation));
            assert!(operation.name() == *name && !meaning.is_empty());
        }
        assert_eq!(Operation::named("get"), None);
    }
}
