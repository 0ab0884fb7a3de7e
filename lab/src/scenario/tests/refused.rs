//! What only a closer look shows to be wrong, and that it is said in plain words.

use super::*;

#[test]
fn a_file_that_is_no_text_is_drawn_where_it_ends_to_be() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("latin.toml");
    std::fs::write(&path, b"schema = 1\nname = \"caf\xe9\"\n").unwrap();
    let failure = load(&path, &Changes::default(), false).expect_err("accepted");
    assert_eq!(failure.exit, Exit::Usage);
    for piece in ["UTF-8", "latin.toml:2:12"] {
        assert!(
            failure.message.contains(piece),
            "no `{piece}` in\n{failure}"
        );
    }
}

/// What is wrong is said in the words of the reference, not in those of a programming language.
#[test]
fn another_type_is_told_in_plain_words() {
    let said = |text: &str, pieces: &[&str]| refused(&format!("schema = 1\n{text}\n"), pieces);
    said(
        "dataset = 3",
        &[
            "a table is needed here, and this is the number `3`",
            "test.toml:2:11",
        ],
    );
    said(
        "seed = -1",
        &["a whole number from 0 to 2^63 − 1 is needed"],
    );
    said("seed = \"x\"", &["and this is the text \"x\""]);
    said(
        "seed = 99_999_999_999_999_999_999",
        &["and this is the number `99999999999999999999`\n"],
    );
    said("phase = 3", &["a list is needed here"]);
    said("sweep = 1", &["a table is needed here"]);
    said(
        "[sweep]\nrepeats = 1.5",
        &["a whole number from 0 to 4_294_967_295"],
    );
    said(
        "[crash]\nworkload = 3",
        &["a word in quotes is needed here"],
    );
    said(
        "[[phase]]\nmeasure = \"no\"",
        &["true or false is needed here"],
    );
    said(
        "[engine]\ncache = []",
        &["a size such as 4096", "this is a list"],
    );
    said("name = 3", &["a text in quotes is needed here"]);
}

/// Nobody needs `--quick` to learn that `[quick]` is wrong.
#[test]
fn quick_is_checked_without_being_asked_for() {
    let quick = |line: &str| SWEPT.replace("[quick]\n", &format!("[quick]\n{line}\n"));
    refused(
        &quick("\"dataset.nods\" = 3"),
        &["unknown field `nods`", "`nodes`", ":12:1"],
    );
    refused(
        &quick("\"phase.raed.batch\" = 3"),
        &["no phase named `raed`", "`read`"],
    );
    refused(
        &quick("\"engine.page_size\" = 5"),
        &["a power of two", ":12:"],
    );
    let stepped = quick("\"engine.cache\" = { from = 65536, to = 131072, factor = 2 }");
    assert!(parse_text(&stepped.replace("where = { cache = \"16 pages\" }", "")).is_ok());
}

#[test]
fn along_one_value_nothing_is_compared() {
    let along = |expect: &str| {
        let check = format!("[[check]]\nmetric = \"read.pages_read\"\nexpect = \"{expect}\"\n");
        SWEPT.replace("[[plot]]", &format!("{check}[[plot]]"))
    };
    assert!(parse_text(&along("same over repeats")).is_ok());
    let once = along("same over repeats").replace("repeats = 3", "repeats = 1");
    refused(
        &once,
        &[
            "`repeats` has one value here",
            "24 | expect",
            "`sweep.repeats` is 1",
        ],
    );
    let one = along("same over cache").replace(", \"64 KiB\"", "");
    refused(&one, &["`cache` has one value here", ":21:10", ":24:10"]);
    let limited = along("same over cache\"\nwhere = { cache = \"16 pages\" }\nnote = \"");
    refused(
        &limited,
        &["`cache` has one value here", "`where` leaves one value"],
    );
    // On the command line anybody may look at one cell alone.
    let set = Changes {
        set: vec!["engine.cache=16 pages".to_owned()],
        repeats: Some(1),
        ..Changes::default()
    };
    assert!(parse_with(&along("same over repeats"), &set).is_ok());
}

#[test]
fn times_need_units_and_operations_need_nodes() {
    let bound = |expect: &str| SWEPT.replace("non-increasing within 10% over cache", expect);
    refused(&bound("<= 3"), &["a time needs its unit", ":21:10"]);
    assert!(parse_text(&bound("<= 3 ms")).is_ok());
    assert!(parse_text(&bound("> 0")).is_ok());
    let empty = SWEPT.replace("{ from = 10, to = 1_000, factor = 10 }", "[0, 10]");
    refused(&empty, &["`get-node` in phase `read` needs nodes", ":9:"]);
    let filled = empty.replace("get-node = 1", "insert-node = 1");
    assert!(parse_text(&filled).is_ok());
}
