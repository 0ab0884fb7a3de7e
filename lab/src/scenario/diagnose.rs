//! Draws what is wrong with a scenario at its place: file, line, column, caret, nearest name.

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use crate::nearest::nearest;

use super::sources::Sources;

/// One thing wrong at one place of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Diagnostic {
    pub(crate) message: String,
    /// Bytes of the scenario's texts, see [`Sources`].
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
/// The text that was read ends at `end` and starts at `start` of all texts.
pub(super) fn from_toml(error: &toml::de::Error, end: usize, start: usize) -> Diagnostic {
    let span = error.span().unwrap_or(end..end);
    let span = span.start + start..span.end + start;
    let message = error.message();
    let names: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    let diagnostic = Diagnostic::new(span, message.split(", expected ").next().unwrap_or(message));
    match names.split_first() {
        Some((typed, expected)) if message.starts_with("unknown ") => diagnostic
            .label("not known here")
            .suggest(typed, expected.iter().copied()),
        _ => Diagnostic {
            message: in_words(message),
            ..diagnostic
        },
    }
}

/// serde's words for what stands at a place, and for what should, with ours.
const FOUND: [(&str, &str); 7] = [
    ("string ", "the text "),
    ("integer ", "the number "),
    ("floating point ", "the number "),
    ("boolean ", "the word "),
    ("map", "a table"),
    ("sequence", "a list"),
    ("byte array", "bytes"),
];
const EXPECTED: [(&str, &str); 9] = [
    ("struct ", "a table"),
    ("a map", "a table"),
    ("map", "a table"),
    ("a sequence", "a list"),
    ("a string", "a text in quotes"),
    ("string", "a text in quotes"),
    ("a boolean", "true or false"),
    ("f64", "a number"),
    ("i", "a whole number"),
];

/// `invalid type: string "x", expected u64` in words for people who write scenarios.
fn in_words(message: &str) -> String {
    if message == "wanted string or table" {
        return "a word in quotes is needed here".to_owned();
    }
    let wrong = ["invalid type: ", "invalid value: "]
        .iter()
        .find_map(|kind| message.strip_prefix(kind));
    let Some((found, expected)) = wrong.and_then(|rest| rest.rsplit_once(", expected ")) else {
        return message.to_owned();
    };
    // The library names the type of its own in which it holds a number too large for any other.
    let found = found.trim_end_matches(" as i128");
    let found = FOUND
        .iter()
        .find_map(|(theirs, ours)| Some(format!("{ours}{}", found.strip_prefix(theirs)?)));
    let number = |kind: &str| expected.strip_prefix(kind)?.parse::<u32>().ok();
    let expected = match (number("u"), expected) {
        (Some(bits), _) => format!("a whole number from 0 to {}", most(bits)),
        (None, "usize") => "a whole number of at least 0".to_owned(),
        _ => EXPECTED
            .iter()
            .find(|(theirs, _)| match *theirs {
                "i" => number("i").is_some(),
                "struct " => expected.starts_with(theirs),
                whole => expected == whole,
            })
            .map_or_else(|| expected.to_owned(), |(_, ours)| (*ours).to_owned()),
    };
    match found {
        Some(found) => format!("{expected} is needed here, and this is {found}"),
        None => format!("{expected} is needed here"),
    }
}

/// The largest whole number of so many bits, as people say it.
fn most(bits: u32) -> String {
    match bits {
        32 => "4_294_967_295".to_owned(),
        8 | 16 => (2u64.pow(bits) - 1).to_string(),
        _ => "2^63 − 1".to_owned(),
    }
}

/// All diagnostics, drawn one after the other.
pub(crate) fn render(sources: &Sources, diagnostics: &[Diagnostic], color: bool) -> String {
    let drawn: Vec<String> = diagnostics
        .iter()
        .map(|diagnostic| draw(sources, diagnostic, Level::ERROR, color))
        .collect();
    drawn.join("\n\n")
}

/// The same drawing for a check that did not hold, at the check's own line.
pub(crate) fn render_failed_check(
    sources: &Sources,
    diagnostic: &Diagnostic,
    warn: bool,
    color: bool,
) -> String {
    let level = if warn { Level::WARNING } else { Level::ERROR };
    draw(sources, diagnostic, level, color)
}

fn draw(sources: &Sources, diagnostic: &Diagnostic, level: Level<'_>, color: bool) -> String {
    let mut report: Vec<Group<'_>> = Vec::new();
    match sources.locate(&diagnostic.span) {
        Some((source, span)) => {
            let mut annotation = AnnotationKind::Primary.span(span);
            if !diagnostic.label.is_empty() {
                annotation = annotation.label(&diagnostic.label);
            }
            let snippet = Snippet::source(&source.text)
                .path(&source.name)
                .annotation(annotation);
            report.push(level.primary_title(&diagnostic.message).element(snippet));
        }
        None => report.push(Group::with_title(level.primary_title(&diagnostic.message))),
    }
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
