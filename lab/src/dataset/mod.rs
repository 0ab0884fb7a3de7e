//! Graphs from files: nodes as JSON lines, edges as TSV, either of them gzipped.

pub(crate) mod edges;
pub(crate) mod lines;
pub(crate) mod model;
pub(crate) mod nodes;

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use crate::failure::Failure;

use self::edges::EdgeReader;
use self::nodes::NodeReader;

/// A node as its source has it, under the id that the database will use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NodeRow {
    pub(crate) id: u64,
    pub(crate) kind: String,
    pub(crate) name: String,
    /// The JSON text of `data`, byte for byte; empty where the source has none.
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

const NODE_ENDINGS: &[&str] = &[".jsonl", ".ndjson", ".jsonl.gz", ".ndjson.gz"];
const EDGE_ENDINGS: &[&str] = &[".tsv", ".tsv.gz"];

impl Files {
    /// Sorts paths into nodes and edges by their endings; a folder stands for the files in it named
    /// `nodes` and `edges`.
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
            } else if ends_with(source, NODE_ENDINGS) {
                files.nodes.push(source.clone());
            } else if ends_with(source, EDGE_ENDINGS) {
                files.edges.push(source.clone());
            } else {
                return Err(Failure::usage(format!(
                    "{}: nodes end in .jsonl or .ndjson and edges in .tsv, each also with .gz",
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
        let nodes = pick("nodes", NODE_ENDINGS).ok_or_else(|| {
            Failure::missing(format!(
                "{}: holds no nodes.jsonl or nodes.jsonl.gz",
                folder.display()
            ))
        })?;
        self.nodes.push(nodes);
        self.edges.extend(pick("edges", EDGE_ENDINGS));
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
    /// Numbers are kept as they are.
    Numbers(HashSet<u64>),
    /// Strings get numbers from 1 in the order of the file.
    Strings(HashMap<String, u64>),
}

/// Reads a graph's rows, one at a time, checking ids as it goes. Nodes come before edges.
pub(crate) struct Reader {
    files: Files,
    ids: Ids,
}

impl Reader {
    pub(crate) fn new(files: Files) -> Reader {
        Reader {
            files,
            ids: Ids::default(),
        }
    }

    /// Calls `row` for every node, in the order of the files.
    pub(crate) fn nodes(
        &mut self,
        mut row: impl FnMut(NodeRow) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        for path in &self.files.nodes {
            let mut reader = NodeReader::open(path)?;
            while let Some(node) = reader.next_row(&mut self.ids)? {
                row(node)?;
            }
        }
        Ok(())
    }

    /// Calls `row` for every edge. Call it after [`Reader::nodes`]: edges name nodes.
    pub(crate) fn edges(
        &self,
        mut row: impl FnMut(EdgeRow) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        for path in &self.files.edges {
            let mut reader = EdgeReader::open(path)?;
            while let Some(edge) = reader.next_row(&self.ids)? {
                row(edge)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
