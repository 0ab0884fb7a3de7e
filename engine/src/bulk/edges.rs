//! The edge half of a bulk load: sorted by source, numbered, written; then sorted by target.

use std::collections::BTreeMap;

use super::lanes::{EdgeSorter, KeySorter, SortedEdges};
use super::records::NewEdge;
use super::{BulkEdge, BulkProgress, Load, PROGRESS_STEP};
use crate::btree::{Change, EdgeData, In, Out, merge};
use crate::error::{Error, Result};
use crate::forensics::count;
use crate::graph::{View, limits};
use crate::ids::{EdgeKey, KeySpace, NodeId};

/// Labels that are compared before the map is asked.
const FIRST_LABELS: usize = 16;

impl<P: FnMut(BulkProgress)> Load<'_, P> {
    pub(super) fn load_edges(
        &mut self,
        edges: impl Iterator<Item = Result<(BulkEdge, Option<u32>)>>,
    ) -> Result<u64> {
        let taken = self.take_edges(edges)?;
        let sorted = taken.sorter.finish(&mut self.scratch)?;
        let mut numbered = Numbered {
            sorted,
            ahead: None,
            last: None,
            unique: self.store.options.unique_edges,
            view: &self.view,
        };
        let mut reversed = KeySorter::new(self.sort_budget(2));
        let mut written = 0;
        let scratch = &mut self.scratch;
        let progress = &mut self.progress;
        let changes = std::iter::from_fn(|| numbered.next()).map(|edge| {
            let (key, data) = edge?;
            reversed.push(key.reversed(), scratch)?;
            step(progress, &mut written, BulkProgress::Out);
            Ok((key, Change::Put(EdgeData::new(&data))))
        });
        let root = &mut self.roots[KeySpace::Out.index()];
        let (out, counts) = merge::<Out>(*root, changes, &mut self.trees.writer()?)?;
        *root = out;
        self.totals.edges += counts.added;
        (self.progress)(BulkProgress::Out(written));
        let mut written = 0;
        let progress = &mut self.progress;
        let changes = reversed.finish(&mut self.scratch)?.map(|key| {
            step(progress, &mut written, BulkProgress::In);
            Ok((key?, Change::Put(())))
        });
        let root = &mut self.roots[KeySpace::In.index()];
        *root = merge::<In>(*root, changes, &mut self.trees.writer()?)?.0;
        (self.progress)(BulkProgress::In(written));
        Ok(taken.count)
    }

    /// Takes every edge from the caller, checked and with its label's number.
    fn take_edges(
        &mut self,
        edges: impl Iterator<Item = Result<(BulkEdge, Option<u32>)>>,
    ) -> Result<Taken> {
        let mut labels: BTreeMap<String, u16> = BTreeMap::new();
        // Graphs have few labels, and comparing is faster than hashing.
        let mut first: Vec<(String, u16)> = Vec::new();
        let mut taken = Taken {
            sorter: EdgeSorter::new(self.sort_budget(2)),
            count: 0,
        };
        let loaded_from = self.view.totals.next_node;
        for edge in edges {
            let (edge, ordinal) = edge?;
            limits::data(&edge.data)?;
            for end in [edge.source, edge.target] {
                self.require_node(end, loaded_from)?;
            }
            let known = first.iter().find(|(label, _)| *label == edge.label);
            let known = known.map(|(_, number)| number);
            let label = match known.or_else(|| labels.get(&edge.label)) {
                Some(label) => *label,
                None => {
                    let label = match self.view.label_id(&edge.label)? {
                        Some(label) => label.0,
                        None => {
                            limits::term(&edge.label)?;
                            let label = limits::next_term(self.totals.labels)?;
                            self.dictionary.define_label(label, &edge.label);
                            self.totals.labels += 1;
                            label
                        }
                    };
                    labels.insert(edge.label.clone(), label);
                    if first.len() < FIRST_LABELS {
                        first.push((edge.label.clone(), label));
                    }
                    label
                }
            };
            count!(self.store.tally, EdgesInserted);
            count!(
                self.store.tally,
                BytesGiven,
                edge.data.len() + limits::EDGE_BYTES
            );
            let record = NewEdge {
                source: edge.source.get(),
                label,
                target: edge.target.get(),
                arrival: taken.count,
                ordinal,
                data: edge.data.into(),
            };
            taken.sorter.push(record, &mut self.scratch)?;
            step(&mut self.progress, &mut taken.count, BulkProgress::Edges);
        }
        (self.progress)(BulkProgress::Edges(taken.count));
        Ok(taken)
    }

    fn require_node(&self, id: NodeId, loaded_from: u64) -> Result<()> {
        let there = if id.get() >= loaded_from {
            id.get() < self.totals.next_node && !self.is_gap(id.get())
        } else {
            self.view.contains_node(id)?
        };
        if there {
            Ok(())
        } else {
            Err(Error::usage(format!(
                "an edge names node {id}, which does not exist"
            )))
        }
    }

    fn is_gap(&self, id: u64) -> bool {
        let after = self.gaps.partition_point(|(first, _)| *first <= id);
        let before = after.checked_sub(1).and_then(|index| self.gaps.get(index));
        before.is_some_and(|(first, len)| id - first < *len)
    }
}

struct Taken {
    sorter: EdgeSorter,
    count: u64,
}

fn step(progress: &mut impl FnMut(BulkProgress), count: &mut u64, what: fn(u64) -> BulkProgress) {
    *count += 1;
    if count.is_multiple_of(PROGRESS_STEP) {
        progress(what(*count));
    }
}

/// Sorted edges with their ordinals.
struct Numbered<'a> {
    sorted: SortedEdges,
    ahead: Option<NewEdge>,
    last: Option<EdgeKey>,
    unique: bool,
    view: &'a View,
}

impl Numbered<'_> {
    fn next(&mut self) -> Option<Result<(EdgeKey, Box<[u8]>)>> {
        let mut edge = match self.ahead.take() {
            Some(edge) => edge,
            None => match self.sorted.next()? {
                Ok(edge) => edge,
                Err(error) => return Some(Err(error)),
            },
        };
        if self.unique {
            // Of equal edges the last to arrive counts.
            loop {
                match self.sorted.next() {
                    Some(Ok(next)) if same_triple(&next, &edge) => edge = next,
                    Some(Ok(next)) => {
                        self.ahead = Some(next);
                        break;
                    }
                    Some(Err(error)) => return Some(Err(error)),
                    None => break,
                }
            }
        }
        Some(self.number(edge))
    }

    fn number(&mut self, edge: NewEdge) -> Result<(EdgeKey, Box<[u8]>)> {
        let first = edge.triple();
        let ordinal = match self.last {
            _ if self.unique => 0,
            Some(last) if (EdgeKey { ordinal: 0, ..last }) == first => {
                place(edge.ordinal, Some(last.ordinal))?
            }
            _ => place(edge.ordinal, self.view.highest_ordinal(first)?)?,
        };
        let key = EdgeKey { ordinal, ..first };
        self.last = Some(key);
        Ok((key, edge.data))
    }
}

/// The ordinal that an edge brings, which must be above those before it, or else the next one.
fn place(brought: Option<u32>, highest: Option<u32>) -> Result<u32> {
    match (brought, highest) {
        (Some(brought), Some(highest)) if brought <= highest => Err(Error::usage(format!(
            "ordinal {brought} follows ordinal {highest} between the same two nodes; ordinals must ascend and be new"
        ))),
        (Some(brought), _) => Ok(brought),
        (None, Some(highest)) => limits::next_ordinal(highest),
        (None, None) => Ok(0),
    }
}

fn same_triple(a: &NewEdge, b: &NewEdge) -> bool {
    a.triple() == b.triple()
}
