//! What is looked at: a database file and the log beside it, in a folder or in memory.

use std::path::Path;

use vellum::format::header::Header;
use vellum::inspect::PageFile;
use vellum::storage::{Directory, FileDirectory, OpenMode};

use crate::failure::Failure;

use super::log::Log;

/// A database file, and its log if there is one. Nothing is locked, opened as a database or written.
pub(crate) struct Source {
    pub(crate) name: String,
    pub(crate) pages: PageFile,
    /// The bytes of `NAME-log`.
    pub(crate) log: Option<Vec<u8>>,
}

impl Source {
    /// Opens a file of the file system.
    pub(crate) fn open(path: &Path) -> Result<Source, Failure> {
        let (Some(name), folder) = (
            path.file_name().and_then(|name| name.to_str()),
            path.parent(),
        ) else {
            let text = format!(
                "{} names no file; give the path of a database",
                path.display()
            );
            return Err(Failure::usage(text));
        };
        // A pipe would keep whoever opens it waiting.
        if path.exists() && !path.is_file() {
            let text = format!("{} is no file; give the path of a database", path.display());
            return Err(Failure::usage(text));
        }
        let folder = folder.filter(|folder| !folder.as_os_str().is_empty());
        let directory = FileDirectory::new(folder.unwrap_or(Path::new(".")));
        let mut source = Source::open_in(&directory, name).map_err(|failure| Failure {
            message: format!("{}: {}", path.display(), failure.message),
            ..failure
        })?;
        source.name = path.display().to_string();
        Ok(source)
    }

    /// Opens a file of any storage.
    pub(crate) fn open_in(directory: &dyn Directory, name: &str) -> Result<Source, Failure> {
        let pages = PageFile::open_in(directory, name).map_err(|error| match error {
            // What cannot be opened was most likely mistyped.
            vellum::Error::Io { source, .. } => {
                let log = directory.exists(&format!("{name}-log")).unwrap_or(false);
                let hint = if log {
                    "; its log is there, so find the database that it belongs to"
                } else {
                    ""
                };
                Failure::usage(format!("{source}{hint}"))
            }
            other => other.into(),
        })?;
        let log = read(directory, &format!("{name}-log"))?;
        Ok(Source {
            name: name.to_owned(),
            pages,
            log,
        })
    }

    /// The log cut into segments, as the newest header describes it.
    pub(crate) fn log(&self) -> Option<Log<'_>> {
        let capacity = self
            .pages
            .newest()
            .map(|header| u64::from(header.log_segment_bytes));
        Some(Log::new(self.log.as_deref()?, capacity))
    }

    /// The newest state that a header slot or a root record of the log describes.
    pub(crate) fn newest(&self) -> Option<Header> {
        let slot = self.pages.newest()?;
        if slot.log_generation == 0 {
            return Some(slot.clone());
        }
        let Some(log) = self.log() else {
            return Some(slot.clone());
        };
        let read = log.read_from(slot.log_generation, slot.log_position, slot.log_chain);
        let mut roots = read
            .records
            .iter()
            .rev()
            .filter_map(|record| Header::decode(record.root()?).ok());
        let continues = |header: &Header| {
            header.file_id == slot.file_id
                && header.page_size == slot.page_size
                && header.sequence > slot.sequence
        };
        Some(roots.find(continues).unwrap_or_else(|| slot.clone()))
    }
}

fn read(directory: &dyn Directory, name: &str) -> Result<Option<Vec<u8>>, Failure> {
    if !directory.exists(name).unwrap_or(false) {
        return Ok(None);
    }
    let context = |error: std::io::Error| Failure::lab(format!("{name}: {error}"));
    let file = directory.open(name, OpenMode::Read).map_err(context)?;
    let len = usize::try_from(file.len().map_err(context)?).unwrap_or(usize::MAX);
    let mut bytes = vec![0; len];
    file.read_at(0, &mut bytes).map_err(context)?;
    Ok(Some(bytes))
}
