//! Telling a block's edges one by one, where they stand: nothing is unpacked into memory first.

use std::ops::{ControlFlow, Range};

use super::decode::{Chunk, EdgeBlock, Peers};
use crate::format::{FormatError, Result, ensure};
use crate::ids::MAX_U48;

impl EdgeBlock<'_> {
    /// Tells label and peer of the edges with these indexes in their order, until told to stop. A broken
    /// rule ends them: those before it have been told by then.
    #[inline]
    pub(crate) fn visit<B>(
        &self,
        range: Range<usize>,
        mut see: impl FnMut(u16, u64) -> ControlFlow<B>,
    ) -> Result<ControlFlow<B>> {
        ensure(range.end <= self.count, "no such edge in the block")?;
        match self.peers {
            Peers::Joined(joined) => Ok(joined.visit(self.page, range, see)),
            Peers::Absolute(group) => {
                let peers = self.packed(group)?;
                for (label, run) in self.labels() {
                    let here = run.start.max(range.start)..run.end.min(range.end);
                    if let ControlFlow::Break(value) = peers.each(here, |peer| see(label, peer)) {
                        return Ok(ControlFlow::Break(value));
                    }
                }
                Ok(ControlFlow::Continue(()))
            }
            Peers::Delta(at) => self.visit_chunks(at, range, &mut see),
        }
    }

    fn visit_chunks<B>(
        &self,
        at: usize,
        range: Range<usize>,
        see: &mut impl FnMut(u16, u64) -> ControlFlow<B>,
    ) -> Result<ControlFlow<B>> {
        let mut chunks = self.chunks(at);
        while let Some(chunk) = chunks.step()? {
            let Chunk {
                label,
                first,
                differences,
                range: here,
            } = chunk;
            if here.start >= range.end {
                break;
            }
            if here.end <= range.start {
                continue;
            }
            let skipped = range.start.saturating_sub(here.start);
            let len = range.end.min(here.end) - here.start;
            // 127 differences of 48 bits add up to less than 55 bits.
            let mut peer = first;
            let _ = differences.each(0..skipped, |step| -> ControlFlow<()> {
                peer += step;
                ControlFlow::Continue(())
            });
            ensure(peer <= MAX_U48, "peer exceeds 48 bits")?;
            if let ControlFlow::Break(value) = see(label, peer) {
                return Ok(ControlFlow::Break(value));
            }
            let told = differences.each(skipped..len - 1, |step| {
                peer += step;
                match peer <= MAX_U48 {
                    true => see(label, peer).map_break(Some),
                    false => ControlFlow::Break(None),
                }
            });
            match told {
                ControlFlow::Continue(()) => {}
                ControlFlow::Break(Some(value)) => return Ok(ControlFlow::Break(value)),
                ControlFlow::Break(None) => return Err(FormatError("peer exceeds 48 bits")),
            }
        }
        Ok(ControlFlow::Continue(()))
    }
}
