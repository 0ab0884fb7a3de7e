//! How often in a second of processor time the body of a target runs on its committed corpus, without a fuzzer:
//! `cargo run --release -p vellum-fuzz-bodies --example speed -- wal 5`, for a target and seconds; a third
//! argument is the folder of another corpus, such as one that a fuzzer has found.
#![allow(clippy::expect_used, clippy::print_stdout)]

use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use vellum_fuzz_bodies::TARGETS;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let chosen = arguments.next();
    let seconds = arguments.next().and_then(|text| text.parse().ok());
    let time = Duration::from_secs(seconds.unwrap_or(2));
    let other = arguments.next();
    for (name, run) in TARGETS {
        if chosen.as_ref().is_some_and(|chosen| chosen != name) {
            continue;
        }
        let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpus");
        let folder = other
            .as_ref()
            .map_or(committed.join(name), |other| other.into());
        let inputs: Vec<Vec<u8>> = fs::read_dir(folder)
            .expect("the corpus")
            .map(|entry| fs::read(entry.expect("an entry").path()).expect("a seed"))
            .collect();
        let (started, before, mut runs) = (Instant::now(), processor_time(), 0u64);
        while started.elapsed() < time {
            for input in &inputs {
                run(black_box(input));
            }
            runs += inputs.len() as u64;
        }
        // What else the machine does takes nothing from the rate where the system tells the process's own time.
        let own = processor_time().zip(before);
        let spent = own.map_or(started.elapsed(), |(now, before)| now - before);
        let rate = runs as f64 / spent.as_secs_f64();
        println!("{name}: {rate:.0} a second over {} inputs", inputs.len());
    }
}

/// Time that this process has run on a processor, as Linux counts it.
fn processor_time() -> Option<Duration> {
    let text = fs::read_to_string("/proc/self/schedstat").ok()?;
    let nanoseconds = text.split_whitespace().next()?.parse().ok()?;
    Some(Duration::from_nanos(nanoseconds))
}
