//! The names of a database's files in their directory.

use std::io;
use std::sync::Arc;

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
    /// The log.
    pub(crate) fn log(&self) -> String {
        format!("{}-log", self.name)
    }

    /// A database that is being created.
    pub(crate) fn unfinished(&self) -> String {
        format!("{}-new", self.name)
    }

    /// Sorted runs of a bulk load.
    pub(crate) fn sort(&self) -> String {
        format!("{}-sort", self.name)
    }

    /// Removes what a bulk load sorted, if there is any.
    pub(crate) fn remove_sorted_runs(&self) -> io::Result<()> {
        let name = self.sort();
        if self.directory.exists(&name)? {
            self.directory.remove(&name)?;
        }
        Ok(())
    }
}
