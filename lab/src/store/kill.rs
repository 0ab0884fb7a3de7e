//! Kills a writer inside its stream of commits and looks at what the next open finds.
//!
//! SIGKILL takes the process, not the machine: what the writer handed to the operating system is
//! still written. So this shows that recovery works, and nothing about fsync.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::console::Console;
use crate::dataset::model::Model;
use crate::failure::{Context, Failure};
use crate::random::Random;
use crate::scenario::plan::{KillPlan, Shape};

use super::compare::{Comparison, compare};
use super::{Store, writer};

/// Transactions that a writer is given beyond the one at which it is killed: it never gets so far.
const BEYOND: u64 = 1_000_000;

/// Existing nodes that the writer's edges may lead to.
const ANCHORS: usize = 64;

/// One writer's life and what was found after it. Transactions are numbered over all rounds.
pub(crate) struct Round {
    /// The writer's first transaction.
    pub(crate) first: u64,
    /// The last one that it reported as durable.
    pub(crate) last_acknowledged: u64,
    /// The last one found after recovery.
    pub(crate) last_surviving: u64,
    pub(crate) replayed_records: u64,
    pub(crate) replayed_bytes: u64,
    pub(crate) dropped_bytes: u64,
    pub(crate) recovery_ns: u64,
    /// Findings of the engine's own check.
    pub(crate) findings: Vec<String>,
    pub(crate) comparison: Comparison,
}

impl Round {
    pub(crate) fn acknowledged(&self) -> u64 {
        self.last_acknowledged + 1 - self.first
    }

    pub(crate) fn surviving(&self) -> u64 {
        (self.last_surviving + 1).saturating_sub(self.first)
    }

    pub(crate) fn lost(&self) -> u64 {
        self.last_acknowledged.saturating_sub(self.last_surviving)
    }

    /// Everything that is wrong after this round. Whether each commit is whole, and whether there is
    /// anything else, shows in the comparison with the model.
    pub(crate) fn wrong(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        if self.lost() > 0 {
            wrong.push(format!(
                "{} of {} acknowledged commits are lost",
                self.lost(),
                self.acknowledged()
            ));
        }
        // One commit was under way at most.
        if self.last_surviving > self.last_acknowledged + 1 {
            let (found, told) = (self.last_surviving, self.last_acknowledged);
            wrong.push(format!(
                "commits through {found} found, but only those through {told} were acknowledged"
            ));
        }
        wrong.extend(
            self.findings
                .iter()
                .map(|finding| format!("check: {finding}")),
        );
        wrong.extend(self.comparison.listed.iter().cloned());
        wrong
    }
}

/// What stays the same over the rounds.
pub(crate) struct Experiment<'a> {
    pub(crate) store: &'a Store,
    pub(crate) database: &'a str,
    pub(crate) plan: KillPlan,
    pub(crate) durability: &'static str,
    pub(crate) seed: u64,
    pub(crate) console: &'a Console,
}

impl Experiment<'_> {
    /// All rounds on a closed database. `model` is what it holds, and grows with it. Ends early when a
    /// round went wrong.
    pub(crate) fn run(&self, model: &mut Model) -> Result<Vec<Round>, Failure> {
        let step = (model.nodes().len() / ANCHORS).max(1);
        let anchors: Vec<u64> = model
            .nodes()
            .iter()
            .step_by(step)
            .take(ANCHORS)
            .map(|node| node.id)
            .collect();
        let mut random = Random::new(self.seed, 1);
        let mut rounds: Vec<Round> = Vec::new();
        let mut first = 1;
        for number in 1..=self.plan.rounds {
            let after = u64::from(self.plan.after) + u64::from(random.below(self.plan.after));
            let last = self.kill_writer(first, after, &anchors, &mut random)?;
            let round = self.recover(model, &anchors, first, last)?;
            self.console.detail(format!(
                "round {number}: transactions {first} to {last} acknowledged, found through {}, {} records replayed",
                round.last_surviving, round.replayed_records
            ));
            first = round.last_surviving + 1;
            let wrong = !round.wrong().is_empty();
            rounds.push(round);
            if wrong {
                break;
            }
        }
        Ok(rounds)
    }

    /// Starts a writer at transaction `first`, kills it once `after` commits are acknowledged, and
    /// returns the last acknowledged transaction.
    fn kill_writer(
        &self,
        first: u64,
        after: u64,
        anchors: &[u64],
        random: &mut Random,
    ) -> Result<u64, Failure> {
        let mut child = self.spawn(first, after + BEYOND, anchors)?;
        let result = self.follow(&mut child, first, after, random);
        if result.is_err() {
            // The failure below says what happened; this only keeps the writer from outliving it.
            let _ = child.kill();
            let _ = child.wait();
        }
        result
    }

    fn spawn(&self, first: u64, count: u64, anchors: &[u64]) -> Result<Child, Failure> {
        let program = std::env::current_exe().context("finding this program")?;
        let Shape {
            nodes,
            edges,
            data_bytes,
        } = self.plan.shape;
        let anchors: Vec<String> = anchors.iter().map(u64::to_string).collect();
        let mut command = Command::new(&program);
        command
            .arg("__writer")
            .arg("--database")
            .arg(self.store.path(self.database))
            .args(["--first", &first.to_string(), "--count", &count.to_string()])
            .args(["--nodes", &nodes.to_string(), "--edges", &edges.to_string()])
            .args([
                "--data-bytes",
                &data_bytes.to_string(),
                "--durability",
                self.durability,
            ])
            .args(["--anchors", &anchors.join(",")])
            .stdin(Stdio::null())
            .stdout(Stdio::piped());
        command
            .spawn()
            .context(format_args!("starting {}", program.display()))
    }

    fn follow(
        &self,
        child: &mut Child,
        first: u64,
        after: u64,
        random: &mut Random,
    ) -> Result<u64, Failure> {
        let pipe = child
            .stdout
            .take()
            .ok_or_else(|| Failure::lab("the writer has no stdout"))?;
        let mut lines = BufReader::new(pipe).lines();
        let started = Instant::now();
        let mut last = first - 1;
        let mut next = || -> Result<Option<u64>, Failure> {
            let Some(line) = lines.next() else {
                return Ok(None);
            };
            let line = line.context("reading the writer's acknowledgements")?;
            line.parse()
                .map(Some)
                .map_err(|_| Failure::lab(format!("the writer said `{line}`")))
        };
        while last < first - 1 + after {
            let Some(number) = next()? else {
                let status = child.wait().context("waiting for the writer")?;
                return Err(Failure::lab(format!(
                    "the writer ended by itself after transaction {last}: {status}"
                )));
            };
            last = in_order(last, number)?;
            self.console.progress("commits acknowledged:", last);
        }
        // Somewhere inside the next commit or two, wherever that may be.
        let one = started.elapsed() / u32::try_from(after).unwrap_or(u32::MAX).max(1);
        let pause = one.saturating_mul(random.below(2000)) / 1000;
        std::thread::sleep(pause.min(Duration::from_millis(100)));
        child.kill().context("killing the writer")?;
        let status = child.wait().context("waiting for the killed writer")?;
        if !was_killed(status) {
            return Err(Failure::lab(format!(
                "the writer was not killed but ended by itself: {status}"
            )));
        }
        // What it said before it died still stands in the pipe.
        while let Some(number) = next()? {
            last = in_order(last, number)?;
        }
        Ok(last)
    }

    /// Opens the database after a kill, and looks at all of it.
    fn recover(
        &self,
        model: &mut Model,
        anchors: &[u64],
        first: u64,
        last: u64,
    ) -> Result<Round, Failure> {
        let started = Instant::now();
        let database = self.store.open(self.database)?;
        let recovery_ns = started.elapsed().as_nanos() as u64;
        let shape = self.plan.shape;
        let txn = database.begin_read()?;
        let added = txn.node_count().saturating_sub(model.nodes().len() as u64);
        let last_surviving = first - 1 + added / u64::from(shape.nodes.max(1));
        let mut node = model.nodes().last().map_or(1, |node| node.id + 1);
        let (mut nodes, mut edges) = (Vec::new(), Vec::new());
        for number in first..=last_surviving {
            let transaction = writer::transaction(number, node, shape, anchors);
            node += u64::from(shape.nodes);
            nodes.extend(transaction.nodes);
            edges.extend(transaction.edges);
        }
        model.add(nodes, edges);
        let comparison = compare(&txn, model, self.console)?;
        drop(txn);
        let findings = database
            .check()?
            .findings
            .iter()
            .map(ToString::to_string)
            .collect();
        let report = database.recovery();
        let (replayed_records, replayed_bytes, dropped_bytes) = report
            .map_or((0, 0, 0), |report| {
                (report.records, report.bytes, report.dropped_bytes)
            });
        database.close()?;
        Ok(Round {
            first,
            last_acknowledged: last,
            last_surviving,
            replayed_records,
            replayed_bytes,
            dropped_bytes,
            recovery_ns,
            findings,
            comparison,
        })
    }
}

fn in_order(last: u64, number: u64) -> Result<u64, Failure> {
    if number == last + 1 {
        Ok(number)
    } else {
        Err(Failure::lab(format!(
            "transaction {number} acknowledged after {last}"
        )))
    }
}

#[cfg(unix)]
fn was_killed(status: ExitStatus) -> bool {
    use std::os::unix::process::ExitStatusExt;
    /// The number of SIGKILL on every Unix.
    const SIGKILL: i32 = 9;
    status.signal() == Some(SIGKILL)
}

#[cfg(not(unix))]
fn was_killed(status: ExitStatus) -> bool {
    !status.success()
}
