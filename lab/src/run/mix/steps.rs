//! Makes operations from the seed, and says by the model what each must answer.

use crate::dataset::generate::Content;
use crate::dataset::oracle::{Along, Oracle};
use crate::random::Random;
use crate::scenario::operations::Operation;
use crate::scenario::plan::MixPlan;
use crate::store::op::{self, Op, Step, Then, Walk};

use super::keys::Chooser;

/// Streams of random numbers below this belong to other parts of a run.
const STREAMS: u64 = 1 << 16;

/// An endless sequence of operations of one client, and the model that they change.
pub(super) struct Stream<'a> {
    oracle: &'a mut Oracle,
    plan: &'a MixPlan,
    weights: &'a [(Operation, u32)],
    walk: &'a Walk,
    content: &'a Content,
    random: Random,
    keys: Chooser,
    /// Operations so far.
    number: u64,
    /// Writes in the open transaction.
    open: u32,
    transactions: u32,
    /// The model before the open transaction, if that is to be dropped.
    before: Option<Oracle>,
    /// The number of this client among several, whose new nodes get ids that nobody can foretell.
    among: Option<u64>,
}

impl<'a> Stream<'a> {
    pub(super) fn new(
        oracle: &'a mut Oracle,
        plan: &'a MixPlan,
        weights: &'a [(Operation, u32)],
        walk: &'a Walk,
        content: &'a Content,
        seed: u64,
        client: u64,
    ) -> Stream<'a> {
        let stream = STREAMS + (u64::from(plan.stream) << 20) + client;
        Stream {
            oracle,
            plan,
            weights,
            walk,
            content,
            random: Random::new(seed, stream),
            keys: Chooser::new(plan),
            number: 0,
            open: 0,
            transactions: 0,
            before: None,
            among: None,
        }
    }

    /// The operations of one of several clients: new nodes do not enter the model, and parallel edges
    /// are alike, so that the order in which clients come does not matter.
    pub(super) fn among(mut self, client: u64) -> Stream<'a> {
        self.among = Some(client);
        self
    }

    /// The next operations. A transaction may stay open at the end; [`Stream::close`] ends it.
    pub(super) fn steps(&mut self, count: usize) -> Vec<Step> {
        let mut steps = Vec::with_capacity(count);
        for _ in 0..count {
            let kind = self.kind();
            let alone = kind.exclusive() || kind == Operation::Snapshot;
            let first = if alone {
                self.end_transaction()
            } else {
                Then::Nothing
            };
            if kind.writes() {
                self.begin();
            }
            let op = self.op(kind);
            let (want, edges) = match (&op, self.among) {
                (Op::InsertNode { .. }, Some(_)) => (None, 0),
                _ => {
                    let (hash, edges) = answer(self.oracle, &op, self.walk);
                    (Some(hash), edges)
                }
            };
            let mut then = Then::Nothing;
            if kind.writes() {
                self.open += 1;
                if self.open >= self.plan.batch {
                    then = self.end_transaction();
                }
            }
            let step = Step {
                kind,
                op,
                want,
                edges,
                first,
                then,
            };
            self.number += 1;
            steps.push(step);
        }
        steps
    }

    /// How the transaction that may be open is to end now.
    pub(super) fn close(&mut self) -> Then {
        self.end_transaction()
    }

    fn begin(&mut self) {
        if self.open > 0 {
            return;
        }
        self.transactions += 1;
        let dropped = self
            .plan
            .rollback_every
            .is_some_and(|every| self.transactions.is_multiple_of(every));
        self.before = dropped.then(|| self.oracle.clone());
    }

    fn end_transaction(&mut self) -> Then {
        if self.open == 0 {
            return Then::Nothing;
        }
        self.open = 0;
        match self.before.take() {
            Some(before) => {
                *self.oracle = before;
                Then::Rollback
            }
            None => Then::Commit,
        }
    }

    fn kind(&mut self) -> Operation {
        let all: u32 = self.weights.iter().map(|(_, weight)| weight).sum();
        let mut left = self.random.below(all);
        for (operation, weight) in self.weights {
            if left < *weight {
                return *operation;
            }
            left -= weight;
        }
        Operation::Empty
    }

    /// A node there is, by the phase's choice of keys; id 1 of an empty graph.
    fn key(&mut self) -> u64 {
        let place = self.keys.place(self.oracle.live().len(), &mut self.random);
        self.oracle.live().get(place).copied().unwrap_or(1)
    }

    fn op(&mut self, kind: Operation) -> Op {
        match kind {
            Operation::InsertNode => {
                let number = match self.among {
                    Some(client) => ((client + 1) << 40) + self.number,
                    None => self.oracle.next_id(),
                };
                let row = self.content.node(number, &mut self.random);
                Op::InsertNode {
                    kind: row.kind,
                    name: row.name,
                    data: row.data,
                }
            }
            Operation::InsertEdge => Op::InsertEdge {
                source: self.key(),
                label: self.content.label(&mut self.random),
                target: self.key(),
                data: match self.among {
                    Some(_) => vec![b'e'; self.content.edge_bytes as usize],
                    None => self.content.edge_data(&mut self.random),
                },
            },
            Operation::UpdateNode => self.update(),
            Operation::DeleteNode => Op::DeleteNode(self.key()),
            Operation::DeleteEdge => self.delete_edge(),
            Operation::Empty => Op::Empty,
            Operation::GetNode => Op::GetNode(self.key()),
            Operation::MissNode => {
                Op::GetNode(self.oracle.next_id() + self.random.below_u64(1 << 20))
            }
            Operation::MissName => Op::ByName(format!("absent-{}", self.random.next_u32())),
            Operation::Neighbors => Op::Neighbors(self.key()),
            Operation::Degree => Op::Degree(self.key()),
            Operation::TwoHop => Op::TwoHop(self.key()),
            Operation::BfsK => Op::Bfs(self.key()),
            Operation::KHop => Op::KHop(self.key()),
            Operation::Path => Op::Path(self.key(), self.key()),
            Operation::ByKind => Op::ByKind(self.content.kind(&mut self.random)),
            Operation::ByName => Op::ByName(self.name()),
            Operation::ByPrefix => {
                let mut prefix = self.name();
                prefix.pop();
                prefix.pop();
                Op::ByPrefix(prefix)
            }
            Operation::Scan => Op::Scan,
            Operation::Snapshot => Op::Snapshot,
            Operation::Reopen => Op::Reopen,
            Operation::Check => Op::Check,
        }
    }

    fn name(&mut self) -> String {
        let id = self.key();
        self.oracle
            .node(id)
            .map_or_else(|| "nobody".to_owned(), |node| node.name.clone())
    }

    fn update(&mut self) -> Op {
        let id = self.key();
        let relabel = self.random.below(4) == 0;
        Op::UpdateNode {
            id,
            kind: relabel.then(|| self.content.kind(&mut self.random)),
            name: relabel.then(|| format!("renamed-{}-{id}", self.number)),
            data: self.content.node_data(&mut self.random),
        }
    }

    fn delete_edge(&mut self) -> Op {
        let source = self.key();
        let place = self.random.next_u64();
        let found = self
            .oracle
            .out_edge(source, |len| (place % len.max(1) as u64) as usize);
        let (label, target, ordinal) = found.map_or(("none", source, 0), |(label, half)| {
            (label, half.peer, half.ordinal)
        });
        Op::DeleteEdge {
            source,
            label: label.to_owned(),
            target,
            ordinal,
        }
    }
}

/// Carries an operation out on the model.
pub(super) fn answer(oracle: &mut Oracle, op: &Op, walk: &Walk) -> (u64, u64) {
    match op {
        Op::InsertNode { kind, name, data } => {
            (op::hash_number(oracle.insert_node(kind, name, data)), 0)
        }
        Op::InsertEdge {
            source,
            label,
            target,
            data,
        } => (
            op::hash_done(oracle.insert_edge(*source, label, *target, data)),
            1,
        ),
        Op::UpdateNode {
            id,
            kind,
            name,
            data,
        } => {
            let done = oracle.update_node(*id, kind.as_deref(), name.as_deref(), data);
            (op::hash_done(done), 0)
        }
        Op::DeleteNode(id) => (op::hash_done(oracle.delete_node(*id)), 0),
        Op::DeleteEdge {
            source,
            label,
            target,
            ordinal,
        } => {
            let done = oracle.delete_edge(*source, label, *target, *ordinal);
            (op::hash_done(done), 1)
        }
        Op::Empty | Op::Snapshot | Op::Reopen | Op::Check => (op::hash_done(true), 0),
        _ => question(oracle, op, walk),
    }
}

/// Answers a question that changes nothing.
pub(super) fn question(oracle: &Oracle, op: &Op, walk: &Walk) -> (u64, u64) {
    let along = Along {
        way: walk.way,
        label: walk.label.as_deref(),
    };
    let within = |id, depth| {
        let mut found = oracle.within(id, depth, along);
        (op::hash_ids(&mut found.nodes), found.edges)
    };
    match op {
        Op::GetNode(id) => match oracle.node(*id) {
            Some(node) => (op::hash_node(&node.kind, &node.name, &node.data), 0),
            None => (op::hash_absent(), 0),
        },
        Op::Neighbors(id) => {
            let mut found = oracle.neighbors(*id, along);
            (op::hash_ids(&mut found), found.len() as u64)
        }
        Op::Degree(id) => {
            let degree = oracle.degree(*id, along);
            (op::hash_number(degree), degree)
        }
        Op::TwoHop(id) => within(*id, 2),
        Op::Bfs(id) | Op::KHop(id) => within(*id, walk.depth()),
        Op::Path(from, to) => {
            let (steps, edges) = oracle.distance(*from, *to, along);
            (op::hash_path(steps.map(u64::from)), edges)
        }
        Op::ByKind(kind) => (op::hash_ids(&mut oracle.of_kind(kind)), 0),
        Op::ByName(name) => (op::hash_ids(&mut oracle.named(name)), 0),
        Op::ByPrefix(prefix) => {
            let names = oracle.with_prefix(prefix);
            (
                op::hash_names(names.map(|(name, id)| (name.as_str(), *id))),
                0,
            )
        }
        _ => (op::hash_scan(oracle.node_count(), oracle.data_bytes()), 0),
    }
}
