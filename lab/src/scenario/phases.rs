//! Turns one `[[phase]]` into its action, refusing fields that the action has no use for.

use std::ops::Range;

use toml::Spanned;

use crate::dataset::model::Way;

use super::diagnose::Diagnostic;
use super::mix;
use super::plan::{Action, AskPlan, Follow, KillPlan, LoadHow, Named, Question, Shape};
use super::raw::{Ask, Direction, EdgeOrder, Load, Phase, Reopen, Verify};

const ACTIONS: [&str; 6] = ["load", "mix", "ask", "verify", "reopen", "kill"];

/// The phase's name, or what it does where it has none.
pub(super) fn name_of(phase: &Phase) -> String {
    if let Some(name) = &phase.name {
        return name.get_ref().clone();
    }
    if let Some(mix) = &phase.mix
        && let [(_, name, _)] = mix.get_ref().0.as_slice()
    {
        return name.clone();
    }
    let set = set_fields(phase);
    let action = set.iter().find(|(name, _)| ACTIONS.contains(name));
    action.map_or_else(String::new, |(name, _)| (*name).to_owned())
}

/// Fields of a phase that are set, with their places.
fn set_fields(phase: &Phase) -> Vec<(&'static str, Range<usize>)> {
    macro_rules! set {
        ($($field:ident),*) => {
            [$((stringify!($field), phase.$field.as_ref().map(Spanned::span))),*]
        };
    }
    let all = set!(
        load,
        mix,
        ask,
        verify,
        reopen,
        kill,
        order,
        operations,
        duration,
        keys,
        block,
        clients,
        beside,
        rate,
        depth,
        traversal_cache,
        hold_snapshot,
        rollback_every,
        stream,
        batch,
        direction,
        label,
        from,
        to,
        hops,
        kind,
        prefix,
        named,
        repeats,
        cold,
        rounds,
        after,
        nodes,
        edges,
        data_bytes
    );
    all.into_iter()
        .filter_map(|(name, span)| span.map(|span| (name, span)))
        .collect()
}

/// The fields that an action takes; `!` marks those it cannot do without.
fn fields_of(phase: &Phase) -> &'static [&'static str] {
    if let Some(ask) = &phase.ask {
        return match ask.get_ref() {
            Ask::Neighbors => &["from!", "direction", "label", "repeats", "cold"],
            Ask::KHop => &["from!", "hops!", "direction", "label", "repeats", "cold"],
            Ask::Path => &["from!", "to!", "direction", "label", "repeats", "cold"],
            Ask::ByKind => &["kind!", "repeats", "cold"],
            Ask::ByName => &["named!", "repeats", "cold"],
            Ask::ByPrefix => &["prefix!", "repeats", "cold"],
        };
    }
    if phase.mix.is_some() {
        return mix::FIELDS;
    }
    match &phase.load {
        Some(load) if *load.get_ref() == Load::Batch => &["batch"],
        Some(_) => &["order"],
        None if phase.reopen.is_some() => &["repeats"],
        None if phase.kill.is_some() => &["rounds", "after", "nodes", "edges", "data_bytes"],
        None => &[],
    }
}

/// The phase's action, or everything that is wrong with it.
pub(super) fn action(phase: &Phase, whole: Range<usize>) -> Result<Action, Vec<Diagnostic>> {
    let set = set_fields(phase);
    let actions: Vec<_> = set
        .iter()
        .filter(|(name, _)| ACTIONS.contains(name))
        .collect();
    match actions.as_slice() {
        [_] => {}
        [] => {
            let name = name_of(phase);
            return Err(vec![
                Diagnostic::new(whole, format!("phase `{name}` does nothing"))
                    .help(format!("give it one of {}", ACTIONS.join(", "))),
            ]);
        }
        [_, second, ..] => {
            return Err(vec![
                Diagnostic::new(second.1.clone(), "a phase does one thing")
                    .label("a second action; make it a phase of its own"),
            ]);
        }
    }
    let mut wrong = misplaced(phase, &set, &whole);
    wrong.extend(out_of_range(phase));
    if wrong.is_empty()
        && let Some(operations) = &phase.mix
    {
        return mix::plan(phase, operations).map(Action::Mix);
    }
    if wrong.is_empty() {
        build(phase).ok_or_else(Vec::new)
    } else {
        Err(wrong)
    }
}

fn misplaced(
    phase: &Phase,
    set: &[(&'static str, Range<usize>)],
    whole: &Range<usize>,
) -> Vec<Diagnostic> {
    let fields = fields_of(phase);
    let known: Vec<&str> = fields
        .iter()
        .map(|field| field.trim_end_matches('!'))
        .collect();
    let mut wrong = Vec::new();
    for (name, span) in set {
        if !ACTIONS.contains(name) && !known.contains(name) {
            let help = if known.is_empty() {
                "it takes none".to_owned()
            } else {
                format!("it takes {}", known.join(", "))
            };
            wrong.push(
                Diagnostic::new(
                    span.clone(),
                    format!("`{name}` has no meaning for this action"),
                )
                .label("not used here")
                .help(help),
            );
        }
    }
    for field in fields.iter().filter_map(|field| field.strip_suffix('!')) {
        if !set.iter().any(|(name, _)| *name == field) {
            let message = format!("phase `{}` needs `{field}`", name_of(phase));
            wrong.push(Diagnostic::new(whole.clone(), message));
        }
    }
    wrong
}

fn out_of_range(phase: &Phase) -> Vec<Diagnostic> {
    let limits = [
        ("batch", &phase.batch, 1, 10_000_000),
        ("block", &phase.block, 1, 1 << 20),
        ("clients", &phase.clients, 1, 256),
        ("depth", &phase.depth, 0, 1_000_000),
        ("traversal_cache", &phase.traversal_cache, 1, 256),
        ("rollback_every", &phase.rollback_every, 1, 1_000_000),
        ("hops", &phase.hops, 1, 64),
        ("repeats", &phase.repeats, 1, 1_000_000),
        ("rounds", &phase.rounds, 1, 10_000),
        ("after", &phase.after, 1, 1_000_000),
        ("nodes", &phase.nodes, 1, 10_000),
        ("edges", &phase.edges, 0, 10_000),
        ("data_bytes", &phase.data_bytes, 0, 1 << 20),
    ];
    let mut wrong = Vec::new();
    for (name, value, least, most) in limits {
        let Some(value) = value else { continue };
        if !(least..=most).contains(value.get_ref()) {
            let message = format!("`{name}` must be from {least} to {most}");
            wrong.push(Diagnostic::new(value.span(), message).label("out of range"));
        }
    }
    wrong
}

/// Everything needed is there: `misplaced` has seen to it.
fn build(phase: &Phase) -> Option<Action> {
    if let Some(load) = &phase.load {
        return Some(Action::Load(match load.get_ref() {
            Load::Batch => LoadHow::Batch(value(&phase.batch, 10_000)),
            Load::Bulk => LoadHow::Bulk(
                phase
                    .order
                    .as_ref()
                    .map_or(EdgeOrder::Source, |order| *order.get_ref()),
            ),
        }));
    }
    if let Some(ask) = &phase.ask {
        let question = question(phase, *ask.get_ref())?;
        let repeats = value(&phase.repeats, 20);
        return Some(Action::Ask(AskPlan {
            question,
            repeats,
            cold: phase.cold.as_ref().map(|cold| *cold.get_ref()),
        }));
    }
    if let Some(verify) = &phase.verify {
        let (source, structure) = match verify.get_ref() {
            Verify::All => (true, true),
            Verify::Source => (true, false),
            Verify::Structure => (false, true),
            Verify::Bytes => return Some(Action::Bytes),
        };
        return Some(Action::Verify { source, structure });
    }
    if let Some(how) = &phase.reopen {
        return Some(Action::Reopen {
            repeats: value(&phase.repeats, 5),
            log: *how.get_ref() == Reopen::Log,
        });
    }
    phase.kill.as_ref()?;
    let shape = Shape {
        nodes: value(&phase.nodes, 2),
        edges: value(&phase.edges, 4),
        data_bytes: value(&phase.data_bytes, 100),
    };
    Some(Action::Kill(KillPlan {
        rounds: value(&phase.rounds, 3),
        after: value(&phase.after, 100),
        shape,
    }))
}

fn question(phase: &Phase, ask: Ask) -> Option<Question> {
    let follow = Follow {
        way: way(phase),
        label: named(&phase.label),
    };
    Some(match ask {
        Ask::Neighbors => Question::Neighbors {
            from: named(&phase.from)?,
            follow,
        },
        Ask::KHop => Question::Reach {
            from: named(&phase.from)?,
            hops: *phase.hops.as_ref()?.get_ref(),
            follow,
        },
        Ask::Path => Question::Path {
            from: named(&phase.from)?,
            to: named(&phase.to)?,
            follow,
        },
        Ask::ByKind => Question::ByKind(named(&phase.kind)?),
        Ask::ByName => Question::ByName(named(&phase.named)?),
        Ask::ByPrefix => Question::ByPrefix(named(&phase.prefix)?),
    })
}

/// Which way edges are followed.
pub(super) fn way(phase: &Phase) -> Way {
    match phase.direction.as_ref().map(Spanned::get_ref) {
        Some(Direction::In) => Way::In,
        Some(Direction::Out) | None => Way::Out,
    }
}

pub(super) fn value(field: &Option<Spanned<u32>>, default: u32) -> u32 {
    field.as_ref().map_or(default, |value| *value.get_ref())
}

fn named(field: &Option<Spanned<String>>) -> Option<Named> {
    field.as_ref().map(|text| Named {
        text: text.get_ref().clone(),
        span: text.span(),
    })
}
