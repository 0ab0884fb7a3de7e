//! Which class a page belongs to, and how a class looks: a letter, and a colour in light and in dark.

use vellum::KeySpace;
use vellum::format::page::PageKind;

use crate::cli::MapBy;
use crate::units::grouped;

use super::super::survey::{Found, Owner, Seen, Survey};
use super::history::{History, Place};

/// How the pages of one class look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Class {
    pub(super) name: &'static str,
    /// The field without colours.
    pub(super) letter: char,
    /// The field's background in the 256-colour palette.
    pub(super) terminal: u8,
    pub(super) light: &'static str,
    pub(super) dark: &'static str,
    /// Shows even where most pages of a field are of another class.
    pub(super) loud: bool,
}

const fn class(
    name: &'static str,
    letter: char,
    terminal: u8,
    light: &'static str,
    dark: &'static str,
) -> Class {
    Class {
        name,
        letter,
        terminal,
        light,
        dark,
        loud: false,
    }
}

pub(super) const HEADER: Class = class("header", 'H', 250, "#3a4048", "#dfe3e8");
const FREE: Class = class("free", '.', 236, "#e9e9e4", "#262a30");
const BLANK: Class = class("blank", '_', 238, "#f1f1ed", "#20242a");
const UNREACHED: Class = class("not reached", '?', 180, "#c9b48a", "#8d7a52");
const BEYOND: Class = class("beyond the state", ',', 240, "#d8d8d0", "#353a42");
const DAMAGED: Class = Class {
    loud: true,
    ..class("damaged", 'X', 196, "#d3212c", "#ff5a5a")
};
const MENDABLE: Class = Class {
    loud: true,
    ..class("damaged, can be mended", 'x', 201, "#c026d3", "#e879f9")
};
const WHOLE: Class = class("whole", 'o', 72, "#5fae8b", "#3f8f6c");
const FREELIST: Class = class("freelist", 'F', 66, "#5b8794", "#6aa3b3");

const KINDS: [Class; 6] = [
    class("branch", 'B', 135, "#7c4dbd", "#b08be8"),
    class("leaf", 'L', 75, "#4b8fdc", "#5b9df0"),
    class("names leaf", 'N', 179, "#dfa82e", "#e0b04a"),
    class("blob index", 'I', 131, "#a8502f", "#d98561"),
    class("blob data", 'D', 173, "#d98f63", "#b86b40"),
    FREELIST,
];

const SPACES: [Class; 7] = [
    class("nodes", 'n', 75, "#3f86d8", "#5b9df0"),
    class("out", 'o', 71, "#2f9a6d", "#45b886"),
    class("in", 'i', 115, "#8cc9a5", "#2b7a58"),
    class("names", 'a', 179, "#dfa82e", "#e0b04a"),
    class("kinds", 'k', 140, "#a37ad1", "#b391e0"),
    class("dictionary", 'd', 175, "#cf6fa5", "#de88b8"),
    class("absent", 'z', 102, "#8b8f96", "#8b919a"),
];

const BLOBS: [Class; 2] = [
    class("data of nodes", 'N', 67, "#1f5596", "#2f5f9e"),
    class("data of edges", 'E', 29, "#176046", "#1f6b4b"),
];

/// From little to much, in one hue: dark is much in light, light is much in dark.
const RAMP: [Class; 10] = [
    class("up to 10%", '0', 17, "#d6e4f6", "#213a5c"),
    class("up to 20%", '1', 18, "#c8dbf3", "#234268"),
    class("up to 30%", '2', 19, "#b5d0ef", "#254a77"),
    class("up to 40%", '3', 20, "#a2c3ea", "#285287"),
    class("up to 50%", '4', 26, "#8ab3e3", "#2e5d9a"),
    class("up to 60%", '5', 32, "#70a1da", "#3467aa"),
    class("up to 70%", '6', 38, "#578ecf", "#447bc2"),
    class("up to 80%", '7', 74, "#407bc1", "#5b91d6"),
    class("up to 90%", '8', 110, "#2c67ad", "#7caae6"),
    class("up to 100%", '9', 153, "#184f92", "#a3c8f7"),
];

const AGES: [Class; 10] = [
    class("oldest tenth", '0', 22, "#d9e9bf", "#33481f"),
    class("2nd", '1', 28, "#c9e3be", "#2d4d2d"),
    class("3rd", '2', 29, "#b3dcbb", "#285339"),
    class("4th", '3', 30, "#9cd4bb", "#235c48"),
    class("5th", '4', 31, "#79c5b5", "#1f6757"),
    class("6th", '5', 36, "#57b3ae", "#1f7366"),
    class("7th", '6', 37, "#3a9ea5", "#2b887b"),
    class("8th", '7', 43, "#268798", "#43a192"),
    class("9th", '8', 79, "#1b6d87", "#6bbdac"),
    class("newest tenth", '9', 158, "#145374", "#a0dcc9"),
];

const UNTRACED: Class = class("not in the trace", '-', 236, "#e4e4df", "#2b3037");
const SEEN: Class = class("used, never taken", 'u', 102, "#9aa0a8", "#6d747d");
const DROPPED: Class = class("dropped, not yet free", 'd', 140, "#a37ad1", "#b391e0");
const NEVER: Class = class("free, never taken", '.', 238, "#cfcfc8", "#42474f");

/// Pages in use, and free pages, by how often they were taken.
const TAKEN: [Class; 4] = [
    class("in use, taken once", '1', 117, "#a2c3ea", "#2b5793"),
    class("in use, taken 2–3 times", '2', 75, "#5f97d8", "#3f78c0"),
    class("in use, taken 4–7 times", '4', 33, "#2c67ad", "#6f9fe0"),
    class("in use, taken 8+ times", '8', 27, "#123c72", "#b4cff8"),
];
const FREED: [Class; 4] = [
    class("free, taken once", 'a', 223, "#f3d9a4", "#5c4720"),
    class("free, taken 2–3 times", 'b', 179, "#e0b04a", "#8a6a2c"),
    class("free, taken 4–7 times", 'c', 136, "#b67f1c", "#bf943f"),
    class("free, taken 8+ times", 'e', 94, "#7a5210", "#eccb86"),
];

/// The class of a page of the header's region.
pub(super) fn header(problems: &[String]) -> Class {
    if problems.is_empty() { HEADER } else { DAMAGED }
}

/// The class of a page after its history.
fn by_history(history: &History, page: u64) -> Class {
    let Some(story) = history.pages.get(&page) else {
        return UNTRACED;
    };
    let step = match story.takes {
        0 => None,
        1 => Some(0),
        2 | 3 => Some(1),
        4..=7 => Some(2),
        _ => Some(3),
    };
    let of = |classes: &[Class; 4], none: Class| {
        let class = step.and_then(|step: usize| classes.get(step));
        class.copied().unwrap_or(none)
    };
    match story.place {
        Place::Used | Place::Taken => of(&TAKEN, SEEN),
        Place::Dropped => DROPPED,
        Place::Free => of(&FREED, NEVER),
    }
}

/// The classes of one way to look at a file, in the order in which they are explained.
pub(super) struct Legend<'h> {
    by: MapBy,
    /// What decides in place of `by`, if a trace is shown.
    history: Option<&'h History>,
    pub(super) classes: Vec<Class>,
    /// Births that begin the tenths of age, ascending.
    tenths: Vec<u64>,
}

impl<'h> Legend<'h> {
    pub(super) fn of(by: MapBy, history: Option<&'h History>, survey: &Survey) -> Legend<'h> {
        let own: Vec<Class> = match by {
            _ if history.is_some() => {
                let rest = [SEEN, DROPPED, NEVER, UNTRACED];
                [&TAKEN[..], &FREED, &rest].concat()
            }
            MapBy::Kind => KINDS.to_vec(),
            MapBy::Fill => RAMP.to_vec(),
            MapBy::Birth => AGES.to_vec(),
            MapBy::Space => [&SPACES[..], &BLOBS, &[FREELIST]].concat(),
            MapBy::Owner => [&SPACES[..], &BLOBS, &[FREELIST, UNREACHED]].concat(),
            MapBy::Damage => vec![WHOLE],
        };
        let mut classes = vec![HEADER];
        classes.extend(own);
        for rest in [UNREACHED, FREE, BLANK, BEYOND, MENDABLE, DAMAGED] {
            if !classes.contains(&rest) {
                classes.push(rest);
            }
        }
        Legend {
            by,
            history,
            classes,
            tenths: tenths(survey),
        }
    }

    pub(super) fn class(&self, page: &Seen) -> Class {
        if page.owner == Owner::Free {
            return self
                .history
                .map_or(FREE, |history| by_history(history, page.number));
        }
        match page.found {
            Found::Mendable(..) => return MENDABLE,
            Found::Damaged(_) => return DAMAGED,
            Found::Blank if page.owner.is_used() => return DAMAGED,
            Found::Blank if self.history.is_none() => return BLANK,
            Found::Blank | Found::Whole => {}
        }
        if let Some(history) = self.history {
            return by_history(history, page.number);
        }
        if page.owner == Owner::Beyond {
            return BEYOND;
        }
        // By owner, a page is what the state makes of it; otherwise it is what it says it is.
        if page.owner == Owner::Nobody && self.by == MapBy::Owner {
            return UNREACHED;
        }
        self.own(page).unwrap_or(WHOLE)
    }

    fn own(&self, page: &Seen) -> Option<Class> {
        let what = page.what?;
        match self.by {
            MapBy::Kind => match what.kind {
                PageKind::Sorted if what.level > 0 => KINDS.first(),
                PageKind::Sorted => KINDS.get(1),
                PageKind::NamesLeaf => KINDS.get(2),
                PageKind::BlobIndex => KINDS.get(3),
                PageKind::BlobData => KINDS.get(4),
                PageKind::Freelist => KINDS.get(5),
            }
            .copied(),
            MapBy::Fill => Some(ramp(
                &RAMP,
                (page.used as u64).saturating_sub(1),
                page.size as u64,
            )),
            MapBy::Birth => {
                let tenth = self
                    .tenths
                    .partition_point(|birth| *birth <= page.birth)
                    .saturating_sub(1);
                AGES.get(tenth.min(AGES.len() - 1)).copied()
            }
            MapBy::Space | MapBy::Owner => match (page.owner, what.space) {
                (
                    Owner::Blob {
                        space: KeySpace::Out,
                        ..
                    },
                    _,
                ) => BLOBS.get(1).copied(),
                (_, Some(space)) => SPACES.get(space.index()).copied(),
                (_, None) if what.kind == PageKind::Freelist => Some(FREELIST),
                (_, None) => BLOBS.first().copied(),
            },
            MapBy::Damage => Some(WHOLE),
        }
    }
}

fn ramp(classes: &[Class; 10], part: u64, whole: u64) -> Class {
    let step = part.saturating_mul(10).checked_div(whole).unwrap_or(0);
    let last = classes.len() - 1;
    classes
        .get(usize::try_from(step).unwrap_or(last).min(last))
        .copied()
        .unwrap_or(WHOLE)
}

fn tenths(survey: &Survey) -> Vec<u64> {
    let mut births: Vec<u64> = survey
        .pages
        .iter()
        .filter(|page| page.found == Found::Whole && page.owner != Owner::Free)
        .map(|page| page.birth)
        .collect();
    births.sort_unstable();
    let at = |tenth: usize| births.get(births.len() * tenth / 10).copied();
    (0..10).filter_map(at).collect()
}

/// What a reader wants to know of one page.
pub(super) fn said(page: &Seen, page_size: usize) -> String {
    let mut out = format!("page {}: ", page.number);
    match page.what {
        Some(what) => {
            out += what.kind.name();
            if let Some(space) = what.space {
                out += &format!(" of {space}");
            }
            if what.level > 0 {
                out += &format!(", level {}", what.level);
            }
            out += &format!(
                ", {} entries, {}% full, birth {}",
                grouped(what.count as u64),
                page.used * 100 / page_size,
                page.birth
            );
        }
        None => out += &page.found.said(),
    }
    out + &format!("; {}", page.owner.said())
}
