//! Nodes from JSON lines, `{"id":1,"kind":"games","name":"0ad","data":{…}}`, or from a table with the
//! columns `id`, `kind`, `name` and perhaps `data`.

use std::collections::HashMap;
use std::fmt;
use std::path::Path;

use serde::Deserialize;
use serde::de::{Deserializer, Error, Visitor};
use serde_json::value::RawValue;

use crate::failure::Failure;

use super::lines::Lines;
use super::table::{Form, NODES, Table};
use super::{Ids, NodeRow};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line<'a> {
    id: SourceId,
    kind: String,
    name: String,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
}

/// An id as the source writes it.
enum SourceId {
    Number(u64),
    String(String),
}

impl<'de> Deserialize<'de> for SourceId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<SourceId, D::Error> {
        struct Id;
        impl Visitor<'_> for Id {
            type Value = SourceId;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an id: a whole number from 1 to 2^48 − 1, or a string")
            }

            fn visit_u64<E: Error>(self, id: u64) -> Result<SourceId, E> {
                Ok(SourceId::Number(id))
            }

            fn visit_str<E: Error>(self, id: &str) -> Result<SourceId, E> {
                Ok(SourceId::String(id.to_owned()))
            }
        }
        deserializer.deserialize_any(Id)
    }
}

/// Reads nodes one by one.
pub(crate) enum NodeReader {
    Lines(Lines),
    Table(Table),
}

impl NodeReader {
    pub(crate) fn open(path: &Path) -> Result<NodeReader, Failure> {
        Ok(match Form::of(path) {
            Some(form) => NodeReader::Table(Table::open(path, form, &NODES)?),
            None => NodeReader::Lines(Lines::open(path)?),
        })
    }

    /// The next node, or `None` after the last. Registers its id; a repeated one is refused.
    pub(crate) fn next_row(&mut self, ids: &mut Ids) -> Result<Option<NodeRow>, Failure> {
        match self {
            NodeReader::Lines(lines) => {
                let Some(text) = lines.next_line()? else {
                    return Ok(None);
                };
                let row = parse(text, ids);
                row.map(Some).map_err(|what| lines.wrong(what))
            }
            NodeReader::Table(table) => {
                if !table.advance()? {
                    return Ok(None);
                }
                let row = of_fields(table.fields(), ids);
                row.map(Some).map_err(|what| table.wrong(what))
            }
        }
    }
}

/// A row of a table. Its ids are numbers if the first of the graph is one.
fn of_fields(fields: [&str; 4], ids: &mut Ids) -> Result<NodeRow, String> {
    let [id, kind, name, data] = fields;
    let number = match ids {
        Ids::Unknown | Ids::Numbers(_) => id.parse().ok(),
        Ids::Texts(_) | Ids::Renumbered(_) => None,
    };
    let id = number.map_or_else(|| SourceId::String(id.to_owned()), SourceId::Number);
    Ok(NodeRow {
        id: register(id, ids)?,
        kind: kind.to_owned(),
        name: name.to_owned(),
        data: data.as_bytes().to_vec(),
    })
}

fn parse(text: &str, ids: &mut Ids) -> Result<NodeRow, String> {
    let line: Line<'_> = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let id = register(line.id, ids)?;
    let data = line
        .data
        .map_or_else(Vec::new, |data| data.get().as_bytes().to_vec());
    Ok(NodeRow {
        id,
        kind: line.kind,
        name: line.name,
        data,
    })
}

fn register(id: SourceId, ids: &mut Ids) -> Result<u64, String> {
    if matches!(ids, Ids::Unknown) {
        *ids = match id {
            SourceId::Number(_) => Ids::Numbers(Vec::new()),
            SourceId::String(_) => Ids::Texts(HashMap::new()),
        };
    }
    match (id, ids) {
        (SourceId::Number(id), Ids::Numbers(seen)) => {
            if vellum::NodeId::new(id).is_none() {
                return Err(format!("id {id} is not from 1 to 2^48 − 1"));
            }
            if let Some(last) = seen.last().filter(|last| **last >= id) {
                return Err(format!(
                    "id {id} comes after {last}: numbers must ascend, as they become the nodes' ids; `lab import --renumber` gives new ones"
                ));
            }
            seen.push(id);
            Ok(id)
        }
        (SourceId::Number(id), Ids::Renumbered(seen)) => next(id.to_string(), seen),
        (SourceId::String(id), Ids::Texts(seen) | Ids::Renumbered(seen)) => next(id, seen),
        _ => Err("ids are all numbers or all strings, not both in one graph".to_owned()),
    }
}

/// The number of an id that is only a name: the next.
fn next(id: String, seen: &mut HashMap<String, u64>) -> Result<u64, String> {
    let number = seen.len() as u64 + 1;
    if seen.contains_key(&id) {
        return Err(format!("id \"{id}\" appears a second time"));
    }
    seen.insert(id, number);
    Ok(number)
}
