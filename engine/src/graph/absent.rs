//! Which ids name a node: those below the next one that are in no run of absent ids.
//!
//! A run's value is twice its length, plus one if its ids are reserved and still to be used. Runs
//! that touch are of different sorts.

use super::view::View;
use crate::btree::{Absent, Change, find_absent};
use crate::error::Result;
use crate::ids::{KeySpace, MAX_U48, NodeId};

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
        AbsentRun {
            first,
            len: value >> 1,
            reserved: value & 1 == 1,
        }
    }

    fn put(&self) -> (u64, Change<u64>) {
        (
            self.first,
            Change::Put(self.len << 1 | u64::from(self.reserved)),
        )
    }

    pub(crate) fn end(&self) -> u64 {
        self.first.saturating_add(self.len)
    }
}

/// The entry of a run of reserved ids.
pub(crate) fn reserved_run(first: u64, len: u64) -> (u64, u64) {
    (first, len << 1 | 1)
}

impl View {
    /// Every run, in the order of their ids.
    pub(crate) fn all_absent(&self) -> impl Iterator<Item = Result<AbsentRun>> + '_ {
        self.items::<Absent>(None).map(|item| {
            let (first, value) = item?;
            Ok(AbsentRun::decode(first, value))
        })
    }

    /// Whether this id names a node. Ids never issued cost no I/O.
    pub(crate) fn contains_node(&self, id: NodeId) -> Result<bool> {
        if id.get() >= self.totals.next_node {
            return Ok(false);
        }
        Ok(self.absent_run(id.get())?.is_none())
    }

    /// The run of absent ids that this one is in.
    pub(crate) fn absent_run(&self, id: u64) -> Result<Option<AbsentRun>> {
        if id > MAX_U48 {
            return Ok(None);
        }
        // What one source of changes puts is in force all at once, so its runs do not overlap and only
        // the last that begins up to the id can reach it. It counts unless something newer changed it.
        for layer in &self.layers {
            for (first, value) in layer.absent.puts_up_to(&id) {
                let run = AbsentRun::decode(*first, *value);
                if id < run.end() && self.change::<Absent, _>(first) == Some(&Change::Put(*value)) {
                    return Ok(Some(run));
                }
            }
        }
        let found = find_absent(&*self.pager, self.root(KeySpace::Absent), id)?;
        let run = found.map(|(first, value)| AbsentRun::decode(first, value));
        Ok(run.filter(|run| id < run.end() && self.change::<Absent, _>(&run.first).is_none()))
    }

    /// The run that begins with this id.
    fn absent_at(&self, first: u64) -> Result<Option<AbsentRun>> {
        Ok(self.absent_run(first)?.filter(|run| run.first == first))
    }

    /// What makes these ids absent: the new run, joined with neighbours of its sort.
    pub(crate) fn make_absent(&self, run: AbsentRun) -> Result<Vec<(u64, Change<u64>)>> {
        let mut joined = run;
        let mut changes = Vec::new();
        if let Some(next) = self
            .absent_at(run.end())?
            .filter(|next| next.reserved == run.reserved)
        {
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
        let left = AbsentRun {
            len: id - run.first,
            ..run
        };
        let right = AbsentRun {
            first: id + 1,
            len: run.end() - id - 1,
            ..run
        };
        let mut changes = vec![if left.len > 0 {
            left.put()
        } else {
            (run.first, Change::Delete)
        }];
        if right.len > 0 {
            changes.push(right.put());
        }
        changes
    }
}
