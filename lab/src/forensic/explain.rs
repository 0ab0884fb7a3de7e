//! Doing one thing to a database under a ledger, cold and warm, or step by step.

use std::path::Path;
use std::sync::Arc;

use vellum::{Database, Direction, NodeId, ReadTxn};

use super::account::Step;
use super::overlay::Overlay;
use crate::failure::{Exit, Failure};
use crate::store::open_read_only;
use crate::units::counted;

/// What is to be explained.
#[derive(Clone, Debug)]
pub(crate) enum Call {
    Get(NodeId),
    Neighbors {
        node: NodeId,
        direction: Direction,
        label: Option<String>,
    },
    Path(NodeId, NodeId),
    Insert {
        kind: String,
        name: String,
        data: String,
        /// A node to lead an edge to, and the edge's label.
        edge: Option<(NodeId, String)>,
    },
}

/// What came out, and what it took.
pub(crate) struct Explained {
    pub(crate) what: String,
    pub(crate) answer: String,
    pub(crate) note: Option<&'static str>,
    pub(crate) steps: Vec<Step>,
}

const COLD: &str =
    "just opened, nothing in the page cache (the operating system may have the file in its own)";
const WARM: &str = "the same once more";

pub(crate) fn explain(database: &Path, call: &Call) -> Result<Explained, Failure> {
    if let Call::Insert {
        kind,
        name,
        data,
        edge,
    } = call
    {
        return insert(database, kind, name, data.as_bytes(), edge.as_ref());
    }
    let db = open_read_only(database)?;
    let txn = db.begin_read()?;
    let (first, cold) = db.with_ledger(|| ask(&txn, call));
    let answer = first?;
    let (again, warm) = db.with_ledger(|| ask(&txn, call));
    if again? != answer {
        return Err(Failure::wrong("the same question got two answers"));
    }
    let step = |name, circumstances, ledger| Step {
        name,
        circumstances,
        ledger,
    };
    Ok(Explained {
        what: what(call),
        answer,
        note: None,
        steps: vec![step("cold", COLD, cold), step("warm", WARM, warm)],
    })
}

fn what(call: &Call) -> String {
    match call {
        Call::Get(node) => format!("get {node}"),
        Call::Neighbors {
            node,
            direction,
            label,
        } => {
            let way = match direction {
                Direction::Out => "out",
                Direction::In => "in",
            };
            let label = label
                .as_ref()
                .map_or(String::new(), |label| format!(", {label}"));
            format!("neighbors of {node} ({way}{label})")
        }
        Call::Path(from, to) => format!("path from {from} to {to}"),
        Call::Insert { .. } => "insert".to_owned(),
    }
}

fn ask(txn: &ReadTxn, call: &Call) -> Result<String, Failure> {
    Ok(match call {
        Call::Get(id) => match txn.node(*id)? {
            Some(node) => format!(
                "kind {:?}, name {:?}, {}",
                node.kind(),
                node.name(),
                counted(node.data()?.len() as u64, "byte of data", "bytes of data")
            ),
            None => "no such node".to_owned(),
        },
        Call::Neighbors {
            node,
            direction,
            label,
        } => {
            let mut count = 0u64;
            for peer in txn.neighbors(*node, *direction, label.as_deref()) {
                peer?;
                count += 1;
            }
            // Asked only where it matters, for it is in the account.
            if count == 0 && !txn.contains_node(*node)? {
                return Ok("no such node".to_owned());
            }
            counted(count, "neighbour", "neighbours")
        }
        Call::Path(from, to) => match txn.shortest_path(*from, *to).run()? {
            Some(path) => {
                let edges = path.nodes.len().saturating_sub(1) as u64;
                counted(edges, "edge", "edges")
            }
            None => "no path".to_owned(),
        },
        Call::Insert { .. } => return Err(Failure::usage("an insertion is no question")),
    })
}

/// Opens a file for writing without ever changing it: what is written stays in memory.
fn open_overlaid(database: &Path) -> Result<Database, Failure> {
    if !database.is_file() {
        let message = format!("{}: no such file", database.display());
        return Err(Failure::new(Exit::Usage, message));
    }
    let folder = database
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let overlay = Arc::new(Overlay::new(folder.unwrap_or(Path::new("."))));
    Ok(Database::builder()
        .checkpoint(vellum::CheckpointMode::Inline)
        .in_directory(overlay)
        .open(database)?)
}

/// Inserts twice, as the first writer of an open would and as every further one, then closes.
fn insert(
    database: &Path,
    kind: &str,
    name: &str,
    data: &[u8],
    edge: Option<&(NodeId, String)>,
) -> Result<Explained, Failure> {
    let db = open_overlaid(database)?;
    let watch = db.watch();
    let mut steps = Vec::new();
    let mut answer = String::new();
    for (first, change, commit) in [
        (true, "first insert", "first commit"),
        (false, "second insert", "second commit"),
    ] {
        let mut txn = db.begin_write()?;
        let (inserted, ledger) = watch.with_ledger(|| -> vellum::Result<NodeId> {
            let node = txn.insert_node(kind, name, data)?;
            if let Some((target, label)) = edge {
                txn.insert_edge(node, label, *target, b"")?;
            }
            Ok(node)
        });
        let node = inserted?;
        steps.push(Step {
            name: change,
            circumstances: if first { COLD } else { WARM },
            ledger,
        });
        let (committed, ledger) = watch.with_ledger(|| txn.commit());
        let report = committed?;
        steps.push(Step {
            name: commit,
            circumstances: if first {
                "creates the log, for this is the first write since the database was opened"
            } else {
                "the log is there: what every further commit costs"
            },
            ledger,
        });
        answer = format!(
            "node {node}, {} bytes of log, {} sync",
            report.log_bytes, report.syncs
        );
    }
    let (closed, ledger) = watch.with_ledger(|| db.close());
    closed?;
    steps.push(Step {
        name: "close",
        circumstances: "merges what was logged into the trees and removes the log",
        ledger,
    });
    Ok(Explained {
        what: match edge {
            Some(_) => "insert a node and an edge".to_owned(),
            None => "insert a node".to_owned(),
        },
        answer,
        note: Some(
            "Nothing was written to the file: it was opened under an overlay in memory, which is gone now.",
        ),
        steps,
    })
}
