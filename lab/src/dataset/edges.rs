//! Edges from a table with the columns `src`, `dst`, `type` and perhaps `data`.

use std::path::Path;

use crate::failure::Failure;

use super::table::{EDGES, Form, Table};
use super::{EdgeRow, Ids};

/// Reads edges one by one.
pub(crate) struct EdgeReader {
    table: Table,
}

impl EdgeReader {
    pub(crate) fn open(path: &Path) -> Result<EdgeReader, Failure> {
        let form = Form::of(path).unwrap_or(Form::Tsv);
        Ok(EdgeReader::over(Table::open(path, form, &EDGES)?))
    }

    pub(crate) fn over(table: Table) -> EdgeReader {
        EdgeReader { table }
    }

    /// The next edge, or `None` after the last. Both ends must be among `ids`.
    pub(crate) fn next_row(&mut self, ids: &Ids) -> Result<Option<EdgeRow>, Failure> {
        if !self.table.advance()? {
            return Ok(None);
        }
        let row = parse(self.table.fields(), ids);
        row.map(Some).map_err(|what| self.table.wrong(what))
    }
}

fn parse(fields: [&str; 4], ids: &Ids) -> Result<EdgeRow, String> {
    let [source, target, label, data] = fields;
    if label.is_empty() {
        return Err("the type is empty".to_owned());
    }
    Ok(EdgeRow {
        source: lookup(source, "src", ids)?,
        label: label.to_owned(),
        target: lookup(target, "dst", ids)?,
        data: data.as_bytes().to_vec(),
    })
}

fn lookup(text: &str, column: &str, ids: &Ids) -> Result<u64, String> {
    let found = match ids {
        Ids::Unknown => None,
        Ids::Numbers(seen) => {
            let id: u64 = text
                .parse()
                .map_err(|_| format!("{column} `{text}` is not a whole number"))?;
            seen.binary_search(&id).is_ok().then_some(id)
        }
        Ids::Texts(seen) | Ids::Renumbered(seen) => seen.get(text).copied(),
    };
    found.ok_or_else(|| format!("{column} `{text}` is no node of this graph"))
}
