//! Questions about names, which the index of names answers.

use std::cmp::Ordering;
use std::ops::ControlFlow;

use super::read::ReadTxn;
use crate::error::{Error, Result};
use crate::forensics::count;
use crate::format::bytes::u48_be;
use crate::format::names::compare_keys;
use crate::graph::NameScan;
use crate::ids::{MAX_U48, NodeId};

impl ReadTxn {
    /// The nodes with exactly this name, in the order of their ids.
    ///
    /// The first item is [`Error::Usage`] if the database has no name index.
    pub fn nodes_named(&self, name: &str) -> impl Iterator<Item = Result<NodeId>> + use<'_> {
        count!(self.view.pager.tally(), Scans);
        // What goes wrong here goes wrong in the scan, which says so.
        let known = match self.view.name_index {
            true => self.view.only_named(name).unwrap_or(None),
            false => None,
        };
        let scan = known.is_none().then(|| Box::new(self.scan_named(name)));
        let only = known.flatten().map(|id| self.node_id(id));
        only.into_iter().chain(scan.into_iter().flatten())
    }

    fn scan_named(&self, name: &str) -> impl Iterator<Item = Result<NodeId>> + use<'_> {
        let wanted: Box<[u8]> = name.as_bytes().into();
        self.scan_names(name, move |found, id| {
            // Names with a zero byte may stand between those asked for, so names are compared whole.
            if *found == *wanted {
                return Some(Some(id));
            }
            // What is not less and differs from the name before either ends is greater.
            let differs = found.iter().zip(&wanted).any(|(a, b)| a != b);
            let beyond =
                differs || compare_keys((found, id), (&wanted, MAX_U48)) == Ordering::Greater;
            (!beyond).then_some(None)
        })
        .map(|id| self.node_id(id?))
    }

    /// Names that begin with this, and the nodes that have them, in the order of the names' bytes,
    /// then of the ids.
    ///
    /// The first item is [`Error::Usage`] if the database has no name index.
    pub fn nodes_with_prefix(
        &self,
        prefix: &str,
    ) -> impl Iterator<Item = Result<(String, NodeId)>> + use<'_> {
        count!(self.view.pager.tally(), Scans);
        let wanted: Box<[u8]> = prefix.as_bytes().into();
        self.scan_names(prefix, move |found, id| {
            if found.starts_with(&wanted) {
                let name = String::from_utf8_lossy(found).into_owned();
                return Some(Some((name, id)));
            }
            key_begins_with(found, id, &wanted).then_some(None)
        })
        .map(|found| {
            let (name, id) = found?;
            Ok((name, self.node_id(id)?))
        })
    }

    /// Tells names that begin with this, and the nodes that have them, in the order of
    /// [`nodes_with_prefix`](ReadTxn::nodes_with_prefix), until told to stop; returns what the visitor broke with. Nothing
    /// is copied for it.
    ///
    /// ```
    /// # fn main() -> vellum::Result<()> {
    /// use std::ops::ControlFlow;
    /// # let folder = tempfile::tempdir().expect("a temporary folder");
    /// # let db = vellum::Database::create(folder.path().join("graph.vellum"))?;
    /// let mut txn = db.begin_write()?;
    /// let lille = txn.insert_node("city", "Lille", b"")?;
    /// txn.insert_node("city", "Lyon", b"")?;
    /// txn.commit()?;
    ///
    /// let txn = db.begin_read()?;
    /// let first = txn.visit_names("L", |name, node| ControlFlow::Break((name.len(), node)))?;
    /// assert_eq!(first, Some((5, lille)));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::Usage`] if the database has no name index, and as [`node`](ReadTxn::node). What was told before the error
    /// stays told.
    pub fn visit_names<B>(
        &self,
        prefix: &str,
        mut visit: impl FnMut(&str, NodeId) -> ControlFlow<B>,
    ) -> Result<Option<B>> {
        count!(self.view.pager.tally(), Scans);
        let wanted = prefix.as_bytes();
        let mut begins = false;
        let visited = self.names_from(prefix)?.visit(|name, shared, id| {
            // Names that share the prefix with one that has it need not be looked at: there are many in a row.
            begins = begins && shared >= wanted.len() || name.starts_with(wanted);
            if !begins {
                return match key_begins_with(name, id, wanted) {
                    true => ControlFlow::Continue(()),
                    false => ControlFlow::Break(Ok(None)),
                };
            }
            let told = self.node_id(id).map(|node| match str::from_utf8(name) {
                Ok(name) => visit(name, node),
                Err(_) => visit(&String::from_utf8_lossy(name), node),
            });
            match told {
                Ok(ControlFlow::Continue(())) => ControlFlow::Continue(()),
                Ok(ControlFlow::Break(value)) => ControlFlow::Break(Ok(Some(value))),
                Err(error) => ControlFlow::Break(Err(error)),
            }
        });
        visited?.unwrap_or(Ok(None))
    }

    fn names_from(&self, name: &str) -> Result<NameScan<'_>> {
        if !self.view.name_index {
            return Err(Error::usage(
                "the database was created without a name index; create one with it",
            ));
        }
        NameScan::from(&self.view, name)
    }

    /// What `take` makes of each name from this one on, until it ends the scan with `None`; it passes a
    /// name over with `Some(None)`.
    fn scan_names<'t, T, F>(
        &'t self,
        from: &str,
        mut take: F,
    ) -> impl Iterator<Item = Result<T>> + use<'t, T, F>
    where
        F: FnMut(&[u8], u64) -> Option<Option<T>>,
    {
        let (mut scan, mut error) = match self.names_from(from) {
            Ok(scan) => (Some(scan), None),
            Err(error) => (None, Some(Err(error))),
        };
        std::iter::from_fn(move || {
            if let Some(error) = error.take() {
                return Some(error);
            }
            loop {
                let names = scan.as_mut()?;
                let taken = match names.step() {
                    Some(Ok(id)) => take(names.name(), id),
                    Some(Err(error)) => {
                        scan = None;
                        return Some(Err(error));
                    }
                    None => None,
                };
                match taken {
                    Some(Some(item)) => return Some(Ok(item)),
                    Some(None) => {}
                    None => scan = None,
                }
            }
        })
    }
}

/// Whether the key of a name begins with these bytes. That of a name which does not may: it goes on with a zero byte
/// and the id.
fn key_begins_with(name: &[u8], id: u64, prefix: &[u8]) -> bool {
    let Some((start, rest)) = prefix.split_at_checked(name.len()) else {
        return name.starts_with(prefix);
    };
    let [a, b, c, d, e, f] = u48_be(id);
    start == name && [0, a, b, c, d, e, f].starts_with(rest)
}
