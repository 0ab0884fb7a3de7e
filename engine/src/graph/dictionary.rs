//! Kinds and labels: numbers inside, strings outside.

use super::terms::Terms;
use super::view::View;
use crate::btree::{Change, Dictionary, find_cell};
use crate::error::{Error, Result};
use crate::format::limits::MAX_TERM_LEN;
use crate::ids::{KeySpace, KindId, LabelId};

/// What was read from the dictionary's tree. An entry never changes once it is committed, so it is
/// kept for good, for every snapshot alike. A transaction that writes trees of its own must not share
/// it: what is in them may never be committed.
#[derive(Default)]
pub(crate) struct DictionaryCache {
    kinds: Terms,
    labels: Terms,
}

/// Which of the two sets of names.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Term {
    Kind,
    Label,
}

impl Term {
    /// The tag of keys that lead from a number to a name.
    fn by_number(self) -> u8 {
        match self {
            Term::Kind => 0,
            Term::Label => 1,
        }
    }

    /// The tag of keys that lead from a name to a number.
    fn by_name(self) -> u8 {
        self.by_number() + 2
    }
}

impl View {
    /// The name of a kind.
    #[inline]
    pub(crate) fn kind_name(&self, id: u16) -> Result<&str> {
        self.term_name(Term::Kind, id)
    }

    /// The name of a label.
    #[inline]
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
        self.term_names(Term::Kind)
    }

    /// The names of all labels, in the order of their first use.
    pub(crate) fn label_names(&self) -> Result<Vec<String>> {
        self.term_names(Term::Label)
    }

    fn known(&self, term: Term) -> &Terms {
        match term {
            Term::Kind => &self.dictionary.kinds,
            Term::Label => &self.dictionary.labels,
        }
    }

    /// How many are defined.
    fn count(&self, term: Term) -> u32 {
        match term {
            Term::Kind => self.totals.kinds,
            Term::Label => self.totals.labels,
        }
    }

    fn term_names(&self, term: Term) -> Result<Vec<String>> {
        let ids = (0..self.count(term)).filter_map(|id| u16::try_from(id).ok());
        ids.map(|id| Ok(self.term_name(term, id)?.to_owned()))
            .collect()
    }

    #[inline]
    fn term_name(&self, term: Term, id: u16) -> Result<&str> {
        match self.known(term).name(id) {
            Some(name) => Ok(name),
            None => self.find_term_name(term, id),
        }
    }

    fn find_term_name(&self, term: Term, id: u16) -> Result<&str> {
        let [high, low] = id.to_be_bytes();
        let key = [term.by_number(), high, low];
        if let Some(Change::Put(name)) = self.change::<Dictionary, [u8]>(&key) {
            return str::from_utf8(name).map_err(|_| not_text(id));
        }
        let found = find_cell(
            &*self.pager,
            self.root(KeySpace::Dictionary),
            KeySpace::Dictionary,
            &key,
        )?;
        let Some((leaf, cell)) = found else {
            return Err(Error::corrupt_at(
                0,
                format!("number {id} is in use, but not in the dictionary"),
            ));
        };
        let name = leaf.bytes().get(cell).unwrap_or_default();
        let name = str::from_utf8(name).map_err(|_| not_text(id))?;
        Ok(self.known(term).remember(id, name))
    }

    fn term_id(&self, term: Term, name: &str) -> Result<Option<u16>> {
        if name.is_empty() || name.len() > MAX_TERM_LEN {
            return Ok(None);
        }
        // Another snapshot may know of more.
        let defined = |id: &u16| u32::from(*id) < self.count(term);
        if let Some(id) = self.known(term).id(name) {
            return Ok(Some(id).filter(defined));
        }
        let key = [&[term.by_name()], name.as_bytes()].concat();
        match self.change::<Dictionary, [u8]>(&key) {
            Some(Change::Put(number)) => return number_of(number).map(Some),
            Some(Change::Delete) => return Ok(None),
            None => {}
        }
        let found = find_cell(
            &*self.pager,
            self.root(KeySpace::Dictionary),
            KeySpace::Dictionary,
            &key,
        )?;
        let Some((leaf, cell)) = found else {
            return Ok(None);
        };
        let id = number_of(leaf.bytes().get(cell).unwrap_or_default())?;
        self.known(term).remember(id, name);
        Ok(Some(id).filter(defined))
    }
}

fn number_of(value: &[u8]) -> Result<u16> {
    let number = value.first_chunk().filter(|_| value.len() == 2);
    let number =
        number.ok_or_else(|| Error::corrupt_at(0, "a dictionary entry holds no number"))?;
    Ok(u16::from_be_bytes(*number))
}

fn not_text(id: u16) -> Error {
    Error::corrupt_at(
        0,
        format!("the dictionary's name for number {id} is not UTF-8"),
    )
}
