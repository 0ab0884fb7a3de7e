//! Which ids name a node: those below the next one that are in no run of absent ids.
//!
//! A run's value is twice its length, plus one if its ids are reserved and still to be used. Runs
//! that touch are of different sorts.

use super::view::View;
use crate::btree::{Absent, Change, find_entry, find_floor};
use crate::error::Result;
use crate::ids::{KeySpace, NodeId};

/// Consecutive ids that name no node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AbsentRun {
    pub(crate) first: u64,
    pub(crate) len: u64,
    /// Whether they were set aside, and may still be given to nodes.
    pub(crate) reserved: bool,
}

impl AbsentRun {
    fn decode(first: u64, value: u64) -> AbsentRun {
        AbsentRun { first, len: value >> 1, reserved: value & 1 == 1 }
    }

    fn put(&self) -> (u64, Change<u64>) {
        (self.first, Change::Put(self.len << 1 | u64::from(self.reserved)))
    }

    fn end(&self) -> u64 {
        self.first.saturating_add(self.len)
    }
}

/// The entry of a run of reserved ids.
pub(crate) fn reserved_run(first: u64, len: u64) -> (u64, u64) {
    (first, len << 1 | 1)
}

impl View {
    /// Whether this id names a node. Ids never issued cost no I/O.
    pub(crate) fn contains_node(&self, id: NodeId) -> Result<bool> {
        if id.get() >= self.totals.next_node {
            return Ok(false);
        }
        Ok(self.absent_run(id.get())?.is_none())
    }

    /// The run of absent ids that this one is in.
    pub(crate) fn absent_run(&self, id: u64) -> Result<Option<AbsentRun>> {
        Ok(self.absent_floor(id)?.filter(|run| id < run.end()))
    }

    /// The last run that begins at or before this id.
    fn absent_floor(&self, id: u64) -> Result<Option<AbsentRun>> {
        let root = self.root(KeySpace::Absent);
        let mut id = id;
        // Each turn passes a run that a newer change took away.
        loop {
            let base = find_floor::<Absent>(&*self.pager, root, &id)?;
            let Some((first, change)) = self.absent_change_floor(id) else {
                return Ok(base.map(|(first, value)| AbsentRun::decode(first, value)));
            };
            match (base, change) {
                (Some((below, value)), _) if below > first => return Ok(Some(AbsentRun::decode(below, value))),
                (_, Change::Put(value)) => return Ok(Some(AbsentRun::decode(first, *value))),
                (_, Change::Delete) => match first.checked_sub(1) {
                    Some(before) => id = before,
                    None => return Ok(None),
                },
            }
        }
    }

    /// The newest change of the greatest key up to this one that any layer changed.
    fn absent_change_floor(&self, id: u64) -> Option<(u64, &Change<u64>)> {
        let mut best: Option<(u64, &Change<u64>)> = None;
        for layer in &self.layers {
            if let Some((first, change)) = layer.absent.floor(&id) {
                // Of the same key the newer layer, which came first, counts.
                if best.is_none_or(|(best, _)| *first > best) {
                    best = Some((*first, change));
                }
            }
        }
        best
    }

    fn absent_at(&self, first: u64) -> Result<Option<AbsentRun>> {
        let value = match self.change::<Absent>(&first) {
            Some(Change::Put(value)) => Some(*value),
            Some(Change::Delete) => None,
            None => find_entry::<Absent>(&*self.pager, self.root(KeySpace::Absent), &first)?,
        };
        Ok(value.map(|value| AbsentRun::decode(first, value)))
    }

    /// What makes these ids absent: the new run, joined with neighbours of its sort.
    pub(crate) fn make_absent(&self, run: AbsentRun) -> Result<Vec<(u64, Change<u64>)>> {
        let mut joined = run;
        let mut changes = Vec::new();
        if let Some(next) = self.absent_at(run.end())?.filter(|next| next.reserved == run.reserved) {
            joined.len += next.len;
            changes.push((next.first, Change::Delete));
        }
        let before = match run.first.checked_sub(1) {
            Some(before) => self.absent_run(before)?,
            None => None,
        };
        if let Some(before) = before.filter(|before| before.reserved == run.reserved) {
            joined.first = before.first;
            joined.len += before.len;
        }
        changes.push(joined.put());
        Ok(changes)
    }

    /// What takes one id out of the run that it is in.
    pub(crate) fn make_present(&self, run: AbsentRun, id: u64) -> Vec<(u64, Change<u64>)> {
        let left = AbsentRun { len: id - run.first, ..run };
        let right = AbsentRun { first: id + 1, len: run.end() - id - 1, ..run };
        let mut changes = vec![if left.len > 0 { left.put() } else { (run.first, Change::Delete) }];
        if right.len > 0 {
            changes.push(right.put());
        }
        changes
    }
}
