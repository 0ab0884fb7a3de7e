//! What a recorded trace says of each page: who took it, who set it free, how often, and what was last.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::failure::{Context, Failure};
use crate::units::grouped;

use super::super::survey::{Found, Survey};

/// The format that this reads; `docs/forensics.md` describes it.
const FORMAT: u32 = 1;
/// Longer lines are none of a trace's.
const LONGEST_LINE: u64 = 4096;

/// Where a page stands after its last event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// In use, and was before the trace began.
    Used,
    /// In use since the trace saw it taken.
    Taken,
    /// No new state reaches it, but somebody may still.
    Dropped,
    Free,
}

/// The events of one page.
#[derive(Debug)]
pub(super) struct Story {
    pub(super) place: Place,
    pub(super) takes: u64,
    pub(super) frees: u64,
    writes: u64,
    reads: u64,
    drops: u64,
    /// The birth that was written last.
    birth: Option<u64>,
    /// Number, name and place in the source of the last event, reads and evictions apart.
    last: Option<(u64, String, Site)>,
    taken_by: BTreeMap<Site, u64>,
    freed_by: BTreeMap<Site, u64>,
}

/// An index into the sites of a history.
type Site = usize;

/// A trace, by page.
pub(super) struct History {
    name: String,
    pub(super) pages: BTreeMap<u64, Story>,
    /// Events of pages that the file does not have.
    beyond: u64,
    events: u64,
    /// Whether the last line was cut off.
    cut: bool,
    sites: Vec<String>,
    /// Whole pages that carry another birth than the trace wrote last.
    others: u64,
}

#[derive(Deserialize)]
struct Head {
    trace: u32,
}

#[derive(Deserialize)]
struct Line {
    n: u64,
    event: String,
    #[serde(default)]
    page: u64,
    #[serde(default)]
    pages: u64,
    birth: Option<u64>,
    site: Option<String>,
}

impl History {
    /// Reads a trace for a file of which the survey tells.
    pub(super) fn read(path: &Path, survey: &Survey) -> Result<History, Failure> {
        let name = path.display().to_string();
        let file = std::fs::File::open(path)
            .map_err(|error| Failure::usage(format!("{name}: {error}")))?;
        let mut history = History {
            name,
            pages: BTreeMap::new(),
            beyond: 0,
            events: 0,
            cut: false,
            sites: vec!["unknown".to_owned()],
            others: 0,
        };
        history.read_lines(&mut BufReader::new(file), survey)?;
        history.others = history.strangers(survey);
        Ok(history)
    }

    fn read_lines(&mut self, from: &mut impl BufRead, survey: &Survey) -> Result<(), Failure> {
        let mut sites = BTreeMap::new();
        let mut line = Vec::new();
        let mut number = 0u64;
        loop {
            line.clear();
            let read = std::io::Read::take(&mut *from, LONGEST_LINE)
                .read_until(b'\n', &mut line)
                .context(&self.name)?;
            if read == 0 {
                break;
            }
            number += 1;
            let wrong = |what: &str| {
                let text = format!("{}, line {number}: {what}", self.name);
                Failure::usage(text)
            };
            if number == 1 {
                let head: Head = serde_json::from_slice(&line).map_err(|_| {
                    wrong("not a trace: its first line is {\"trace\":1}; record one with Builder::trace")
                })?;
                if head.trace != FORMAT {
                    return Err(wrong(
                        "a trace of another version; use the lab that belongs to it",
                    ));
                }
                continue;
            }
            match serde_json::from_slice::<Line>(&line) {
                Ok(event) => self.note(event, survey, &mut sites),
                // A process that was killed leaves half a line.
                Err(_) if line.last() != Some(&b'\n') && line.len() < LONGEST_LINE as usize => {
                    self.cut = true;
                }
                Err(error) => return Err(wrong(&format!("not an event of a trace: {error}"))),
            }
        }
        if number == 0 {
            return Err(Failure::usage(format!(
                "{}: an empty file is no trace",
                self.name
            )));
        }
        Ok(())
    }

    fn note(&mut self, line: Line, survey: &Survey, sites: &mut BTreeMap<String, Site>) {
        self.events += 1;
        if line.page == 0 {
            return;
        }
        let end = survey.first + survey.pages.len() as u64;
        let site = match line.site {
            Some(site) => *sites.entry(site).or_insert_with_key(|site| {
                // What a file says is shown, never obeyed by a terminal.
                self.sites.push(site.escape_debug().to_string());
                self.sites.len() - 1
            }),
            None => 0,
        };
        let after = line.page.saturating_add(line.pages.max(1));
        if after > end {
            self.beyond += 1;
        }
        for page in line.page.max(survey.first)..after.min(end) {
            let story = self.pages.entry(page).or_insert_with(Story::new);
            story.note(&line.event, line.n, site);
            if line.event == "write" {
                let birth = line
                    .birth
                    .map(|birth| birth.saturating_add(page - line.page));
                story.birth = birth;
            }
        }
    }

    /// Pages of the file that another hand wrote last.
    fn strangers(&self, survey: &Survey) -> u64 {
        let other = |(number, story): &(&u64, &Story)| {
            let page = survey
                .page(**number)
                .filter(|page| page.found == Found::Whole);
            let written = story.birth.filter(|_| story.place != Place::Free);
            matches!((page, written), (Some(page), Some(birth)) if page.birth != birth)
        };
        self.pages.iter().filter(other).count() as u64
    }

    /// Pages by how often they were taken, the busiest first.
    fn busiest(&self) -> Vec<(u64, &Story)> {
        let mut pages: Vec<(u64, &Story)> = self
            .pages
            .iter()
            .map(|(page, story)| (*page, story))
            .collect();
        pages.sort_by_key(|(page, story)| (std::cmp::Reverse(story.takes + story.frees), *page));
        pages
    }

    /// What a reader wants to know of one page.
    pub(super) fn said(&self, page: u64) -> String {
        let Some(story) = self.pages.get(&page) else {
            return "not in the trace".to_owned();
        };
        let by = |sites: &BTreeMap<Site, u64>| {
            let each = sites
                .iter()
                .map(|(site, times)| format!("{times} by {}", self.site(*site)));
            each.collect::<Vec<String>>().join(", ")
        };
        let mut out = String::new();
        for (what, times, sites) in [
            ("taken", story.takes, &story.taken_by),
            ("freed", story.frees, &story.freed_by),
        ] {
            out += &match times {
                0 => format!("never {what}; "),
                times => format!("{what} {} ({}); ", grouped(times), by(sites)),
            };
        }
        out += &format!(
            "written {}, read {}, dropped {}",
            grouped(story.writes),
            grouped(story.reads),
            grouped(story.drops)
        );
        out + &self.last(story)
    }

    fn last(&self, story: &Story) -> String {
        match &story.last {
            Some((number, event, site)) => {
                format!("; last: {event}, event {number}, by {}", self.site(*site))
            }
            None => String::new(),
        }
    }

    fn site(&self, site: Site) -> &str {
        self.sites.get(site).map_or("unknown", String::as_str)
    }

    /// The rows that stand below a picture.
    pub(super) fn text(&self, listed: usize) -> String {
        let mut out = format!(
            "\n{}: {} events of {} pages",
            self.name.escape_debug(),
            grouped(self.events),
            grouped(self.pages.len() as u64)
        );
        if self.beyond > 0 {
            out += &format!(
                "; {} of pages that the file does not have",
                grouped(self.beyond)
            );
        }
        out.push('\n');
        if self.cut {
            out += "The trace's last line is cut off: its process was killed.\n";
        }
        if self.others > 0 {
            out += &format!(
                "{} pages were written after the trace, or it is of another file.\n",
                grouped(self.others)
            );
        }
        let rows = self.busiest();
        for (page, story) in rows.iter().take(listed) {
            out += &format!(
                "  page {page:>8}  taken {:>4}  written {:>4}  dropped {:>4}  freed {:>4}{}\n",
                grouped(story.takes),
                grouped(story.writes),
                grouped(story.drops),
                grouped(story.frees),
                self.last(story)
            );
        }
        if listed < rows.len() {
            out += &format!(
                "  … and {} more; --verbose lists them\n",
                grouped((rows.len() - listed) as u64)
            );
        }
        out
    }

    pub(super) fn json(&self) -> Value {
        let by = |sites: &BTreeMap<Site, u64>| -> Vec<Value> {
            let each = sites.iter();
            each.map(|(site, times)| json!({ "site": self.site(*site), "times": times }))
                .collect()
        };
        let pages = self.pages.iter().map(|(page, story)| {
            let last = story.last.as_ref().map(|(number, event, site)| {
                json!({ "n": number, "event": event, "site": self.site(*site) })
            });
            json!({
                "page": page, "taken": story.takes, "freed": story.frees, "written": story.writes,
                "read": story.reads, "dropped": story.drops, "last": last,
                "taken_by": by(&story.taken_by), "freed_by": by(&story.freed_by),
            })
        });
        json!({
            "trace": self.name, "events": self.events, "events_beyond_the_file": self.beyond, "cut": self.cut,
            "pages_written_since": self.others, "pages": pages.collect::<Vec<Value>>(),
        })
    }
}

impl Story {
    fn new() -> Story {
        Story {
            place: Place::Used,
            takes: 0,
            frees: 0,
            writes: 0,
            reads: 0,
            drops: 0,
            birth: None,
            last: None,
            taken_by: BTreeMap::new(),
            freed_by: BTreeMap::new(),
        }
    }

    fn note(&mut self, event: &str, number: u64, site: Site) {
        match event {
            "read" => {
                self.reads += 1;
                return;
            }
            "evict" => return,
            "grow" | "reuse" => {
                self.takes += 1;
                *self.taken_by.entry(site).or_default() += 1;
                self.place = Place::Taken;
            }
            "free" | "unwind" => {
                self.frees += 1;
                *self.freed_by.entry(site).or_default() += 1;
                self.place = Place::Free;
            }
            "listed" | "trim" => self.place = Place::Free,
            "drop" | "keep" => {
                self.drops += 1;
                self.place = Place::Dropped;
            }
            "restore" => {
                self.place = if self.takes > 0 {
                    Place::Taken
                } else {
                    Place::Used
                };
            }
            "write" => self.writes += 1,
            // What a later engine may trace besides is an event like others.
            _ => {}
        }
        self.last = Some((number, event.escape_debug().to_string(), site));
    }
}
