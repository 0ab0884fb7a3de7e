//! What the laboratory reads from people, as calls on bytes: for the fuzz targets.

use std::path::Path;

use crate::dataset::Ids;
use crate::dataset::edges::EdgeReader;
use crate::dataset::lines::Lines;
use crate::dataset::nodes::NodeReader;
use crate::dataset::table::{Columns, EDGES, Form, NODES, Table};
use crate::failure::{Exit, Failure};
use crate::scenario::plan::Changes;

/// Reads a scenario as `lab run` does, in a folder where no other file can be extended: a text of anybody's
/// must not choose what is opened here.
///
/// # Errors
/// What a user would be told, drawn with its place where it has one.
pub fn scenario(text: &str) -> Result<(), String> {
    let path = Path::new("scenario.toml");
    let nothing = |path: &Path| Err(format!("{}: not read here", path.display()));
    match crate::scenario::parse_with(path, text.to_owned(), &Changes::default(), false, &nothing) {
        Ok(_) => Ok(()),
        // The text is right; only its data are not here.
        Err(failure) if failure.exit == Exit::Missing => Ok(()),
        Err(failure) => Err(failure.message),
    }
}

/// Reads a graph as `lab import` does, from the bytes of its two files. Returns its nodes and edges. Nodes that
/// begin like the header of a table are read as one; a comma in the first line of a table makes it CSV.
///
/// # Errors
/// What a user would be told, with file and line.
pub fn graph(nodes: Vec<u8>, edges: Option<Vec<u8>>) -> Result<(u64, u64), String> {
    read_graph(nodes, edges).map_err(|failure| failure.message)
}

fn read_graph(nodes: Vec<u8>, edges: Option<Vec<u8>>) -> Result<(u64, u64), Failure> {
    let mut ids = Ids::default();
    let mut counts = (0, 0);
    let mut reader = match nodes.first() {
        Some(b'{') | None => {
            let path = Path::new("nodes.jsonl");
            NodeReader::Lines(Lines::over(path, std::io::Cursor::new(nodes))?)
        }
        Some(_) => NodeReader::Table(table("nodes", nodes, &NODES)?),
    };
    while reader.next_row(&mut ids)?.is_some() {
        counts.0 += 1;
    }
    if let Some(edges) = edges {
        let mut reader = EdgeReader::over(table("edges", edges, &EDGES)?);
        while reader.next_row(&ids)?.is_some() {
            counts.1 += 1;
        }
    }
    Ok(counts)
}

fn table(name: &str, bytes: Vec<u8>, columns: &Columns) -> Result<Table, Failure> {
    let first = bytes.split(|byte| *byte == b'\n').next();
    let (form, ending) = match first.is_some_and(|line| line.contains(&b',')) {
        true => (Form::Csv, "csv"),
        false => (Form::Tsv, "tsv"),
    };
    let path = Path::new(name).with_extension(ending);
    Table::over(&path, std::io::Cursor::new(bytes), form, columns)
}
