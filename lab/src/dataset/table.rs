//! Tables as text, row by row: TSV, whose fields stand as they are, and CSV, whose fields may be quoted
//! (RFC 4180). The first line names the columns, in any order.

use std::fmt;
use std::io::{self, BufRead, Read};
use std::path::{Path, PathBuf};

use csv::{ErrorKind, Reader, ReaderBuilder, StringRecord};

use crate::failure::Failure;

use super::lines::{self, LINE_MAX};

/// How fields are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Tsv,
    Csv,
}

impl Form {
    /// From the name of a file, which may end in `.gz`.
    pub(crate) fn of(path: &Path) -> Option<Form> {
        let name = path.file_name()?.to_string_lossy();
        let name = name.strip_suffix(".gz").unwrap_or(&name);
        match name.rsplit_once('.')?.1 {
            "tsv" => Some(Form::Tsv),
            "csv" => Some(Form::Csv),
            _ => None,
        }
    }

    pub(crate) fn delimiter(self) -> u8 {
        match self {
            Form::Tsv => b'\t',
            Form::Csv => b',',
        }
    }

    fn between(self) -> &'static str {
        match self {
            Form::Tsv => "tabs",
            Form::Csv => "commas",
        }
    }
}

/// The columns of one kind of row: the last may be left out, and is empty then.
pub(crate) type Columns = [&'static str; 4];

pub(crate) const NODES: Columns = ["id", "kind", "name", "data"];
pub(crate) const EDGES: Columns = ["src", "dst", "type", "data"];

/// Whether the header of a table names nodes; else it names edges.
pub(crate) fn holds_nodes(path: &Path, form: Form) -> Result<bool, Failure> {
    let mut table = Table::begin(path, form, lines::open(path)?);
    let header = table.header()?;
    if places(&header, &NODES).is_ok() {
        return Ok(true);
    }
    match places(&header, &EDGES) {
        Ok(_) => Ok(false),
        Err(_) => Err(table.wrong(format_args!(
            "the header must name the columns of nodes, `id`, `kind`, `name` and perhaps `data`, or those of edges, `src`, `dst`, `type` and perhaps `data`, separated by {}; it is `{}`",
            form.between(),
            table.shown(&header)
        ))),
    }
}

/// A reader of rows that knows where it is.
pub(crate) struct Table {
    path: PathBuf,
    form: Form,
    reader: Reader<Bounded>,
    row: StringRecord,
    /// Where each column stands in a row.
    places: [Option<usize>; 4],
}

impl Table {
    /// Opens a file, plain or gzipped, and reads its header.
    pub(crate) fn open(path: &Path, form: Form, columns: &Columns) -> Result<Table, Failure> {
        Table::begin(path, form, lines::open(path)?).with(columns)
    }

    /// Reads bytes as if they had been in a file.
    pub(crate) fn over(
        path: &Path,
        input: impl Read + 'static,
        form: Form,
        columns: &Columns,
    ) -> Result<Table, Failure> {
        Table::begin(path, form, lines::unpacked(path, input)?).with(columns)
    }

    fn begin(path: &Path, form: Form, input: Box<dyn BufRead>) -> Table {
        let reader = ReaderBuilder::new()
            .delimiter(form.delimiter())
            .quoting(form == Form::Csv)
            .has_headers(false)
            .from_reader(Bounded { input, left: 0 });
        Table {
            path: path.to_owned(),
            form,
            reader,
            row: StringRecord::new(),
            places: [None; 4],
        }
    }

    fn header(&mut self) -> Result<StringRecord, Failure> {
        self.advance()?;
        Ok(std::mem::take(&mut self.row))
    }

    fn with(mut self, columns: &Columns) -> Result<Table, Failure> {
        let header = self.header()?;
        self.places = places(&header, columns).map_err(|what| {
            let [first, second, third, last] = columns;
            self.wrong(format_args!(
                "the header must be `{first}`, `{second}`, `{third}` and perhaps `{last}`, separated by {}; {what} in `{}`",
                self.form.between(),
                self.shown(&header)
            ))
        })?;
        Ok(self)
    }

    /// Goes to the next row; `false` after the last. Empty lines are none.
    pub(crate) fn advance(&mut self) -> Result<bool, Failure> {
        self.reader.get_mut().left = LINE_MAX;
        match self.reader.read_record(&mut self.row) {
            Ok(more) => Ok(more),
            Err(error) => Err(self.refuse(&error)),
        }
    }

    fn refuse(&self, error: &csv::Error) -> Failure {
        let line = error
            .position()
            .map_or_else(|| self.reader.position().line(), csv::Position::line);
        let what = match error.kind() {
            ErrorKind::UnequalLengths {
                expected_len, len, ..
            } => format!("{expected_len} fields expected, found {len}"),
            ErrorKind::Utf8 { err, .. } => format!("not UTF-8 in field {}", err.field() + 1),
            ErrorKind::Io(error) => error.to_string(),
            _ => error.to_string(),
        };
        Failure::usage(format!("{}:{line}: {what}", self.path.display()))
    }

    /// The fields of the row, in the order of the columns asked for.
    pub(crate) fn fields(&self) -> [&str; 4] {
        self.places
            .map(|place| place.and_then(|at| self.row.get(at)).unwrap_or_default())
    }

    /// A failure at the row read last.
    pub(crate) fn wrong(&self, what: impl fmt::Display) -> Failure {
        let line = self.row.position().map_or(1, csv::Position::line);
        Failure::usage(format!("{}:{line}: {what}", self.path.display()))
    }

    fn shown(&self, row: &StringRecord) -> String {
        let between = char::from(self.form.delimiter()).to_string();
        row.iter().collect::<Vec<&str>>().join(&between)
    }
}

/// Where the columns stand in a header, or what is wrong with it.
fn places(header: &StringRecord, columns: &Columns) -> Result<[Option<usize>; 4], String> {
    for (at, name) in header.iter().enumerate() {
        if !columns.contains(&name) {
            return Err(format!("`{name}` is none of these"));
        }
        if header.iter().take(at).any(|before| before == name) {
            return Err(format!("`{name}` stands twice"));
        }
    }
    let found = columns.map(|column| header.iter().position(|name| name == column));
    match columns.iter().zip(found).find(|(_, at)| at.is_none()) {
        Some((column, _)) if *column != "data" => Err(format!("`{column}` is missing")),
        _ => Ok(found),
    }
}

/// Gives no more than was allowed for one row, so that a quote without an end cannot fill the memory.
struct Bounded {
    input: Box<dyn BufRead>,
    left: u64,
}

impl Read for Bounded {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left)
            .unwrap_or(usize::MAX)
            .min(into.len());
        if most == 0 && !into.is_empty() {
            return Err(io::Error::other(format!(
                "the row is longer than {LINE_MAX} bytes"
            )));
        }
        let read = self.input.read(&mut into[..most])?;
        self.left -= read as u64;
        Ok(read)
    }
}
