//! `lab export`: a database as JSON lines of nodes and TSV of edges, which `lab import` reads.

use std::fs::File;
use std::io::{BufWriter, Write};

use serde_json::json;
use serde_json::value::RawValue;
use vellum::{Direction, ReadTxn};

use crate::cli::ExportArgs;
use crate::console::Console;
use crate::failure::{Context, Exit, Failure};
use crate::store::open_read_only;
use crate::units::grouped;

#[derive(serde::Serialize)]
struct Line<'a> {
    id: u64,
    kind: &'a str,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a RawValue>,
}

pub(super) fn run(args: &ExportArgs, console: &Console) -> Result<Exit, Failure> {
    let database = open_read_only(&args.database)?;
    let folder = &args.output;
    std::fs::create_dir(folder).context(folder.display())?;
    let txn = database.begin_read()?;
    let nodes = write_nodes(&txn, &folder.join("nodes.jsonl"), console)?;
    let edges = write_edges(&txn, &folder.join("edges.tsv"), console)?;
    let text = match console.format {
        crate::cli::Format::Json | crate::cli::Format::Ndjson => format!(
            "{}\n",
            json!({ "folder": folder.display().to_string(), "nodes": nodes, "edges": edges })
        ),
        _ => format!(
            "{}: {} nodes and {} edges\n",
            folder.display(),
            grouped(nodes),
            grouped(edges)
        ),
    };
    console.result(&text)?;
    Ok(Exit::Passed)
}

fn create(path: &std::path::Path) -> Result<BufWriter<File>, Failure> {
    Ok(BufWriter::new(
        File::create_new(path).context(path.display())?,
    ))
}

fn write_nodes(txn: &ReadTxn, path: &std::path::Path, console: &Console) -> Result<u64, Failure> {
    let mut out = create(path)?;
    let mut nodes = 0;
    for node in txn.nodes() {
        let node = node?;
        let data = node.data()?;
        let id = node.id().get();
        let raw = json_text(&data, || format!("node {id}"))?;
        let line = Line {
            id,
            kind: node.kind(),
            name: node.name(),
            data: raw.as_deref(),
        };
        let text = serde_json::to_string(&line).context("JSON")?;
        writeln!(out, "{text}").context(path.display())?;
        nodes += 1;
        console.progress("nodes written:", nodes);
    }
    out.flush().context(path.display())?;
    Ok(nodes)
}

/// The data as JSON, `None` for none. Other bytes have no place in these files.
fn json_text(data: &[u8], whose: impl Fn() -> String) -> Result<Option<Box<RawValue>>, Failure> {
    if data.is_empty() {
        return Ok(None);
    }
    let text = std::str::from_utf8(data).ok().map(str::to_owned);
    let raw = text.and_then(|text| RawValue::from_string(text).ok());
    raw.map(Some).ok_or_else(|| {
        Failure::usage(format!(
            "the data of {} is not JSON, and JSON lines can hold nothing else",
            whose()
        ))
    })
}

fn write_edges(txn: &ReadTxn, path: &std::path::Path, console: &Console) -> Result<u64, Failure> {
    let mut out = create(path)?;
    writeln!(out, "src\tdst\ttype\tdata").context(path.display())?;
    let mut edges = 0;
    for node in txn.nodes() {
        let id = node?.id();
        for edge in txn.edges(id, Direction::Out, None) {
            let edge = edge?;
            let data = edge.data()?;
            let text = std::str::from_utf8(&data).unwrap_or("\t");
            if text.contains(['\t', '\n', '\r']) || edge.label().contains(['\t', '\n', '\r']) {
                return Err(Failure::usage(format!(
                    "an edge of node {id} has data or a label that a line of TSV cannot hold"
                )));
            }
            writeln!(out, "{id}\t{}\t{}\t{text}", edge.target(), edge.label())
                .context(path.display())?;
            edges += 1;
            console.progress("edges written:", edges);
        }
    }
    out.flush().context(path.display())?;
    Ok(edges)
}
