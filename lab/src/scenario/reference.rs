//! Every section and field of a scenario with its meaning: the source of the JSON Schema and of the
//! reference in `docs/scenarios.md`.

mod fields;
mod injections;
mod schema;

use super::expect::FORMS;
use super::operations::OPERATIONS;
use super::registry;

use self::fields::SECTIONS;
pub(crate) use self::schema::{result_schema, scenario_schema};

/// What a field takes.
enum Takes {
    Whole,
    Text,
    Flag,
    /// Bytes, as a number or as text with a unit.
    Size,
    Time,
    Rate,
    Choice(&'static [&'static str]),
    Mix,
    Texts,
    /// Values by path or axis.
    Table,
}

struct Field {
    name: &'static str,
    takes: Takes,
    /// What holds where the field is left out.
    default: &'static str,
    meaning: &'static str,
}

/// A section: a table, or an entry of a list of tables.
struct Section {
    /// As it is written; the top level has none.
    heading: &'static str,
    what: &'static str,
    fields: &'static [Field],
}

const fn field(
    name: &'static str,
    takes: Takes,
    default: &'static str,
    meaning: &'static str,
) -> Field {
    Field {
        name,
        takes,
        default,
        meaning,
    }
}

use Takes::{Choice, Flag, Mix, Rate, Size, Table, Text, Texts, Time, Whole};

impl Takes {
    fn said(&self) -> String {
        match self {
            Whole => "number".to_owned(),
            Text => "text".to_owned(),
            Flag => "true or false".to_owned(),
            Size => "size".to_owned(),
            Time => "time".to_owned(),
            Rate => "rate".to_owned(),
            Choice(names) => names.join(", "),
            Mix => "operations".to_owned(),
            Texts => "list of texts".to_owned(),
            Table => "table".to_owned(),
        }
    }
}

#[cfg(test)]
impl Section {
    /// Names of the fields, for the test that holds this list against the reader.
    fn names(&self) -> impl Iterator<Item = &'static str> {
        self.fields.iter().map(|field| field.name)
    }
}

/// The reference as Markdown: sections, operations, expectations, metrics.
pub(crate) fn markdown() -> String {
    let mut out = String::new();
    for section in SECTIONS {
        let heading = if section.heading.is_empty() {
            "Top"
        } else {
            section.heading
        };
        out += &format!("### {}\n\n{}\n\n", heading.trim_matches('`'), section.what);
        if section.fields.is_empty() {
            continue;
        }
        out += "| field | takes | default | meaning |\n|---|---|---|---|\n";
        for field in section.fields {
            out += &format!(
                "| `{}` | {} | {} | {} |\n",
                field.name,
                field.takes.said(),
                field.default,
                field.meaning
            );
        }
        out.push('\n');
    }
    out += "### Operations of a mix\n\n| operation | what it does |\n|---|---|\n";
    for (_, name, meaning) in OPERATIONS {
        out += &format!("| `{name}` | {meaning} |\n");
    }
    out += "\n### Expectations\n\n| form | holds if |\n|---|---|\n";
    for (form, meaning) in FORMS {
        out += &format!("| `{form}` | {meaning} |\n");
    }
    out += "\n### Metrics\n\n";
    for (owner, metrics) in registry::by_owner() {
        out += &format!("Of `{owner}`:\n\n| metric | meaning |\n|---|---|\n");
        for metric in metrics {
            out += &format!("| `{}` | {} |\n", metric.name, metric.meaning);
        }
        out.push('\n');
    }
    out += &format!(
        "A mix also yields {} for each of its operations, as `phase.operation.metric`.\n",
        registry::MIX_EACH
            .map(|name| format!("`{name}`"))
            .join(", ")
    );
    let [time, conflicts] = registry::counts::OWN;
    out += &format!(
        "\nThe build that counts yields `phase.counts.COUNTER` for every counter of the engine, which `lab metrics` lists; and\n`phase.counts.{}`: {}; and `phase.counts.{}`: {}.\n",
        time.name, time.meaning, conflicts.name, conflicts.meaning
    );
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;

    /// What the reader says that it knows in a section: its own complaint lists it.
    fn known(section: &Section) -> Vec<String> {
        let base = "schema = 1\n";
        let text = match section.heading {
            "" => format!("{base}zzz = 1\n"),
            heading => format!("{base}{heading}\nzzz = 1\n"),
        };
        let error = toml::from_str::<super::super::raw::Scenario>(&text).expect_err("accepted");
        let message = error.message().to_owned();
        assert!(
            message.starts_with("unknown field `zzz`"),
            "{}: {message}",
            section.heading
        );
        message
            .split('`')
            .skip(3)
            .step_by(2)
            .map(str::to_owned)
            .collect()
    }

    #[test]
    fn the_reference_has_what_the_reader_takes() {
        for section in SECTIONS.iter().filter(|section| !section.fields.is_empty()) {
            let mut known = known(section);
            // Axes are taken out before the rest is read; sections have entries of their own.
            let sections: Vec<&str> = SECTIONS
                .iter()
                .map(|one| one.heading.trim_matches(['[', ']']))
                .collect();
            known.retain(|name| !sections.contains(&name.as_str()));
            let mut listed: Vec<String> = section
                .names()
                .filter(|name| *name != "axes")
                .map(str::to_owned)
                .collect();
            known.sort();
            listed.sort();
            assert_eq!(listed, known, "{}", section.heading);
        }
    }

    #[test]
    fn the_documentation_has_the_reference() {
        let document = include_str!("../../../docs/scenarios.md");
        let (_, rest) = document
            .split_once("<!-- reference -->\n")
            .expect("a beginning");
        let (found, _) = rest.split_once("<!-- /reference -->").expect("an end");
        assert_eq!(
            found.trim(),
            markdown().trim(),
            "write it anew with `lab schema reference`"
        );
    }

    #[test]
    fn schemas_are_whole() {
        let schema = scenario_schema();
        assert_eq!(
            schema["properties"]["phase"]["items"]["properties"]["keys"]["enum"][1],
            "zipf"
        );
        assert!(schema["properties"]["engine"]["properties"]["cache"].is_object());
        assert!(
            result_schema()["$defs"]["phase"]["properties"]["metrics"]["properties"]["p99_ns"]
                .is_object()
        );
    }
}
