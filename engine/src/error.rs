//! One error type, split by what the caller should do next.

use std::fmt;
use std::io;

/// What every fallible call of this crate returns.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a call failed. The variants tell what to do; the text tells what happened.
///
/// ```
/// use vellum::{Database, Error};
///
/// match Database::open("no such file") {
///     Err(Error::Io { context, .. }) => println!("try another path: {context}"),
///     Err(Error::Locked { path }) => println!("close {path} first"),
///     Err(other) => println!("{other}"),
///     Ok(_) => unreachable!("it does not exist"),
/// }
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The operating system refused. The message names the file and the operation. Retry, or mend
    /// the cause.
    Io {
        /// What was being done, and to which file.
        context: String,
        /// What the operating system said.
        source: io::Error,
    },
    /// The file breaks its own rules: a checksum, a bound, an order. Nothing was returned from the
    /// damaged place. Restore a backup, or salvage what is intact into a new file.
    Corrupt(Corruption),
    /// Another handle or process has the database open in a way that excludes this one. Close it.
    Locked {
        /// The database that is in use.
        path: String,
    },
    /// No space is left for the file to grow. The transaction had no effect; free space and retry.
    Full {
        /// What was being written.
        context: String,
    },
    /// A documented limit would be exceeded. The call had no effect.
    Limit {
        /// Which limit.
        what: &'static str,
        /// The largest value allowed.
        max: u64,
        /// The value that was asked for.
        got: u64,
    },
    /// The call cannot be right: an unknown node, a file that already exists, a bad option.
    Usage(String),
    /// The file is not a Vellum database of a version that this build reads.
    Version {
        /// What was found instead.
        found: String,
    },
    /// An earlier write or sync failed, so nobody knows what the disk holds. Open snapshots still
    /// read. Drop every handle and open the database again.
    Poisoned,
}

/// Where a file breaks its rules, and which rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Corruption {
    /// The file, as a suffix of the database's name: empty for the database, `-log` for its log.
    pub file: &'static str,
    /// Byte offset of the page, record or slot at fault.
    pub offset: u64,
    /// The page number, where a page is at fault.
    pub page: Option<u64>,
    /// The rule that does not hold.
    pub what: String,
}

impl fmt::Display for Corruption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = if self.file.is_empty() {
            "database"
        } else {
            "log"
        };
        match self.page {
            Some(page) => write!(
                f,
                "{file} page {page} (offset {}): {}",
                self.offset, self.what
            ),
            None => write!(f, "{file} offset {}: {}", self.offset, self.what),
        }
    }
}

impl Error {
    /// An I/O error with what was being done. A full disk becomes [`Error::Full`].
    pub(crate) fn io(context: impl Into<String>, source: io::Error) -> Error {
        if source
            .get_ref()
            .is_some_and(|inner| inner.is::<PoisonedSource>())
        {
            return Error::Poisoned;
        }
        let context = context.into();
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Error::Full { context },
            _ => Error::Io { context, source },
        }
    }

    /// A page of the database that breaks a rule.
    pub(crate) fn corrupt_page(page: u64, page_size: usize, what: impl Into<String>) -> Error {
        let offset = page.saturating_mul(page_size as u64);
        Error::Corrupt(Corruption {
            file: "",
            offset,
            page: Some(page),
            what: what.into(),
        })
    }

    /// A place in the database, outside its pages, that breaks a rule.
    pub(crate) fn corrupt_at(offset: u64, what: impl Into<String>) -> Error {
        Error::Corrupt(Corruption {
            file: "",
            offset,
            page: None,
            what: what.into(),
        })
    }

    /// A place in the log that breaks a rule.
    pub(crate) fn corrupt_log(offset: u64, what: impl Into<String>) -> Error {
        Error::Corrupt(Corruption {
            file: "-log",
            offset,
            page: None,
            what: what.into(),
        })
    }

    /// A mistake of the caller's.
    pub(crate) fn usage(what: impl Into<String>) -> Error {
        Error::Usage(what.into())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Io { context, source } => write!(f, "{context}: {source}"),
            Error::Corrupt(corruption) => {
                write!(
                    f,
                    "{corruption}; restore a backup or salvage into a new file"
                )
            }
            Error::Locked { path } => {
                write!(
                    f,
                    "{path} is in use by another handle or process; close it first"
                )
            }
            Error::Full { context } => {
                write!(f, "{context}: no space left; free some and try again")
            }
            Error::Limit { what, max, got } => {
                write!(f, "{what}: {got} exceeds the limit of {max}")
            }
            Error::Usage(what) => f.write_str(what),
            Error::Version { found } => write!(f, "not a database this version reads: {found}"),
            Error::Poisoned => f.write_str(
                "an earlier write failed; drop every handle and open the database again",
            ),
        }
    }
}

/// Inside an [`io::Error`]: storage refused because an earlier write failed.
#[derive(Debug)]
pub(crate) struct PoisonedSource;

impl fmt::Display for PoisonedSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Error::Poisoned.fmt(f)
    }
}

impl std::error::Error for PoisonedSource {}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}
