//! Single changes, made to a transaction and to the model alike.

use vellum::{BulkEdge, BulkNode, NodeId, NodeUpdate, Result, WriteTxn};

use crate::model::Model;
use crate::session::Step;

/// Nodes and edges of one bulk load, added to the model too.
pub(crate) fn loaded(model: &mut Model, step: Step) -> (Vec<BulkNode>, Vec<BulkEdge>) {
    let first = model.next;
    let count = 1 + u64::from(step.a) % 40;
    let mut nodes = Vec::new();
    let mut edges = Vec::new();
    for i in 0..count {
        let (kind, name, data) = (
            kind(step.b),
            name(step.c.wrapping_add(i as u8)),
            bytes(step.c),
        );
        model.insert_node(&kind, &name, &data);
        nodes.push(BulkNode {
            kind,
            name,
            data,
            ..BulkNode::default()
        });
    }
    for i in 1..count {
        let (from, to) = (first, first + i);
        model.insert_edge(from, "loaded", to, b"");
        edges.push(BulkEdge {
            source: id(from),
            label: "loaded".to_owned(),
            target: id(to),
            data: Vec::new(),
        });
    }
    (nodes, edges)
}

pub(crate) fn change(txn: &mut WriteTxn, model: &mut Model, step: Step) -> Result<()> {
    let Step { what, a, b, c } = step;
    match what % 16 {
        0..=3 => {
            let (kind, name, data) = (kind(a), name(b), bytes(c));
            let found = txn.insert_node(&kind, &name, &data)?.get();
            assert_eq!(found, model.insert_node(&kind, &name, &data));
        }
        4 => {
            // Every id below is taken or reserved from now on.
            model.next += u64::from(a) << (b % 24);
            let expected = model.insert_node("placed", "at", &bytes(c));
            txn.insert_node_with_id(id(expected), "placed", "at", &bytes(c))?;
        }
        5 => {
            let range = txn.reserve_ids(a.into())?;
            assert_eq!(range, model.next..model.next + u64::from(a));
            model.next = range.end;
        }
        6 => update(txn, model, step)?,
        7 => {
            if let Some(node) = model.node(a) {
                assert!(txn.delete_node(id(node))?);
                model.delete_node(node);
            }
            assert!(!txn.delete_node(id(model.next + 7))?);
        }
        _ => change_edge(txn, model, step)?,
    }
    Ok(())
}

fn update(txn: &mut WriteTxn, model: &mut Model, step: Step) -> Result<()> {
    let Some(number) = model.node(step.a) else {
        return Ok(());
    };
    let (kind, name, data) = (kind(step.b), name(step.b), bytes(step.c));
    let node = model.nodes.get_mut(&number).expect("just chosen");
    let mut update = NodeUpdate::new();
    if step.b & 1 != 0 {
        update = update.kind(&kind);
        node.0.clone_from(&kind);
    }
    if step.b & 2 != 0 {
        update = update.name(&name);
        node.1.clone_from(&name);
    }
    if step.b & 4 != 0 {
        update = update.data(&data);
        node.2.clone_from(&data);
    }
    assert!(txn.update_node(id(number), update)?);
    Ok(())
}

fn change_edge(txn: &mut WriteTxn, model: &mut Model, step: Step) -> Result<()> {
    let Step { what, a, b, c } = step;
    if let 13..=14 = what % 16 {
        let Some(edge) = model.edge(a) else {
            return Ok(());
        };
        let (from, to) = (id(edge.0), id(edge.2));
        if what % 16 == 13 {
            assert!(txn.update_edge(from, &edge.1, to, edge.3, &bytes(c))?);
            model.edges.insert(edge, bytes(c));
        } else {
            assert!(txn.delete_edge(from, &edge.1, to, edge.3)?);
            assert!(!txn.delete_edge(from, &edge.1, to, edge.3)?);
            model.edges.remove(&edge);
        }
        return Ok(());
    }
    let (Some(from), Some(to)) = (model.node(a), model.node(b)) else {
        return Ok(());
    };
    let label = format!("label-{}", c % 5);
    match what % 16 {
        8..=10 => {
            model.insert_edge(from, &label, to, &bytes(c));
            txn.insert_edge(id(from), &label, id(to), &bytes(c))
        }
        11..=12 => {
            let expected = model.insert_edge(from, &label, to, &bytes(c));
            let found = txn.insert_edge_returning(id(from), &label, id(to), &bytes(c))?;
            assert_eq!(found, expected, "the ordinal of a parallel edge");
            Ok(())
        }
        _ => {
            // A hub: many edges of one node, in both directions.
            for i in 0..u16::from(c) * 2 {
                let other = model.node(i as u8).unwrap_or(to);
                let (from, to) = if i % 3 == 0 {
                    (other, from)
                } else {
                    (from, other)
                };
                model.insert_edge(from, "spoke", to, &[]);
                txn.insert_edge(id(from), "spoke", id(to), &[])?;
            }
            Ok(())
        }
    }
}

pub(crate) fn id(number: u64) -> NodeId {
    NodeId::new(number).expect("ids are small")
}

fn kind(choice: u8) -> String {
    format!("kind-{}", choice % 6)
}

fn name(choice: u8) -> String {
    match choice % 8 {
        0 => String::new(),
        1 => "same".to_owned(),
        2 => "long "
            .repeat(usize::from(choice))
            .chars()
            .take(1_000)
            .collect(),
        3 => format!("nul\0{choice}"),
        _ => format!("name-{choice}"),
    }
}

/// Data of a length that the choice means: mostly short, sometimes more than a cell or a write
/// buffer takes.
fn bytes(choice: u8) -> Vec<u8> {
    let len = match choice {
        0..=199 => usize::from(choice % 50),
        200..=229 => 500,
        230..=249 => 600 + usize::from(choice) * 40,
        250..=253 => 20_000,
        _ => 70_000,
    };
    (0..len)
        .map(|i| (i as u8).wrapping_mul(31) ^ choice)
        .collect()
}
