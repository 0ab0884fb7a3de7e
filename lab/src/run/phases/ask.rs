//! The phase that asks a question: once after opening, then warm, each time checked by the model.

use std::time::Instant;

use vellum::ReadTxn;

use crate::dataset::model::Model;
use crate::failure::Failure;
use crate::results::Cell;
use crate::scenario::plan::{AskPlan, PhasePlan, Question};
use crate::scenario::registry;
use crate::stats::Summary;
use crate::store::ask::{Answer, ask, judge, kind_and_name, new_in};
use crate::units::grouped;

use super::{Bench, Notes};

/// Rows of an answer that are stored; more are counted.
const ROWS: usize = 200;

/// Names in the sentence that sums an answer up.
const NAMES: usize = 8;

impl Bench<'_> {
    pub(super) fn ask(&mut self, plan: &PhasePlan, what: &AskPlan) -> Result<Notes, Failure> {
        let mut notes = Notes::new(plan.action.kind());
        if let Some(cold) = what.cold {
            self.make_cold(&plan.database, cold)?;
        }
        let database = self.database(&plan.database)?;
        let txn = database.begin_read()?;
        let hops = match what.question {
            Question::Reach { hops, .. } => hops,
            _ => 0,
        };
        let before = self.store.counts();
        let counted = self.store.engine_counts();
        let started = Instant::now();
        let answer = ask(&txn, &what.question, hops)?;
        notes.set("first_ns", started.elapsed().as_nanos() as u64);
        let first = self.store.counts();
        notes.counts = Some(self.store.engine_counts() - counted);
        notes.set("pages_read", self.pages(first - before, &database));
        let samples = sample(&txn, what, hops)?;
        notes.set(
            "pages_read_warm",
            self.pages(self.store.counts() - first, &database),
        );
        if let Some(summary) = Summary::of(&samples) {
            note_times(&mut notes, summary);
        }
        notes.set("answers", count(&answer));
        let model = self.model(&plan.database);
        notes
            .findings
            .extend(judge(model, &what.question, hops, &answer));
        notes.digest = Some(answer.digest());
        if hops > 0 {
            note_hops(&mut notes, &plan.name, &txn, what, hops, model)?;
        }
        if notes.answer.is_none() {
            notes.answer = Some(sentence(&txn, &answer)?);
        }
        note_answers(&mut notes, &plan.name, &txn, &answer)?;
        Ok(notes)
    }
}

/// Times of the repeats, in nanoseconds.
fn sample(txn: &ReadTxn, what: &AskPlan, hops: u32) -> Result<Vec<u64>, Failure> {
    let mut samples = Vec::new();
    for _ in 0..what.repeats {
        let started = Instant::now();
        let answer = ask(txn, &what.question, hops)?;
        samples.push(started.elapsed().as_nanos() as u64);
        // Giving the answer's memory back is outside the clock.
        drop(answer);
    }
    Ok(samples)
}

fn note_times(notes: &mut Notes, summary: Summary) {
    notes.set("time_ns", summary.median);
    notes.set("min_ns", summary.min);
    notes.set("max_ns", summary.max);
    if let Some(mad) = summary.mad {
        notes.set("mad_ns", mad);
    }
}

/// How many nodes each further hop reaches, each distance asked and judged by itself.
fn note_hops(
    notes: &mut Notes,
    owner: &str,
    txn: &ReadTxn,
    what: &AskPlan,
    hops: u32,
    model: &Model,
) -> Result<(), Failure> {
    let mut rows = Vec::new();
    let mut said = Vec::new();
    let mut before = Answer::Within(Vec::new());
    for hop in 1..=hops {
        let answer = ask(txn, &what.question, hop)?;
        notes
            .findings
            .extend(judge(model, &what.question, hop, &answer));
        let time = Summary::of(&sample(txn, what, hop)?).map(|summary| summary.median);
        let reached = count(&answer);
        rows.push(vec![
            Cell::from(u64::from(hop)),
            Cell::from(new_in(&answer, &before)),
            Cell::from(reached),
            Cell::from(time),
        ]);
        let unit = if hop == 1 { "hop" } else { "hops" };
        said.push(format!("{} within {hop} {unit}", grouped(reached)));
        before = answer;
    }
    notes.tables.push(registry::HOPS.table(owner, rows));
    notes.answer = Some(said.join(", "));
    Ok(())
}

fn count(answer: &Answer) -> u64 {
    answer.ids().len() as u64
}

/// The answer in one sentence, with names.
fn sentence(txn: &ReadTxn, answer: &Answer) -> Result<String, Failure> {
    let ids = answer.ids();
    let names = |limit: usize| -> Result<Vec<String>, Failure> {
        ids.iter()
            .take(limit)
            .map(|id| Ok(kind_and_name(txn, *id)?.1))
            .collect()
    };
    if let Answer::Chain(chain) = answer {
        let steps = chain
            .as_ref()
            .map_or(0, |chain| chain.len().saturating_sub(1));
        let chained = names(usize::MAX)?.join(" → ");
        return Ok(if chain.is_some() {
            format!("{chained} ({steps} steps)")
        } else {
            "no chain".to_owned()
        });
    }
    let more = if ids.len() > NAMES { ", …" } else { "" };
    Ok(match ids.len() {
        0 => "none".to_owned(),
        number => format!(
            "{} found: {}{more}",
            grouped(number as u64),
            names(NAMES)?.join(", ")
        ),
    })
}

fn note_answers(
    notes: &mut Notes,
    owner: &str,
    txn: &ReadTxn,
    answer: &Answer,
) -> Result<(), Failure> {
    let ids = answer.ids();
    let mut rows = Vec::new();
    for (id, place) in ids.iter().take(ROWS).zip(1u64..) {
        let (kind, name) = kind_and_name(txn, *id)?;
        rows.push(vec![
            Cell::from(place),
            Cell::from(id.to_string()),
            Cell::from(kind),
            Cell::from(name),
        ]);
    }
    let mut table = registry::ANSWERS.table(owner, rows);
    table.rows_left_out = ids.len().saturating_sub(ROWS) as u64;
    notes.tables.push(table);
    Ok(())
}
