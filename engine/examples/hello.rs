//! Create a graph, look around in it, and find it again after closing.
//!
//! ```text
//! cargo run --release -p vellum --example hello
//! ```

use std::error::Error;

use vellum::{Database, Direction};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("trains.vellum");

    let db = Database::create(&path)?;
    let mut txn = db.begin_write()?;
    let lyon = txn.insert_node("city", "Lyon", br#"{"people":522250}"#)?;
    let turin = txn.insert_node("city", "Turin", br#"{"people":847398}"#)?;
    let milan = txn.insert_node("city", "Milan", br#"{"people":1366155}"#)?;
    txn.insert_edge(lyon, "rail", turin, br#"{"km":315}"#)?;
    txn.insert_edge(turin, "rail", milan, br#"{"km":143}"#)?;
    txn.insert_edge(milan, "rail", turin, br#"{"km":143}"#)?;
    let report = txn.commit()?;
    println!(
        "commit {}: {} log bytes, {} sync",
        report.commit, report.log_bytes, report.syncs
    );
    db.close()?;

    let db = Database::open(&path)?;
    let txn = db.begin_read()?;
    for edge in txn.edges(turin, Direction::In, Some("rail")) {
        let edge = edge?;
        let from = txn
            .node(edge.source())?
            .ok_or("an edge without its source")?;
        println!(
            "{} -> Turin {}",
            from.name(),
            String::from_utf8_lossy(&edge.data()?)
        );
    }
    let path = txn.shortest_path(lyon, milan).run()?.ok_or("no way")?;
    println!("Lyon to Milan: {} hops", path.nodes.len() - 1);
    Ok(())
}
