//! A graph that tells by itself whether commits are missing or halved: each writer has a head that
//! counts its entries, and every commit adds one entry, one edge and one to the count.

use vellum::{Builder, Database, Direction, NodeId, NodeUpdate, ReadTxn};

use super::Tally;

/// Writers of one ledger.
pub(super) const WRITERS: u64 = 3;

const HEAD: &str = "head";
const ENTRY: &str = "entry";
const WROTE: &str = "wrote";

/// Options that make checkpoints, switches of log segments and reused pages frequent.
pub(super) fn builder() -> Builder {
    Database::builder()
        .log_segment_bytes(64 << 10)
        .write_buffer_bytes(64 << 10)
        .cache_bytes(256 << 10)
}

/// Heads of writers that have written nothing yet.
pub(super) fn begin(db: &Database) -> vellum::Result<()> {
    let mut txn = db.begin_write()?;
    for writer in 0..WRITERS {
        txn.insert_node(HEAD, &format!("head-{writer}"), b"0")?;
    }
    txn.commit()?;
    Ok(())
}

/// One commit of a writer: its entry number `number`.
pub(super) fn write(db: &Database, writer: u64, number: u64) -> vellum::Result<()> {
    let mut txn = db.begin_write()?;
    let head = head_of(writer);
    let entry = txn.insert_node(ENTRY, &name(writer, number), &payload(writer, number))?;
    txn.insert_edge(head, WROTE, entry, &number.to_le_bytes())?;
    txn.update_node(head, NodeUpdate::new().data(number.to_string().as_bytes()))?;
    txn.commit()?;
    Ok(())
}

/// How many entries each writer has, or which rule the snapshot breaks.
pub(super) fn read(txn: &ReadTxn) -> Result<Vec<u64>, String> {
    (0..WRITERS)
        .map(|writer| read_one(txn, writer).unwrap_or_else(|error| Err(error.to_string())))
        .collect()
}

fn read_one(txn: &ReadTxn, writer: u64) -> vellum::Result<Result<u64, String>> {
    let head = head_of(writer);
    let Some(node) = txn.node(head)? else {
        return Ok(Err(format!("the head of writer {writer} is gone")));
    };
    let data = node.data()?;
    let count = std::str::from_utf8(&data)
        .ok()
        .and_then(|text| text.parse().ok());
    let Some(count) = count else {
        return Ok(Err(format!("the head of writer {writer} holds no count")));
    };
    let degree = txn.degree(head, Direction::Out, Some(WROTE))?;
    if degree != count {
        return Ok(Err(format!(
            "writer {writer} counts {count} entries and has {degree} edges"
        )));
    }
    if count > 0 && !has_entry(txn, writer, count)? {
        return Ok(Err(format!(
            "entry {count} of writer {writer} is counted and not there"
        )));
    }
    if has_entry(txn, writer, count + 1)? {
        return Ok(Err(format!(
            "entry {} of writer {writer} is there and not counted",
            count + 1
        )));
    }
    Ok(Ok(count))
}

/// Every entry of every writer, and the engine's own check.
pub(super) fn read_all(db: &Database) -> Result<Vec<u64>, String> {
    let told = |error: vellum::Error| error.to_string();
    let txn = db.begin_read().map_err(told)?;
    let counts = read(&txn)?;
    for (writer, count) in (0..).zip(&counts) {
        for number in 1..=*count {
            if !has_entry(&txn, writer, number).map_err(told)? {
                return Err(format!("entry {number} of writer {writer} is missing"));
            }
        }
    }
    let report = db.check().map_err(told)?;
    match report.findings.first() {
        Some(finding) => Err(format!("the check finds {finding:?}")),
        None => Ok(counts),
    }
}

fn has_entry(txn: &ReadTxn, writer: u64, number: u64) -> vellum::Result<bool> {
    let Some(id) = txn.nodes_named(&name(writer, number)).next() else {
        return Ok(false);
    };
    let node = txn.node(id?)?;
    match node {
        Some(node) => Ok(*node.data()? == *payload(writer, number)),
        None => Ok(false),
    }
}

/// Compares what is found with what was acknowledged, and counts. Afterwards what was found counts as
/// acknowledged: it was shown.
pub(super) fn compare(tally: &mut Tally, acknowledged: &mut [u64], found: &[u64]) -> bool {
    let returned = acknowledged.to_vec();
    compare_within(tally, acknowledged, &returned, found)
}

/// The same, where more commits had returned than were acknowledged in time.
pub(super) fn compare_within(
    tally: &mut Tally,
    acknowledged: &mut [u64],
    returned: &[u64],
    found: &[u64],
) -> bool {
    let told = acknowledged.iter_mut().zip(returned);
    for (writer, ((told, returned), found)) in told.zip(found).enumerate() {
        // Each writer has at most one commit under way.
        if found < told || *found > *returned + 1 {
            tally.violations.push(format!(
                "writer {writer}: {told} commits were acknowledged, and {found} are found"
            ));
            return false;
        }
        tally.unacknowledged += *found - *told;
        *told = *found;
    }
    true
}

fn head_of(writer: u64) -> NodeId {
    NodeId::new(writer + 1).unwrap_or(NodeId::MIN)
}

fn name(writer: u64, number: u64) -> String {
    format!("{writer}-{number}")
}

/// Mostly a cell, sometimes a blob.
fn payload(writer: u64, number: u64) -> Vec<u8> {
    let len = if number % 50 == 7 {
        9_000
    } else {
        (number * 37 + writer) % 300
    };
    (0..len).map(|i| (i * 31 + number) as u8).collect()
}
