//! Edges from TSV: a header `src dst type data`, then one row for each edge. `data` may be left out.

use std::path::Path;

use crate::failure::Failure;

use super::lines::Lines;
use super::{EdgeRow, Ids};

const COLUMNS: [&str; 4] = ["src", "dst", "type", "data"];

/// Reads edges one by one.
pub(crate) struct EdgeReader {
    lines: Lines,
    columns: usize,
}

impl EdgeReader {
    pub(crate) fn open(path: &Path) -> Result<EdgeReader, Failure> {
        EdgeReader::over(Lines::open(path)?)
    }

    /// Reads the header at once.
    pub(crate) fn over(mut lines: Lines) -> Result<EdgeReader, Failure> {
        let header = lines.next_line()?.unwrap_or_default().to_owned();
        let columns: Vec<&str> = header.split('\t').collect();
        if columns.len() < 3 || !COLUMNS.starts_with(&columns) {
            return Err(lines.wrong(format_args!(
                "the header must be `src`, `dst`, `type` and perhaps `data`, separated by tabs; it is `{header}`"
            )));
        }
        Ok(EdgeReader {
            columns: columns.len(),
            lines,
        })
    }

    /// The next edge, or `None` after the last. Both ends must be among `ids`.
    pub(crate) fn next_row(&mut self, ids: &Ids) -> Result<Option<EdgeRow>, Failure> {
        let columns = self.columns;
        let Some(text) = self.lines.next_line()? else {
            return Ok(None);
        };
        let row = parse(text, columns, ids);
        row.map(Some).map_err(|what| self.lines.wrong(what))
    }
}

fn parse(text: &str, columns: usize, ids: &Ids) -> Result<EdgeRow, String> {
    let mut fields = text.split('\t');
    let (Some(source), Some(target), Some(label)) = (fields.next(), fields.next(), fields.next())
    else {
        return Err(format!(
            "{columns} tab-separated fields expected, found {}",
            text.split('\t').count()
        ));
    };
    let data = fields.next();
    if data.is_some() != (columns == 4) || fields.next().is_some() {
        return Err(format!(
            "{columns} tab-separated fields expected, found {}",
            text.split('\t').count()
        ));
    }
    if label.is_empty() {
        return Err("the type is empty".to_owned());
    }
    Ok(EdgeRow {
        source: lookup(source, "src", ids)?,
        label: label.to_owned(),
        target: lookup(target, "dst", ids)?,
        data: data.unwrap_or_default().as_bytes().to_vec(),
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
        Ids::Strings(seen) => seen.get(text).copied(),
    };
    found.ok_or_else(|| format!("{column} `{text}` is no node of this graph"))
}
