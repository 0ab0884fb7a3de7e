//! Draws what is wrong with a scenario at its place: file, line, column, caret, nearest name.

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use crate::nearest::nearest;

/// One thing wrong at one place of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Diagnostic {
    pub(crate) message: String,
    /// Bytes of the file.
    pub(crate) span: Range<usize>,
    /// Stands beside the caret.
    pub(crate) label: String,
    /// What to do, where that is known.
    pub(crate) help: Option<String>,
}

impl Diagnostic {
    pub(crate) fn new(span: Range<usize>, message: impl Into<String>) -> Diagnostic {
        Diagnostic {
            message: message.into(),
            span,
            label: String::new(),
            help: None,
        }
    }

    pub(crate) fn label(mut self, label: impl Into<String>) -> Diagnostic {
        self.label = label.into();
        self
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Diagnostic {
        self.help = Some(help.into());
        self
    }

    /// Suggests the nearest of `names`, or lists them if none is near.
    pub(crate) fn suggest<'a>(
        self,
        typed: &str,
        names: impl IntoIterator<Item = &'a str> + Clone,
    ) -> Diagnostic {
        if let Some(near) = nearest(typed, names.clone()) {
            return self.help(format!("the nearest name is `{near}`"));
        }
        let names: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
        if names.is_empty() || names.len() > 40 {
            self
        } else {
            self.help(format!("known here: {}", names.join(", ")))
        }
    }
}

/// Turns serde's complaint into a diagnostic that suggests the nearest of the names it expected.
pub(super) fn from_toml(error: &toml::de::Error, source_len: usize) -> Diagnostic {
    let span = error.span().unwrap_or(source_len..source_len);
    let message = error.message();
    let names: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    let diagnostic = Diagnostic::new(span, message.split(", expected ").next().unwrap_or(message));
    match names.split_first() {
        Some((typed, expected)) if message.starts_with("unknown ") => diagnostic
            .label("not known here")
            .suggest(typed, expected.iter().copied()),
        _ => Diagnostic {
            message: message.to_owned(),
            ..diagnostic
        },
    }
}

/// All diagnostics, drawn one after the other.
pub(crate) fn render(path: &str, source: &str, diagnostics: &[Diagnostic], color: bool) -> String {
    let drawn: Vec<String> = diagnostics
        .iter()
        .map(|diagnostic| draw(path, source, diagnostic, Level::ERROR, color))
        .collect();
    drawn.join("\n\n")
}

/// The same drawing for a check that did not hold, at the check's own line.
pub(crate) fn render_failed_check(
    path: &str,
    source: &str,
    diagnostic: &Diagnostic,
    warn: bool,
    color: bool,
) -> String {
    draw(
        path,
        source,
        diagnostic,
        if warn { Level::WARNING } else { Level::ERROR },
        color,
    )
}

fn draw(
    path: &str,
    source: &str,
    diagnostic: &Diagnostic,
    level: Level<'_>,
    color: bool,
) -> String {
    let end = diagnostic.span.end.min(source.len());
    let span = diagnostic.span.start.min(end)..end;
    let mut annotation = AnnotationKind::Primary.span(span);
    if !diagnostic.label.is_empty() {
        annotation = annotation.label(&diagnostic.label);
    }
    let snippet = Snippet::source(source).path(path).annotation(annotation);
    let mut report: Vec<Group<'_>> =
        vec![level.primary_title(&diagnostic.message).element(snippet)];
    if let Some(help) = &diagnostic.help {
        report.push(Group::with_title(Level::HELP.secondary_title(help)));
    }
    let renderer = if color {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    renderer.render(&report)
}
