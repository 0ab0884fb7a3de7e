#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::collections::BTreeMap;

use crate::results::{
    Axis, Cell, Check, Column, Coordinate, Ended, Measure, Number, Phase, PhaseStatus, Place,
    PlotForm, SCHEMA, Scale, Setting, SweepCell, Verdict,
};
use crate::scenario::registry;
use crate::scenario::sources::Sources;
use crate::units::Unit;

use super::*;

fn sample_plot(form: PlotForm, table: &str, x: &str, y: &[&str], scale: Scale) -> Plot {
    Plot {
        title: format!("{form:?} of <{table}>"),
        note: Some("A note & more.".into()),
        table: Some(table.into()),
        x: x.into(),
        y: y.iter().map(|y| (*y).into()).collect(),
        only_where: Vec::new(),
        form,
        x_scale: if form == PlotForm::Points {
            scale
        } else {
            Scale::Linear
        },
        y_scale: scale,
    }
}

fn sample_check(verdict: Verdict) -> Check {
    Check {
        metric: format!("load.{verdict:?}"),
        meaning: "size & more".into(),
        expect: "<= 23 MB".into(),
        unit: Unit::Bytes,
        actual: Some(Number(21.5e6)),
        verdict,
        judged: 1,
        detail: "the bound is <23 MB>".into(),
        note: None,
        file: "sample.toml".into(),
        line: 12,
    }
}

// Long because it fills every part of a result once.
fn sample() -> (Run, Manifest) {
    let degree = registry::DEGREE.table(
        "dataset",
        vec![
            vec![0u64.into(), 9u64.into(), 4u64.into()],
            vec![1u64.into(), 700u64.into(), 300u64.into()],
            vec![50u64.into(), 0u64.into(), 2u64.into()],
        ],
    );
    let hops = registry::HOPS.table(
        "reach",
        vec![
            vec![1u64.into(), 5u64.into(), 5u64.into(), 900u64.into()],
            vec![2u64.into(), 40u64.into(), 45u64.into(), 9000u64.into()],
        ],
    );
    let phases = registry::PHASES.table(
        "run",
        vec![
            vec!["reach".into(), 900u64.into(), Cell::Absent(()), 3u64.into()],
            vec![
                "load".into(),
                3_000_000_000u64.into(),
                Cell::Absent(()),
                0u64.into(),
            ],
        ],
    );
    let phase = Phase {
        name: "reach".into(),
        what: "reach of <a>".into(),
        database: "main".into(),
        status: PhaseStatus::Right,
        findings: Vec::new(),
        metrics: BTreeMap::from([
            ("time_ns".to_owned(), Measure::once(Number(900.0))),
            ("pages_read".to_owned(), Measure::once(Number(3.0))),
        ]),
        tables: vec![hops],
        digest: Some("00ff".into()),
        answer: Some("45 nodes <within> 2 hops".into()),
    };
    let run = Run {
        schema: SCHEMA,
        id: "T-sample-r".into(),
        scenario: "sample".into(),
        question: "Does <it> hold & stay?".into(),
        ended: Ended::Complete,
        axes: Vec::new(),
        missing: Vec::new(),
        tables: vec![phases],
        cells: vec![SweepCell {
            number: 0,
            at: Vec::new(),
            places: Vec::new(),
            repeats: 1,
            engine: vec![Setting::new("page size", "4096")],
            dataset: BTreeMap::from([
                ("nodes".to_owned(), Number(3.0)),
                ("payload_bytes".to_owned(), Number(2e6)),
            ]),
            tables: vec![degree],
            phases: vec![phase],
        }],
        checks: vec![sample_check(Verdict::Pass), sample_check(Verdict::Fail)],
        plots: vec![
            sample_plot(
                PlotForm::Points,
                "dataset.degree",
                "degree",
                &["nodes_out", "nodes_in"],
                Scale::Log,
            ),
            sample_plot(
                PlotForm::Lines,
                "reach.hops",
                "hops",
                &["nodes_reached", "nodes_new"],
                Scale::Linear,
            ),
            sample_plot(
                PlotForm::Bars,
                "run.phases",
                "phase",
                &["time_ns"],
                Scale::Linear,
            ),
            sample_plot(
                PlotForm::Dots,
                "run.phases",
                "phase",
                &["time_ns", "pages_read"],
                Scale::Log,
            ),
        ],
    };
    (
        run,
        Manifest {
            started_utc: "then".into(),
            sources: {
                let mut sources = Sources::default();
                sources.add("sample.toml", "a < b");
                sources
            },
            ..Manifest::default()
        },
    )
}

#[test]
fn results_survive_storage() {
    let (run, manifest) = sample();
    let text = serde_json::to_string(&run).unwrap();
    assert_eq!(serde_json::from_str::<Run>(&text).unwrap(), run);
    assert!(
        text.contains("\"time_ns\":{\"median\":900"),
        "whole numbers stay whole: {text}"
    );
    let text = serde_json::to_string(&manifest).unwrap();
    assert_eq!(serde_json::from_str::<Manifest>(&text).unwrap(), manifest);
}

#[test]
fn the_page_stands_alone_and_escapes() {
    let (run, manifest) = sample();
    let pages = render(&run, &manifest);
    assert_eq!(pages.html.matches("<svg ").count(), 4);
    assert_eq!(pages.plots.len(), 4);
    for banned in [
        "<script",
        "http-equiv",
        "src=",
        "@import",
        "url(",
        "<within>",
        "<it>",
        "<a>,",
    ] {
        assert!(!pages.html.contains(banned), "{banned}");
    }
    assert!(pages.html.contains("45 nodes &lt;within&gt; 2 hops"));
    assert!(pages.html.contains("prefers-color-scheme: dark"));
    assert!(pages.html.contains("1 of 2 checks failed"));
    let failed = pages.html.find("load.<wbr>Fail").unwrap();
    assert!(
        failed < pages.html.find("load.<wbr>Pass").unwrap(),
        "failed checks come first"
    );
    assert!(
        pages
            .markdown
            .contains("| ✗ fail | `load.Fail` | 21.5 MB |")
    );
    assert!(pages.plots[0].1.contains("<style>") && pages.plots[0].1.contains("--s0: #"));
    assert_eq!(pages.plots[0].0, "01-points-of-dataset-degree.svg");
}

#[test]
fn what_a_logarithm_cannot_show_is_said() {
    let (run, manifest) = sample();
    let html = render(&run, &manifest).html;
    assert!(html.contains("2 values at degree 0 not shown"), "{html}");
}

#[test]
fn wrong_results_show_no_numbers() {
    let (mut run, manifest) = sample();
    run.cells[0].phases[0].status = PhaseStatus::Wrong;
    run.cells[0].phases[0].findings = vec!["node 7: edge missing".into()];
    run.checks = vec![sample_check(Verdict::Void)];
    let pages = render(&run, &manifest);
    for text in [&pages.html, &pages.markdown, &summary(&run)] {
        assert!(text.contains("node 7: edge missing"));
        assert!(text.contains("A result was wrong"));
        for number in ["900 ns", "45 nodes", "21.5 MB"] {
            assert!(!text.contains(number), "{number} in {text}");
        }
    }
    assert!(!pages.html.contains("<svg "));
}

/// A heading with nothing below it is a question that the report does not answer.
#[test]
fn a_configuration_that_nobody_knows_has_no_heading() {
    let (mut run, manifest) = sample();
    let heading = "Effective configuration";
    for (settings, shown) in [
        (vec![], false),
        (vec![Setting::new("crash.tears", "4")], true),
    ] {
        run.cells[0].engine = settings;
        let pages = render(&run, &manifest);
        for text in [&pages.html, &pages.markdown] {
            assert_eq!(text.contains(heading), shown, "{text}");
            assert_eq!(text.contains("crash.tears"), shown, "{text}");
            assert!(text.contains("Machine"), "{text}");
        }
    }
}

#[test]
fn a_plot_without_its_table_is_said_not_drawn() {
    let (mut run, manifest) = sample();
    run.plots = vec![sample_plot(
        PlotForm::Bars,
        "gone.table",
        "x",
        &["y"],
        Scale::Linear,
    )];
    assert!(
        render(&run, &manifest)
            .html
            .contains("Not drawn: there is no table gone.table")
    );
}

#[test]
fn the_summary_names_everything() {
    let (run, _) = sample();
    let text = summary(&run);
    for piece in [
        "sample: 3 nodes",
        "reach",
        "900 ns",
        "✗ fail  load.Fail",
        "1 of 2 checks failed.",
    ] {
        assert!(text.contains(piece), "no {piece} in {text}");
    }
    assert_eq!(ndjson(&run).unwrap().lines().count(), 3);
}

/// Two axes: the plot's own, and one that makes a line for each of its values.
fn swept() -> (Run, Manifest) {
    let (mut run, manifest) = sample();
    let value = |text: &str, number: f64| Coordinate {
        text: text.into(),
        number: Some(Number(number)),
    };
    run.axes = vec![
        Axis {
            path: "engine.cache".into(),
            name: "cache".into(),
            values: vec![value("16 pages", 16.0), value("64 pages", 64.0)],
        },
        Axis {
            path: "dataset.nodes".into(),
            name: "nodes".into(),
            values: vec![value("10", 10.0), value("20", 20.0)],
        },
    ];
    let template = run.cells.remove(0);
    for (number, (cache, nodes)) in [(0, 0), (0, 1), (1, 0)].into_iter().enumerate() {
        let mut cell = template.clone();
        cell.number = number as u64;
        cell.places = vec![cache, nodes];
        cell.at = vec![
            Place {
                axis: "cache".into(),
                value: run.axes[0].values[cache].text.clone(),
            },
            Place {
                axis: "nodes".into(),
                value: run.axes[1].values[nodes].text.clone(),
            },
        ];
        cell.engine = vec![Setting::new("page cache", format!("{cache} pages"))];
        let samples = [7.0, 9.0, 8.0].map(|base| Number(base * (number + 1) as f64));
        cell.phases[0]
            .metrics
            .insert("time_ns".into(), Measure::of(samples.to_vec()).unwrap());
        run.cells.push(cell);
    }
    run.plots = vec![Plot {
        table: None,
        x: "engine.cache".into(),
        y: vec!["reach.time_ns".into()],
        x_scale: Scale::Log,
        ..sample_plot(PlotForm::Lines, "", "", &[], Scale::Linear)
    }];
    (run, manifest)
}

#[test]
fn cells_become_lines_with_their_numbers_below() {
    let (run, manifest) = swept();
    let derived = cells::derive(&run, &run.plots[0]).unwrap();
    let names: Vec<&str> = derived
        .table
        .columns
        .iter()
        .map(|column| column.name.as_str())
        .collect();
    assert_eq!(names, ["cache", "nodes 10", "nodes 20"]);
    assert_eq!(
        derived.table.rows[1],
        ["64 pages".into(), 24u64.into(), Cell::Absent(())]
    );
    assert!(derived.intervals[0][0].is_some() && derived.intervals[1][1].is_none());
    let pages = render(&run, &manifest);
    assert_eq!(pages.html.matches("<svg ").count(), 1);
    for piece in [
        "nodes 20",
        "Read back from each cell",
        "1 pages",
        "8 ns ± 1 ns",
    ] {
        assert!(pages.html.contains(piece), "no {piece}");
    }
    assert!(
        pages.markdown.contains("| 64 pages | 24 ns | – |"),
        "{}",
        pages.markdown
    );
    assert!(
        summary(&run).contains("3 cells (2 cache × 2 nodes)"),
        "{}",
        summary(&run)
    );
}

/// Part of an answer does not look like a whole one.
#[test]
fn a_run_that_was_cut_short_is_never_green() {
    for ended in [Ended::Unfinished, Ended::Interrupted, Ended::OverBudget] {
        let (mut run, manifest) = sample();
        run.checks = vec![sample_check(Verdict::Pass)];
        assert_eq!(parts::verdict(&run).0, Verdict::Pass);
        run.ended = ended;
        let (verdict, said) = parts::verdict(&run);
        assert_eq!(verdict, Verdict::Inconclusive, "{said}");
        assert!(said.contains("not everything was run"), "{said}");
        let page = render(&run, &manifest).html;
        assert!(page.contains("<div class=\"verdict open\">"), "{ended:?}");
    }
}

/// Long names leave the axis little room: what has none is left out, and nothing is written over.
#[test]
fn labels_of_an_axis_keep_apart() {
    let name = |number: u64| format!("a name that is very long indeed {number}");
    let column = |name: &str, unit| Column {
        name: name.to_owned(),
        unit,
    };
    let rows = (1..4u64).map(|row| vec![name(row).into(), (row * 190_000).into()]);
    let table = Table {
        name: "reach.long".to_owned(),
        columns: vec![column("name", Unit::Text), column("count", Unit::Count)],
        rows: rows.collect(),
        rows_left_out: 0,
    };
    let plot = sample_plot(
        PlotForm::Bars,
        "reach.long",
        "name",
        &["count"],
        Scale::Linear,
    );
    let svg = plots::draw(&plot, &table).unwrap().svg;
    let attribute = |text: &str, name: &str| -> Option<f64> {
        let (_, rest) = text.split_once(&format!(" {name}=\""))?;
        rest.split('"').next()?.parse().ok()
    };
    let labels: Vec<(f64, f64)> = svg
        .split("<text")
        .skip(1)
        .filter(|text| text.contains("text-anchor=\"middle\""))
        .filter_map(|text| {
            let said = text.split('>').nth(1)?.split('<').next()?.trim();
            let number = said.chars().all(|c| c.is_ascii_digit() || c == ',');
            let half = f64::from(canvas::text_width(said) / 2);
            let middle = attribute(text, "x").filter(|_| number)?;
            Some((middle - half, middle + half))
        })
        .collect();
    assert!(labels.len() >= 2, "{svg}");
    for pair in labels.windows(2) {
        assert!(pair[0].1 <= pair[1].0, "{labels:?}");
    }
}

/// A plot that has a row of the page for itself keeps the size of its text.
#[test]
fn a_lone_plot_is_not_stretched() {
    let rule = STYLE.lines().find(|line| line.starts_with("figure svg {"));
    assert!(
        rule.is_some_and(|rule| rule.contains("max-width")),
        "{rule:?}"
    );
}
