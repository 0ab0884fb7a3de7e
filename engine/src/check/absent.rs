//! The ids that no node has: each is absent, in exactly one run.

use crate::btree::Finding;
use crate::error::Result;
use crate::graph::{AbsentRun, View};

/// Goes through the runs of absent ids beside the nodes. The first contradiction is all that is told:
/// whatever follows it would be out of step.
pub(super) struct Gaps<'v> {
    runs: Box<dyn Iterator<Item = Result<AbsentRun>> + 'v>,
    /// The lowest id that nothing has accounted for.
    next: u64,
    /// The sort of the run that ended there, if one did.
    touching: Option<bool>,
    broken: bool,
}

impl<'v> Gaps<'v> {
    pub(super) fn new(view: &'v View) -> Gaps<'v> {
        Gaps {
            runs: Box::new(view.all_absent()),
            next: 1,
            touching: None,
            broken: false,
        }
    }

    /// The next id that names a node.
    pub(super) fn node(&mut self, id: u64, findings: &mut Vec<Finding>) -> Result<()> {
        self.absent_to(id, findings)?;
        self.next = id.saturating_add(1);
        self.touching = None;
        Ok(())
    }

    /// All ids below this one are accounted for, and there are no more runs.
    pub(super) fn end(&mut self, next_node: u64, findings: &mut Vec<Finding>) -> Result<()> {
        self.absent_to(next_node, findings)?;
        if let Some(run) = self.runs.next().transpose()? {
            let what = format!(
                "ids from {} are absent, and taken or never issued",
                run.first
            );
            self.tell(what, findings);
        }
        Ok(())
    }

    /// All ids from the next one up to this are in runs, one behind the other.
    fn absent_to(&mut self, end: u64, findings: &mut Vec<Finding>) -> Result<()> {
        while self.next < end && !self.broken {
            let next = self.next;
            let what = match self.runs.next().transpose()? {
                Some(run) if run.first == next && run.end() > next && run.end() <= end => {
                    let joined = self.touching.replace(run.reserved) == Some(run.reserved);
                    self.next = run.end();
                    if !joined {
                        continue;
                    }
                    format!("two runs of absent ids of one sort touch at {next}")
                }
                Some(run) if run.first == next => {
                    format!(
                        "ids from {next} are absent up to {}, and id {end} is not",
                        run.end()
                    )
                }
                _ => format!("id {next} names no node and is not absent"),
            };
            self.tell(what, findings);
        }
        Ok(())
    }

    fn tell(&mut self, what: String, findings: &mut Vec<Finding>) {
        if !self.broken {
            findings.push(Finding::new(None, what));
        }
        self.broken = true;
    }
}
