//! Every bug that can be planted in the engine is caught by two kinds of test, and nothing is found without
//! one: `make crash-self-test`. Writes `reports/planted-bugs.md`. Interrupted, it goes on where it stopped, as long as nothing is
//! built anew.
#![cfg(vellum_plant)]
#![allow(missing_docs, clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, mpsc};
use std::time::{Duration, Instant};

use vellum_fuzz_bodies::TARGETS;
use vellum_lab::planted::{BUGS, Layer, hunt};

/// Which bug a process of its own looks for.
const CHOSEN: &str = "VELLUM_PLANTED_BUG";
/// How many kinds of test it goes on for; all by `LAYERS=7`.
const LAYERS: &str = "LAYERS";
const TWICE: usize = 2;
/// A process that a bug makes endless is ended after so long. What it told before counts.
const ENDLESS: Duration = Duration::from_secs(900);
/// Before each finding on a process's output.
const SIGN: &str = "caught\t";
/// In the place of a layer: the hunt came to its end, after so many seconds.
const DONE: &str = "done";
/// Random inputs for each target.
const RANDOM: usize = 60;
/// Targets whose input does not reach what bugs are planted in.
const ELSEWHERE: [&str; 2] = ["scenario_text", "import_text"];

/// What caught one bug, and with what words.
struct Caught {
    findings: BTreeMap<Layer, String>,
    seconds: f64,
}

/// One process for each bug: what a bug leaves behind in a process is not the next one's, and a bug may
/// end it or never let it end.
#[test]
fn every_planted_bug_is_caught_twice() {
    let asked = std::env::var(LAYERS).ok();
    let enough = asked.map_or(TWICE, |text| text.parse().unwrap());
    if let Ok(bug) = std::env::var(CHOSEN) {
        look_for(&bug, enough);
        return;
    }
    let kept = Kept::of_this_build(enough);
    let clean = kept.hunted("", Layer::ALL.len());
    let nothing: Vec<&String> = clean.findings.values().collect();
    println!("without a bug: {:.1} s, {nothing:?}", clean.seconds);
    assert!(nothing.is_empty(), "found without a bug: {nothing:?}");
    let rows = hunted_all(enough, &kept);
    write_report(&clean, &rows);
    let missed: Vec<&str> = rows
        .iter()
        .filter(|(_, caught)| caught.findings.len() < TWICE)
        .map(|(bug, _)| BUGS[*bug].0)
        .collect();
    assert!(missed.is_empty(), "caught by fewer than two: {missed:?}");
    assert!(rows.len() >= 40, "{}", rows.len());
}

/// As many processes at a time as there are processors.
fn hunted_all(enough: usize, kept: &Kept) -> Vec<(usize, Caught)> {
    let next = AtomicUsize::new(0);
    let rows = Mutex::new(Vec::new());
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let Some((bug, _)) = BUGS.get(number) else {
                        return;
                    };
                    let caught = kept.hunted(bug, enough);
                    let layers: Vec<&str> = caught.findings.keys().map(|l| l.name()).collect();
                    println!("{bug}: {:.1} s, {}", caught.seconds, layers.join(", "));
                    if layers.len() < TWICE {
                        println!("    {:?}", caught.findings);
                    }
                    rows.lock().unwrap().push((number, caught));
                }
            });
        }
    });
    let mut rows = rows.into_inner().unwrap();
    rows.sort_by_key(|(number, _)| *number);
    rows
}

/// What hunts of this very build came to, in a file beside it: they take hours on a small machine.
struct Kept {
    path: PathBuf,
    lock: Mutex<()>,
}

impl Kept {
    fn of_this_build(enough: usize) -> Kept {
        let program = std::env::current_exe().unwrap();
        let path = program.with_extension(format!("{enough}.caught"));
        let made = |path: &Path| fs::metadata(path).and_then(|file| file.modified());
        if made(&path).is_ok_and(|kept| kept < made(&program).unwrap()) {
            fs::remove_file(&path).unwrap();
        }
        let lock = Mutex::new(());
        Kept { path, lock }
    }

    /// Hunts for a bug, unless that was done.
    fn hunted(&self, bug: &str, enough: usize) -> Caught {
        if let Some(caught) = self.read(bug) {
            return caught;
        }
        let caught = hunted(bug, enough);
        let mut lines = String::new();
        for (layer, finding) in &caught.findings {
            lines += &format!("{bug}\t{}\t{finding}\n", layer.name());
        }
        lines += &format!("{bug}\t{DONE}\t{}\n", caught.seconds);
        let _held = self.lock.lock().unwrap();
        let mut file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&self.path)
            .unwrap();
        file.write_all(lines.as_bytes()).unwrap();
        caught
    }

    fn read(&self, bug: &str) -> Option<Caught> {
        let _held = self.lock.lock().unwrap();
        let text = fs::read_to_string(&self.path).ok()?;
        let mut caught = Caught {
            findings: BTreeMap::new(),
            seconds: 0.0,
        };
        for line in text.lines() {
            let mut parts = line.splitn(3, '\t');
            let (Some(name), Some(what), Some(said)) = (parts.next(), parts.next(), parts.next())
            else {
                continue;
            };
            if name != bug {
                continue;
            }
            if what == DONE {
                caught.seconds = said.parse().unwrap();
                return Some(caught);
            }
            let layer = Layer::ALL.into_iter().find(|layer| layer.name() == what);
            caught.findings.insert(layer.unwrap(), said.to_owned());
        }
        None
    }
}

/// Has a process look for a bug.
fn hunted(bug: &str, enough: usize) -> Caught {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "every_planted_bug_is_caught_twice",
            "--nocapture",
        ])
        .env(CHOSEN, bug)
        .env(LAYERS, enough.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let started = Instant::now();
    let output = BufReader::new(child.stdout.take().unwrap());
    let (sender, receiver) = mpsc::channel();
    let reader = std::thread::spawn(move || {
        for line in output.lines().map_while(Result::ok) {
            let _ = sender.send(line);
        }
    });
    let mut caught = Caught {
        findings: BTreeMap::new(),
        seconds: 0.0,
    };
    while let Ok(line) = receiver.recv_timeout(ENDLESS.saturating_sub(started.elapsed())) {
        let Some((name, finding)) = line.strip_prefix(SIGN).and_then(|l| l.split_once('\t')) else {
            continue;
        };
        let layer = Layer::ALL.into_iter().find(|layer| layer.name() == name);
        caught.findings.insert(layer.unwrap(), finding.to_owned());
        caught.seconds = started.elapsed().as_secs_f64();
    }
    let ended = child.try_wait().unwrap().is_some() || started.elapsed() < ENDLESS;
    if !ended {
        child.kill().unwrap();
    }
    let status = child.wait().unwrap();
    reader.join().unwrap();
    if bug.is_empty() {
        assert!(status.success(), "without a bug: {status}");
        caught.seconds = started.elapsed().as_secs_f64();
    }
    caught
}

/// In a process of its own: tells on the output what catches the bug.
fn look_for(bug: &str, enough: usize) {
    // What a bug makes panic is told by whoever catches it.
    std::panic::set_hook(Box::new(|_| {}));
    println!();
    let fuzz = || fuzz();
    let mut tell = |layer: Layer, finding: &str| {
        let line = finding.lines().next().unwrap_or_default();
        println!("{SIGN}{}\t{line}", layer.name());
    };
    let hunted = hunt(bug, enough, &fuzz, &mut tell);
    drop(std::panic::take_hook());
    hunted.unwrap();
}

/// The first promise that a fuzz target finds broken: on its corpus, then on random inputs.
fn fuzz() -> Option<String> {
    let mut targets: Vec<_> = TARGETS
        .iter()
        .filter(|(target, _)| !ELSEWHERE.contains(target))
        .collect();
    // Whole databases go first: most bugs are theirs.
    targets.sort_by_key(|(target, _)| !target.starts_with("ops_"));
    let mut state = 1;
    for (target, run) in targets {
        for (name, input) in corpus(target).into_iter().chain(random_inputs(&mut state)) {
            if let Err(panic) = catch_unwind(AssertUnwindSafe(|| run(&input))) {
                let text = panic.downcast_ref::<String>().cloned();
                let text = text.or_else(|| panic.downcast_ref::<&str>().map(|t| (*t).to_owned()));
                let text = text.unwrap_or_default();
                let line = text.lines().next().unwrap_or_default();
                return Some(format!("{target}, {name}: {line}"));
            }
        }
    }
    None
}

/// As committed: what generates it would use the engine with the bug.
fn corpus(target: &str) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpus");
    let mut files: Vec<PathBuf> = fs::read_dir(folder.join(target))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    let read = |path: PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        (name, fs::read(path).unwrap())
    };
    files.into_iter().map(read).collect()
}

/// The same inputs every time, from a generator of a few lines (SplitMix64).
fn random_inputs(state: &mut u64) -> Vec<(String, Vec<u8>)> {
    let mut random = || {
        *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (*state ^ (*state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    };
    (0..RANDOM)
        .map(|number| {
            let len = random() % 800;
            let input = (0..len).map(|_| random() as u8).collect();
            (format!("random input {number}"), input)
        })
        .collect()
}

fn write_report(clean: &Caught, rows: &[(usize, Caught)]) {
    let reports = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../reports");
    fs::write(reports.join("planted-bugs.md"), markdown(clean, rows)).unwrap();
}

/// The table of bugs and what caught each.
fn markdown(clean: &Caught, rows: &[(usize, Caught)]) -> String {
    let mut text = format!(
        "# Planted bugs and what caught each\n\n\
         Made by `make crash-self-test`. Every bug alters the path that every user of the engine takes. A hunt\n\
         ends once two kinds of test have caught the bug, so a gap says that a test was not asked or found nothing;\n\
         `make crash-self-test LAYERS=7` asks all. Without a bug, all of them together find nothing, in {:.0} s.\n\
         What each kind of test is: [`docs/reliability.md`](../docs/reliability.md).\n\n| bug | what it does |",
        clean.seconds
    );
    for layer in Layer::ALL {
        text.push_str(&format!(" {} |", layer.name()));
    }
    text.push_str(" s |\n|---|---|");
    text.push_str(&":-:|".repeat(Layer::ALL.len()));
    text.push_str("--:|\n");
    for (number, caught) in rows {
        let (bug, what) = BUGS[*number];
        text.push_str(&format!("| `{bug}` | {what} |"));
        for layer in Layer::ALL {
            let there = caught.findings.contains_key(&layer);
            text.push_str(if there { " × |" } else { " |" });
        }
        text.push_str(&format!(" {:.1} |\n", caught.seconds));
    }
    text.push_str("\n## The first finding of each\n\n");
    for (number, caught) in rows {
        text.push_str(&format!("* `{}`\n", BUGS[*number].0));
        for (layer, finding) in &caught.findings {
            text.push_str(&format!("  * {}: {finding}\n", layer.name()));
        }
    }
    text
}
