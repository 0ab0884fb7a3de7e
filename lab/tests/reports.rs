//! The reports under version control are what their stored numbers give, and come from clean builds.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// Bytes that a scenario's report may take.
const MOST: usize = 1_000_000;

fn reports() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../reports")
}

/// Published reports and the index, by path; runs of this machine are none of them.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for name in ["README.md", "index.html"] {
        found.insert(PathBuf::from(name), fs::read(folder.join(name)).unwrap());
    }
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.join("results.json").is_file() && !path.is_symlink() {
            add(folder, &path, &mut found);
        }
    }
    found
}

fn add(top: &Path, folder: &Path, found: &mut BTreeMap<PathBuf, Vec<u8>>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            add(top, &path, found);
        } else {
            let name = path.strip_prefix(top).unwrap().to_owned();
            found.insert(name, fs::read(&path).unwrap());
        }
    }
}

/// Where a machine keeps its files is nobody's business.
#[test]
fn published_reports_name_no_place_of_a_machine() {
    for (name, bytes) in files(&reports()) {
        if !name.ends_with("manifest.json") {
            continue;
        }
        let manifest: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        let words = manifest["argv"].as_array().unwrap().iter();
        for word in words.chain([
            &manifest["counted_by"]["program"],
            &manifest["scenario_path"],
        ]) {
            let absolute = word
                .as_str()
                .is_some_and(|word| Path::new(word).is_absolute());
            assert!(!absolute, "{}: {word}", name.display());
        }
    }
}

#[test]
fn published_reports_are_rendered_from_their_numbers() {
    let committed = files(&reports());
    let again = tempfile::tempdir().unwrap();
    for (name, bytes) in &committed {
        let path = again.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let stored = name.extension().is_some_and(|ending| ending == "json");
        if stored || name == Path::new("README.md") {
            fs::write(path, bytes).unwrap();
        }
    }
    let status = Command::new(env!("CARGO_BIN_EXE_lab"))
        .arg("--out")
        .arg(again.path())
        .args(["report", "--published"])
        .status()
        .unwrap();
    assert!(status.success());
    let rendered = files(again.path());
    let names = |files: &BTreeMap<PathBuf, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&committed), names(&rendered));
    for (name, bytes) in &committed {
        assert!(
            rendered[name] == *bytes,
            "{}: not what its numbers give; run `cargo lab report --published`",
            name.display()
        );
    }
}

#[test]
fn published_reports_name_a_revision_and_a_release_build() {
    let mut seen = 0;
    for (name, bytes) in files(&reports()) {
        if name.file_name().unwrap() != "manifest.json" {
            continue;
        }
        seen += 1;
        let manifest: Value = serde_json::from_slice(&bytes).unwrap();
        let name = name.display();
        assert_eq!(manifest["dirty"], false, "{name}");
        assert!(
            manifest["profile"].as_str().unwrap().starts_with("release"),
            "{name}"
        );
        let path = manifest["scenario_path"].as_str().unwrap();
        assert!(path.starts_with("scenarios/"), "{name}: {path}");
    }
    assert!(seen >= 10, "{seen} published reports");
}

#[test]
fn published_reports_are_small() {
    let mut sizes: BTreeMap<PathBuf, usize> = BTreeMap::new();
    for (name, bytes) in files(&reports()) {
        let first = PathBuf::from(name.components().next().unwrap().as_os_str());
        *sizes.entry(first).or_default() += bytes.len();
    }
    for (name, size) in sizes {
        assert!(size <= MOST, "{}: {size} bytes", name.display());
    }
}
