//! Counts and next ids of a state.

use crate::delta::LoggedTotals;
use crate::format::header::Header;
use crate::ids::KeySpace;

/// Counts and next ids of a state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    /// The lowest node id never issued.
    pub(crate) next_node: u64,
    pub(crate) nodes: u64,
    pub(crate) edges: u64,
    /// Kinds defined; the next one gets this number.
    pub(crate) kinds: u32,
    /// Labels defined.
    pub(crate) labels: u32,
}

impl Totals {
    /// Those of a state whose trees hold everything.
    pub(crate) fn of(header: &Header) -> Totals {
        let entries = |space: KeySpace| {
            header
                .roots
                .get(space.index())
                .map_or(0, |root| root.entries)
        };
        Totals {
            next_node: header.next_node,
            nodes: entries(KeySpace::Nodes),
            edges: entries(KeySpace::Out),
            kinds: header.kind_count,
            labels: header.label_count,
        }
    }

    /// What a commit states.
    pub(crate) fn logged(&self) -> LoggedTotals {
        LoggedTotals {
            next_node: self.next_node,
            nodes: self.nodes,
            edges: self.edges,
            kinds: self.kinds,
            labels: self.labels,
        }
    }

    /// Those after replaying a commit.
    pub(crate) fn after(&self, logged: LoggedTotals) -> Totals {
        Totals {
            next_node: logged.next_node,
            nodes: logged.nodes,
            edges: logged.edges,
            kinds: self.kinds.max(logged.kinds),
            labels: self.labels.max(logged.labels),
        }
    }
}
