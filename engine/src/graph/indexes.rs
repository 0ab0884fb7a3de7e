//! Reading the indexes: nodes by kind, and by name.

use super::adjacency::Labels;
use super::overlay::Overlay;
use super::plain::PlainPeers;
use super::view::View;
use super::walk::peer_of;
use crate::btree::{Kinds, NameCursor, NameKey, Names};
use crate::error::Result;
use crate::ids::{EdgeKey, KeySpace, KindId, NodeId};
use crate::pager::Pager;

/// The nodes of a kind, in the order of their ids. Ends after an error.
pub(crate) enum KindScan<'t> {
    Plain(PlainPeers<'t, Pager>),
    /// Newer changes lie over the index.
    Overlay(std::iter::Fuse<Overlay<'t, Kinds>>, u64),
}

impl<'t> KindScan<'t> {
    pub(crate) fn new(view: &'t View, kind: KindId) -> Result<KindScan<'t>> {
        let kind = u64::from(kind.0);
        if view.layers.is_empty() {
            let (pages, space) = (&*view.pager, KeySpace::Kinds);
            return PlainPeers::new(view, pages, space, kind, Labels::All).map(KindScan::Plain);
        }
        let from = EdgeKey {
            node: kind,
            ..EdgeKey::default()
        };
        Ok(KindScan::Overlay(view.items(Some(from)).fuse(), kind))
    }
}

impl Iterator for KindScan<'_> {
    type Item = Result<NodeId>;

    #[inline]
    fn next(&mut self) -> Option<Result<NodeId>> {
        match self {
            KindScan::Plain(peers) => peers.next(),
            KindScan::Overlay(items, kind) => {
                let item = items.next()?.map(|(key, ())| key);
                match item {
                    Ok(key) if key.node != *kind => None,
                    Ok(key) => Some(peer_of(key.node, key.peer)),
                    Err(error) => Some(Err(error)),
                }
            }
        }
    }
}

/// Names from some name on, with the nodes that have them. Ends after an error.
pub(crate) struct NameScan<'t> {
    source: Source<'t>,
}

enum Source<'t> {
    Plain(NameCursor<'t, Pager>),
    /// Newer changes lie over the index. With the name that the last step came to.
    Overlay(Overlay<'t, Names>, NameKey),
    Done,
}

impl<'t> NameScan<'t> {
    pub(crate) fn from(view: &'t View, name: &str) -> Result<NameScan<'t>> {
        let source = if view.layers.is_empty() {
            let root = view.root(KeySpace::Names);
            Source::Plain(NameCursor::from(&*view.pager, root, name)?)
        } else {
            let from = NameKey::new(name, 0);
            Source::Overlay(view.items(Some(from.clone())), from)
        };
        Ok(NameScan { source })
    }

    /// Goes to the next name and gives the node that has it.
    pub(crate) fn step(&mut self) -> Option<Result<u64>> {
        let step = match &mut self.source {
            Source::Plain(cursor) => cursor.step().transpose(),
            Source::Overlay(items, last) => items.next().map(|item| {
                let (key, ()) = item?;
                *last = key;
                Ok(last.id())
            }),
            Source::Done => None,
        };
        if !matches!(step, Some(Ok(_))) {
            self.source = Source::Done;
        }
        step
    }

    /// The name that the last step came to.
    pub(crate) fn name(&self) -> &[u8] {
        match &self.source {
            Source::Plain(cursor) => cursor.name(),
            Source::Overlay(_, last) => last.name(),
            Source::Done => &[],
        }
    }
}
