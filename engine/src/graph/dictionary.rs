//! Kinds and labels: numbers inside, strings outside.

use std::sync::OnceLock;

use super::view::View;
use crate::btree::{Change, Dictionary, find_entry};
use crate::delta::dictionary_entries;
use crate::error::{Error, Result};
use crate::ids::{KindId, LabelId};

const CHUNK: usize = 256;

type Names = OnceLock<Box<[OnceLock<Box<str>>]>>;

/// Names that were read from the tree, by number. An entry never changes once it is committed, so
/// it is kept for good and read without a lock.
pub(crate) struct DictionaryCache {
    kinds: [Names; CHUNK],
    labels: [Names; CHUNK],
}

impl Default for DictionaryCache {
    fn default() -> DictionaryCache {
        DictionaryCache { kinds: [const { OnceLock::new() }; CHUNK], labels: [const { OnceLock::new() }; CHUNK] }
    }
}

/// Which of the two sets of names.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Term {
    Kind,
    Label,
}

impl Term {
    fn tag(self) -> u8 {
        match self {
            Term::Kind => 0,
            Term::Label => 1,
        }
    }
}

impl DictionaryCache {
    fn place(&self, term: Term, id: u16) -> Option<&OnceLock<Box<str>>> {
        let chunks = match term {
            Term::Kind => &self.kinds,
            Term::Label => &self.labels,
        };
        let chunk = chunks.get(usize::from(id) / CHUNK)?;
        let places = chunk.get_or_init(|| (0..CHUNK).map(|_| OnceLock::new()).collect());
        places.get(usize::from(id) % CHUNK)
    }
}

impl View {
    /// The name of a kind.
    pub(crate) fn kind_name(&self, id: u16) -> Result<&str> {
        self.term_name(Term::Kind, id)
    }

    /// The name of a label.
    pub(crate) fn label_name(&self, id: u16) -> Result<&str> {
        self.term_name(Term::Label, id)
    }

    /// The number of a kind, if it is defined.
    pub(crate) fn kind_id(&self, name: &str) -> Result<Option<KindId>> {
        Ok(self.term_id(Term::Kind, name)?.map(KindId))
    }

    /// The number of a label, if it is defined.
    pub(crate) fn label_id(&self, name: &str) -> Result<Option<LabelId>> {
        Ok(self.term_id(Term::Label, name)?.map(LabelId))
    }

    /// The names of all kinds, in the order of their first use.
    pub(crate) fn kind_names(&self) -> Result<Vec<String>> {
        self.term_names(Term::Kind, self.totals.kinds)
    }

    /// The names of all labels, in the order of their first use.
    pub(crate) fn label_names(&self) -> Result<Vec<String>> {
        self.term_names(Term::Label, self.totals.labels)
    }

    fn term_names(&self, term: Term, count: u32) -> Result<Vec<String>> {
        let ids = (0..count).filter_map(|id| u16::try_from(id).ok());
        ids.map(|id| Ok(self.term_name(term, id)?.to_owned())).collect()
    }

    fn term_name(&self, term: Term, id: u16) -> Result<&str> {
        let undefined = || Error::corrupt_at(0, format!("number {id} is not in the dictionary"));
        let place = self.dictionary.place(term, id).ok_or_else(undefined)?;
        if let Some(name) = place.get() {
            return Ok(name);
        }
        let [(key, _), _] = dictionary_entries(term.tag(), id, "");
        if let Some(Change::Put(name)) = self.change::<Dictionary>(&key) {
            return std::str::from_utf8(name).map_err(|_| undefined());
        }
        let name = find_entry::<Dictionary>(&*self.pager, self.root(crate::ids::KeySpace::Dictionary), &key)?;
        let name = name.ok_or_else(undefined)?;
        let name = std::str::from_utf8(&name).map_err(|_| undefined())?;
        Ok(place.get_or_init(|| name.into()))
    }

    fn term_id(&self, term: Term, name: &str) -> Result<Option<u16>> {
        let [_, (key, _)] = dictionary_entries(term.tag(), 0, name);
        let number = match self.change::<Dictionary>(&key) {
            Some(Change::Put(number)) => Some(number.clone()),
            Some(Change::Delete) => None,
            None => find_entry::<Dictionary>(&*self.pager, self.root(crate::ids::KeySpace::Dictionary), &key)?,
        };
        let Some(number) = number else { return Ok(None) };
        let number = number.first_chunk().filter(|_| number.len() == 2).map(|n| u16::from_be_bytes(*n));
        let number = number.ok_or_else(|| Error::corrupt_at(0, "a dictionary entry is not a number"))?;
        Ok(Some(number))
    }
}
