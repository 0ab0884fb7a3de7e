//! Lines of a text file, plain or gzipped, each with its number for messages.

use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;

use crate::failure::Failure;

/// Longest line accepted, in bytes: a node's largest data with room for its JSON around it.
pub(super) const LINE_MAX: u64 = 256 << 20;

const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// The bytes of a file, unpacked. Whether it is gzipped is told from its first bytes, not from its name.
pub(super) fn open(path: &Path) -> Result<Box<dyn BufRead>, Failure> {
    let file = File::open(path)
        .map_err(|error| Failure::missing(format!("{}: {error}", path.display())))?;
    unpacked(path, file)
}

/// The same for a file that is open, or for bytes as if they had been in one.
pub(super) fn unpacked(
    path: &Path,
    input: impl Read + 'static,
) -> Result<Box<dyn BufRead>, Failure> {
    let refuse = |error: io::Error| Failure::missing(format!("{}: {error}", path.display()));
    let mut input = BufReader::with_capacity(1 << 16, input);
    let begin = input.fill_buf().map_err(refuse)?;
    let zipped = begin.starts_with(&GZIP_MAGIC);
    if !zipped && !begin.is_empty() && path.extension().is_some_and(|ending| ending == "gz") {
        return Err(Failure::usage(format!(
            "{}: not gzip data, although its name says so; rename it if it is plain text",
            path.display()
        )));
    }
    Ok(if zipped {
        Box::new(BufReader::with_capacity(
            1 << 16,
            MultiGzDecoder::new(input),
        ))
    } else {
        Box::new(input)
    })
}

/// A reader of lines that knows where it is.
pub(crate) struct Lines {
    path: PathBuf,
    input: Box<dyn BufRead>,
    number: u64,
    line: Vec<u8>,
}

impl Lines {
    /// Opens the file, plain or gzipped.
    pub(crate) fn open(path: &Path) -> Result<Lines, Failure> {
        Ok(Lines::of(path, open(path)?))
    }

    /// Reads bytes as if they had been in a file.
    pub(crate) fn over(path: &Path, input: impl Read + 'static) -> Result<Lines, Failure> {
        Ok(Lines::of(path, unpacked(path, input)?))
    }

    fn of(path: &Path, input: Box<dyn BufRead>) -> Lines {
        Lines {
            path: path.to_owned(),
            input,
            number: 0,
            line: Vec::new(),
        }
    }

    /// The next line without its end, or `None` after the last. Empty lines are skipped.
    pub(crate) fn next_line(&mut self) -> Result<Option<&str>, Failure> {
        loop {
            self.line.clear();
            self.number += 1;
            let read = self
                .input
                .by_ref()
                .take(LINE_MAX)
                .read_until(b'\n', &mut self.line);
            match read {
                Ok(0) => return Ok(None),
                Ok(length) if length as u64 == LINE_MAX && !self.line.ends_with(b"\n") => {
                    return Err(
                        self.wrong(format_args!("the line is longer than {LINE_MAX} bytes"))
                    );
                }
                Ok(_) => {}
                Err(error) => return Err(self.wrong(error)),
            }
            while self.line.ends_with(b"\n") || self.line.ends_with(b"\r") {
                self.line.pop();
            }
            if !self.line.is_empty() {
                break;
            }
        }
        match std::str::from_utf8(&self.line) {
            Ok(line) => Ok(Some(line)),
            Err(error) => Err(self.wrong(format_args!(
                "not UTF-8 from byte {} of the line",
                error.valid_up_to()
            ))),
        }
    }

    /// A failure at the line read last.
    pub(crate) fn wrong(&self, what: impl fmt::Display) -> Failure {
        Failure::usage(format!("{}: {what}", self.place()))
    }

    /// `file:line` of the line read last.
    pub(crate) fn place(&self) -> String {
        format!("{}:{}", self.path.display(), self.number)
    }
}
