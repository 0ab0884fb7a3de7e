//! Graphs from files: nodes as JSON lines, TSV or CSV, edges as TSV or CSV, any of them gzipped.

pub(crate) mod edges;
pub(crate) mod generate;
pub(crate) mod lines;
pub(crate) mod model;
pub(crate) mod nodes;
pub(crate) mod oracle;
pub(crate) mod table;

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::failure::Failure;

use self::edges::EdgeReader;
use self::model::Model;
use self::nodes::NodeReader;
use self::table::Form;

/// A node as its source has it, under the id that the database will use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NodeRow {
    pub(crate) id: u64,
    pub(crate) kind: String,
    pub(crate) name: String,
    /// The text of `data`, in JSON lines its JSON, byte for byte; empty where the source has none.
    pub(crate) data: Vec<u8>,
}

/// An edge as its source has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EdgeRow {
    pub(crate) source: u64,
    pub(crate) label: String,
    pub(crate) target: u64,
    pub(crate) data: Vec<u8>,
}

/// The files that make up one graph.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Files {
    pub(crate) nodes: Vec<PathBuf>,
    pub(crate) edges: Vec<PathBuf>,
}

const JSON_ENDINGS: &[&str] = &[".jsonl", ".ndjson", ".jsonl.gz", ".ndjson.gz"];
const TABLE_ENDINGS: &[&str] = &[".tsv", ".csv", ".tsv.gz", ".csv.gz"];

impl Files {
    /// Sorts paths into nodes and edges: JSON lines are nodes, tables what their header says. A folder
    /// stands for the files in it named `nodes` and `edges`.
    pub(crate) fn find(sources: &[PathBuf]) -> Result<Files, Failure> {
        let mut files = Files::default();
        for source in sources {
            if source.is_dir() {
                files.add_folder(source)?;
            } else if !source.exists() {
                return Err(Failure::missing(format!(
                    "{}: no such file",
                    source.display()
                )));
            } else if ends_with(source, JSON_ENDINGS) {
                files.nodes.push(source.clone());
            } else if let Some(form) = Form::of(source) {
                match table::holds_nodes(source, form)? {
                    true => files.nodes.push(source.clone()),
                    false => files.edges.push(source.clone()),
                }
            } else {
                return Err(Failure::usage(format!(
                    "{}: JSON lines end in .jsonl or .ndjson, tables in .tsv or .csv, each also with .gz",
                    source.display()
                )));
            }
        }
        Ok(files)
    }

    fn add_folder(&mut self, folder: &Path) -> Result<(), Failure> {
        let pick = |stem: &str, endings: &[&str]| {
            endings
                .iter()
                .map(|ending| folder.join(format!("{stem}{ending}")))
                .find(|path| path.is_file())
        };
        let nodes = pick("nodes", &[JSON_ENDINGS, TABLE_ENDINGS].concat()).ok_or_else(|| {
            Failure::missing(format!(
                "{}: holds no nodes.jsonl, nodes.tsv or nodes.csv, plain or with .gz",
                folder.display()
            ))
        })?;
        self.nodes.push(nodes);
        self.edges.extend(pick("edges", TABLE_ENDINGS));
        Ok(())
    }
}

fn ends_with(path: &Path, endings: &[&str]) -> bool {
    let name = path
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    endings.iter().any(|ending| name.ends_with(ending))
}

/// How the ids of the source become ids of the database.
#[derive(Debug, Default)]
pub(crate) enum Ids {
    /// No node seen yet.
    #[default]
    Unknown,
    /// Numbers are kept as they are. They ascend in the source, so they do here.
    Numbers(Vec<u64>),
    /// Texts get numbers from 1 in the order of the file.
    Texts(HashMap<String, u64>),
    /// So does everything, because it was asked for.
    Renumbered(HashMap<String, u64>),
}

/// A graph's files, read row by row, with ids checked on the way.
pub(crate) struct Source {
    files: Files,
    ids: RefCell<Ids>,
}

impl Source {
    pub(crate) fn new(files: Files) -> Source {
        Source {
            files,
            ids: RefCell::default(),
        }
    }

    /// The same graph with the ids 1, 2, 3, … in the order of its files.
    pub(crate) fn renumbered(files: Files) -> Source {
        Source {
            files,
            ids: RefCell::new(Ids::Renumbered(HashMap::new())),
        }
    }

    /// Every node, in the order of the files. Ends after the first failure.
    pub(crate) fn nodes(&self) -> impl Iterator<Item = Result<NodeRow, Failure>> {
        rows(&self.files.nodes, NodeReader::open, |reader| {
            reader.next_row(&mut self.ids.borrow_mut())
        })
    }

    /// Every edge. To be used up only after [`Source::nodes`], because edges name nodes. Ends after
    /// the first failure.
    pub(crate) fn edges(&self) -> impl Iterator<Item = Result<EdgeRow, Failure>> {
        rows(&self.files.edges, EdgeReader::open, |reader| {
            reader.next_row(&self.ids.borrow())
        })
    }

    /// The whole graph in memory.
    pub(crate) fn model(&self) -> Result<Model, Failure> {
        let nodes = self.nodes().collect::<Result<Vec<NodeRow>, Failure>>()?;
        let edges = self.edges().collect::<Result<Vec<EdgeRow>, Failure>>()?;
        Ok(Model::new(nodes, edges))
    }
}

/// The rows of several files as one sequence.
fn rows<'f, Reader: 'f, Row: 'f>(
    paths: &'f [PathBuf],
    open: impl Fn(&Path) -> Result<Reader, Failure> + 'f,
    mut next: impl FnMut(&mut Reader) -> Result<Option<Row>, Failure> + 'f,
) -> impl Iterator<Item = Result<Row, Failure>> + 'f {
    let mut paths = paths.iter();
    let mut reader: Option<Reader> = None;
    let mut failed = false;
    std::iter::from_fn(move || {
        let mut step = || loop {
            if let Some(open) = &mut reader
                && let Some(row) = next(open)?
            {
                return Ok(Some(row));
            }
            let Some(path) = paths.next() else {
                return Ok(None);
            };
            reader = Some(open(path)?);
        };
        let item = if failed { None } else { step().transpose() };
        failed = matches!(item, Some(Err(_)));
        item
    })
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
