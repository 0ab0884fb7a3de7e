//! Where the traces of a folder's databases go: beside them, one file for each time that one was opened.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use parking_lot::Mutex;
use vellum::Builder;

use crate::failure::{Context, Failure};

/// Traces that were begun, if any are wanted.
pub(super) struct Traces {
    folder: PathBuf,
    /// How often each database was opened.
    opened: Option<Mutex<BTreeMap<String, u32>>>,
}

impl Traces {
    pub(super) fn new(folder: &Path, wanted: bool) -> Traces {
        Traces {
            folder: folder.to_owned(),
            opened: wanted.then(Mutex::default),
        }
    }

    /// The builder, tracing to a new file if traces are wanted.
    pub(super) fn begin(&self, database: &str, builder: Builder) -> Result<Builder, Failure> {
        let Some(opened) = &self.opened else {
            return Ok(builder);
        };
        let mut opened = opened.lock();
        let number = opened.entry(database.to_owned()).or_default();
        *number += 1;
        let path = self
            .folder
            .join(format!("{database}.trace-{number}.ndjson"));
        let file = File::create_new(&path).context(path.display())?;
        Ok(builder.trace(BufWriter::new(file)))
    }
}
