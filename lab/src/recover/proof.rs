//! The proof of the salvage: a database of some 5 MB with a history, damaged at random many times, and
//! after each damage compared item by item with what it held.
//!
//! Which items must be saved is counted apart from the salvage: on the undamaged file, by the pages
//! that hold each item, and on the damaged one by the pages whose bytes are no longer the same.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod account;
mod damage;
mod original;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use vellum::storage::MemoryDirectory;

use super::{Recovery, Report};
use crate::inspect::source::Source;

use self::account::{Account, Doubt, Said, Truth, truth_of};
use self::damage::{Kind, damage, damage_log};
use self::original::{NAME, Original};

/// Damages where nothing else is asked for. `make salvage` asks for 1,000.
const DAMAGES: u64 = 32;
/// Damages that a salvage got wrong once, always among them: a flipped bit that changes a checksum by as
/// much as another page number would; a lost leaf that was the last of its branch and whose neighbouring branch was lost.
const KNOWN: [u64; 3] = [407, 1005, 2135];
const ASKED_BY: &str = "VELLUM_SALVAGE_DAMAGES";
/// The first damage's seed, for others than the same again.
const FIRST: &str = "VELLUM_SALVAGE_FIRST";
/// Where the report goes, if anywhere.
const REPORT_TO: &str = "VELLUM_SALVAGE_REPORT";

/// What the damages of one kind came to.
#[derive(Default)]
struct Tally {
    damages: u64,
    pages: u64,
    /// Items all of whose pages are as they were, and how many of these were saved whole.
    intact: u64,
    saved: u64,
    /// Items saved whole besides: from mended pages.
    besides: u64,
    /// Items saved in part, and reported as such.
    partial: u64,
    /// Items reported as perhaps older than the state, and of these those that are.
    unproven: u64,
    older: u64,
}

#[test]
fn every_item_on_an_intact_page_is_saved_and_nothing_false_is() {
    let damages = std::env::var(ASKED_BY)
        .ok()
        .map_or(DAMAGES, |count| count.parse().unwrap());
    let first = std::env::var(FIRST)
        .ok()
        .map_or(0, |first| first.parse::<u64>().unwrap());
    let known = KNOWN
        .into_iter()
        .filter(|seed| !(first..first + damages).contains(seed));
    let seeds: Vec<u64> = (first..first + damages).chain(known).collect();
    let started = std::time::Instant::now();
    let originals = [Original::closed(), Original::killed()];
    let accounts: Vec<Account> = originals.iter().map(Account::of).collect();
    let mut tallies: BTreeMap<Kind, Tally> = BTreeMap::new();
    let halves = std::thread::scope(|scope| {
        let run = |part: u64| {
            let (originals, accounts, seeds) = (&originals, &accounts, &seeds);
            move || {
                seeds
                    .iter()
                    .copied()
                    .filter(move |seed| seed % 2 == part)
                    .map(|seed| {
                        let which = usize::from(seed % 4 >= 2);
                        one(seed, &originals[which], &accounts[which])
                    })
                    .collect::<Vec<(Kind, Tally)>>()
            }
        };
        let other = scope.spawn(run(1));
        let mut all = run(0)();
        all.extend(other.join().unwrap());
        all
    });
    let logs = (first..first + damages.div_ceil(4))
        .map(|seed| log_alone(seed, &originals[1], &accounts[1]));
    let logs: Vec<Tally> = logs.collect();
    let every = (seeds.len() + logs.len()) as u64;
    let halves = halves
        .into_iter()
        .chain(logs.into_iter().map(|tally| (Kind::Log, tally)));
    for (kind, tally) in halves {
        tallies.entry(kind).or_default().add(&tally);
    }
    let text = table(&tallies, every, &originals, started.elapsed().as_secs_f64());
    println!("{text}");
    if let Ok(path) = std::env::var(REPORT_TO) {
        std::fs::write(path, &text).unwrap();
    }
    let total = total(&tallies);
    assert_eq!(total.damages, every);
    assert_eq!(total.saved, total.intact);
    assert!(total.pages > damages, "hardly anything was damaged");
    assert!(
        damages < 32 || total.partial > 0 && total.besides > 0,
        "some ways to save were never taken"
    );
}

fn one(seed: u64, original: &Original, account: &Account) -> (Kind, Tally) {
    let (kind, bytes) = damage(seed, &original.bytes);
    let directory = MemoryDirectory::new();
    directory.put(NAME, bytes.clone());
    if let Some(log) = &original.log {
        directory.put(&format!("{NAME}-log"), log.clone());
    }
    let saved = catch_unwind(AssertUnwindSafe(|| salvage(&directory)));
    let (report, found) =
        saved.unwrap_or_else(|_| panic!("damage {seed} ({kind:?}) makes the salvage panic"));
    let hurt = account::changed_pages(&original.bytes, &bytes);
    let tally = compare(
        seed,
        kind,
        account,
        &hurt,
        &Doubt::default(),
        &report,
        &found,
    );
    // The damaged file and its log are only read.
    assert_eq!(
        directory.contents(NAME).unwrap(),
        bytes,
        "damage {seed}: the damaged file was written"
    );
    (kind, tally)
}

/// A database that is whole, with a log that is not.
fn log_alone(seed: u64, original: &Original, account: &Account) -> Tally {
    let whole = original.log.as_ref().unwrap();
    let log = damage_log(seed, whole, account.records());
    let directory = MemoryDirectory::new();
    directory.put(NAME, original.bytes.clone());
    directory.put(&format!("{NAME}-log"), log.clone());
    let saved = catch_unwind(AssertUnwindSafe(|| salvage(&directory)));
    let (report, found) =
        saved.unwrap_or_else(|_| panic!("damage {seed} of the log makes the salvage panic"));
    let (hurt, doubt) = account.changed_records(whole, &log);
    assert!(
        !doubt.a_gap || report.log_problem.is_some() || !report.mended.is_empty(),
        "damage {seed} of the log: lost commits are not told of"
    );
    compare(seed, Kind::Log, account, &hurt, &doubt, &report, &found)
}

fn salvage(directory: &MemoryDirectory) -> (Report, Truth) {
    let source = Source::open_in(directory, NAME).unwrap();
    let recovery = Recovery::of(&source).unwrap();
    let fresh = MemoryDirectory::new();
    let database = recovery
        .builder()
        .in_directory(Arc::new(fresh.clone()))
        .create("new")
        .unwrap();
    let report = recovery.write(database).unwrap();
    (report, truth_of(&fresh, "new"))
}

fn compare(
    seed: u64,
    kind: Kind,
    account: &Account,
    hurt: &BTreeSet<u64>,
    doubt: &Doubt,
    report: &Report,
    found: &Truth,
) -> Tally {
    let mut tally = Tally {
        damages: 1,
        pages: hurt.len() as u64,
        ..Tally::default()
    };
    let said = account::Said::of(report, &account.truth);
    let place = |what: &str| format!("damage {seed} ({kind:?}): {what}; {}", report.basis);
    nothing_false(account, found, &said, doubt, &mut tally, &place);
    everything_intact(account, hurt, found, &said, &mut tally, &place);
    tally
}

/// Everything that was saved was there, and is the same or is reported.
fn nothing_false(
    account: &Account,
    found: &Truth,
    said: &Said,
    doubt: &Doubt,
    tally: &mut Tally,
    place: &impl Fn(&str) -> String,
) {
    for (id, node) in &found.nodes {
        if doubt.nodes.contains(id) {
            continue;
        }
        let Some(true_node) = account.truth.nodes.get(id) else {
            assert!(
                said.unproven_nodes.contains(id),
                "{}",
                place(&format!("node {id} never was"))
            );
            tally.older += 1;
            continue;
        };
        if said.unproven_nodes.contains(id) {
            tally.unproven += 1;
            tally.older += u64::from(!said.node_is_whole(node, true_node, &account.truth));
            continue;
        }
        let wrong = said.node_differs(*id, node, true_node, &account.truth);
        assert!(
            wrong.is_none(),
            "{}",
            place(&format!("node {id}: {}", wrong.unwrap_or_default()))
        );
        tally.partial += u64::from(node != true_node);
    }
    for (key, data) in &found.edges {
        if doubt.edges.contains(&said.in_truth(key, &account.truth)) {
            continue;
        }
        let Some(true_data) = account.edge(key, said) else {
            assert!(
                said.is_unproven(key, &account.truth),
                "{}",
                place(&format!("edge {key:?} never was"))
            );
            tally.older += 1;
            continue;
        };
        if said.is_unproven(key, &account.truth) {
            tally.unproven += 1;
            tally.older += u64::from(data != true_data);
            continue;
        }
        let lost = said.edge_data_lost(key, &account.truth) && data.is_empty();
        assert!(
            data == true_data || lost,
            "{}",
            place(&format!("edge {key:?} has other data"))
        );
        tally.partial += u64::from(lost);
    }
}

/// Everything on intact pages was saved, whole.
fn everything_intact(
    account: &Account,
    hurt: &BTreeSet<u64>,
    found: &Truth,
    said: &Said,
    tally: &mut Tally,
    place: &impl Fn(&str) -> String,
) {
    for (id, pages) in &account.nodes {
        let intact = !pages.iter().any(|page| hurt.contains(page));
        let whole = found
            .nodes
            .get(id)
            .is_some_and(|node| said.node_is_whole(node, &account.truth.nodes[id], &account.truth));
        assert!(
            !intact || whole,
            "{}",
            place(&format!(
                "node {id} on pages {pages:?} is not saved: found {:?}",
                found.nodes.get(id)
            ))
        );
        tally.count(intact, whole);
    }
    for (key, pages) in &account.edges {
        let intact = !pages.iter().any(|page| hurt.contains(page));
        let data = &account.truth.edges[key];
        let whole = found
            .edges
            .get(&said.name_of(key))
            .is_some_and(|found| found == data);
        assert!(
            !intact || whole,
            "{}",
            place(&format!("edge {key:?} on pages {pages:?} is not saved"))
        );
        tally.count(intact, whole);
    }
}

impl Tally {
    fn count(&mut self, intact: bool, whole: bool) {
        self.intact += u64::from(intact);
        self.saved += u64::from(intact && whole);
        self.besides += u64::from(!intact && whole);
    }

    fn add(&mut self, other: &Tally) {
        self.damages += other.damages;
        self.pages += other.pages;
        self.intact += other.intact;
        self.saved += other.saved;
        self.besides += other.besides;
        self.partial += other.partial;
        self.unproven += other.unproven;
        self.older += other.older;
    }
}

fn total(tallies: &BTreeMap<Kind, Tally>) -> Tally {
    let mut total = Tally::default();
    tallies.values().for_each(|tally| total.add(tally));
    total
}

fn table(
    tallies: &BTreeMap<Kind, Tally>,
    damages: u64,
    originals: &[Original],
    seconds: f64,
) -> String {
    let mut out = String::from("# Salvage after random damage\n\n");
    let sizes: Vec<String> = originals
        .iter()
        .map(|original| format!("{} ({} bytes)", original.said, original.bytes.len()))
        .collect();
    let _ = writeln!(
        out,
        "{damages} damages of two databases: {}. {seconds:.0} s. 0 panics, 0 wrong items returned as right: each of these would have failed the run.\n",
        sizes.join(" and ")
    );
    out += "| damage | times | pages hurt | items on intact pages | of these saved whole | saved whole besides | saved in part, and reported | reported as unproven | of these older |\n|---|---:|---:|---:|---:|---:|---:|---:|---:|\n";
    let all = total(tallies);
    let rows = tallies
        .iter()
        .map(|(kind, tally)| (kind.said(), tally))
        .chain([("all", &all)]);
    for (name, t) in rows {
        let _ = writeln!(
            out,
            "| {name} | {} | {} | {} | {} | {} | {} | {} | {} |",
            t.damages, t.pages, t.intact, t.saved, t.besides, t.partial, t.unproven, t.older
        );
    }
    out
}
