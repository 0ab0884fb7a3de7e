//! The names of kinds and labels. A name is never changed once it is given, so that an older page of
//! the dictionary still tells where the present one is lost.

use std::collections::{BTreeMap, BTreeSet};

use vellum::KeySpace;

use crate::failure::Failure;

use super::blob::Pages;
use super::leaf::{self, Item};
use super::picture::{Picture, Proof};
use super::salvage::each;
use super::scan::Scan;

/// Names by number: kinds and labels.
#[derive(Default)]
pub(super) struct Terms {
    names: [BTreeMap<u16, String>; 2],
    /// Those that an older page told: whether a label, and the number.
    pub(super) unproven: BTreeSet<(bool, u16)>,
    /// Those that were asked for and that nothing tells.
    pub(super) lost: BTreeSet<(bool, u16)>,
}

impl Terms {
    pub(super) fn of(scan: &Scan<'_>, picture: &Picture) -> Result<Terms, Failure> {
        let mut terms = Terms::default();
        each(scan, picture, KeySpace::Dictionary, |leaf, item| {
            if let (
                Item::Term {
                    label, id, name, ..
                },
                true,
            ) = (item, leaf.proof > Proof::Unproven)
            {
                terms.define(*label, *id, name);
            }
        })?;
        if !picture.tree(KeySpace::Dictionary).is_certain() {
            terms.read_older(scan)?;
        }
        Ok(terms)
    }

    /// Any page of the dictionary, the youngest first.
    fn read_older(&mut self, scan: &Scan<'_>) -> Result<(), Failure> {
        let mut pages: Vec<_> = scan
            .pages_of(KeySpace::Dictionary)
            .filter(|fact| fact.level == 0)
            .map(|fact| fact.at)
            .collect();
        pages.sort_by_key(|at| std::cmp::Reverse(at.birth()));
        for at in pages {
            scan.with(at, |page| {
                leaf::each(page, |item| {
                    let Item::Term {
                        label, id, name, ..
                    } = item
                    else {
                        return;
                    };
                    if self.get(label, id).is_none() {
                        self.define(label, id, name);
                        self.unproven.insert((label, id));
                    }
                })
            })?;
        }
        Ok(())
    }

    pub(super) fn define(&mut self, label: bool, id: u16, name: &str) {
        self.unproven.remove(&(label, id));
        self.of_sort_mut(label).insert(id, name.to_owned());
    }

    pub(super) fn get(&self, label: bool, id: u16) -> Option<&str> {
        let [kinds, labels] = &self.names;
        let names = if label { labels } else { kinds };
        names.get(&id).map(String::as_str)
    }

    /// The name, or one that says that it is lost and that nothing else has.
    pub(super) fn name(&mut self, label: bool, id: u16) -> String {
        if let Some(name) = self.get(label, id) {
            return name.to_owned();
        }
        self.lost.insert((label, id));
        let name = self.unused(
            label,
            &format!("lost {} {id}", if label { "label" } else { "kind" }),
        );
        self.of_sort_mut(label).insert(id, name.clone());
        name
    }

    /// The name for nodes whose kind nothing tells.
    pub(super) fn unknown_kind(&self) -> String {
        self.unused(false, "lost node")
    }

    fn unused(&self, label: bool, wanted: &str) -> String {
        let [kinds, labels] = &self.names;
        let names = if label { labels } else { kinds };
        let mut name = wanted.to_owned();
        while names.values().any(|other| *other == name) {
            name.push('\'');
        }
        name
    }

    fn of_sort_mut(&mut self, label: bool) -> &mut BTreeMap<u16, String> {
        let [kinds, labels] = &mut self.names;
        if label { labels } else { kinds }
    }
}
