//! Questions, put to the engine and to the model. Both answers must be the same.

use std::collections::HashSet;

use vellum::{NodeId, ReadTxn};

use crate::dataset::model::Model;
use crate::digest::Digest;
use crate::failure::Failure;
use crate::scenario::plan::{Follow, Question};

use super::{direction, node_id};

/// What a question gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Nodes in the engine's order.
    Nodes(Vec<u64>),
    /// All nodes within so many hops, by id.
    Within(Vec<u64>),
    /// The nodes of a chain, both ends included.
    Chain(Option<Vec<u64>>),
    Names(Vec<(String, u64)>),
}

impl Answer {
    /// Every node that the answer names, in its order.
    pub(crate) fn ids(&self) -> Vec<u64> {
        match self {
            Answer::Nodes(ids) | Answer::Within(ids) => ids.clone(),
            Answer::Chain(ids) => ids.clone().unwrap_or_default(),
            Answer::Names(names) => names.iter().map(|(_, id)| *id).collect(),
        }
    }

    /// A digest that does not depend on which of several shortest chains was found, nor on the order
    /// of labels.
    pub(crate) fn digest(&self) -> String {
        let mut digest = Digest::new();
        match self {
            Answer::Chain(chain) => {
                digest.number(chain.as_ref().map_or(0, |chain| chain.len() as u64))
            }
            Answer::Names(names) => names.iter().for_each(|(name, id)| {
                digest.text(name);
                digest.number(*id);
            }),
            Answer::Nodes(ids) | Answer::Within(ids) => {
                let mut sorted = ids.clone();
                sorted.sort_unstable();
                sorted.iter().for_each(|id| digest.number(*id));
            }
        }
        digest.to_string()
    }
}

/// Asks the engine once. Nodes are given by name, so finding them is part of it. `hops` stands in for
/// the question's own, so that each distance can be asked by itself.
pub(crate) fn ask(txn: &ReadTxn, question: &Question, hops: u32) -> Result<Answer, Failure> {
    match question {
        Question::Neighbors { from, follow } => {
            let from = find(txn, &from.text)?;
            numbers(txn.neighbors(from, direction(follow.way), follow.label())).map(Answer::Nodes)
        }
        Question::Reach { from, follow, .. } => {
            let from = find(txn, &from.text)?;
            let found = txn.k_hop(from, hops, direction(follow.way), follow.label())?;
            Ok(Answer::Within(found.into_iter().map(NodeId::get).collect()))
        }
        Question::Path { from, to, follow } => {
            let (from, to) = (find(txn, &from.text)?, find(txn, &to.text)?);
            let mut query = txn.shortest_path(from, to).direction(direction(follow.way));
            if let Some(label) = follow.label() {
                query = query.label(label);
            }
            let chain = query
                .run()?
                .map(|path| path.nodes.into_iter().map(NodeId::get).collect());
            Ok(Answer::Chain(chain))
        }
        Question::ByKind(kind) => numbers(txn.nodes_of_kind(&kind.text)).map(Answer::Nodes),
        Question::ByName(name) => numbers(txn.nodes_named(&name.text)).map(Answer::Nodes),
        Question::ByPrefix(prefix) => {
            let mut names = Vec::new();
            for found in txn.nodes_with_prefix(&prefix.text) {
                let (name, id) = found?;
                names.push((name, id.get()));
            }
            Ok(Answer::Names(names))
        }
    }
}

fn numbers(ids: impl Iterator<Item = vellum::Result<NodeId>>) -> Result<Vec<u64>, Failure> {
    ids.map(|id| Ok(id?.get())).collect()
}

fn find(txn: &ReadTxn, name: &str) -> Result<NodeId, Failure> {
    match txn.nodes_named(name).next() {
        Some(id) => Ok(id?),
        None => Err(Failure::wrong(format!(
            "the database has no node named {name}, which the source has"
        ))),
    }
}

/// What is wrong with an answer, by the model. `None` if it is right.
pub(crate) fn judge(
    model: &Model,
    question: &Question,
    hops: u32,
    answer: &Answer,
) -> Option<String> {
    let differs = |want: &[u64], got: &[u64]| {
        (want != got).then(|| {
            format!(
                "{} nodes expected, {} found, and not the same",
                want.len(),
                got.len()
            )
        })
    };
    match (question, answer) {
        (Question::Neighbors { from, follow }, Answer::Nodes(got)) => {
            let mut want = model.neighbors(id_of(model, &from.text), follow.way, follow.label());
            let mut got = got.clone();
            if follow.label.is_none() {
                // Labels may be numbered in another order here than there.
                want.sort_unstable();
                got.sort_unstable();
            }
            differs(&want, &got)
        }
        (Question::Reach { from, follow, .. }, Answer::Within(got)) => {
            let levels = model.reach(id_of(model, &from.text), hops, follow.way, follow.label());
            let mut want: Vec<u64> = levels.into_iter().flatten().collect();
            want.sort_unstable();
            differs(&want, got)
        }
        (Question::Path { from, to, follow }, Answer::Chain(chain)) => judge_chain(
            model,
            (id_of(model, &from.text), id_of(model, &to.text)),
            follow,
            chain.as_deref(),
        ),
        (Question::ByKind(kind), Answer::Nodes(got)) => differs(&model.of_kind(&kind.text), got),
        (Question::ByName(name), Answer::Nodes(got)) => differs(&model.named(&name.text), got),
        (Question::ByPrefix(prefix), Answer::Names(got)) => {
            let want = model.with_prefix(&prefix.text);
            (want != *got).then(|| {
                format!(
                    "{} names expected, {} found, and not the same",
                    want.len(),
                    got.len()
                )
            })
        }
        _ => Some("the answer is of another kind than the question".to_owned()),
    }
}

/// A chain must join its ends by edges that exist, and none may be shorter.
fn judge_chain(
    model: &Model,
    (from, to): (u64, u64),
    follow: &Follow,
    chain: Option<&[u64]>,
) -> Option<String> {
    let distance = model.distance(from, to, follow.way, follow.label());
    let Some(chain) = chain else {
        return distance.map(|steps| format!("no chain found, and there is one of {steps} steps"));
    };
    if chain.first() != Some(&from) || chain.last() != Some(&to) {
        return Some("the chain does not join its two ends".to_owned());
    }
    for pair in chain.windows(2) {
        if let [a, b] = pair
            && !model.neighbors(*a, follow.way, follow.label()).contains(b)
        {
            return Some(format!(
                "the chain steps from {a} to {b}, and there is no such edge"
            ));
        }
    }
    let steps = chain.len() as u32 - 1;
    (distance != Some(steps))
        .then(|| format!("the chain has {steps} steps, and the shortest has {distance:?}"))
}

fn id_of(model: &Model, name: &str) -> u64 {
    model.named(name).first().copied().unwrap_or(0)
}

/// Kind and name of a node, for tables.
pub(crate) fn kind_and_name(txn: &ReadTxn, id: u64) -> Result<(String, String), Failure> {
    let node = txn.node(node_id(id)?)?;
    let node = node
        .ok_or_else(|| Failure::wrong(format!("node {id} is in an answer but cannot be read")))?;
    Ok((node.kind().to_owned(), node.name().to_owned()))
}

/// How many nodes of an answer are new against another.
pub(crate) fn new_in(answer: &Answer, before: &Answer) -> u64 {
    let known: HashSet<u64> = before.ids().into_iter().collect();
    answer
        .ids()
        .into_iter()
        .filter(|id| !known.contains(id))
        .count() as u64
}

#[cfg(test)]
mod tests {
    use crate::dataset::model::Way;
    use crate::dataset::{EdgeRow, NodeRow};
    use crate::scenario::plan::Named;

    use super::*;

    fn model() -> Model {
        let node = |id: u64| NodeRow {
            id,
            kind: "k".into(),
            name: format!("n{id}"),
            data: Vec::new(),
        };
        let edge = |source, target| EdgeRow {
            source,
            label: "x".into(),
            target,
            data: Vec::new(),
        };
        Model::new(
            (1..=5).map(node).collect(),
            [edge(1, 2), edge(2, 3), edge(1, 3), edge(3, 4)],
        )
    }

    fn named(text: &str) -> Named {
        Named {
            text: text.into(),
            span: 0..0,
        }
    }

    #[track_caller]
    fn chain(nodes: Option<&[u64]>, wrong: Option<&str>) {
        let question = Question::Path {
            from: named("n1"),
            to: named("n4"),
            follow: Follow {
                way: Way::Out,
                label: None,
            },
        };
        let found = judge(
            &model(),
            &question,
            0,
            &Answer::Chain(nodes.map(<[u64]>::to_vec)),
        );
        match (found, wrong) {
            (None, None) => {}
            (Some(found), Some(wrong)) => assert!(found.contains(wrong), "{found}"),
            (found, wrong) => assert_eq!(found.as_deref(), wrong),
        }
    }

    #[test]
    fn chains_are_judged_by_ends_edges_and_length() {
        chain(Some(&[1, 3, 4]), None);
        chain(Some(&[1, 2, 3, 4]), Some("the shortest has Some(2)"));
        chain(Some(&[1, 4]), Some("no such edge"));
        chain(Some(&[1, 3]), Some("does not join"));
        chain(None, Some("there is one of 2 steps"));
    }

    #[test]
    fn other_answers_are_compared_whole() {
        let reach = Question::Reach {
            from: named("n1"),
            hops: 2,
            follow: Follow {
                way: Way::Out,
                label: None,
            },
        };
        assert_eq!(
            judge(&model(), &reach, 2, &Answer::Within(vec![2, 3, 4])),
            None
        );
        assert!(judge(&model(), &reach, 1, &Answer::Within(vec![2, 3, 4])).is_some());
        assert!(judge(&model(), &reach, 2, &Answer::Names(Vec::new())).is_some());
        assert_eq!(
            judge(
                &model(),
                &Question::ByName(named("n5")),
                0,
                &Answer::Nodes(vec![5])
            ),
            None
        );
        assert!(
            judge(
                &model(),
                &Question::ByKind(named("k")),
                0,
                &Answer::Nodes(vec![5])
            )
            .is_some()
        );
    }

    #[test]
    fn digests_forget_only_what_may_differ() {
        let of = |answer: Answer| answer.digest();
        assert_eq!(
            of(Answer::Nodes(vec![2, 1])),
            of(Answer::Within(vec![1, 2]))
        );
        assert_eq!(
            of(Answer::Chain(Some(vec![1, 2, 4]))),
            of(Answer::Chain(Some(vec![1, 3, 4])))
        );
        assert_ne!(of(Answer::Nodes(vec![1])), of(Answer::Nodes(vec![1, 1])));
    }
}
