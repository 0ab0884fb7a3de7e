//! What must hold before a sorted page is trusted.

use super::{HEAD_LEN, Layout, Mode, arrange};
use crate::format::bytes::{all_zero, u16_at, u32_at};
use crate::format::page::{Common, HEADER_LEN, REF_LEN, body_end};
use crate::format::{FormatError, Reader, Result, ensure};

impl Layout {
    /// Checks the whole page but for the values of leaves, which have codecs of their own.
    pub(crate) fn check(bytes: &[u8], common: &Common) -> Result<Layout> {
        let mode = Mode::ALL
            .into_iter()
            .find(|mode| *mode as u8 == common.flags);
        let mode = mode.ok_or(FormatError("unknown mode of a sorted page"))?;
        ensure(common.count > 0, "sorted page without cells")?;
        let layout = arrange(common, mode, bytes.len());
        let mut layout = layout.ok_or(FormatError("tables exceed the page"))?;
        ensure(
            mode == Mode::Fixed || common.extra == 0,
            "reserved bytes are not zero",
        )?;
        if common.level == 0 && layout.ids {
            let len = common.prefix_len + HEAD_LEN + common.extra;
            ensure(
                mode != Mode::Variable && len == 6,
                "keys of a leaf are not six bytes long",
            )?;
        }
        if mode != Mode::Variable && common.prefix_len == 2 && common.extra == 0 {
            let [a, b] = u16_at(bytes, HEADER_LEN).to_le_bytes();
            layout.high = Some(u16::from_be_bytes([a, b]));
        }
        if mode == Mode::Direct {
            layout.first = u32_at(bytes, layout.heads());
        }
        let ends = layout.check_ends(bytes)?;
        match mode {
            Mode::Direct => layout.check_direct(bytes, common)?,
            Mode::Fixed => layout.check_fixed(bytes, common.level)?,
            Mode::Variable => layout.check_variable(bytes, common.level)?,
        }
        let unused = bytes.get(ends..body_end(bytes.len())).unwrap_or_default();
        ensure(all_zero(unused), "unused bytes are not zero")?;
        Ok(layout)
    }

    /// Cells follow one another inside the body. Gives the end of the last.
    fn check_ends(&self, bytes: &[u8]) -> Result<usize> {
        let table = bytes
            .get(self.ends()..self.cells())
            .unwrap_or_default()
            .as_chunks()
            .0;
        let number = |end: &[u8; 2]| usize::from(u16::from_le_bytes(*end));
        let first = table.first().map_or(0, number);
        let last = table.last().map_or(0, number);
        // No early exit: these loops over whole tables are meant to be vectorised.
        let pairs = table.iter().zip(table.get(1..).unwrap_or_default());
        let ascending = pairs.fold(first >= self.cells(), |so_far, (a, b)| {
            so_far & (u16::from_le_bytes(*a) <= u16::from_le_bytes(*b))
        });
        ensure(ascending, "cell ends do not ascend")?;
        ensure(last <= body_end(bytes.len()), "cells exceed the page")?;
        Ok(last)
    }

    /// The cells in order; [`Layout::check_ends`] has succeeded.
    fn each_cell<'p>(&self, bytes: &'p [u8]) -> impl Iterator<Item = &'p [u8]> {
        let table = bytes.get(self.ends()..self.cells()).unwrap_or_default();
        let mut start = self.cells();
        table.as_chunks().0.iter().map(move |end| {
            let end = usize::from(u16::from_le_bytes(*end));
            let cell = bytes.get(start..end).unwrap_or_default();
            start = end;
            cell
        })
    }

    fn each_head(&self, bytes: &[u8]) -> impl Iterator<Item = u32> {
        let table = bytes.get(self.heads()..self.ends()).unwrap_or_default();
        table
            .as_chunks::<HEAD_LEN>()
            .0
            .iter()
            .map(|head| u32::from_le_bytes(*head))
    }

    fn check_direct(&self, bytes: &[u8], common: &Common) -> Result<()> {
        ensure(common.level == 0, "a branch is in direct mode")?;
        let last = u32::from(self.count) - 1;
        ensure(
            self.first.checked_add(last).is_some(),
            "heads of direct mode exceed 32 bits",
        )?;
        let filled = |cell: Option<&[u8]>| cell.is_some_and(|cell| !cell.is_empty());
        let mut cells = self.each_cell(bytes);
        ensure(
            filled(cells.next()),
            "the first cell of direct mode is empty",
        )?;
        ensure(
            last == 0 || filled(cells.last()),
            "the last cell of direct mode is empty",
        )
    }

    fn check_fixed(&self, bytes: &[u8], level: u8) -> Result<()> {
        if self.extra == 0 {
            let table = bytes
                .get(self.heads()..self.ends())
                .unwrap_or_default()
                .as_chunks()
                .0;
            let pairs = table.iter().zip(table.get(1..).unwrap_or_default());
            let ascending = pairs.fold(true, |so_far, (a, b)| {
                so_far & (u32::from_le_bytes(*a) < u32::from_le_bytes(*b))
            });
            ensure(ascending, "keys do not ascend")?;
            return match level {
                0 => Ok(()),
                _ => self
                    .each_cell(bytes)
                    .try_for_each(|value| check_value(value, level)),
            };
        }
        let mut last: Option<(u32, &[u8])> = None;
        for (head, cell) in self.each_head(bytes).zip(self.each_cell(bytes)) {
            let (tail, value) = cell
                .split_at_checked(self.extra())
                .ok_or(FormatError("cell is shorter than its part of the key"))?;
            ensure(last < Some((head, tail)), "keys do not ascend")?;
            last = Some((head, tail));
            check_value(value, level)?;
        }
        Ok(())
    }

    fn check_variable(&self, bytes: &[u8], level: u8) -> Result<()> {
        // (head, bytes in the head, tail) sorts like the key: where heads are equal, a key that ends
        // within its head has a shorter continuation than one that does not.
        let mut last: Option<(u32, u64, &[u8])> = None;
        for (head, cell) in self.each_head(bytes).zip(self.each_cell(bytes)) {
            let mut r = Reader::new(cell);
            let len = r.varint_to(u64::from(u16::MAX), "key longer than a page")?;
            let in_head = len.min(HEAD_LEN as u64);
            let tail = r.bytes((len - in_head) as usize)?;
            let unused = u64::from(u32::MAX) >> (8 * in_head);
            ensure(
                u64::from(head) & unused == 0,
                "bytes of a head after its key are not zero",
            )?;
            ensure(last < Some((head, in_head, tail)), "keys do not ascend")?;
            last = Some((head, in_head, tail));
            check_value(r.rest(), level)?;
        }
        Ok(())
    }
}

/// The value of a branch's cell is a reference.
#[inline]
fn check_value(value: &[u8], level: u8) -> Result<()> {
    if level == 0 {
        return Ok(());
    }
    let reference: Option<&[u8; REF_LEN]> = value.try_into().ok();
    let [a, b, c, d, e, f, ..] =
        *reference.ok_or(FormatError("the value of a branch cell is not a reference"))?;
    ensure(
        a | b | c | d | e | f != 0,
        "a branch cell refers to no page",
    )
}
