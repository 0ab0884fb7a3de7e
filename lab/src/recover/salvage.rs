//! The nodes and edges of a picture: from its leaves, from what other trees say of items whose leaf is
//! lost, and from the log.

use std::collections::{BTreeMap, BTreeSet};

use vellum::format::changes::{Op, OpReader};
use vellum::format::header::Header;
use vellum::{EdgeKey, KeySpace};

use crate::failure::Failure;

use super::blob::Pages;
use super::leaf::{self, Item};
use super::picture::{Leaf, Picture, Proof};
use super::scan::{Scan, edge_key};
use super::state::State;
use super::terms::Terms;

/// Where a node is.
#[derive(Clone, Debug)]
pub(super) enum NodeFrom {
    Leaf(Leaf),
    Log {
        kind: u16,
        name: Box<str>,
        data: Box<[u8]>,
    },
    /// Nothing is known but that an edge names it, and whether that edge is of the state.
    Edge {
        proven: bool,
    },
    /// Its cell is lost: what the indexes say of it.
    Indexes {
        kind: Option<u16>,
        name: Option<Box<str>>,
    },
}

/// Where an edge is.
#[derive(Clone, Debug)]
pub(super) enum EdgeFrom {
    Leaf(Leaf),
    Log(Box<[u8]>),
    /// Its cell is lost: the other end names it, without data.
    OtherEnd,
}

/// Everything that was found.
#[derive(Default)]
pub(super) struct Salvage {
    pub(super) nodes: BTreeMap<u64, NodeFrom>,
    pub(super) edges: BTreeMap<EdgeKey, EdgeFrom>,
    pub(super) terms: Terms,
    /// Runs of ids that name no node.
    absent: Vec<(u64, u64)>,
    /// Nodes that the log deletes.
    deleted: BTreeSet<u64>,
    /// Edges left out because a node that they join is known to be gone.
    pub(super) ends_gone: Vec<EdgeKey>,
    /// What the newest state counts, if anything tells.
    pub(super) counted: Option<Counted>,
    /// Commits of the log that were replayed, and what stopped it.
    pub(super) replayed: u64,
    pub(super) log_problem: Option<String>,
}

/// Counts of the newest state.
#[derive(Clone, Copy, Debug)]
pub(super) struct Counted {
    pub(super) nodes: u64,
    pub(super) edges: u64,
    pub(super) next_node: u64,
}

impl Salvage {
    pub(super) fn of(
        scan: &Scan<'_>,
        picture: &Picture,
        state: &State<'_>,
    ) -> Result<Salvage, Failure> {
        let mut salvage = Salvage {
            terms: Terms::of(scan, picture)?,
            counted: state.header.as_ref().map(Counted::of),
            log_problem: state.log_problem.clone(),
            ..Salvage::default()
        };
        salvage.read_absent(scan, picture)?;
        salvage.read_nodes(scan, picture)?;
        salvage.read_edges(scan, picture)?;
        salvage.replay(state);
        salvage.join();
        Ok(salvage)
    }

    fn read_absent(&mut self, scan: &Scan<'_>, picture: &Picture) -> Result<(), Failure> {
        each(scan, picture, KeySpace::Absent, |_, item| {
            if let Item::Absent { first, len, .. } = item {
                self.absent.push((*first, first.saturating_add(*len)));
            }
        })?;
        self.absent.sort_unstable();
        Ok(())
    }

    /// Whether an id is known to name no node.
    fn is_absent(&self, id: u64) -> bool {
        let after = self.absent.partition_point(|(first, _)| *first <= id);
        let run = after.checked_sub(1).and_then(|i| self.absent.get(i));
        run.is_some_and(|(_, end)| id < *end) || self.deleted.contains(&id)
    }

    fn read_nodes(&mut self, scan: &Scan<'_>, picture: &Picture) -> Result<(), Failure> {
        let tree = picture.tree(KeySpace::Nodes);
        let mut unproven: BTreeMap<u64, (u16, Leaf)> = BTreeMap::new();
        let mut proven = Vec::new();
        each(scan, picture, KeySpace::Nodes, |leaf, item| {
            if let Item::Node(id, cell) = item {
                match leaf.proof {
                    Proof::Unproven => _ = unproven.insert(*id, (cell.kind, leaf)),
                    _ => proven.push((*id, leaf)),
                }
            }
        })?;
        self.nodes.extend(
            proven
                .into_iter()
                .map(|(id, leaf)| (id, NodeFrom::Leaf(leaf))),
        );
        // The indexes prove or disprove what the leaves do not.
        let mut kinds: BTreeMap<u64, u16> = BTreeMap::new();
        let wanted = !tree.is_certain();
        let next = self.counted.map_or(u64::MAX, |counted| counted.next_node);
        if wanted {
            each(scan, picture, KeySpace::Kinds, |leaf, item| {
                if let (Item::Edge(key, _), true) = (item, leaf.proof > Proof::Unproven) {
                    // Kinds have 16 bits.
                    kinds.insert(key.peer, key.node as u16);
                }
            })?;
        }
        let certain = picture.tree(KeySpace::Kinds).is_certain();
        for (id, (kind, leaf)) in unproven {
            let disproved =
                self.is_absent(id) || id >= next || certain && kinds.get(&id) != Some(&kind);
            if !disproved {
                self.nodes.entry(id).or_insert(NodeFrom::Leaf(leaf));
            }
        }
        if wanted {
            self.read_lost_nodes(scan, picture, &kinds, next)?;
        }
        Ok(())
    }

    /// Nodes that the indexes name and whose leaf is lost.
    fn read_lost_nodes(
        &mut self,
        scan: &Scan<'_>,
        picture: &Picture,
        kinds: &BTreeMap<u64, u16>,
        next: u64,
    ) -> Result<(), Failure> {
        let tree = picture.tree(KeySpace::Nodes);
        let mut names: BTreeMap<u64, Box<str>> = BTreeMap::new();
        each(scan, picture, KeySpace::Names, |leaf, item| {
            if let (Item::Name(id, name), true) = (item, leaf.proof > Proof::Unproven)
                && !self.nodes.contains_key(id)
                && let Ok(name) = std::str::from_utf8(name)
            {
                names.insert(*id, name.into());
            }
        })?;
        let ids: BTreeSet<u64> = kinds.keys().chain(names.keys()).copied().collect();
        for id in ids {
            let key = vellum::format::bytes::u48_be(id);
            if self.nodes.contains_key(&id) || !tree.lost(&key) || self.is_absent(id) || id >= next
            {
                continue;
            }
            let from = NodeFrom::Indexes {
                kind: kinds.get(&id).copied(),
                name: names.remove(&id),
            };
            self.nodes.insert(id, from);
        }
        Ok(())
    }

    fn read_edges(&mut self, scan: &Scan<'_>, picture: &Picture) -> Result<(), Failure> {
        let tree = picture.tree(KeySpace::Out);
        let mut unproven = Vec::new();
        each(scan, picture, KeySpace::Out, |leaf, item| {
            if let Item::Edge(key, _) = item {
                match leaf.proof {
                    Proof::Unproven => unproven.push((*key, leaf)),
                    _ => _ = self.edges.insert(*key, EdgeFrom::Leaf(leaf)),
                }
            }
        })?;
        if tree.is_certain() {
            return Ok(());
        }
        let mut others = BTreeSet::new();
        each(scan, picture, KeySpace::In, |leaf, item| {
            if let (Item::Edge(key, _), true) = (item, leaf.proof > Proof::Unproven) {
                others.insert(key.reversed());
            }
        })?;
        let certain = picture.tree(KeySpace::In).is_certain();
        // The youngest counts.
        for (key, leaf) in unproven.into_iter().rev() {
            let gone = self.is_absent(key.node) || self.is_absent(key.peer);
            if !gone && (!certain || others.contains(&key)) {
                self.edges.entry(key).or_insert(EdgeFrom::Leaf(leaf));
            }
        }
        for key in others {
            if tree.lost(&edge_key(&key)) {
                self.edges.entry(key).or_insert(EdgeFrom::OtherEnd);
            }
        }
        Ok(())
    }

    /// Replays the log: operations are outcomes, so each is a put or a removal.
    fn replay(&mut self, state: &State<'_>) {
        let mut last = state.header.as_ref().map(|header| header.commit);
        for record in &state.records {
            let commit = record.header.commit;
            match last {
                Some(last) if commit <= last => {
                    self.add_problem(format!(
                        "commit {commit} follows commit {last}; what follows is not replayed"
                    ));
                    return;
                }
                // Outcomes do not depend on what came before.
                Some(last) if commit > last + 1 => self.add_problem(format!(
                    "commits {} to {} are lost: what they changed may be as it was before them",
                    last + 1,
                    commit - 1
                )),
                _ => {}
            }
            let ops: Result<Vec<Op<'_>>, _> = OpReader::new(&record.payload).collect();
            match ops {
                Ok(ops) => ops.into_iter().for_each(|op| self.apply(op)),
                Err(rule) => {
                    self.add_problem(format!(
                        "commit {commit} cannot be read: {rule}; what follows is not replayed"
                    ));
                    return;
                }
            }
            last = Some(commit);
            self.replayed += 1;
        }
    }

    fn add_problem(&mut self, problem: String) {
        self.log_problem = Some(match self.log_problem.take() {
            Some(before) => format!("{before}; {problem}"),
            None => problem,
        });
    }

    fn apply(&mut self, op: Op<'_>) {
        match op {
            Op::DefineKind { id, name } => self.terms.define(false, id, name),
            Op::DefineLabel { id, name } => self.terms.define(true, id, name),
            Op::PutNode {
                id,
                kind,
                name,
                data,
            } => {
                self.deleted.remove(&id);
                self.nodes.insert(
                    id,
                    NodeFrom::Log {
                        kind,
                        name: name.into(),
                        data: data.into(),
                    },
                );
            }
            Op::DeleteNode { id } => {
                self.nodes.remove(&id);
                self.deleted.insert(id);
            }
            Op::PutEdge { key, data } => _ = self.edges.insert(key, EdgeFrom::Log(data.into())),
            Op::DeleteEdge { key } => _ = self.edges.remove(&key),
            Op::Totals {
                next_node,
                nodes,
                edges,
            } => {
                self.counted = Some(Counted {
                    nodes,
                    edges,
                    next_node,
                })
            }
            // Indexes and runs of absent ids follow from the nodes.
            Op::PutName { .. }
            | Op::DropName { .. }
            | Op::PutKind { .. }
            | Op::DropKind { .. }
            | Op::PutAbsent { .. }
            | Op::DropAbsent { .. } => {}
        }
    }

    /// Sees to it that both ends of every edge exist: as a node of which nothing else is known, unless
    /// it is known to be gone.
    fn join(&mut self) {
        let mut gone = Vec::new();
        // Ends of which nothing else is known, and whether an edge of the state names them.
        let mut unknown: BTreeMap<u64, bool> = BTreeMap::new();
        for (key, from) in &self.edges {
            for end in [key.node, key.peer] {
                if self.nodes.contains_key(&end) {
                    continue;
                }
                if self.is_absent(end) {
                    gone.push(*key);
                    break;
                }
                let proven = !matches!(from, EdgeFrom::Leaf(leaf) if leaf.proof == Proof::Unproven);
                *unknown.entry(end).or_default() |= proven;
            }
        }
        for key in &gone {
            self.edges.remove(key);
        }
        self.ends_gone = gone;
        let kept: BTreeSet<u64> = self
            .edges
            .keys()
            .flat_map(|key| [key.node, key.peer])
            .collect();
        for (id, proven) in unknown.into_iter().filter(|(id, _)| kept.contains(id)) {
            self.nodes.insert(id, NodeFrom::Edge { proven });
        }
    }
}

impl Counted {
    fn of(header: &Header) -> Counted {
        Counted {
            nodes: header.node_count,
            edges: header.edge_count,
            next_node: header.next_node,
        }
    }
}

/// Every item of the leaves of a tree, those that are proven last, each kind from old to young.
pub(super) fn each(
    scan: &Scan<'_>,
    picture: &Picture,
    space: KeySpace,
    mut take: impl FnMut(Leaf, &Item<'_>),
) -> Result<(), Failure> {
    let mut leaves = picture.tree(space).leaves.clone();
    leaves.sort_by_key(|leaf| (leaf.proof, leaf.at.birth()));
    for leaf in leaves {
        scan.with(leaf.at, |page| leaf::each(page, |item| take(leaf, &item)))?;
    }
    Ok(())
}
