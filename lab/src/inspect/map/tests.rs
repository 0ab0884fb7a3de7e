//! Pictures of what others wrote: names of files, and traces.

use super::*;

/// Names of files, and what a trace says, are text in a picture and on a terminal, whatever they are.
#[cfg(unix)]
#[test]
fn a_picture_of_a_hostile_name_is_a_picture() {
    let (folder, path) = sample();
    let name = "<script>alert('&\"')<\u{1}\u{1b}[31m>.vellum";
    let hostile = folder.path().join(name);
    fs::copy(&path, &hostile).unwrap();
    let site = r#"a\u001b[2J<b>&\"x"#;
    let trace = folder.path().join("<t>.ndjson");
    let event =
        format!("{{\"n\":1,\"event\":\"grow\",\"page\":2,\"pages\":1,\"site\":\"{site}\"}}");
    fs::write(&trace, format!("{{\"trace\":1}}\n{event}\n")).unwrap();
    let svg = folder.path().join("map.svg");
    let drawn = Inspect::Map(MapArgs {
        by: MapBy::Space,
        trace: Some(trace),
        svg: Some(svg.clone()),
        columns: 64,
    });
    let text = look(&hostile, drawn);
    holds(&text, &["a\\u{1b}[2J<b>&"]);
    assert!(!text.contains("\u{1b}[2J"));
    let picture = fs::read_to_string(&svg).unwrap();
    holds(
        &picture,
        &[
            "&lt;script&gt;alert('&amp;&quot;')&lt;\u{fffd}\u{fffd}[31m&gt;.vellum",
            "[2J&lt;b&gt;&amp;",
        ],
    );
    assert!(!picture.contains("<script") && !picture.contains("<b>"));
    assert!(!picture.contains(|c: char| c.is_control() && c != '\n'));
    let plain = picture
        .replace("&amp;", "")
        .replace("&lt;", "")
        .replace("&gt;", "")
        .replace("&quot;", "");
    assert!(!plain.contains('&'), "every & begins one of four entities");
}

fn traced(path: &Path, trace: &Path, svg: Option<std::path::PathBuf>) -> Result<View, Failure> {
    let what = Inspect::Map(MapArgs {
        by: MapBy::Space,
        trace: Some(trace.to_owned()),
        svg,
        columns: 64,
    });
    seen(path, &what, PLAIN)
}

#[test]
fn a_trace_tells_the_history_of_each_page() {
    let (folder, path) = sample();
    let trace = folder.path().join("trace.ndjson");
    let lines = [
        r#"{"trace":1}"#,
        r#"{"n":1,"event":"grow","page":2,"pages":1,"offset":8192,"bytes":4096,"site":"pager/a.rs:1"}"#,
        r#"{"n":2,"event":"write","page":2,"pages":1,"offset":8192,"bytes":4096,"birth":4,"kind":"sorted","space":"nodes","level":0,"site":"btree/m.rs:7"}"#,
        r#"{"n":3,"event":"append","offset":128,"bytes":64}"#,
        r#"{"n":4,"event":"drop","page":2,"pages":1,"site":"store/c.rs:9"}"#,
        r#"{"n":5,"event":"free","page":2,"pages":5,"site":"store/c.rs:9"}"#,
        r#"{"n":6,"event":"reuse","page":2,"pages":1,"site":"pager/a.rs:2"}"#,
        r#"{"n":7,"event":"write","page":2,"pages":1,"birth":5,"site":"btree/m.rs:7"}"#,
        r#"{"n":8,"event":"read","page":2,"pages":1}"#,
    ];
    fs::write(&trace, lines.join("\n") + "\n").unwrap();
    let svg = folder.path().join("history.svg");
    let view = traced(&path, &trace, Some(svg.clone())).unwrap();
    holds(
        &view.text,
        &[
            "by history",
            "  HX2",
            "in use, taken 2–3 times",
            "8 events of 1 pages; 1 of pages that the file does not have",
            "page        2  taken    2  written    2  dropped    1  freed    1; last: write, event 7, by btree/m.rs:7",
        ],
    );
    assert!(!view.text.contains("another file"));
    let page = &view.json["history"]["pages"][0];
    let (taken_by, freed_by) = (&page["taken_by"], &page["freed_by"]);
    assert_eq!(page["page"], 2);
    assert_eq!((&page["read"], &page["taken"]), (&1.into(), &2.into()));
    assert_eq!(taken_by[1]["site"], "pager/a.rs:2");
    assert_eq!(freed_by[0]["times"], 1);
    assert_eq!(page["last"]["event"], "write");
    let picture = fs::read_to_string(&svg).unwrap();
    holds(
        &picture,
        &["taken 2 (1 by pager/a.rs:1, 1 by pager/a.rs:2); freed 1 (1 by store/c.rs:9)"],
    );
    // Cut off after a free, and written by another hand since.
    fs::write(&trace, lines[..3].join("\n") + "\n{\"n\":3,\"ev").unwrap();
    let text = traced(&path, &trace, None).unwrap().text;
    holds(
        &text,
        &[
            "cut off",
            "1 pages were written after the trace, or it is of another file",
        ],
    );
    fs::write(&trace, lines[..6].join("\n")).unwrap();
    let text = traced(&path, &trace, None).unwrap().text;
    holds(&text, &["  HXa", "free, taken once"]);
}

#[test]
fn what_is_no_trace_is_refused_with_its_line() {
    let (folder, path) = sample();
    let trace = folder.path().join("trace.ndjson");
    for (text, said) in [
        ("", "an empty file"),
        ("hello\n", "line 1: not a trace"),
        ("{\"trace\":2}\n", "another version"),
        ("{\"trace\":1}\n{\"n\":1}\n", "line 2: not an event"),
        ("{\"trace\":1}\n\u{0}\n{}\n", "line 2: not an event"),
    ] {
        fs::write(&trace, text).unwrap();
        let failure = traced(&path, &trace, None).err().unwrap();
        holds(&failure.message, &[said]);
    }
    assert!(traced(&path, &folder.path().join("none"), None).is_err());
    let long = "{\"trace\":1}\n".to_owned() + &"x".repeat(10_000);
    fs::write(&trace, long).unwrap();
    assert!(traced(&path, &trace, None).is_err());
    let wide =
        "{\"trace\":1}\n{\"n\":1,\"event\":\"free\",\"page\":1,\"pages\":18446744073709551615}\n";
    fs::write(&trace, wide).unwrap();
    holds(
        &traced(&path, &trace, None).unwrap().text,
        &["1 events of 1 pages"],
    );
}
