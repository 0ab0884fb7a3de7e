//! One step of a walk: from some nodes to their neighbours.

use std::ops::ControlFlow;

use super::pages::TraversalPages;
use crate::error::Result;
use crate::graph::{Direction, Labels, View};
use crate::ids::NodeId;

/// Which edges a walk follows.
#[derive(Clone, Copy)]
pub(super) struct Follow<'t> {
    /// `None` for both.
    pub(super) direction: Option<Direction>,
    pub(super) label: Option<&'t str>,
}

impl Default for Follow<'_> {
    fn default() -> Self {
        Follow {
            direction: Some(Direction::Out),
            label: None,
        }
    }
}

impl Follow<'_> {
    /// The same edges, walked backwards.
    #[must_use]
    pub(super) fn reversed(self) -> Self {
        Follow {
            direction: self.direction.map(Direction::reversed),
            ..self
        }
    }

    /// The directions to look in, one or both.
    pub(super) fn directions(self) -> impl Iterator<Item = Direction> {
        let both = [Direction::Out, Direction::In];
        both.into_iter()
            .filter(move |each| self.direction.is_none_or(|only| only == *each))
    }
}

/// Finds neighbours in one snapshot.
pub(super) struct Stepper<'t> {
    view: &'t View,
    pages: &'t TraversalPages<'t>,
    labels: Labels,
    follow: Follow<'t>,
    /// Whether pages that the snapshot holds are read there, and not through the traversal's cache.
    direct: bool,
}

impl<'t> Stepper<'t> {
    pub(super) fn new(
        view: &'t View,
        pages: &'t TraversalPages<'t>,
        follow: Follow<'t>,
        direct: bool,
    ) -> Result<Stepper<'t>> {
        Ok(Stepper {
            view,
            pages,
            labels: Labels::of(view, follow.label)?,
            follow,
            direct,
        })
    }

    /// Tells every neighbour of a node, until told to stop by `false`.
    #[inline]
    pub(super) fn neighbors(
        &self,
        node: NodeId,
        mut tell: impl FnMut(NodeId) -> bool,
    ) -> Result<()> {
        for direction in self.follow.directions() {
            let (view, pages, labels) = (self.view, self.pages, self.labels);
            let told = view.visit_neighbors(
                pages,
                node,
                direction,
                labels,
                self.direct,
                |found| match tell(found.node) {
                    true => ControlFlow::Continue(()),
                    false => ControlFlow::Break(()),
                },
            )?;
            if told.is_break() {
                break;
            }
        }
        Ok(())
    }
}
