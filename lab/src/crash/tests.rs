#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeSet;

use vellum::storage::sim::Change;

use super::marks::{Mark, Promise, Version};
use super::oracle::Rules;
use super::subject::{Examined, Rule, Subject};
use super::*;
use crate::share::Share;

fn source(workload: Workload, seed: u64) -> Source {
    Source {
        workload,
        seed,
        rules: Rules::default(),
        failing: None,
    }
}

fn recorded(workload: Workload, seed: u64) -> Recording {
    record_source(&source(workload, seed)).unwrap()
}

/// Enough for every kind of state, and no more.
fn plan(workload: Workload) -> CrashPlan {
    CrashPlan {
        workload,
        sessions: 1,
        recordings: 1,
        depth: 1,
        bounds: Bounds {
            exhaustive: 3,
            samples: 2,
            tears: 3,
            page_tears: 3,
            older_tears: 1,
            fills: &Fill::ALL,
        },
        failing_syncs: 0,
        third_of: 8,
        most: 1 << 40,
        rules: Rules::default(),
        threads: 2,
    }
}

#[track_caller]
fn nothing_broken(outcome: &Outcome) {
    let broken: Vec<String> = outcome
        .broken
        .iter()
        .map(|broken| format!("{}: {}", broken.path, broken.violation))
        .collect();
    assert!(broken.is_empty(), "{broken:#?}");
}

/// Every way into the file was gone, so that nothing passes by not having happened.
const TO_THE_END: Course<'static> = Course {
    progress: &|_| (),
    stop: &|| false,
    share: Share::WHOLE,
};

#[test]
fn a_search_that_is_told_to_stop_ends_with_what_it_has() {
    let workload = Workload::Small;
    let endless = CrashPlan {
        sessions: u32::MAX,
        ..plan(workload)
    };
    let started = std::sync::atomic::AtomicBool::new(false);
    let course = Course {
        progress: &|_| (),
        stop: &|| started.swap(true, std::sync::atomic::Ordering::Relaxed),
        share: Share::WHOLE,
    };
    let outcome = run(&endless, 1, &course).unwrap();
    assert!(outcome.broken.is_empty());
    assert!(outcome.events > 0);
}

#[test]
fn the_small_workload_does_what_it_is_for() {
    let saw = recorded(Workload::Small, 1).saw;
    assert!(saw.log_commits >= 30 && saw.flip_commits >= 1, "{saw:?}");
    assert!(saw.savepoints >= 10 && saw.rollbacks >= 1, "{saw:?}");
    assert!(saw.checkpoints >= 4 && saw.log_segments >= 3, "{saw:?}");
    assert!(saw.reused_pages >= 10 && saw.blob_pages >= 1, "{saw:?}");
    assert!(saw.supernode_edges >= 400, "{saw:?}");
    let all: BTreeSet<&str> = vellum::KeySpace::ALL.map(vellum::KeySpace::name).into();
    assert_eq!(saw.split_trees, all);
    // What the dictionary holds is numbered for ever, so it alone never shrinks.
    let shrinking = all.into_iter().filter(|tree| *tree != "dictionary");
    assert_eq!(saw.merged_trees, shrinking.collect());
}

/// Two versions that look alike would hide a lost commit.
#[test]
fn no_two_commits_look_alike() {
    for workload in Workload::ALL {
        let models = recorded(workload, 3).models;
        let digests: BTreeSet<u128> = models.iter().map(model::Model::digest).collect();
        assert_eq!(digests.len(), models.len(), "{}", workload.name());
    }
}

#[test]
fn the_same_seed_gives_the_same_session() {
    for workload in Workload::ALL {
        // A backup gets an identity of its own, at random.
        if workload != Workload::CompactAndBackup {
            let (first, again) = (recorded(workload, 2), recorded(workload, 2));
            assert!(first.events == again.events, "{}", workload.name());
            assert_eq!(first.saw, again.saw);
        }
    }
}

#[test]
fn no_crash_loses_what_was_acknowledged() {
    for workload in Workload::ALL {
        let outcome = run(&plan(workload), 1, &TO_THE_END).unwrap();
        nothing_broken(&outcome);
        let total = outcome.tally.total();
        assert!(
            total.distinct > 50 && total.opened <= total.distinct,
            "{total:?}"
        );
        assert!(outcome.tally.seen.rolled_back > 0 && outcome.tally.seen.replayed > 0);
    }
}

#[test]
fn recoveries_survive_their_own_crashes() {
    let plan = CrashPlan {
        depth: 3,
        failing_syncs: 9,
        ..plan(Workload::LogCommit)
    };
    let outcome = run(&plan, 1, &TO_THE_END).unwrap();
    nothing_broken(&outcome);
    assert!(
        outcome
            .tally
            .depths
            .iter()
            .all(|depth| depth.distinct > 100)
    );
    assert!(outcome.tally.seen.failed_syncs >= 9);
}

/// Finds what is wrong with a session of other events than were recorded.
fn search(subject: &dyn Subject, source: &Source, events: &[Event]) -> Vec<Broken> {
    let plan = plan(source.workload);
    let search = Search::new(Limits {
        bounds: plan.bounds,
        depth: 1,
        third_of: 1,
        most: plan.most,
        share: Share::WHOLE,
    });
    let subjected = Subjected {
        subject,
        events,
        from: 0,
        source: source.to_string(),
        seed: source.seed,
    };
    search.run(&subjected, 1);
    search.finish().1
}

/// A session without some of its syncs is what an engine does that forgets them. What is found can be
/// made again, and a smaller state fails in the same way.
#[test]
fn a_missing_sync_is_found_and_replayed() {
    let source = source(Workload::LogCommit, 1);
    let recording = recorded(source.workload, source.seed);
    let subject = Vellum::new(&recording.models, source.rules);
    let log = recording.events.iter().find_map(|event| match event {
        Event::Change(Change::Create { file, name }) if &**name == "graph-log-new" => Some(*file),
        _ => None,
    });
    for forgotten in [
        Event::Sync(log.unwrap()),
        Event::Sync(0),
        Event::SyncDirectory,
    ] {
        let mut events = recording.events.clone();
        events.retain(|event| *event != forgotten);
        let broken = search(&subject, &source, &events);
        let first = broken
            .first()
            .unwrap_or_else(|| panic!("{forgotten:?} is not missed"));
        let read: Path = first.path.to_string().parse().unwrap();
        let again = reach(&subject, &events, &read, source.seed).unwrap();
        assert_eq!(again.result.unwrap_err(), first.violation);
        let smaller = replay::minimise(&subject, &events, &read, source.seed);
        let again = reach(&subject, &events, &smaller, source.seed).unwrap();
        assert_eq!(again.result.unwrap_err().rule, first.violation.rule);
        let kept = |path: &Path| path.crashed.last().unwrap().choice.kept.count();
        assert!(kept(&smaller) <= kept(&read));
    }
}

/// An engine that answers in one way and means another.
struct Bent<'a> {
    subject: &'a Vellum,
    how: fn(&mut Examined),
}

impl Subject for Bent<'_> {
    fn examine(&self, disk: &Disk) -> Examined {
        let mut examined = self.subject.examine(disk);
        (self.how)(&mut examined);
        examined
    }
}

#[test]
fn an_engine_that_forgets_or_invents_or_panics_is_caught() {
    let source = source(Workload::LogCommit, 1);
    let recording = recorded(source.workload, source.seed);
    let subject = Vellum::new(&recording.models, source.rules);
    let older: fn(&mut Examined) = |examined| {
        if let Ok(recovered) = &mut examined.result {
            recovered.version = Version::of(recovered.version.commit().saturating_sub(1), 0);
        }
    };
    let newer: fn(&mut Examined) = |examined| {
        if let Ok(recovered) = &mut examined.result {
            recovered.version = Version::of(recovered.version.commit() + 1, 0);
        }
    };
    let panics: fn(&mut Examined) = |_| std::panic::panic_any("out of order");
    for (how, rule) in [
        (older, Rule::Lost),
        (newer, Rule::Invented),
        (panics, Rule::Panic),
    ] {
        let subject = Bent {
            subject: &subject,
            how,
        };
        let broken = search(&subject, &source, &recording.events);
        assert!(
            broken.iter().any(|broken| broken.violation.rule == rule),
            "{rule:?}"
        );
    }
}

#[test]
fn a_copy_is_whole_once_it_is_finished() {
    let (one, two) = (Version::of(1, 0), Version::of(2, 0));
    let mut promise = Promise::default();
    promise.note(Mark::Acked(two));
    let recovered = |copy| subject::Recovered {
        version: two,
        copy,
        ..subject::Recovered::default()
    };
    let rule = |promise: &Promise, copy| search::kept(&recovered(copy), promise);
    assert!(rule(&promise, None).is_ok() && rule(&promise, Some(one)).is_ok());
    assert!(rule(&promise, Some(Version::of(3, 0))).is_err());
    promise.note(Mark::Copied(one));
    assert!(rule(&promise, Some(one)).is_ok());
    assert!(rule(&promise, None).is_err() && rule(&promise, Some(two)).is_err());
}

#[test]
fn a_state_is_replayed_by_its_name() {
    let replayed = replay("log-commit.1:60.k0").unwrap();
    assert_eq!(replayed.broken, None);
    assert!(replayed.shows.contains("commit"), "{}", replayed.shows);
    assert!(
        replayed
            .trace
            .iter()
            .any(|line| line.contains("power fails"))
    );
    for wrong in [
        "",
        "log-commit.1",
        "log-commit.1:9999.k0",
        "log-commit.1:60.kff",
        "nothing.1:1.k0",
    ] {
        let refused = replay(wrong).err().unwrap();
        assert_eq!(refused.exit, crate::failure::Exit::Usage, "{wrong}");
    }
}
