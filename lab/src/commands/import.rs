//! `lab import`: a graph from files into a new database, in bounded memory.

use std::cell::RefCell;
use std::path::Path;
use std::time::Instant;

use vellum::{BulkEdge, BulkNode, Database, NodeId};

use crate::cli::{Format, ImportArgs};
use crate::console::Console;
use crate::dataset::{EdgeRow, Files, NodeRow, Source};
use crate::failure::{Context, Exit, Failure};
use crate::store::load::show;
use crate::units::{Unit, grouped};

pub(crate) fn run(args: &ImportArgs, console: &Console) -> Result<Exit, Failure> {
    let files = Files::find(&args.sources).map_err(|failure| match failure.exit {
        // A file that a scenario names is a prerequisite; one that an argument names is part of the command.
        Exit::Missing => Failure::usage(failure.message),
        _ => failure,
    })?;
    if files.nodes.is_empty() {
        return Err(Failure::usage("no file of nodes among the sources"));
    }
    let source = match args.renumber {
        true => Source::renumbered(files),
        false => Source::new(files),
    };
    let started = Instant::now();
    let database = Database::builder()
        .page_size(args.page_size)
        .create(&args.output)?;
    // A failure of the source passes through the engine, which knows only its own errors.
    let failed = RefCell::new(None);
    let pass = |failure: Failure| {
        let error = vellum::Error::Usage(failure.message.clone());
        failed.replace(Some(failure));
        error
    };
    let nodes = source.nodes().map(|row| row.and_then(node).map_err(pass));
    let edges = source.edges().map(|row| row.and_then(edge).map_err(pass));
    let loaded = database.bulk_load(nodes, edges, |progress| show(progress, console));
    let report = match loaded {
        Ok(report) => report,
        Err(error) => {
            drop(database);
            remove(&args.output);
            return Err(failed.take().unwrap_or_else(|| error.into()));
        }
    };
    database.close()?;
    let seconds = started.elapsed().as_secs_f64();
    let bytes = std::fs::metadata(&args.output)
        .context(args.output.display())?
        .len();
    let path = args.output.display();
    let text = match console.format {
        Format::Human | Format::Md => format!(
            "{path}: {} nodes and {} edges in {seconds:.2} s, {}\n",
            grouped(report.nodes),
            grouped(report.edges),
            Unit::Bytes.show(bytes as f64)
        ),
        Format::Json | Format::Ndjson => {
            let value = serde_json::json!({
                "database": path.to_string(), "nodes": report.nodes, "edges": report.edges,
                "file_bytes": bytes, "time_s": seconds,
            });
            format!("{value}\n")
        }
    };
    console.result(&text)?;
    Ok(Exit::Passed)
}

/// Takes back a database that was created for nothing. That this may fail changes nothing.
fn remove(database: &Path) {
    let mut log = database.as_os_str().to_owned();
    log.push("-log");
    let _ = std::fs::remove_file(database);
    let _ = std::fs::remove_file(log);
}

fn node(row: NodeRow) -> Result<BulkNode, Failure> {
    Ok(BulkNode {
        id: Some(id(row.id)?),
        kind: row.kind,
        name: row.name,
        data: row.data,
    })
}

fn edge(row: EdgeRow) -> Result<BulkEdge, Failure> {
    Ok(BulkEdge {
        source: id(row.source)?,
        label: row.label,
        target: id(row.target)?,
        data: row.data,
    })
}

fn id(number: u64) -> Result<NodeId, Failure> {
    crate::store::node_id(number)
}
