//! `lab export`: a database as JSON lines, TSV or CSV, which `lab import` reads.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use csv::{QuoteStyle, Terminator, Writer, WriterBuilder};
use serde_json::json;
use serde_json::value::RawValue;
use vellum::{Direction, ReadTxn};

use crate::cli::{ExportArgs, ExportAs, Format};
use crate::console::Console;
use crate::dataset::table::{Columns, EDGES, Form, NODES};
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
    if folder.exists() {
        return Err(Failure::usage(format!(
            "{} exists already; give another name, nothing is overwritten",
            folder.display()
        )));
    }
    std::fs::create_dir(folder).context(folder.display())?;
    let txn = database.begin_read()?;
    // Half a graph would be read as a whole one.
    let (nodes, edges) = write(&txn, folder, args.form, console).inspect_err(|_| {
        let _ = std::fs::remove_dir_all(folder);
    })?;
    let text = match console.format {
        Format::Json | Format::Ndjson => format!(
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

/// Writes everything, and says how many nodes and edges that was.
fn write(
    txn: &ReadTxn,
    folder: &Path,
    form: ExportAs,
    console: &Console,
) -> Result<(u64, u64), Failure> {
    match form {
        ExportAs::Jsonl => {
            let nodes = write_lines(txn, &folder.join("nodes.jsonl"), console)?;
            Ok((nodes, write_edges(txn, folder, Form::Tsv, console)?))
        }
        ExportAs::Tsv => write_tables(txn, folder, Form::Tsv, console),
        ExportAs::Csv => write_tables(txn, folder, Form::Csv, console),
    }
}

fn create(path: &Path) -> Result<BufWriter<File>, Failure> {
    Ok(BufWriter::new(
        File::create_new(path).context(path.display())?,
    ))
}

fn write_lines(txn: &ReadTxn, path: &Path, console: &Console) -> Result<u64, Failure> {
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
            "the data of {} is not JSON, and JSON lines can hold nothing else; `--as csv` holds any text",
            whose()
        ))
    })
}

fn write_tables(
    txn: &ReadTxn,
    folder: &Path,
    form: Form,
    console: &Console,
) -> Result<(u64, u64), Failure> {
    let mut table = Table::create(folder, "nodes", form, &NODES)?;
    for node in txn.nodes() {
        let node = node?;
        let id = node.id().to_string();
        let data = node.data()?;
        let whose = || format!("node {id}");
        let data = text(&data, whose)?;
        table.write([id.as_str(), node.kind(), node.name(), data], whose)?;
        console.progress("nodes written:", table.rows);
    }
    let nodes = table.finish()?;
    Ok((nodes, write_edges(txn, folder, form, console)?))
}

fn write_edges(
    txn: &ReadTxn,
    folder: &Path,
    form: Form,
    console: &Console,
) -> Result<u64, Failure> {
    let mut table = Table::create(folder, "edges", form, &EDGES)?;
    for node in txn.nodes() {
        let id = node?.id();
        let source = id.to_string();
        for edge in txn.edges(id, Direction::Out, None) {
            let edge = edge?;
            let data = edge.data()?;
            let target = edge.target().to_string();
            let whose = || format!("an edge of node {id}");
            let row = [source.as_str(), &target, edge.label(), text(&data, whose)?];
            table.write(row, whose)?;
            console.progress("edges written:", table.rows);
        }
    }
    table.finish()
}

/// Data as text. Other bytes have no place in these files.
fn text(data: &[u8], whose: impl Fn() -> String) -> Result<&str, Failure> {
    std::str::from_utf8(data)
        .map_err(|_| Failure::usage(format!("the data of {} is not UTF-8 text", whose())))
}

/// A table that is being written.
struct Table {
    path: PathBuf,
    form: Form,
    out: Writer<File>,
    rows: u64,
}

impl Table {
    fn create(folder: &Path, name: &str, form: Form, columns: &Columns) -> Result<Table, Failure> {
        let (ending, quotes) = match form {
            Form::Tsv => ("tsv", QuoteStyle::Never),
            Form::Csv => ("csv", QuoteStyle::Necessary),
        };
        let path = folder.join(format!("{name}.{ending}"));
        let file = File::create_new(&path).context(path.display())?;
        let mut out = WriterBuilder::new()
            .delimiter(form.delimiter())
            .quote_style(quotes)
            .terminator(Terminator::Any(b'\n'))
            .buffer_capacity(1 << 16)
            .from_writer(file);
        out.write_record(columns).context(path.display())?;
        Ok(Table {
            path,
            form,
            out,
            rows: 0,
        })
    }

    fn write(&mut self, row: [&str; 4], whose: impl Fn() -> String) -> Result<(), Failure> {
        let breaks = |field: &&str| field.contains(['\t', '\n', '\r']);
        if self.form == Form::Tsv && row.iter().any(breaks) {
            return Err(Failure::usage(format!(
                "{} has a tab or a line break, which a line of TSV cannot hold; `--as csv` can",
                whose()
            )));
        }
        self.out.write_record(row).context(self.path.display())?;
        self.rows += 1;
        Ok(())
    }

    fn finish(mut self) -> Result<u64, Failure> {
        self.out.flush().context(self.path.display())?;
        Ok(self.rows)
    }
}
