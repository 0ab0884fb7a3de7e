//! One writer moves money between accounts; readers sum up all accounts at the same time. Every
//! snapshot sees whole transactions only, so the sum never changes.
//!
//! ```text
//! cargo run --release -p vellum --example concurrent_readers
//! ```

use std::error::Error;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use vellum::{Database, Durability, NodeId, NodeUpdate, ReadTxn};

const ACCOUNTS: u64 = 100;
const TRANSFERS: u64 = 5_000;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let db = Database::builder()
        .durability(Durability::None)
        .create(folder.path().join("bank.vellum"))?;
    let mut txn = db.begin_write()?;
    let mut accounts = Vec::new();
    for number in 0..ACCOUNTS {
        accounts.push(txn.insert_node("account", &format!("account {number}"), b"1000")?);
    }
    txn.commit()?;

    let done = AtomicBool::new(false);
    let sums = AtomicU64::new(0);
    std::thread::scope(|scope| -> Result<(), Box<dyn Error>> {
        let readers: Vec<_> = (0..3)
            .map(|_| {
                scope.spawn(|| -> Result<(), vellum::Error> {
                    while !done.load(Ordering::Relaxed) {
                        assert_eq!(sum(&db.begin_read()?)?, ACCOUNTS * 1000);
                        sums.fetch_add(1, Ordering::Relaxed);
                    }
                    Ok(())
                })
            })
            .collect();
        let written = transfer(&db, &accounts);
        done.store(true, Ordering::Relaxed);
        for reader in readers {
            reader
                .join()
                .map_err(|_| "a reader saw half a transaction")??;
        }
        Ok(written?)
    })?;
    println!(
        "{TRANSFERS} transfers, {} sums, all of them {}",
        sums.into_inner(),
        ACCOUNTS * 1000
    );
    Ok(())
}

fn transfer(db: &Database, accounts: &[NodeId]) -> Result<(), vellum::Error> {
    for round in 0..TRANSFERS {
        let from = accounts[(round * 7 % ACCOUNTS) as usize];
        let to = accounts[(round * 13 % ACCOUNTS + 1) as usize % accounts.len()];
        if from == to {
            continue;
        }
        let mut txn = db.begin_write()?;
        let view = txn.view()?;
        let (a, b) = (balance(&view, from)?, balance(&view, to)?);
        let amount = a.min(round % 50);
        txn.update_node(
            from,
            NodeUpdate::new().data((a - amount).to_string().as_bytes()),
        )?;
        txn.update_node(
            to,
            NodeUpdate::new().data((b + amount).to_string().as_bytes()),
        )?;
        txn.commit()?;
    }
    Ok(())
}

fn balance(txn: &ReadTxn, account: NodeId) -> Result<u64, vellum::Error> {
    let Some(node) = txn.node(account)? else {
        return Ok(0);
    };
    let data = node.data()?;
    Ok(std::str::from_utf8(&data)
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or_default())
}

fn sum(txn: &ReadTxn) -> Result<u64, vellum::Error> {
    txn.nodes_of_kind("account")
        .map(|account| balance(txn, account?))
        .sum()
}
