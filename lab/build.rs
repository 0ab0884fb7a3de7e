//! Notes which compiler, profile and revision this binary came from: a measurement names them.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What the binary is made of, below the workspace. A change in it may change whether the tree is clean.
const PARTS: [&str; 5] = [
    "Cargo.toml",
    "Cargo.lock",
    "engine/src",
    "lab/src",
    "lab/Cargo.toml",
];

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rustc-env=LAB_RUSTC={}", rustc_version());
    note_revision();
    for (name, variable) in [
        ("LAB_TARGET", "TARGET"),
        ("LAB_PROFILE", "PROFILE"),
        ("LAB_OPT_LEVEL", "OPT_LEVEL"),
    ] {
        println!(
            "cargo:rustc-env={name}={}",
            env::var(variable).unwrap_or_else(|_| "unknown".into())
        );
    }
}

/// The revision and whether the tree had changes beside it; both unknown where there is no git, or where the
/// tree is part of another repository, as an unpacked archive may be.
fn note_revision() {
    let lab = PathBuf::from(env::var("CARGO_MANIFEST_DIR").unwrap_or_default());
    let top = lab.parent().unwrap_or(&lab);
    let own = git(top, &["rev-parse", "--show-toplevel"])
        .is_some_and(|found| same_folder(Path::new(&found), top));
    let head = git(top, &["rev-parse", "--short=10", "HEAD"]).filter(|_| own);
    // Reports are what runs leave, not what they measure.
    let status = [
        "status",
        "--porcelain",
        "--untracked-files=no",
        "--",
        ":/",
        ":(exclude,top)reports",
    ];
    let dirty = head.as_ref().and_then(|_| git(top, &status));
    let dirty = dirty.map_or("unknown", |changes| match changes.is_empty() {
        true => "no",
        false => "yes",
    });
    println!(
        "cargo:rustc-env=LAB_REVISION={}",
        head.unwrap_or_else(|| "unknown".into())
    );
    println!("cargo:rustc-env=LAB_DIRTY={dirty}");
    if own {
        watch(top);
    }
}

/// Has this run again when another revision is checked out or committed, or the sources change.
fn watch(top: &Path) {
    let branch = git(top, &["symbolic-ref", "--quiet", "HEAD"]);
    let of_git = ["HEAD", "logs/HEAD", "packed-refs"];
    let paths = of_git
        .into_iter()
        .chain(branch.as_deref())
        .filter_map(|name| git(top, &["rev-parse", "--git-path", name]))
        .map(|path| top.join(path))
        .chain(PARTS.map(|part| top.join(part)));
    for path in paths.filter(|path| path.exists()) {
        println!("cargo:rerun-if-changed={}", path.display());
    }
}

fn git(top: &Path, arguments: &[&str]) -> Option<String> {
    let output = Command::new("git")
        .arg("-C")
        .arg(top)
        .args(arguments)
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    output.status.success().then_some(text)
}

fn same_folder(a: &Path, b: &Path) -> bool {
    let real = |path: &Path| fs::canonicalize(path).ok();
    real(a).is_some_and(|a| Some(a) == real(b))
}

fn rustc_version() -> String {
    let rustc = env::var("RUSTC").unwrap_or_else(|_| "rustc".into());
    let output = Command::new(rustc).arg("--version").output();
    match output {
        Ok(output) if output.status.success() => {
            String::from_utf8_lossy(&output.stdout).trim().to_owned()
        }
        _ => "unknown".into(),
    }
}
