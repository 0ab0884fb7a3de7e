//! Names in a scenario that only the graph can confirm. Checked before anything runs.

use crate::dataset::model::Model;
use crate::failure::Failure;
use crate::scenario::diagnose::{self, Diagnostic};
use crate::scenario::plan::{Action, Follow, Named, Plan, Question, Scenario};

/// Whether the plan names anything in its graph.
pub(super) fn asks(plan: &Plan) -> bool {
    plan.phases
        .iter()
        .any(|phase| matches!(phase.action, Action::Ask(_)))
}

/// Refuses a scenario that names a node, kind or label which the graph does not have.
pub(super) fn resolve(
    scenario: &Scenario,
    plan: &Plan,
    model: &Model,
    color: bool,
) -> Result<(), Failure> {
    let mut wrong = Vec::new();
    for phase in &plan.phases {
        if let Action::Ask(ask) = &phase.action {
            question(&ask.question, model, &mut wrong);
        }
    }
    if wrong.is_empty() {
        return Ok(());
    }
    Err(Failure::rendered(diagnose::render(
        &scenario.sources,
        &wrong,
        color,
    )))
}

fn question(question: &Question, model: &Model, wrong: &mut Vec<Diagnostic>) {
    match question {
        Question::Neighbors { from, follow } | Question::Reach { from, follow, .. } => {
            node(from, model, wrong);
            label(follow, model, wrong);
        }
        Question::Path { from, to, follow } => {
            node(from, model, wrong);
            node(to, model, wrong);
            label(follow, model, wrong);
        }
        Question::ByKind(kind) => known(kind, "kind", &model.kinds(), wrong),
        // Asking for what is not there is a fair question.
        Question::ByName(_) | Question::ByPrefix(_) => {}
    }
}

fn node(name: &Named, model: &Model, wrong: &mut Vec<Diagnostic>) {
    match model.named(&name.text).len() {
        0 => {
            let names: Vec<&str> = model
                .nodes()
                .iter()
                .map(|node| node.name.as_str())
                .collect();
            known(name, "node", &names, wrong);
        }
        1 => {}
        many => wrong.push(
            Diagnostic::new(
                name.span.clone(),
                format!("{many} nodes are named `{}`", name.text),
            )
            .label("which of them is not said"),
        ),
    }
}

fn label(follow: &Follow, model: &Model, wrong: &mut Vec<Diagnostic>) {
    if let Some(label) = &follow.label {
        let labels: Vec<&str> = model.labels().iter().map(String::as_str).collect();
        known(label, "edge type", &labels, wrong);
    }
}

fn known(name: &Named, what: &str, names: &[&str], wrong: &mut Vec<Diagnostic>) {
    if !names.contains(&name.text.as_str()) {
        let message = format!("the graph has no {what} `{}`", name.text);
        let names = names.iter().copied();
        wrong.push(
            Diagnostic::new(name.span.clone(), message)
                .label("not in the data")
                .suggest(&name.text, names),
        );
    }
}
