//! Telling a block's edges one by one, where they stand: nothing is unpacked into memory first.

use std::ops::{ControlFlow, Range};

use super::decode::{Chunk, EdgeBlock, Peers};
use super::packed::Packed;
use crate::format::{Result, ensure};
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
                    for i in run.start.max(range.start)..run.end.min(range.end) {
                        if let ControlFlow::Break(value) = see(label, peers.get(i)) {
                            return Ok(ControlFlow::Break(value));
                        }
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
            let mut peer = first + sum(&differences, 0..skipped);
            for i in skipped..len {
                ensure(peer <= MAX_U48, "peer exceeds 48 bits")?;
                if let ControlFlow::Break(value) = see(label, peer) {
                    return Ok(ControlFlow::Break(value));
                }
                // The last edge of a chunk has no difference after it.
                if i + 1 < len {
                    peer += differences.get(i);
                }
            }
        }
        Ok(ControlFlow::Continue(()))
    }
}

/// 127 differences of 48 bits add up to less than 55 bits.
fn sum(differences: &Packed<'_>, range: Range<usize>) -> u64 {
    range.map(|i| differences.get(i)).sum()
}
