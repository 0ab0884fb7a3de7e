//! `lab corrupt`: a copy with one bit flipped, for those who want to see what damage does.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::cli::{CorruptArgs, Format};
use crate::console::Console;
use crate::failure::{Context, Exit, Failure};
use crate::inspect::source::Source;

pub(crate) fn run(args: &CorruptArgs, console: &Console) -> Result<Exit, Failure> {
    let source = Source::open(&args.database)?;
    let file = &source.pages;
    let bits = 8 * file.page_size() as u64;
    if args.bit >= bits {
        return Err(Failure::usage(format!(
            "a page has {bits} bits, numbered from 0; {} is none of them",
            args.bit
        )));
    }
    // Says how many pages there are, where the page is none of them.
    file.raw(args.page)?;
    let at = file.offset(args.page) + args.bit / 8;
    copy(&args.database, &args.output)?;
    if source.log.is_some() {
        copy(&log_of(&args.database), &log_of(&args.output))?;
    }
    flip(&args.output, at, args.bit % 8).context(args.output.display())?;
    let (to, bit) = (args.output.display(), args.bit % 8);
    let text = match console.format {
        Format::Human | Format::Md => format!(
            "{to}: bit {bit} of byte {} of page {} is flipped (offset {at})\n",
            args.bit / 8,
            args.page
        ),
        Format::Json | Format::Ndjson => {
            let value = serde_json::json!({ "output": to.to_string(), "page": args.page, "bit": args.bit, "offset": at });
            format!("{value}\n")
        }
    };
    console.result(&text)?;
    Ok(Exit::Passed)
}

fn log_of(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push("-log");
    PathBuf::from(name)
}

/// Copies into a file that must not exist yet.
fn copy(from: &Path, to: &Path) -> Result<(), Failure> {
    let mut target = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(to)
        .map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => Failure::usage(format!(
                "{} exists already; give another name, nothing is overwritten",
                to.display()
            )),
            _ => Failure::lab(format!("{}: {error}", to.display())),
        })?;
    let mut source = File::open(from).context(from.display())?;
    if let Err(error) = io::copy(&mut source, &mut target) {
        // Half a copy helps nobody. That removing it may fail changes nothing.
        let _ = fs::remove_file(to);
        return Err(Failure::lab(format!("{}: {error}", to.display())));
    }
    Ok(())
}

fn flip(path: &Path, at: u64, bit: u64) -> io::Result<()> {
    let mut file = OpenOptions::new().read(true).write(true).open(path)?;
    let mut byte = [0];
    file.seek(SeekFrom::Start(at))?;
    file.read_exact(&mut byte)?;
    file.seek(SeekFrom::Start(at))?;
    file.write_all(&[byte[0] ^ 1 << bit])?;
    file.sync_all()
}
