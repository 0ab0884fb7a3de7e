//! `lab check`: the engine's complete check, read-only, with every finding.

use serde::Serialize;

use crate::cli::{CheckArgs, Format};
use crate::console::Console;
use crate::failure::{Context, Exit, Failure};
use crate::inspect::source::Source;
use crate::inspect::survey::{Owner, Survey};
use crate::store::open_read_only;
use crate::units::grouped;

/// Something that is wrong.
#[derive(Serialize)]
struct Finding {
    page: Option<u64>,
    what: String,
}

/// What a check looked at.
#[derive(Serialize)]
struct Counts {
    nodes: u64,
    edges: u64,
    pages_reached: u64,
    pages_free: u64,
    /// Commits that only the log holds.
    commits_in_log: u64,
}

pub(crate) fn run(args: &CheckArgs, console: &Console) -> Result<Exit, Failure> {
    let path = args.database.display().to_string();
    let opened = open_read_only(&args.database);
    let database = match opened {
        Ok(database) => database,
        Err(failure) if failure.exit == Exit::Wrong || is_a_database(args)? => {
            report(console, &path, &unopened(args, failure)?, None)?;
            return Ok(Exit::Wrong);
        }
        Err(failure) => return Err(failure),
    };
    let found = database.check()?;
    let mut findings: Vec<Finding> = found
        .findings
        .into_iter()
        .map(|finding| Finding {
            page: finding.page,
            what: finding.what,
        })
        .collect();
    findings.extend(mended(args)?);
    let counts = Counts {
        nodes: found.nodes,
        edges: found.edges,
        pages_reached: found.pages_reached,
        pages_free: found.pages_free,
        commits_in_log: database.recovery().map_or(0, |recovery| recovery.commits),
    };
    report(console, &path, &findings, Some(counts))?;
    Ok(if findings.is_empty() {
        Exit::Passed
    } else {
        Exit::Wrong
    })
}

/// Flipped bits of the log, which the engine flips back whenever it reads them.
fn mended(args: &CheckArgs) -> Result<Vec<Finding>, Failure> {
    let source = Source::open(&args.database)?;
    let (Some(log), Some(slot)) = (source.log(), source.pages.newest()) else {
        return Ok(Vec::new());
    };
    let chain = log.read_from(slot.log_generation, slot.log_position, slot.log_chain);
    let finding = |what| Finding { page: None, what };
    Ok(log
        .mended(&chain.records)
        .into_iter()
        .map(finding)
        .collect())
}

/// The findings of a file that the engine refuses: why, and every page that is not as it should be.
fn unopened(args: &CheckArgs, failure: Failure) -> Result<Vec<Finding>, Failure> {
    let survey = Survey::of(&Source::open(&args.database)?)?;
    let mut findings = vec![Finding {
        page: None,
        what: failure.message,
    }];
    findings.extend(survey.broken.iter().map(|what| Finding {
        page: None,
        what: what.clone(),
    }));
    let no_state = survey.state.is_none();
    for page in &survey.pages {
        if page.found.is_damage()
            && (page.owner.is_used() || no_state && page.owner == Owner::Nobody)
        {
            let what = format!("{}; {}", page.found.said(), page.owner.said());
            findings.push(Finding {
                page: Some(page.number),
                what,
            });
        }
    }
    Ok(findings)
}

/// Whether a file that cannot be opened has pages that no other program writes: then its header is what is damaged.
fn is_a_database(args: &CheckArgs) -> Result<bool, Failure> {
    if !args.database.is_file() {
        return Ok(false);
    }
    let survey = Survey::of(&Source::open(&args.database)?)?;
    Ok(survey
        .pages
        .iter()
        .any(|page| page.what.is_some() && !page.found.is_damage()))
}

fn report(
    console: &Console,
    path: &str,
    findings: &[Finding],
    counts: Option<Counts>,
) -> Result<(), Failure> {
    if matches!(console.format, Format::Json | Format::Ndjson) {
        let value = serde_json::json!({
            "database": path, "sound": findings.is_empty(), "findings": findings, "checked": counts,
        });
        return console.result(&format!(
            "{}\n",
            serde_json::to_string(&value).context("JSON")?
        ));
    }
    let mut out = String::new();
    for finding in findings {
        let place = finding
            .page
            .map_or(String::new(), |page| format!("page {page}: "));
        out += &format!("{place}{}\n", finding.what);
    }
    let verdict = match findings.len() {
        0 => "sound".to_owned(),
        1 => "1 finding".to_owned(),
        more => format!("{} findings", grouped(more as u64)),
    };
    out += &match counts {
        Some(counts) => format!(
            "{path}: {verdict}; {}{} pages in use, {} free{}\n",
            contents(findings, &counts),
            grouped(counts.pages_reached),
            grouped(counts.pages_free),
            in_log(counts.commits_in_log)
        ),
        None => format!("{path}: cannot be opened; {verdict}\n"),
    };
    console.result(&out)
}

/// How much was counted. A tree that is damaged is not counted to its end.
fn contents(findings: &[Finding], counts: &Counts) -> String {
    if !findings.is_empty() {
        return String::new();
    }
    let (nodes, edges) = (grouped(counts.nodes), grouped(counts.edges));
    format!("{nodes} nodes, {edges} edges, ")
}

fn in_log(commits: u64) -> String {
    match commits {
        0 => String::new(),
        1 => "; 1 commit in the log".to_owned(),
        more => format!("; {} commits in the log", grouped(more)),
    }
}
