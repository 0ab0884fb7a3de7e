//! Reading the indexes: nodes by kind, and by name.

use std::ops::ControlFlow;

use super::adjacency::Labels;
use super::overlay::Overlay;
use super::plain::PlainPeers;
use super::view::View;
use super::walk::peer_of;
use crate::btree::{Kinds, NameCursor, NameKey, Names};
use crate::error::{Error, Result};
use crate::ids::{EdgeKey, KeySpace, KindId, NodeId};
use crate::pager::Pager;

/// The nodes of a kind, in the order of their ids. Ends after an error.
pub(crate) enum KindScan<'t> {
    Plain(Box<PlainPeers<'t, Pager>>),
    /// Newer changes lie over the index.
    Overlay(Box<std::iter::Fuse<Overlay<'t, Kinds>>>, u64),
    /// It could not be begun, which is to be told once; or the kind is not defined.
    Ended(Option<Error>),
}

impl<'t> KindScan<'t> {
    pub(crate) fn new(view: &'t View, kind: &str) -> KindScan<'t> {
        let begun = view.kind_id(kind);
        let begun = begun.and_then(|kind| kind.map(|kind| KindScan::begin(view, kind)).transpose());
        match begun {
            Ok(scan) => scan.unwrap_or(KindScan::Ended(None)),
            Err(error) => KindScan::Ended(Some(error)),
        }
    }

    fn begin(view: &'t View, kind: KindId) -> Result<KindScan<'t>> {
        let kind = u64::from(kind.0);
        if !view.is_changed::<Kinds>() {
            let (pages, space) = (&*view.pager, KeySpace::Kinds);
            let peers = PlainPeers::new(view, pages, space, kind, Labels::All)?;
            return Ok(KindScan::Plain(Box::new(peers)));
        }
        let from = EdgeKey {
            node: kind,
            ..EdgeKey::default()
        };
        let items = view.items(Some(from)).fuse();
        Ok(KindScan::Overlay(Box::new(items), kind))
    }

    /// The next node where newer changes lie over the index, or the end.
    fn next_changed(&mut self) -> Option<Result<NodeId>> {
        let (items, kind) = match self {
            KindScan::Overlay(items, kind) => (items, *kind),
            KindScan::Ended(error) => return error.take().map(Err),
            KindScan::Plain(peers) => return peers.next(),
        };
        let item = items.next()?.map(|(key, ())| key);
        match item {
            Ok(key) if key.node != kind => None,
            Ok(key) => Some(peer_of(key.node, key.peer)),
            Err(error) => Some(Err(error)),
        }
    }
}

impl Iterator for KindScan<'_> {
    type Item = Result<NodeId>;

    #[inline(always)]
    fn next(&mut self) -> Option<Result<NodeId>> {
        match self {
            KindScan::Plain(peers) => peers.next(),
            _ => self.next_changed(),
        }
    }
}

/// Names from some name on, with the nodes that have them. Ends after an error.
pub(crate) struct NameScan<'t> {
    source: Source<'t>,
}

enum Source<'t> {
    Plain(NameCursor<'t>),
    /// Newer changes lie over the index. With the name that the last step came to.
    Overlay(Box<(Overlay<'t, Names>, NameKey)>),
    Done,
}

impl<'t> NameScan<'t> {
    pub(crate) fn from(view: &'t View, name: &str) -> Result<NameScan<'t>> {
        let source = if !view.is_changed::<Names>() {
            let root = view.base.root_of(KeySpace::Names);
            let directory = view.base.directories().map(|all| &all.names);
            Source::Plain(NameCursor::from(&view.pager, root, directory, name)?)
        } else {
            let from = NameKey::new(name, 0);
            Source::Overlay(Box::new((view.items(Some(from.clone())), from)))
        };
        Ok(NameScan { source })
    }

    /// Goes to the next name and gives the node that has it.
    #[inline]
    pub(crate) fn step(&mut self) -> Option<Result<u64>> {
        let step = match &mut self.source {
            Source::Plain(cursor) => cursor.step().transpose(),
            Source::Overlay(over) => over.0.next().map(|item| {
                let (key, ()) = item?;
                over.1 = key;
                Ok(over.1.id())
            }),
            Source::Done => None,
        };
        if !matches!(step, Some(Ok(_))) {
            self.source = Source::Done;
        }
        step
    }

    /// Tells every name from here on, how many bytes of it are known to begin the name told before, too, and the node that
    /// has it, until told to stop; returns what `see` broke with.
    pub(crate) fn visit<B>(
        mut self,
        mut see: impl FnMut(&[u8], usize, u64) -> ControlFlow<B>,
    ) -> Result<Option<B>> {
        if let Source::Plain(cursor) = &mut self.source {
            return cursor.visit(see);
        }
        while let Some(id) = self.step() {
            if let ControlFlow::Break(value) = see(self.name(), 0, id?) {
                return Ok(Some(value));
            }
        }
        Ok(None)
    }

    /// The name that the last step came to.
    pub(crate) fn name(&self) -> &[u8] {
        match &self.source {
            Source::Plain(cursor) => cursor.name(),
            Source::Overlay(over) => over.1.name(),
            Source::Done => &[],
        }
    }
}
