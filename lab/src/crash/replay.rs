//! One state again, exactly: reaching it, judging it, and finding a smaller one that fails as well.

use vellum::storage::sim::{Disk, Event};

use super::choice::Choice;
use super::path::{Crash, Path};
use super::search::{examine, kept};
use super::subject::{Recovered, Subject, Violation};
use super::trace;
use super::walk::{Pending, Walk};

/// A session and the crash that ended it.
pub(crate) struct Leg {
    pub(crate) events: Vec<Event>,
    /// What was pending at the crash, and whether each change was kept.
    pub(crate) pending: Vec<(Pending, bool)>,
    pub(crate) crash: Crash,
}

/// A state that was reached, and how it fared.
pub(crate) struct Reached {
    pub(crate) legs: Vec<Leg>,
    pub(crate) disk: Disk,
    pub(crate) walk: Walk,
    pub(crate) result: Result<Recovered, Violation>,
}

impl Reached {
    /// What happened before the state, line by line.
    pub(crate) fn trace(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for (number, leg) in self.legs.iter().enumerate() {
            lines.push(format!("session {}", number + 1));
            let events = leg.events.iter().enumerate();
            lines.extend(events.map(|(at, event)| format!("{at:6} {}", trace::line(event))));
            let ended = if leg.crash.dies {
                "the process dies"
            } else {
                "power fails"
            };
            lines.push(format!(
                "{ended} with {} changes pending",
                leg.pending.len()
            ));
            for (index, (pending, kept)) in leg.pending.iter().enumerate() {
                let torn = leg.crash.choice.tear.as_ref();
                let fate = match torn.filter(|tear| tear.change == index) {
                    Some(tear) => format!("torn over {:?}, parts {}", tear.fill, tear.parts),
                    None if *kept => "kept".to_owned(),
                    None => "lost".to_owned(),
                };
                lines.push(format!("{:6} {fate}", pending.event));
            }
        }
        let promise = self.walk.promise;
        lines.push(format!(
            "acknowledged: {}; begun: {}",
            promise.acked, promise.begun
        ));
        lines
    }
}

/// Goes the way to a state and examines it.
///
/// # Errors
/// Where the path leaves what the session did.
pub(crate) fn reach(
    subject: &dyn Subject,
    events: &[Event],
    path: &Path,
    seed: u64,
) -> Result<Reached, String> {
    let mut legs: Vec<Leg> = Vec::new();
    let mut walk = Walk::new(Disk::default());
    let mut events = events.to_vec();
    let (last, before) = path
        .crashed
        .split_last()
        .ok_or("the path names no crash; a state has at least one")?;
    for crash in before {
        let disk = crash_at(&mut walk, &events, crash, seed)?;
        legs.push(leg(&walk, &events, crash));
        let recovered = examine(subject, &disk)
            .result
            .map_err(|violation| format!("the state before it fails already: {violation}"))?;
        walk = if crash.dies {
            walk.after_death()
        } else {
            walk.after_crash(&crash.choice, disk)
        };
        events = recovered.events;
    }
    let disk = crash_at(&mut walk, &events, last, seed)?;
    legs.push(leg(&walk, &events, last));
    let result = examine(subject, &disk).result.and_then(|recovered| {
        kept(&recovered, &walk.promise)?;
        Ok(recovered)
    });
    Ok(Reached {
        legs,
        disk,
        walk,
        result,
    })
}

/// Goes on to a crash, and says what it leaves.
fn crash_at(walk: &mut Walk, events: &[Event], crash: &Crash, seed: u64) -> Result<Disk, String> {
    let before = events.get(..crash.at).ok_or_else(|| {
        format!(
            "the session has {} events, and the path names {}",
            events.len(),
            crash.at
        )
    })?;
    for event in before {
        walk.step(event);
    }
    let pending = walk.pending.len();
    let torn = crash.choice.tear.as_ref().map(|tear| tear.change);
    if let Some(one) = crash
        .choice
        .kept
        .iter()
        .chain(torn)
        .find(|one| *one >= pending)
    {
        return Err(format!(
            "after {} events {pending} changes are pending, and the path names number {one}",
            crash.at
        ));
    }
    Ok(walk.disk(&crash.choice, seed))
}

fn leg(walk: &Walk, events: &[Event], crash: &Crash) -> Leg {
    let pending = walk.pending.iter().enumerate();
    Leg {
        events: events.get(..crash.at).unwrap_or_default().to_vec(),
        pending: pending
            .map(|(index, pending)| (pending.clone(), crash.choice.kept.contains(index)))
            .collect(),
        crash: crash.clone(),
    }
}

/// A path to a state that breaks the same rule and keeps less: no tear where none is needed, and no
/// pending change that does not matter.
pub(crate) fn minimise(subject: &dyn Subject, events: &[Event], path: &Path, seed: u64) -> Path {
    let rule = |path: &Path| {
        let reached = reach(subject, events, path, seed).ok()?;
        Some(reached.result.err()?.rule)
    };
    let Some(broken) = rule(path) else {
        return path.clone();
    };
    let mut best = path.clone();
    while let Some(smaller) = smaller(&best)
        .into_iter()
        .find(|smaller| rule(smaller) == Some(broken))
    {
        best = smaller;
    }
    best
}

/// Paths whose last crash keeps a little less.
fn smaller(path: &Path) -> Vec<Path> {
    let Some((last, before)) = path.crashed.split_last() else {
        return Vec::new();
    };
    choices(&last.choice)
        .into_iter()
        .map(|choice| {
            let mut crashed = before.to_vec();
            crashed.push(Crash {
                choice,
                ..last.clone()
            });
            Path {
                source: path.source.clone(),
                crashed,
            }
        })
        .collect()
}

fn choices(choice: &Choice) -> Vec<Choice> {
    let mut smaller = Vec::new();
    if choice.tear.is_some() {
        smaller.push(Choice {
            tear: None,
            ..choice.clone()
        });
    }
    if choice.surfaced != Default::default() {
        smaller.push(Choice {
            surfaced: Default::default(),
            ..choice.clone()
        });
    }
    for kept in choice.kept.iter() {
        let mut less = choice.clone();
        less.kept.remove(kept);
        less.tear = less.tear.filter(|tear| tear.change != kept);
        smaller.push(less);
    }
    if let Some(tear) = &choice.tear {
        for part in tear.parts.iter() {
            let mut less = choice.clone();
            if let Some(tear) = &mut less.tear {
                tear.parts.remove(part);
            }
            smaller.push(less);
        }
    }
    smaller
}
