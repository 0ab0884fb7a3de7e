//! The dictionary: kinds and labels are numbered without gaps, and each number and its name lead to each other.

use super::sum::{Sum, hash_bytes};
use crate::btree::Finding;
use crate::error::Result;
use crate::format::limits::MAX_TERM_LEN;
use crate::graph::View;

/// What was read of the kinds, or of the labels.
#[derive(Default)]
struct Terms {
    /// Numbers in a row from 0 on.
    numbered: u64,
    by_number: Sum,
    by_name: Sum,
    /// An entry that is neither number to name nor name to number.
    odd: bool,
}

impl Terms {
    fn number(&mut self, number: &[u8], name: &[u8]) {
        let expected = u16::try_from(self.numbered).map(u16::to_be_bytes);
        self.odd |= expected.ok().as_ref().map(<[u8; 2]>::as_slice) != Some(number);
        self.odd |= !(1..=MAX_TERM_LEN).contains(&name.len()) || str::from_utf8(name).is_err();
        self.numbered += 1;
        self.by_number.add(pair(number, name));
    }

    fn name(&mut self, name: &[u8], number: &[u8]) {
        self.odd |= number.len() != 2;
        self.by_name.add(pair(number, name));
    }

    fn finish(self, what: &str, counted: u32, findings: &mut Vec<Finding>) {
        let mut tell = |text: String| findings.push(Finding::new(None, text));
        if self.odd {
            tell(format!(
                "the dictionary of {what} holds what is no entry of it, or has gaps"
            ));
        }
        if self.numbered != u64::from(counted) {
            let numbered = self.numbered;
            tell(format!(
                "{numbered} {what} are in the dictionary, {counted} are counted"
            ));
        }
        if self.by_number != self.by_name {
            tell(format!(
                "the numbers and the names of {what} do not lead to each other"
            ));
        }
    }
}

fn pair(number: &[u8], name: &[u8]) -> u64 {
    hash_bytes(&[number, name].concat())
}

/// Goes through the whole dictionary.
pub(super) fn check(view: &View, findings: &mut Vec<Finding>) -> Result<()> {
    let (mut kinds, mut labels) = (Terms::default(), Terms::default());
    let mut strange = 0u64;
    for entry in view.all_terms() {
        let (key, value) = entry?;
        match key.split_first() {
            Some((0, number)) => kinds.number(number, &value),
            Some((1, number)) => labels.number(number, &value),
            Some((2, name)) => kinds.name(name, &value),
            Some((3, name)) => labels.name(name, &value),
            _ => strange += 1,
        }
    }
    if strange > 0 {
        let what = format!("{strange} entries of the dictionary are of no known sort");
        findings.push(Finding::new(None, what));
    }
    kinds.finish("kinds", view.totals.kinds, findings);
    labels.finish("labels", view.totals.labels, findings);
    Ok(())
}
