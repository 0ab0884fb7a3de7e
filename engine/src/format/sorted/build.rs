//! Encoding sorted pages whole, with a size that is known before every step.

use super::{HEAD_LEN, Mode, head_of};
use crate::format::page::{
    Common, HEADER_LEN, PageKind, TRAILER_LEN, body_end, finish_image, start_image,
};
use crate::format::varint;
use crate::ids::KeySpace;

/// Collects ascending cells and encodes a page of them in the smallest mode that holds them.
#[derive(Debug)]
pub struct SortedBuilder {
    page_size: usize,
    space: KeySpace,
    level: u8,
    /// Keys and values one after the other, and where each pair ends in the two.
    keys: Vec<u8>,
    values: Vec<u8>,
    ends: Vec<(u32, u32)>,
    sums: Sums,
}

/// What the encoded size depends on. Keys are ascending, so what the first and the last share is
/// shared by all.
#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    count: usize,
    /// The length of every key, while they are equal.
    key_len: Option<usize>,
    shared: usize,
    values: usize,
    empty_value: bool,
    /// The last four bytes of the first and the last key.
    first_head: u32,
    last_head: u32,
    /// What cells of variable mode hold of their keys; only kept while key lengths differ.
    variable: usize,
}

/// The mode chosen, what goes into the page header with it, and the size of the whole page.
struct Plan {
    mode: Mode,
    prefix_len: usize,
    extra: usize,
    slots: usize,
    size: usize,
}

impl SortedBuilder {
    /// A builder of pages of one size, space and level.
    pub fn new(page_size: usize, space: KeySpace, level: u8) -> SortedBuilder {
        let (keys, values, ends, sums) = Default::default();
        SortedBuilder {
            page_size,
            space,
            level,
            keys,
            values,
            ends,
            sums,
        }
    }

    /// Cells so far.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether no cell has been pushed since the last page.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The exact size in bytes of the page as it stands, header and trailer included.
    pub fn size(&self) -> usize {
        self.plan(&self.sums).size
    }

    /// The exact size if a cell with this key and a value of this many bytes were pushed.
    pub fn size_with(&self, key: &[u8], value_len: usize) -> usize {
        self.plan(&self.sums_with(key, value_len)).size
    }

    /// Adds a cell, unless the page would not hold it: then nothing changes and the answer is false.
    /// Keys must be pushed in ascending order.
    pub fn push(&mut self, key: &[u8], value: &[u8]) -> bool {
        debug_assert!(self.is_empty() || self.last_key() < key, "keys must ascend");
        let sums = self.sums_with(key, value.len());
        if self.plan(&sums).size > self.page_size {
            return false;
        }
        self.sums = sums;
        self.keys.extend_from_slice(key);
        self.values.extend_from_slice(value);
        self.ends
            .push((self.keys.len() as u32, self.values.len() as u32));
        true
    }

    /// The page as an image without birth and checksum. The builder is empty afterwards.
    pub fn finish(&mut self) -> Box<[u8]> {
        debug_assert!(!self.is_empty(), "a page holds at least one cell");
        let plan = self.plan(&self.sums);
        let direct = plan.mode == Mode::Direct;
        let common = Common {
            kind: PageKind::Sorted,
            space: Some(self.space),
            level: self.level,
            flags: plan.mode as u8,
            count: if direct { plan.slots } else { self.len() },
            prefix_len: plan.prefix_len,
            extra: plan.extra,
        };
        let mut out = start_image(self.page_size, &common);
        out.extend_from_slice(self.first_key().get(..plan.prefix_len).unwrap_or_default());
        if direct {
            self.put_direct(&mut out, plan.slots);
        } else {
            self.put_cells(&mut out, &plan);
        }
        debug_assert!(
            out.len() + TRAILER_LEN == plan.size,
            "page size was computed wrongly"
        );
        self.keys.clear();
        self.values.clear();
        self.ends.clear();
        self.sums = Sums::default();
        finish_image(out, self.page_size)
    }

    fn put_direct(&self, out: &mut Vec<u8>, slots: usize) {
        let first = self.sums.first_head;
        out.extend_from_slice(&first.to_le_bytes());
        let mut end = out.len() + 2 * slots;
        let mut filled = 0;
        for (key, value) in self.pairs() {
            let slot = key.last_chunk().map_or(0, |head| u32::from_be_bytes(*head)) - first;
            while filled < slot {
                put_end(out, end);
                filled += 1;
            }
            end += value.len();
            put_end(out, end);
            filled += 1;
        }
        out.extend_from_slice(&self.values);
    }

    fn put_cells(&self, out: &mut Vec<u8>, plan: &Plan) {
        let suffix = |key| <[u8]>::get(key, plan.prefix_len..).unwrap_or_default();
        for (key, _) in self.pairs() {
            out.extend_from_slice(&head_of(suffix(key)).to_le_bytes());
        }
        let variable = plan.mode == Mode::Variable;
        let mut end = out.len() + 2 * self.len();
        for (key, value) in self.pairs() {
            let len = suffix(key).len();
            end += value.len()
                + if variable {
                    variable_len(len)
                } else {
                    plan.extra
                };
            put_end(out, end);
        }
        for (key, value) in self.pairs() {
            let suffix = suffix(key);
            if variable {
                varint::put(out, suffix.len() as u64);
            }
            out.extend_from_slice(suffix.get(HEAD_LEN..).unwrap_or_default());
            out.extend_from_slice(value);
        }
    }

    fn sums_with(&self, key: &[u8], value_len: usize) -> Sums {
        let mut sums = self.sums;
        let head = key.last_chunk().map_or(0, |head| u32::from_be_bytes(*head));
        sums.count += 1;
        sums.values += value_len;
        sums.empty_value |= value_len == 0;
        sums.last_head = head;
        if self.is_empty() {
            sums.first_head = head;
            sums.key_len = Some(key.len());
            sums.shared = key.len();
            return sums;
        }
        let both = self.first_key().iter().zip(key).take(sums.shared);
        sums.shared = both.take_while(|(a, b)| a == b).count();
        if sums.key_len == Some(key.len()) {
            return sums;
        }
        let known = sums.key_len.take().is_none() && sums.shared == self.sums.shared;
        if !known {
            sums.variable = self
                .pairs()
                .map(|(key, _)| variable_len(key.len() - sums.shared))
                .sum();
        }
        sums.variable += variable_len(key.len() - sums.shared);
        sums
    }

    fn plan(&self, sums: &Sums) -> Plan {
        let fixed_part = HEADER_LEN + TRAILER_LEN + sums.values;
        let tables = (HEAD_LEN + 2) * sums.count;
        let Some(over) = sums.key_len.and_then(|len| len.checked_sub(HEAD_LEN)) else {
            let prefix_len = sums.shared;
            let keys = match sums.key_len {
                Some(len) => sums.count * variable_len(len - prefix_len),
                None => sums.variable,
            };
            let size = fixed_part + prefix_len + tables + keys;
            return Plan {
                mode: Mode::Variable,
                prefix_len,
                extra: 0,
                slots: 0,
                size,
            };
        };
        let prefix_len = sums.shared.min(over);
        let extra = over - prefix_len;
        let slots = (sums.last_head.wrapping_sub(sums.first_head) as usize).saturating_add(1);
        let direct = slots.saturating_mul(2).saturating_add(HEAD_LEN);
        if self.level == 0 && extra == 0 && !sums.empty_value && direct <= tables {
            let size = fixed_part + prefix_len + direct;
            return Plan {
                mode: Mode::Direct,
                prefix_len,
                extra,
                slots,
                size,
            };
        }
        let size = fixed_part + prefix_len + tables + extra * sums.count;
        Plan {
            mode: Mode::Fixed,
            prefix_len,
            extra,
            slots: 0,
            size,
        }
    }

    fn first_key(&self) -> &[u8] {
        let end = self.ends.first().map_or(0, |ends| ends.0 as usize);
        self.keys.get(..end).unwrap_or_default()
    }

    fn last_key(&self) -> &[u8] {
        let start = self
            .ends
            .iter()
            .nth_back(1)
            .map_or(0, |ends| ends.0 as usize);
        self.keys.get(start..).unwrap_or_default()
    }

    fn pairs(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let (mut key_start, mut value_start) = (0, 0);
        self.ends.iter().map(move |&(key_end, value_end)| {
            let (key_end, value_end) = (key_end as usize, value_end as usize);
            let key = self.keys.get(key_start..key_end).unwrap_or_default();
            let value = self.values.get(value_start..value_end).unwrap_or_default();
            (key_start, value_start) = (key_end, value_end);
            (key, value)
        })
    }
}

/// What a cell of variable mode holds of a key with `len` bytes after the prefix.
fn variable_len(len: usize) -> usize {
    varint::len(len as u64) + len.saturating_sub(HEAD_LEN)
}

fn put_end(out: &mut Vec<u8>, end: usize) {
    debug_assert!(
        end <= body_end(1 << 16),
        "cell ends outside the largest page"
    );
    out.extend_from_slice(&(end as u16).to_le_bytes());
}
