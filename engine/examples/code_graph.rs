//! A code indexer's graph: files define functions, functions call functions. Questions of one to
//! three hops, an incremental re-index of one file, and what that did to the callers.
//!
//! ```text
//! cargo run --release -p vellum --example code_graph
//! ```

use std::error::Error;

use vellum::{Database, Direction, NodeId, NodeUpdate, ReadTxn, WriteTxn};

const FILES: u32 = 200;
const FUNCTIONS_PER_FILE: u32 = 25;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let db = Database::create(folder.path().join("code.vellum"))?;

    let mut txn = db.begin_write()?;
    let functions = index(&mut txn)?;
    txn.commit()?;

    let txn = db.begin_read()?;
    let target = txn
        .nodes_named("module_7::function_3")
        .next()
        .ok_or("not indexed")??;
    println!(
        "{} functions call module_7::function_3",
        callers(&txn, target, 1)?
    );
    println!("{} reach it within three calls", callers(&txn, target, 3)?);

    // The snapshot above stays as it was while file 7 is indexed again.
    let mut write = db.begin_write()?;
    let renamed = NodeUpdate::new().name("module_7::renamed");
    write.update_node(target, renamed)?;
    write.delete_node(functions[0])?;
    write.commit()?;
    let now = db.begin_read()?;
    println!(
        "before: {:?}, after: {:?}",
        name(&txn, target)?,
        name(&now, target)?
    );
    println!("functions before: {}, after: {}", count(&txn), count(&now));
    Ok(())
}

fn index(txn: &mut WriteTxn) -> Result<Vec<NodeId>, vellum::Error> {
    let mut functions = Vec::new();
    for file in 0..FILES {
        let module = txn.insert_node("file", &format!("src/module_{file}.rs"), b"")?;
        for function in 0..FUNCTIONS_PER_FILE {
            let name = format!("module_{file}::function_{function}");
            let id = txn.insert_node("function", &name, br#"{"visibility":"pub"}"#)?;
            txn.insert_edge(module, "defines", id, b"")?;
            functions.push(id);
        }
    }
    let total = functions.len();
    for (index, caller) in functions.iter().enumerate() {
        for step in [1, 17, 321] {
            let callee = functions[(index * step + 7) % total];
            let line = format!(r#"{{"line":{}}}"#, index % 90);
            txn.insert_edge(*caller, "calls", callee, line.as_bytes())?;
        }
    }
    Ok(functions)
}

fn callers(txn: &ReadTxn, of: NodeId, depth: u32) -> Result<usize, vellum::Error> {
    Ok(txn.k_hop(of, depth, Direction::In, Some("calls"))?.len())
}

fn name(txn: &ReadTxn, id: NodeId) -> Result<Option<String>, vellum::Error> {
    Ok(txn.node(id)?.map(|node| node.name().to_owned()))
}

fn count(txn: &ReadTxn) -> usize {
    txn.nodes_of_kind("function").count()
}
