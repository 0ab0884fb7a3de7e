//! The texts that one scenario is read from: the file, those that it extends, and what `--set` gave.
//!
//! All places count bytes through all texts, one after the other, so that a place alone says where
//! something was written.

use std::ops::Range;

use serde::{Deserialize, Serialize};

/// One text with the name that users know it by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Source {
    pub(crate) name: String,
    pub(crate) text: String,
}

/// Every text of one scenario. The first is the scenario itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Sources {
    all: Vec<Source>,
}

impl Sources {
    /// Adds a text and returns the place of its first byte.
    pub(crate) fn add(&mut self, name: impl Into<String>, text: impl Into<String>) -> usize {
        let start = self.end();
        self.all.push(Source {
            name: name.into(),
            text: text.into(),
        });
        start
    }

    /// One byte lies between two texts, so that the end of one is not the start of the next.
    fn end(&self) -> usize {
        self.all.iter().map(|source| source.text.len() + 1).sum()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (usize, &Source)> {
        self.all.iter().scan(0, |start, source| {
            let here = *start;
            *start += source.text.len() + 1;
            Some((here, source))
        })
    }

    /// The scenario's own text.
    pub(crate) fn main(&self) -> &str {
        self.all.first().map_or("", |source| source.text.as_str())
    }

    /// The text that holds this place, and the place within it.
    pub(crate) fn locate(&self, span: &Range<usize>) -> Option<(&Source, Range<usize>)> {
        self.iter()
            .find(|(start, source)| (*start..=*start + source.text.len()).contains(&span.start))
            .map(|(start, source)| {
                let local = |place: usize| (place - start).min(source.text.len());
                (source, local(span.start)..local(span.end.max(span.start)))
            })
    }

    /// Name and line, from 1, of a place.
    pub(crate) fn line(&self, span: &Range<usize>) -> (String, u64) {
        self.locate(span)
            .map_or_else(Default::default, |(source, local)| {
                let before = source.text.get(..local.start).unwrap_or_default();
                (source.name.clone(), before.matches('\n').count() as u64 + 1)
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_lead_back_to_their_text() {
        let mut sources = Sources::default();
        assert_eq!(sources.add("a", "one\ntwo"), 0);
        assert_eq!(sources.add("b", "three"), 8);
        assert_eq!(sources.line(&(4..7)), ("a".to_owned(), 2));
        assert_eq!(sources.line(&(7..7)), ("a".to_owned(), 2));
        assert_eq!(sources.line(&(8..9)), ("b".to_owned(), 1));
        let found = sources.locate(&(10..99));
        assert!(found.is_some_and(|(source, local)| source.name == "b" && local == (2..5)));
        assert!(sources.locate(&(99..99)).is_none());
    }
}
