//! Nodes from JSON lines: `{"id":1,"kind":"games","name":"0ad","data":{…}}`.

use std::collections::HashMap;
use std::fmt;
use std::path::Path;

use serde::Deserialize;
use serde::de::{Deserializer, Error, Visitor};
use serde_json::value::RawValue;

use crate::failure::Failure;

use super::lines::Lines;
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
pub(crate) struct NodeReader {
    lines: Lines,
}

impl NodeReader {
    pub(crate) fn open(path: &Path) -> Result<NodeReader, Failure> {
        Ok(NodeReader::over(Lines::open(path)?))
    }

    pub(crate) fn over(lines: Lines) -> NodeReader {
        NodeReader { lines }
    }

    /// The next node, or `None` after the last. Registers its id; a repeated one is refused.
    pub(crate) fn next_row(&mut self, ids: &mut Ids) -> Result<Option<NodeRow>, Failure> {
        let Some(text) = self.lines.next_line()? else {
            return Ok(None);
        };
        let row = parse(text, ids);
        row.map(Some).map_err(|what| self.lines.wrong(what))
    }
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
            SourceId::String(_) => Ids::Strings(HashMap::new()),
        };
    }
    match (id, ids) {
        (SourceId::Number(id), Ids::Numbers(seen)) => {
            if vellum::NodeId::new(id).is_none() {
                return Err(format!("id {id} is not from 1 to 2^48 − 1"));
            }
            if let Some(last) = seen.last().filter(|last| **last >= id) {
                return Err(format!(
                    "id {id} comes after {last}: numbers must ascend; ids written as strings need not"
                ));
            }
            seen.push(id);
            Ok(id)
        }
        (SourceId::String(id), Ids::Strings(seen)) => {
            let number = seen.len() as u64 + 1;
            if seen.contains_key(&id) {
                return Err(format!("id \"{id}\" appears a second time"));
            }
            seen.insert(id, number);
            Ok(number)
        }
        _ => Err("ids are all numbers or all strings, not both in one graph".to_owned()),
    }
}
