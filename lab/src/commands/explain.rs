//! `lab explain`: what one call does to a database, page by page.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;
use vellum::{Direction, NodeId};

use crate::cli::Format;
use crate::console::Console;
use crate::failure::{Context, Exit, Failure};
use crate::forensic::explain::{Call, Explained, explain};
use crate::forensic::{self, account};

#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// The database file. It is not changed.
    #[arg(value_name = "DB")]
    database: PathBuf,
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// A node by its id.
    Get {
        /// Node id.
        id: u64,
    },
    /// The nodes at the other ends of a node's edges.
    Neighbors {
        /// Node id.
        id: u64,
        /// Follow edges backwards.
        #[arg(long)]
        incoming: bool,
        /// Only edges with this label.
        #[arg(long)]
        label: Option<String>,
    },
    /// A shortest path between two nodes.
    Path {
        /// Node id to start from.
        from: u64,
        /// Node id to come to.
        to: u64,
    },
    /// A node, and an edge from it if --to is given. What is written stays in memory.
    Insert {
        /// The node's kind.
        #[arg(default_value = "kind")]
        kind: String,
        /// The node's name.
        #[arg(default_value = "name")]
        name: String,
        /// The node's data.
        #[arg(long, default_value = "")]
        data: String,
        /// Also an edge to this node.
        #[arg(long, value_name = "ID")]
        to: Option<u64>,
        /// The edge's label.
        #[arg(long, default_value = "label", requires = "to")]
        label: String,
    },
}

impl What {
    fn call(&self) -> Result<Call, Failure> {
        Ok(match self {
            What::Get { id } => Call::Get(node(*id)?),
            What::Neighbors {
                id,
                incoming,
                label,
            } => Call::Neighbors {
                node: node(*id)?,
                direction: if *incoming {
                    Direction::In
                } else {
                    Direction::Out
                },
                label: label.clone(),
            },
            What::Path { from, to } => Call::Path(node(*from)?, node(*to)?),
            What::Insert {
                kind,
                name,
                data,
                to,
                label,
            } => Call::Insert {
                kind: kind.clone(),
                name: name.clone(),
                data: data.clone(),
                edge: match to {
                    Some(to) => Some((node(*to)?, label.clone())),
                    None => None,
                },
            },
        })
    }
}

fn node(id: u64) -> Result<NodeId, Failure> {
    NodeId::new(id)
        .ok_or_else(|| Failure::usage(format!("{id} is no node id: they go from 1 to 2^48 − 1")))
}

pub(crate) fn run(args: &ExplainArgs, console: &Console) -> Result<Exit, Failure> {
    let call = args.what.call()?;
    if !forensic::HERE {
        return forensic::hand_over("`lab explain`");
    }
    let explained = explain(&args.database, &call)?;
    let text = match console.format {
        Format::Human => text(&explained),
        Format::Md => format!("```text\n{}```\n", text(&explained)),
        Format::Json => serde_json::to_string_pretty(&document(&explained)).context("JSON")? + "\n",
        Format::Ndjson => serde_json::to_string(&document(&explained)).context("JSON")? + "\n",
    };
    console.result(&text)?;
    Ok(Exit::Passed)
}

fn text(explained: &Explained) -> String {
    let mut out = format!("{}: {}\n", explained.what, explained.answer);
    if let Some(note) = explained.note {
        out += &format!("{note}\n");
    }
    for step in &explained.steps {
        out += "\n";
        out += &account::text(step);
    }
    out
}

fn document(explained: &Explained) -> serde_json::Value {
    json!({
        "what": explained.what,
        "answer": explained.answer,
        "note": explained.note,
        "steps": explained.steps.iter().map(account::json).collect::<Vec<_>>(),
    })
}
