//! What the machine is and which revision this binary was built from. Whatever cannot be found out is "unknown", never an
//! error: a run in a stripped container is still a run.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::results::Manifest;
use crate::stats::Summary;

const UNKNOWN: &str = "unknown";

/// Everything about now and here. Seed, durability, id and times are the caller's.
pub(crate) fn describe(out: &Path) -> Manifest {
    Manifest {
        argv: std::iter::once("lab".to_owned())
            .chain(std::env::args().skip(1))
            .collect(),
        lab_version: env!("CARGO_PKG_VERSION").to_owned(),
        revision: env!("LAB_REVISION").to_owned(),
        dirty: match env!("LAB_DIRTY") {
            "yes" => Some(true),
            "no" => Some(false),
            _ => None,
        },
        rustc: env!("LAB_RUSTC").to_owned(),
        target: env!("LAB_TARGET").to_owned(),
        profile: format!(
            "{} (opt-level {})",
            env!("LAB_PROFILE"),
            env!("LAB_OPT_LEVEL")
        ),
        features: features(),
        clock_ns: clock_ns(),
        cpu: cpu(),
        cpus: std::thread::available_parallelism().map_or(1, |cpus| cpus.get() as u64),
        memory_bytes: memory_bytes(),
        kernel: kernel(),
        file_system: file_system(out),
        ..Manifest::default()
    }
}

/// The optional parts that this binary has.
fn features() -> Vec<String> {
    let optional = [
        ("forensics", vellum::forensics::ENABLED),
        ("sqlite", cfg!(feature = "sqlite")),
        ("redb", cfg!(feature = "redb")),
        ("lmdb", cfg!(feature = "lmdb")),
        ("fjall", cfg!(feature = "fjall")),
    ];
    optional
        .into_iter()
        .filter(|(_, on)| *on)
        .map(|(name, _)| name.to_owned())
        .collect()
}

/// Median cost of measuring nothing.
fn clock_ns() -> u64 {
    let samples: Vec<u64> = (0..1_000)
        .map(|_| Instant::now().elapsed().as_nanos() as u64)
        .collect();
    Summary::of(&samples).map_or(0, |summary| summary.median)
}

/// A moment in both spellings that a run needs: for people and for a directory's name.
pub(crate) struct Stamp {
    pub(crate) utc: String,
    pub(crate) compact: String,
}

pub(crate) fn now() -> Stamp {
    let time = Timestamp::now().to_zoned(TimeZone::UTC).datetime();
    let (year, month, day) = (time.year(), time.month(), time.day());
    let (hour, minute, second) = (time.hour(), time.minute(), time.second());
    Stamp {
        utc: format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02} UTC"),
        compact: format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}Z"),
    }
}

fn output_of(mut command: Command) -> Option<String> {
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn cpu() -> String {
    let from_proc = fs::read_to_string("/proc/cpuinfo")
        .ok()
        .and_then(|text| field(&text, "model name"));
    from_proc
        .or_else(|| command("sysctl", &["-n", "machdep.cpu.brand_string"]))
        .unwrap_or_else(|| std::env::consts::ARCH.to_owned())
}

fn memory_bytes() -> Option<u64> {
    let from_proc = fs::read_to_string("/proc/meminfo")
        .ok()
        .and_then(|text| field(&text, "MemTotal"));
    if let Some(kib) = from_proc
        .as_deref()
        .and_then(|text| text.strip_suffix(" kB"))
    {
        return kib.trim().parse::<u64>().ok()?.checked_mul(1024);
    }
    command("sysctl", &["-n", "hw.memsize"])?.parse().ok()
}

fn kernel() -> String {
    let from_proc = fs::read_to_string("/proc/sys/kernel/osrelease").ok();
    let release = from_proc
        .map(|release| release.trim().to_owned())
        .or_else(|| command("uname", &["-r"]));
    format!(
        "{} {}",
        std::env::consts::OS,
        release.unwrap_or_else(|| UNKNOWN.to_owned())
    )
}

fn command(program: &str, arguments: &[&str]) -> Option<String> {
    let mut command = Command::new(program);
    command.args(arguments);
    output_of(command).filter(|text| !text.is_empty())
}

/// The value of the first `name : value` line.
fn field(text: &str, name: &str) -> Option<String> {
    text.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        (key.trim() == name).then(|| value.trim().to_owned())
    })
}

/// Type and options of the file system that holds `path`: tmpfs, say, makes syncs free.
fn file_system(path: &Path) -> String {
    let real = path.ancestors().find_map(|folder| {
        let folder = if folder.as_os_str().is_empty() {
            Path::new(".")
        } else {
            folder
        };
        fs::canonicalize(folder).ok()
    });
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    real.and_then(|real| mount_of(&mounts, &real))
        .unwrap_or_else(|| UNKNOWN.to_owned())
}

/// Finds the mount with the longest path above `path` in the text of `mountinfo`.
fn mount_of(mounts: &str, path: &Path) -> Option<String> {
    let mut best: Option<(PathBuf, String)> = None;
    for line in mounts.lines() {
        let Some((before, after)) = line.split_once(" - ") else {
            continue;
        };
        let fields: Vec<&str> = before.split(' ').collect();
        let (Some(point), Some(options), Some(kind)) =
            (fields.get(4), fields.get(5), after.split(' ').next())
        else {
            continue;
        };
        let point = PathBuf::from(point.replace("\\040", " "));
        // A later mount at the same place covers an earlier one.
        let longer = best
            .as_ref()
            .is_none_or(|(other, _)| point.as_os_str().len() >= other.as_os_str().len());
        if path.starts_with(&point) && longer {
            best = Some((point, format!("{kind} ({options})")));
        }
    }
    best.map(|(_, text)| text)
}

/// Processor time that this process has used with all its threads; `None` where the system does not tell.
pub(crate) fn busy_ns() -> Option<u64> {
    busy_of(&fs::read_to_string("/proc/self/stat").ok()?)
}

/// From the fields behind the program's name, which may hold anything itself. Linux counts for programs
/// in hundredths of a second, whatever its own clock does.
fn busy_of(stat: &str) -> Option<u64> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut times = fields.split_ascii_whitespace().skip(11);
    let user: u64 = times.next()?.parse().ok()?;
    let system: u64 = times.next()?.parse().ok()?;
    Some((user + system) * 10_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_mount_is_found() {
        let mounts = "1 0 8:1 / / rw,relatime - ext4 /dev/a rw\n\
                      2 1 0:5 / /scratch rw,nosuid shared:2 - tmpfs tmpfs rw\n\
                      3 1 8:2 / /home\\040x rw - xfs /dev/b rw\nnonsense\n";
        let of = |path: &str| mount_of(mounts, Path::new(path));
        assert_eq!(of("/scratch/a").as_deref(), Some("tmpfs (rw,nosuid)"));
        assert_eq!(of("/scratchfile").as_deref(), Some("ext4 (rw,relatime)"));
        assert_eq!(of("/home x/a").as_deref(), Some("xfs (rw)"));
        assert_eq!(mount_of("", Path::new("/")), None);
    }

    #[test]
    fn fields_are_found() {
        assert_eq!(
            field("a: 1\nmodel name\t: Fast One\n", "model name").as_deref(),
            Some("Fast One")
        );
        assert_eq!(field("", "x"), None);
    }

    #[test]
    fn processor_time_is_found() {
        let stat = "51 (a) b) R 49 49 99 0 -1 4194304 99 0 0 0 7 5 0 0 20 0 1 0 211884";
        assert_eq!(busy_of(stat), Some(120_000_000));
        assert_eq!(busy_of("nothing"), None);
    }

    #[test]
    fn describing_never_fails() {
        let manifest = describe(Path::new("no/such/folder"));
        assert!(manifest.cpus >= 1 && !manifest.cpu.is_empty() && !manifest.kernel.is_empty());
        assert_eq!(now().compact.len(), 16);
    }
}
