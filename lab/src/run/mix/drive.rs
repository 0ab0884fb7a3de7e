//! Puts operations to a store: one client by itself, several at once, a writer beside them.

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::console::Console;
use crate::dataset::generate::Content;
use crate::dataset::oracle::Oracle;
use crate::failure::Failure;
use crate::random::Random;
use crate::run::limits::Limits;
use crate::scenario::operations::Operation;
use crate::scenario::plan::{MixPlan, Stop};
use crate::store::op::{self, Op, Step, Then, Walk};
use crate::store::target::Target;

use super::record::Record;
use super::steps::{self, Stream};

/// Operations made at once, at first and at most: they are made outside the clock, and kept.
const CHUNK: usize = 64;
const CHUNK_MAX: usize = 16_384;

/// A chunk should take about this long, so that a phase of a stated time ends in time.
const CHUNK_TIME: Duration = Duration::from_millis(20);

/// Operations that each of several clients repeats where a phase ends by time.
const ROUND: u64 = 5_000;

/// Nodes that a writer beside others has to itself.
const OWN: u64 = 100;

/// What every client shares.
pub(super) struct Mission<'a> {
    pub(super) name: &'a str,
    pub(super) plan: &'a MixPlan,
    pub(super) walk: &'a Walk,
    pub(super) content: &'a Content,
    pub(super) seed: u64,
    pub(super) limits: &'a Limits,
    pub(super) console: &'a Console,
}

/// What all clients together did.
pub(super) struct Carried {
    pub(super) record: Record,
    pub(super) beside: Option<Record>,
    pub(super) pinned_pages: u64,
    /// Accesses and hits of the traversals' caches.
    pub(super) traversals: (u64, u64),
}

/// What one of several clients did: its measurements, and the nodes that it made with their ids.
type Client<'s> = (Record, Vec<(u64, &'s Step)>);

/// When the operations of an open loop are due.
struct Pace {
    next: Instant,
    every: Duration,
}

impl Pace {
    fn new(plan: &MixPlan) -> Option<Pace> {
        let every = Duration::from_secs_f64(f64::from(plan.clients) / plan.rate?);
        Some(Pace {
            next: Instant::now(),
            every,
        })
    }

    /// Waits until the next operation is due, and returns by how much that was missed.
    fn wait(&mut self) -> u64 {
        let due = self.next;
        self.next += self.every;
        let now = Instant::now();
        if now < due {
            thread::sleep(due - now);
        }
        Instant::now().saturating_duration_since(due).as_nanos() as u64
    }
}

fn end(target: &mut dyn Target, how: Then, record: &mut Record) -> Result<u64, Failure> {
    match how {
        Then::Nothing => Ok(0),
        Then::Rollback => target.rollback().map(|()| 0),
        Then::Commit => {
            let committed = target.commit()?;
            record.commit(committed)?;
            Ok(committed.ns)
        }
    }
}

impl Mission<'_> {
    fn carry_out(
        &self,
        target: &mut dyn Target,
        step: &Step,
        pace: &mut Option<Pace>,
        record: &mut Record,
    ) -> Result<Option<u64>, Failure> {
        end(target, step.first, record)?;
        let late = pace.as_mut().map_or(0, Pace::wait);
        let done = target.run(&step.op, self.walk)?;
        let id = done.id;
        let committed = end(target, step.then, record)?;
        let mut latency = late + done.ns;
        if self.plan.batch == 1 {
            // A transaction of one operation: its commit belongs to it.
            latency += committed;
        }
        record.note(step, done, latency)?;
        Ok(id)
    }

    /// One client, which may read, write, and close the database.
    pub(super) fn single(
        &self,
        target: &mut dyn Target,
        oracle: &mut Oracle,
    ) -> Result<Carried, Failure> {
        let mut record = Record::new()?;
        let plan = self.plan;
        let mut stream = Stream::new(
            oracle,
            plan,
            &plan.weights,
            self.walk,
            self.content,
            self.seed,
            0,
        );
        let mut pace = Pace::new(plan);
        let started = Instant::now();
        let mut chunk = CHUNK;
        let mut pinned_pages = 0;
        loop {
            let left = match plan.stop {
                Stop::Operations(all) => all - record.operations,
                Stop::Time(time) if record.busy_ns < time.as_nanos() as u64 => u64::MAX,
                Stop::Time(_) => 0,
            };
            if left == 0 {
                break;
            }
            let before = record.busy_ns;
            let steps = stream.steps(chunk.min(usize::try_from(left).unwrap_or(usize::MAX)));
            if let Some(pace) = &mut pace {
                // Making operations is not what the loop is late by.
                pace.next = Instant::now();
            }
            for step in &steps {
                self.carry_out(target, step, &mut pace, &mut record)?;
            }
            pinned_pages = pinned_pages.max(target.pinned_pages());
            self.limits.check()?;
            self.console
                .progress(&format!("{}:", self.name), record.operations);
            if record.busy_ns - before < CHUNK_TIME.as_nanos() as u64 {
                chunk = (chunk * 2).min(CHUNK_MAX);
            }
        }
        let last = stream.close();
        end(target, last, &mut record)?;
        match plan.rate {
            // What an open loop does in a second is up to its clock, not to how fast each operation was.
            Some(_) => record.finish_together(started.elapsed()),
            None => record.finish(),
        }
        Ok(Carried {
            record,
            beside: None,
            pinned_pages,
            traversals: target.traversal_cache(),
        })
    }

    /// Several clients at once, and perhaps a writer beside them, each with a handle of its own.
    pub(super) fn several(
        &self,
        mut targets: Vec<Box<dyn Target + '_>>,
        beside: Option<Box<dyn Target + '_>>,
        oracle: &mut Oracle,
    ) -> Result<Carried, Failure> {
        let plan = self.plan;
        let clients = u64::from(plan.clients);
        let mut streams: Vec<Vec<Step>> = Vec::new();
        for client in 0..clients {
            let count = match plan.stop {
                Stop::Operations(all) => all / clients + u64::from(client < all % clients),
                Stop::Time(_) => ROUND,
            };
            let mut stream = Stream::new(
                oracle,
                plan,
                &plan.weights,
                self.walk,
                self.content,
                self.seed,
                client,
            )
            .among(client);
            let mut steps = stream.steps(count as usize);
            let last = stream.close();
            if let Some(step) = steps.last_mut()
                && step.then == Then::Nothing
            {
                step.then = last;
            }
            streams.push(steps);
        }
        let mut writer = match beside {
            Some(target) => Some(Beside::prepare(self, target, oracle)?),
            None => None,
        };
        let stop = AtomicBool::new(false);
        let barrier = Barrier::new(targets.len() + usize::from(writer.is_some()) + 1);
        let (records, wall, wrote) = thread::scope(|scope| {
            let (stop, barrier) = (&stop, &barrier);
            let readers: Vec<_> = targets
                .iter_mut()
                .zip(&streams)
                .map(|(target, steps)| {
                    scope.spawn(move || {
                        barrier.wait();
                        self.client(target.as_mut(), steps)
                    })
                })
                .collect();
            let writer = writer.as_mut().map(|writer| {
                scope.spawn(move || {
                    barrier.wait();
                    writer.run(self, stop)
                })
            });
            let started = Instant::now();
            barrier.wait();
            let records: Vec<_> = readers
                .into_iter()
                .map(|reader| joined(reader.join()))
                .collect();
            let wall = started.elapsed();
            stop.store(true, Ordering::Relaxed);
            (records, wall, writer.map(|writer| joined(writer.join())))
        });
        let mut record = Record::new()?;
        let mut news = Vec::new();
        for found in records {
            let (client, new) = found?;
            record.join(client)?;
            news.extend(new);
        }
        record.finish_together(wall);
        let beside = match (writer, wrote) {
            (Some(writer), Some(wrote)) => {
                let client = wrote?;
                writer.tell(oracle, &mut record);
                Some(client)
            }
            _ => None,
        };
        for (id, step) in news {
            adopt(oracle, id, step, &mut record);
        }
        let traversals = targets
            .iter()
            .map(|target| target.traversal_cache())
            .fold((0, 0), |a, b| (a.0 + b.0, a.1 + b.1));
        Ok(Carried {
            record,
            beside,
            pinned_pages: 0,
            traversals,
        })
    }

    /// One of several: its steps once, or over and over until the time is up.
    fn client<'s>(
        &self,
        target: &mut dyn Target,
        steps: &'s [Step],
    ) -> Result<Client<'s>, Failure> {
        let mut record = Record::new()?;
        let mut new = Vec::new();
        let mut pace = Pace::new(self.plan);
        loop {
            for (number, step) in steps.iter().enumerate() {
                if let Some(id) = self.carry_out(target, step, &mut pace, &mut record)? {
                    new.push((id, step));
                }
                if number % CHUNK == 0 {
                    self.limits.check()?;
                }
                if let Stop::Time(time) = self.plan.stop
                    && record.busy_ns >= time.as_nanos() as u64
                {
                    return Ok((record, new));
                }
            }
            if matches!(self.plan.stop, Stop::Operations(_)) || steps.is_empty() {
                return Ok((record, new));
            }
        }
    }
}

/// A thread that panicked has said so on stderr; here it is a failure of the lab.
fn joined<T>(result: thread::Result<Result<T, Failure>>) -> Result<T, Failure> {
    result.unwrap_or_else(|_| Err(Failure::lab("a client's thread panicked")))
}

/// Enters a node into the model under the id that the store gave it.
fn adopt(oracle: &mut Oracle, id: u64, step: &Step, record: &mut Record) {
    let Op::InsertNode { kind, name, data } = &step.op else {
        return;
    };
    if oracle.node(id).is_some() {
        record.accuse(format!("the id {id} was issued twice"));
    } else {
        oracle.insert_node_at(id, kind, name, data);
    }
}

/// The writer beside others: it adds nodes, and edges among nodes that are its own.
struct Beside<'t> {
    target: Box<dyn Target + 't>,
    own: Vec<u64>,
    done: Vec<(Op, Option<u64>)>,
}

impl<'t> Beside<'t> {
    /// Makes its nodes, outside the clock.
    fn prepare(
        mission: &Mission<'_>,
        mut target: Box<dyn Target + 't>,
        oracle: &mut Oracle,
    ) -> Result<Beside<'t>, Failure> {
        let mut random = Random::new(mission.seed, 1 << 15);
        let mut own = Vec::new();
        for _ in 0..OWN {
            let row = mission.content.node(oracle.next_id(), &mut random);
            let op = Op::InsertNode {
                kind: row.kind,
                name: row.name,
                data: row.data,
            };
            own.extend(target.run(&op, mission.walk)?.id);
            steps::answer(oracle, &op, mission.walk);
        }
        target.commit()?;
        Ok(Beside {
            target,
            own,
            done: Vec::new(),
        })
    }

    fn run(&mut self, mission: &Mission<'_>, stop: &AtomicBool) -> Result<Record, Failure> {
        let weights = &mission.plan.beside;
        let all: u32 = weights.iter().map(|(_, weight)| weight).sum();
        let mut random = Random::new(mission.seed, (1 << 15) + 1);
        let mut record = Record::new()?;
        let mut open = 0;
        let mut number = 0;
        while !stop.load(Ordering::Relaxed) {
            let mut left = random.below(all);
            let kind = weights.iter().find_map(|(kind, weight)| {
                let here = left < *weight;
                left = left.saturating_sub(*weight);
                here.then_some(*kind)
            });
            number += 1;
            let step = self.step(
                mission,
                kind.unwrap_or(Operation::Empty),
                number,
                &mut random,
            );
            let done = self.target.run(&step.op, mission.walk)?;
            self.done.push((step.op.clone(), done.id));
            open += 1;
            let latency = done.ns;
            record.note(&step, done, latency)?;
            if open >= mission.plan.batch {
                open = 0;
                end(self.target.as_mut(), Then::Commit, &mut record)?;
            }
        }
        end(self.target.as_mut(), Then::Commit, &mut record)?;
        record.finish();
        Ok(record)
    }

    fn step(
        &self,
        mission: &Mission<'_>,
        kind: Operation,
        number: u64,
        random: &mut Random,
    ) -> Step {
        let mut own = || self.own[random.below(self.own.len() as u32) as usize];
        let op = match kind {
            Operation::InsertEdge => Op::InsertEdge {
                source: own(),
                label: "beside".to_owned(),
                target: own(),
                data: Vec::new(),
            },
            Operation::InsertNode => {
                let row = mission.content.node((1 << 47) + number, random);
                Op::InsertNode {
                    kind: row.kind,
                    name: row.name,
                    data: row.data,
                }
            }
            _ => Op::Empty,
        };
        Step {
            kind,
            want: (!matches!(op, Op::InsertNode { .. })).then(|| op::hash_done(true)),
            op,
            edges: 0,
            first: Then::Nothing,
            then: Then::Nothing,
        }
    }

    /// Tells the model what was done.
    fn tell(self, oracle: &mut Oracle, record: &mut Record) {
        for (op, id) in self.done {
            match (&op, id) {
                (Op::InsertNode { kind, name, data }, Some(id)) => {
                    if oracle.node(id).is_some() {
                        record.accuse(format!("the id {id} was issued twice"));
                    } else {
                        oracle.insert_node_at(id, kind, name, data);
                    }
                }
                (
                    Op::InsertEdge {
                        source,
                        label,
                        target,
                        data,
                    },
                    _,
                ) => {
                    oracle.insert_edge(*source, label, *target, data);
                }
                _ => {}
            }
        }
    }
}
