//! What the documents promise about the code: its layers, its map, its sizes, its dependencies.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const ARCHITECTURE: &str = include_str!("../../docs/architecture.md");
const FILE_LINES: usize = 600;
const FUNCTION_LINES: usize = 70;
const ENGINE_DEPENDENCIES: usize = 8;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_owned()
}

/// The rows of a table of the architecture document, as trimmed cells.
fn table(name: &str) -> Vec<Vec<&'static str>> {
    let (_, rest) = ARCHITECTURE
        .split_once(&format!("<!-- table:{name} -->\n"))
        .unwrap_or_else(|| panic!("no table {name}"));
    let (body, _) = rest.split_once("<!-- /table -->").expect("a table's end");
    body.lines()
        .skip(2)
        .map(|row| row.trim_matches('|').split('|').map(str::trim).collect())
        .collect()
}

/// Rust files below a folder of the repository, with their text.
fn sources(folder: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                if path.file_name().unwrap() != "target" {
                    folders.push(path);
                }
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path.strip_prefix(root()).unwrap().to_owned(), text));
            }
        }
    }
    found.sort();
    found
}

fn all_sources() -> Vec<(PathBuf, String)> {
    ["engine", "lab", "fuzz"]
        .into_iter()
        .flat_map(sources)
        .collect()
}

/// The text before the tests of a file, without lines that are only a comment.
fn code_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines()
        .enumerate()
        .take_while(|(_, line)| *line != "#[cfg(test)]" || text.contains("#[cfg(test)]\n#[path"))
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
}

fn is_test(path: &Path) -> bool {
    let name = path.file_name().unwrap().to_str().unwrap();
    name == "tests.rs"
        || name == "testing.rs"
        || path.components().any(|part| part.as_os_str() == "tests")
}

#[test]
fn imports_point_down() {
    let mut layers = BTreeMap::new();
    for row in table("layers") {
        let layer: u32 = row[0].parse().unwrap();
        for module in row[1].split(',') {
            layers.insert(module.trim().trim_matches('`'), layer);
        }
    }
    let mut seen = 0;
    for (path, text) in sources("engine/src") {
        let module = path
            .iter()
            .nth(2)
            .unwrap()
            .to_str()
            .unwrap()
            .trim_end_matches(".rs");
        if module == "lib" || is_test(&path) {
            continue;
        }
        let own = layers
            .get(module)
            .unwrap_or_else(|| panic!("{module} has no layer"));
        for (number, line) in code_lines(&text) {
            assert!(
                !line.contains("crate::{"),
                "{}:{}: one import a line",
                path.display(),
                number + 1
            );
            for used in line.split("crate::").skip(1) {
                let used = used
                    .split(|c: char| !c.is_ascii_lowercase() && c != '_')
                    .next()
                    .unwrap();
                if used.is_empty() || used == module {
                    continue;
                }
                seen += 1;
                let below = layers
                    .get(used)
                    .unwrap_or_else(|| panic!("{used} has no layer"));
                assert!(
                    below < own,
                    "{}:{}: {module} uses {used}",
                    path.display(),
                    number + 1
                );
            }
        }
    }
    assert!(seen > 100, "only {seen} imports were looked at");
}

#[test]
fn the_code_map_is_complete() {
    let listed: BTreeSet<String> = table("map")
        .into_iter()
        .map(|row| row[0].trim_matches('`').trim_end_matches('/').to_owned())
        .collect();
    let mut found = BTreeSet::new();
    for folder in ["engine/src", "lab/src"] {
        for entry in fs::read_dir(root().join(folder)).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            found.insert(format!("{folder}/{name}"));
        }
    }
    assert_eq!(listed, found);
}

#[test]
fn the_top_level_is_fixed() {
    let known = [
        "CHANGELOG.md",
        "Cargo.lock",
        "Cargo.toml",
        "LICENSE-APACHE",
        "LICENSE-MIT",
        "Makefile",
        "README.md",
        "docs",
        "engine",
        "fuzz",
        "lab",
        "reports",
        "scenarios",
        "target",
    ];
    for entry in fs::read_dir(root()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(
            name.starts_with('.') || known.contains(&name.as_str()),
            "{name}"
        );
    }
    for name in known.iter().filter(|name| **name != "target") {
        assert!(root().join(name).exists(), "{name} is missing");
    }
}

#[test]
fn files_are_short() {
    for (path, text) in all_sources() {
        let lines = text.lines().count();
        let reason = text.contains("\n// Long because ");
        assert!(
            lines <= FILE_LINES || reason,
            "{}: {lines} lines",
            path.display()
        );
        assert!(
            text.starts_with("//") || path.ends_with("tests.rs"),
            "{}: says not what it is",
            path.display()
        );
    }
}

/// Works on formatted code, where a function ends at the first brace below its own indentation.
#[test]
fn functions_are_short() {
    let mut seen = 0;
    for (path, text) in all_sources() {
        let lines: Vec<&str> = text.lines().collect();
        for (start, line) in lines.iter().enumerate() {
            let head = line.trim_start();
            let words = head.split('(').next().unwrap();
            let function = words == "fn" || words.starts_with("fn ") || words.contains(" fn ");
            if !function || head.starts_with("//") || head.ends_with(';') {
                continue;
            }
            let end = format!("{}}}", &line[..line.len() - head.len()]);
            let Some(length) = lines[start..].iter().position(|line| **line == end) else {
                continue;
            };
            seen += 1;
            let reason = start > 0
                && lines[start - 1]
                    .trim_start()
                    .starts_with("// Long because ");
            assert!(
                length < FUNCTION_LINES || reason,
                "{}:{}: {} lines",
                path.display(),
                start + 1,
                length + 1
            );
        }
    }
    assert!(seen > 1000, "only {seen} functions were looked at");
}

#[test]
fn only_storage_knows_the_operating_system() {
    let outside = [
        "std::fs",
        "std::net",
        "std::env",
        "std::process",
        "Instant",
        "SystemTime",
    ];
    for (path, text) in sources("engine/src") {
        if path.starts_with("engine/src/storage") || is_test(&path) {
            continue;
        }
        for (number, line) in code_lines(&text) {
            for name in outside {
                assert!(
                    !line.contains(name),
                    "{}:{}: {name}",
                    path.display(),
                    number + 1
                );
            }
            let feature = line.contains("cfg(feature") || line.contains("cfg(not(feature");
            assert!(
                !feature || path.ends_with("lib.rs") || path.ends_with("mod.rs"),
                "{}:{}: a feature in the middle of logic",
                path.display(),
                number + 1
            );
        }
    }
}

#[test]
fn every_test_runs() {
    // Put together here, so that this file does not find itself.
    let forbidden = ["#[ign", "ore"].concat();
    for (path, text) in all_sources() {
        assert!(!text.contains(&forbidden), "{}", path.display());
    }
}

#[test]
fn the_engine_stays_small() {
    let output = Command::new(env!("CARGO"))
        .args([
            "tree",
            "--locked",
            "--offline",
            "-p",
            "vellum",
            "-e",
            "normal",
            "--prefix",
            "none",
        ])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8(output.stdout).unwrap();
    let crates: BTreeSet<&str> = text
        .lines()
        .filter_map(|line| line.split(' ').next())
        .collect();
    assert!(crates.contains("crc64fast-nvme"), "{crates:?}");
    assert!(crates.len() - 1 <= ENGINE_DEPENDENCIES, "{crates:?}");
}

/// The bugs that a test build can switch on are in its table, and no other build knows of them.
#[test]
fn planted_bugs_leave_no_trace() {
    let mut planted = BTreeSet::new();
    for (path, text) in sources("engine/src") {
        for (_, line) in code_lines(&text) {
            for part in line.split("planted!(\"").skip(1) {
                planted.insert(part.split('"').next().unwrap().to_owned());
            }
            let chosen = line.contains("vellum_plant");
            assert!(
                !chosen || path.ends_with("plant.rs") || path.ends_with("lib.rs"),
                "{}",
                path.display()
            );
        }
    }
    let table = fs::read_to_string(root().join("lab/src/planted/bugs.rs")).unwrap();
    let words: BTreeSet<&str> = table.split('"').collect();
    for bug in &planted {
        assert!(words.contains(bug.as_str()), "{bug} is not in the table");
    }
    assert!(planted.len() >= 40, "{}", planted.len());
    if cfg!(vellum_plant) {
        return;
    }
    let program = fs::read(env!("CARGO_BIN_EXE_lab")).unwrap();
    let program = String::from_utf8_lossy(&program);
    for bug in &planted {
        assert!(!program.contains(bug.as_str()), "{bug} is in the program");
    }
}

/// The least Rust is stated once in `Cargo.toml` and repeated where people look for it.
#[test]
fn the_least_rust_is_stated() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let (_, rest) = manifest.split_once("rust-version = \"").unwrap();
    let version = rest.split('"').next().unwrap();
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    assert!(readme.contains(&format!("Rust {version} or newer")));
}

/// `make` names the version that it needs before the compiler fails on something else.
#[cfg(unix)]
#[test]
fn an_old_rust_is_refused_by_name() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let old = folder.path().join("rustc");
    fs::write(
        &old,
        "#!/bin/sh\necho 'rustc 1.70.0 (90c541806 2023-05-31)'\n",
    )
    .unwrap();
    fs::set_permissions(&old, fs::Permissions::from_mode(0o755)).unwrap();
    let output = Command::new("make")
        .args(["--no-print-directory", "rust"])
        .arg(format!("RUSTC={}", old.display()))
        .current_dir(root())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    assert!(
        text.contains("Rust 1.95 or newer") && text.contains("1.70.0"),
        "{text}"
    );
}
