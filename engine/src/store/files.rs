//! The names of a database's files in their directory.

use std::io;
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::storage::Directory;

/// A database's place: a directory and a name in it.
#[derive(Clone)]
pub(crate) struct Files {
    pub(crate) directory: Arc<dyn Directory>,
    pub(crate) name: String,
    /// The directory was given by the caller, and paths name files in it.
    pub(crate) given_directory: bool,
}

impl Files {
    /// An error for whoever wants to create what is there already.
    pub(crate) fn expect_absent(&self) -> Result<()> {
        if self.exists(&self.name)? {
            return Err(Error::usage(format!(
                "{} already exists; open it, or choose another name",
                self.describe(&self.name)
            )));
        }
        // A log without its database holds what somebody has acknowledged: the first write here would replace it.
        if self.exists(&self.log())? {
            return Err(Error::usage(format!(
                "{} is there without its database; give that one its name back, move the log away, or choose another name",
                self.describe(&self.log())
            )));
        }
        Ok(())
    }

    /// Whether a file of that name is there.
    pub(crate) fn exists(&self, name: &str) -> Result<bool> {
        self.directory
            .exists(name)
            .map_err(self.failed("looking for", name))
    }

    /// What messages call a file beside the database, or the database itself.
    pub(crate) fn describe(&self, name: &str) -> String {
        self.directory.describe(name)
    }

    /// Turns what the operating system says into an error that names what was done and the file.
    pub(crate) fn failed<'a>(
        &'a self,
        doing: &'a str,
        name: &'a str,
    ) -> impl Fn(io::Error) -> Error + Copy + 'a {
        move |error| Error::io(format!("{doing} {}", self.describe(name)), error)
    }

    /// The log.
    pub(crate) fn log(&self) -> String {
        format!("{}-log", self.name)
    }

    /// A database that is being created.
    pub(crate) fn unfinished(&self) -> String {
        format!("{}-new", self.name)
    }

    /// A backup or compaction that is being written to this name.
    pub(crate) fn copying(&self) -> String {
        format!("{}-copy", self.name)
    }

    /// Sorted runs of a bulk load.
    pub(crate) fn sort(&self) -> String {
        format!("{}-sort", self.name)
    }

    /// Removes what a bulk load sorted, if there is any.
    pub(crate) fn remove_sorted_runs(&self) -> io::Result<()> {
        match self.directory.remove(&self.sort()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            removed => removed,
        }
    }
}
