//! Visiting every page and item of a tree once, reporting what is wrong and going on.

use super::branch::children;
use super::merge::Uncached;
use super::space::Space;
use crate::error::{Error, Result};
use crate::format::header::Root;
use crate::ids::PageRef;
use crate::pager::{PageGuard, Pager, Pages, blob_pages};

/// Something that is wrong with a database.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Finding {
    /// The page where it was found, if it is one page's fault.
    pub page: Option<u64>,
    /// What is wrong.
    pub what: String,
}

impl Finding {
    pub(crate) fn new(page: Option<u64>, what: impl Into<String>) -> Finding {
        Finding {
            page,
            what: what.into(),
        }
    }
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.page {
            Some(page) => write!(f, "page {page}: {}", self.what),
            None => f.write_str(&self.what),
        }
    }
}

/// A page to be visited, and the keys that it may hold.
struct Visit {
    at: PageRef,
    level: u8,
    lower: Vec<u8>,
    upper: Option<Vec<u8>>,
}

/// Checks a tree. `on_page` is told every page reached, and answers whether it is the first time; a
/// page reached again is not entered again, so the walk ends on any file.
pub(crate) fn check_tree<S: Space>(
    pager: &Pager,
    root: Root,
    mut on_page: impl FnMut(u64) -> bool,
    findings: &mut Vec<Finding>,
) -> Result<()> {
    let (mut entries, mut pages) = (0u64, 0u64);
    let mut stack = Vec::new();
    let before = findings.len();
    if let Some(at) = root.page {
        stack.push(Visit {
            at,
            level: root.height.saturating_sub(1),
            lower: Vec::new(),
            upper: None,
        });
    }
    while let Some(visit) = stack.pop() {
        if !on_page(visit.at.page()) {
            continue;
        }
        pages += 1;
        let page = match Uncached(pager).page(visit.at, S::SPACE, visit.level) {
            Ok(page) => page,
            Err(error) => {
                report(error, findings)?;
                continue;
            }
        };
        if visit.level > 0 {
            check_branch(&page, &visit, &mut stack, findings);
        } else {
            entries += check_leaf::<S>(pager, &page, &visit, &mut on_page, findings)?;
        }
    }
    // Counts say nothing where pages could not be read.
    if findings.len() == before && (entries != root.entries || pages != root.pages) {
        let what = format!(
            "the tree of {} has {entries} entries on {pages} pages, the header says {} on {}",
            S::SPACE,
            root.entries,
            root.pages
        );
        findings.push(Finding::new(None, what));
    }
    Ok(())
}

fn report(error: Error, findings: &mut Vec<Finding>) -> Result<()> {
    match error {
        Error::Corrupt(corruption) => {
            findings.push(Finding::new(corruption.page, corruption.what));
            Ok(())
        }
        other => Err(other),
    }
}

fn check_branch(
    page: &PageGuard,
    visit: &Visit,
    stack: &mut Vec<Visit>,
    findings: &mut Vec<Finding>,
) {
    let children = children(page);
    let number = visit.at.page();
    let ascending = children
        .windows(2)
        .all(|pair| matches!(pair, [a, b] if a.0 < b.0));
    if !ascending {
        findings.push(Finding::new(Some(number), "separators do not ascend"));
    }
    let mut upper = visit.upper.clone();
    for (separator, at) in children.into_iter().rev() {
        if separator < visit.lower || upper.as_ref().is_some_and(|upper| separator >= *upper) {
            findings.push(Finding::new(
                Some(number),
                "a separator is outside the bounds of its page",
            ));
        }
        let lower = separator.clone();
        stack.push(Visit {
            at,
            level: visit.level - 1,
            lower,
            upper,
        });
        upper = Some(separator);
    }
}

fn check_leaf<S: Space>(
    pager: &Pager,
    page: &PageGuard,
    visit: &Visit,
    on_page: &mut impl FnMut(u64) -> bool,
    findings: &mut Vec<Finding>,
) -> Result<u64> {
    let number = visit.at.page();
    let items = match S::items(page) {
        Ok(items) => items,
        Err(rule) => {
            findings.push(Finding::new(Some(number), rule.0));
            return Ok(0);
        }
    };
    let mut last: Option<&S::Key> = None;
    let mut encoded = Vec::new();
    for (key, stored) in &items {
        if last.is_some_and(|last| last >= key) {
            findings.push(Finding::new(Some(number), "keys do not ascend"));
        }
        last = Some(key);
        encoded.clear();
        S::encode_key(key, &mut encoded);
        if encoded < visit.lower || visit.upper.as_ref().is_some_and(|upper| encoded >= *upper) {
            findings.push(Finding::new(
                Some(number),
                "a key is outside the bounds of its leaf",
            ));
        }
        if let Some(blob) = S::blob(stored) {
            let checked = blob_pages(pager, blob).and_then(|pages| Ok((pages, pager.blob(blob)?)));
            match checked {
                Ok((pages, _)) => {
                    for at in pages {
                        if !on_page(at.page()) {
                            findings.push(Finding::new(
                                Some(at.page()),
                                "a blob's page is in use elsewhere",
                            ));
                        }
                    }
                }
                Err(error) => report(error, findings)?,
            }
        }
    }
    if items.is_empty() {
        findings.push(Finding::new(Some(number), "a leaf is empty"));
    }
    Ok(items.len() as u64)
}
