#![cfg(test)]
#![allow(clippy::unwrap_used)]

use std::path::Path;

use vellum::plant::plant;
use vellum::storage::sim::SimDirectory;

use super::{BUGS, hunt, json, markdown, session};

#[test]
fn every_planted_bug_is_caught_twice() {
    // What the planted bugs make panic is counted, not printed.
    std::panic::set_hook(Box::new(|_| {}));
    plant("");
    let right = session(&SimDirectory::new(), None).unwrap();
    let clean = hunt(&right);
    println!(
        "without a bug: {:.1} s, {:?}",
        clean.seconds, clean.findings
    );
    let mut rows = Vec::new();
    for (bug, what) in BUGS {
        plant(bug);
        let caught = hunt(&right);
        plant("");
        let layers: Vec<&str> = caught.layers.iter().map(|layer| layer.name()).collect();
        println!("{bug}: {:.1} s, {}", caught.seconds, layers.join(", "));
        if caught.layers.len() < 2 {
            println!("    {:?}", caught.findings);
        }
        rows.push((*bug, *what, caught));
    }
    drop(std::panic::take_hook());
    assert!(clean.findings.is_empty(), "{:?}", clean.findings);
    let missed: Vec<&str> = rows
        .iter()
        .filter(|(_, _, caught)| caught.layers.len() < 2 || caught.seconds > 60.0)
        .map(|(bug, ..)| *bug)
        .collect();
    assert!(missed.is_empty(), "caught by fewer than two: {missed:?}");
    assert!(rows.len() >= 40);
    let reports = Path::new(env!("CARGO_MANIFEST_DIR")).join("../reports");
    std::fs::write(reports.join("planted-bugs.md"), markdown(&rows)).unwrap();
    let data = serde_json::to_string_pretty(&json(&rows)).unwrap();
    std::fs::write(reports.join("planted-bugs.json"), data + "\n").unwrap();
}
