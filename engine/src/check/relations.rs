//! Relations between the key spaces: both directions of every edge, every index entry and its node.
//!
//! Sets are compared by their sums. Where the sums differ, a second pass looks every element up on the other side and
//! names those that are not there.

use super::absent::Gaps;
use super::sum::{Sum, hash_bytes, hash_edge};
use super::terms;
use super::{CheckReport, LISTED_PER_RULE};
use crate::btree::{Finding, NameKey, StoredNode};
use crate::delta::kind_key;
use crate::error::Result;
use crate::graph::View;
use crate::ids::{EdgeKey, NodeId};

pub(super) fn check(view: &View, named: bool, report: &mut CheckReport) -> Result<()> {
    let mut findings = Vec::new();
    if let Err(error) = compare(view, named, report, &mut findings) {
        super::finding(error, &mut findings)?;
    }
    report.findings.append(&mut findings);
    Ok(())
}

fn compare(
    view: &View,
    named: bool,
    report: &mut CheckReport,
    findings: &mut Vec<Finding>,
) -> Result<()> {
    terms::check(view, findings)?;
    let (mut kinds, mut names) = (Sum::default(), Sum::default());
    let mut gaps = Gaps::new(view);
    for node in view.all_nodes() {
        let (id, node) = node?;
        let (kind, name) = parts(view, &node)?;
        report.nodes += 1;
        gaps.node(id, findings)?;
        kinds.add(hash_edge(kind_key(kind, id)));
        names.add(hash_bytes(NameKey::new(name, id).as_bytes()));
        if !view.contains_node(node_id(id))? {
            findings.push(Finding::new(
                None,
                format!("node {id} is in the tree, but its id counts as absent"),
            ));
        }
    }
    gaps.end(view.totals.next_node, findings)?;
    edges(view, report, findings)?;
    let mut indexed = Sum::default();
    for entry in view.all_kinds() {
        indexed.add(hash_edge(entry?));
    }
    if indexed != kinds {
        kind_differences(view, findings)?;
    }
    if named {
        let mut indexed = Sum::default();
        for entry in view.all_names() {
            indexed.add(hash_bytes(entry?.as_bytes()));
        }
        if indexed != names {
            name_differences(view, findings)?;
        }
    }
    counts(view, report, findings);
    Ok(())
}

fn counts(view: &View, report: &CheckReport, findings: &mut Vec<Finding>) {
    if report.nodes != view.totals.nodes {
        let what = format!(
            "{} nodes were found, {} are counted",
            report.nodes, view.totals.nodes
        );
        findings.push(Finding::new(None, what));
    }
    let exact = !view.base.header.unique_edges || view.layers.is_empty();
    if exact && report.edges != view.totals.edges {
        let what = format!(
            "{} edges were found, {} are counted",
            report.edges, view.totals.edges
        );
        findings.push(Finding::new(None, what));
    }
}

fn edges(view: &View, report: &mut CheckReport, findings: &mut Vec<Finding>) -> Result<()> {
    let (mut out, mut inn) = (Sum::default(), Sum::default());
    let mut listed = 0;
    for edge in view.all_out() {
        let (key, _) = edge?;
        out.add(hash_edge(key));
        for end in [key.node, key.peer] {
            if listed < LISTED_PER_RULE && !view.contains_node(node_id(end))? {
                findings.push(Finding::new(
                    None,
                    format!("{} names node {end}, which does not exist", show(key)),
                ));
                listed += 1;
            }
        }
    }
    for edge in view.all_in() {
        inn.add(hash_edge(edge?.reversed()));
    }
    report.edges = out.count;
    if out != inn {
        edge_differences(view, findings)?;
    }
    Ok(())
}

fn edge_differences(view: &View, findings: &mut Vec<Finding>) -> Result<()> {
    let mut list = Listing::new(findings);
    for edge in view.all_out() {
        let (key, _) = edge?;
        if !view.has_in(key.reversed())? {
            list.add(|| format!("{} is missing from the in-edges of its target", show(key)));
        }
    }
    for edge in view.all_in() {
        let key = edge?.reversed();
        if !view.has_edge(key)? {
            list.add(|| format!("{} is missing from the out-edges of its source", show(key)));
        }
    }
    list.finish("edges differ between the two directions");
    Ok(())
}

fn kind_differences(view: &View, findings: &mut Vec<Finding>) -> Result<()> {
    let mut list = Listing::new(findings);
    for node in view.all_nodes() {
        let (id, node) = node?;
        let (kind, _) = parts(view, &node)?;
        if !view.has_kind(kind_key(kind, id))? {
            list.add(|| format!("node {id} is missing from the index of its kind {kind}"));
        }
    }
    for entry in view.all_kinds() {
        let key = entry?;
        let kind = view
            .node_record(node_id(key.peer))?
            .map(|node| u64::from(node.kind));
        if kind != Some(key.node) {
            list.add(|| {
                format!(
                    "the index of kind {} lists node {}, which is not of it",
                    key.node, key.peer
                )
            });
        }
    }
    list.finish("the kind index differs from the nodes");
    Ok(())
}

fn name_differences(view: &View, findings: &mut Vec<Finding>) -> Result<()> {
    let mut list = Listing::new(findings);
    for node in view.all_nodes() {
        let (id, node) = node?;
        if !view.has_name(&NameKey::new(parts(view, &node)?.1, id))? {
            list.add(|| format!("node {id} is missing from the name index"));
        }
    }
    for entry in view.all_names() {
        let key = entry?;
        let name = view
            .node_record(node_id(key.id()))?
            .map(|node| node.name.clone());
        if name.as_deref().map(str::as_bytes) != Some(key.name()) {
            list.add(|| {
                format!(
                    "the name index lists node {} under a name that it does not have",
                    key.id()
                )
            });
        }
    }
    list.finish("the name index differs from the nodes");
    Ok(())
}

/// Findings of one rule: the first ones in full, the rest counted.
struct Listing<'a> {
    findings: &'a mut Vec<Finding>,
    count: usize,
}

impl<'a> Listing<'a> {
    fn new(findings: &'a mut Vec<Finding>) -> Listing<'a> {
        Listing { findings, count: 0 }
    }

    fn add(&mut self, what: impl FnOnce() -> String) {
        self.count += 1;
        if self.count <= LISTED_PER_RULE {
            self.findings.push(Finding::new(None, what()));
        }
    }

    fn finish(self, rule: &str) {
        // Sums that differ over equal sets would mean an element that came twice.
        if self.count == 0 || self.count > LISTED_PER_RULE {
            self.findings.push(Finding::new(
                None,
                format!("{rule}: {} differences listed or more", self.count),
            ));
        }
    }
}

fn node_id(number: u64) -> NodeId {
    NodeId::new(number).unwrap_or(NodeId::MIN)
}

/// A node's kind and name.
fn parts<'n>(view: &View, node: &'n StoredNode) -> Result<(u16, &'n str)> {
    let page = node.page().unwrap_or_default();
    let cell = node.cell().map_err(|rule| view.broken(page, rule))?;
    Ok((cell.kind, cell.name))
}

fn show(key: EdgeKey) -> String {
    format!(
        "edge {} -{}-> {} #{}",
        key.node, key.label, key.peer, key.ordinal
    )
}
