//! What is known of each page, as runs of pages alike.
//!
//! A freelist may name more pages than memory has bytes: what is kept grows with the number of runs, not of pages.

use std::collections::BTreeMap;
use std::ops::Range;

/// A state for every number; those that were never set have the default one.
#[derive(Default)]
pub(super) struct States<T> {
    /// The first page of each run that has another state than the default: where the run ends, and its state. No two
    /// neighbours are alike.
    runs: BTreeMap<u64, (u64, T)>,
}

impl<T: Copy + Eq + Default> States<T> {
    /// These pages in parts that have one state each, in order.
    pub(super) fn parts(&self, pages: Range<u64>) -> Vec<(Range<u64>, T)> {
        let mut parts = Vec::new();
        let mut at = pages.start;
        let before = self.runs.range(..=at).next_back();
        let after = self
            .runs
            .range(pages.start.saturating_add(1)..pages.end.max(pages.start + 1));
        for (first, (end, state)) in before.into_iter().chain(after) {
            let run = (*first).max(at)..(*end).min(pages.end);
            if run.is_empty() {
                continue;
            }
            if at < run.start {
                parts.push((at..run.start, T::default()));
            }
            at = run.end;
            parts.push((run, *state));
        }
        if at < pages.end {
            parts.push((at..pages.end, T::default()));
        }
        parts
    }

    /// Gives these pages a state.
    pub(super) fn set(&mut self, pages: Range<u64>, state: T) {
        if pages.is_empty() {
            return;
        }
        let Range { mut start, mut end } = pages;
        self.cut(start);
        self.cut(end);
        while let Some((first, _)) = self.runs.range(start..end).next() {
            let first = *first;
            self.runs.remove(&first);
        }
        if state == T::default() {
            return;
        }
        if let Some((first, run)) = self.runs.range(..start).next_back()
            && *run == (start, state)
        {
            start = *first;
        }
        if let Some((after, alike)) = self.runs.get(&end).copied()
            && alike == state
        {
            self.runs.remove(&end);
            end = after;
        }
        self.runs.insert(start, (end, state));
    }

    /// Makes a run that goes on across this page begin anew there.
    fn cut(&mut self, at: u64) {
        if let Some((_, run)) = self.runs.range_mut(..at).next_back()
            && run.0 > at
        {
            let (end, state) = *run;
            run.0 = at;
            self.runs.insert(at, (end, state));
        }
    }

    /// How many pages have this state, which must not be the default one: no end of pages has that.
    pub(super) fn count(&self, state: T) -> u64 {
        let alike = self.runs.iter().filter(|(_, run)| run.1 == state);
        alike.map(|(first, (end, _))| end - first).sum()
    }

    /// Runs held.
    #[cfg(test)]
    pub(super) fn runs(&self) -> usize {
        self.runs.len()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::States;

    proptest! {
        #[test]
        fn runs_say_what_an_array_says(
            sets in prop::collection::vec((0u64..40, 0u64..20, 0u8..4), 0..60),
            ask in (0u64..50, 0u64..30),
        ) {
            let mut states = States::<u8>::default();
            let mut array = [0u8; 100];
            for (first, len, state) in sets {
                states.set(first..first + len, state);
                array.iter_mut().skip(first as usize).take(len as usize).for_each(|place| *place = state);
            }
            let parts = states.parts(ask.0..ask.0 + ask.1);
            let each = |(part, state): &(std::ops::Range<u64>, u8)| {
                part.clone().map(|page| (page, *state)).collect::<Vec<_>>()
            };
            let told: Vec<(u64, u8)> = parts.iter().flat_map(each).collect();
            let there: Vec<(u64, u8)> = (ask.0..ask.0 + ask.1)
                .filter_map(|page| Some((page, *array.get(page as usize)?)))
                .collect();
            prop_assert_eq!(told, there);
            for state in 1..4 {
                let count = array.iter().filter(|other| **other == state).count() as u64;
                prop_assert_eq!(states.count(state), count);
            }
            let changes = array.windows(2).filter(|pair| pair.first() != pair.last()).count();
            prop_assert!(states.runs() <= changes + 1, "neighbours alike are one run");
        }
    }
}
