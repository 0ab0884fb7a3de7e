//! Events as text and as numbers.

use vellum::storage::sim::{Change, Event};
use xxhash_rust::xxh3::{Xxh3, xxh3_64};

use super::marks::Mark;

/// One line that says what happened.
pub(crate) fn line(event: &Event) -> String {
    match event {
        Event::Change(change) => of_change(change),
        Event::Sync(file) => format!("sync      file {file}"),
        Event::SyncDirectory => "sync      directory".to_owned(),
        Event::SyncFailed(file, failure) => format!("sync      file {file} fails: {failure:?}"),
        Event::Mark(number) => match Mark::of(*number) {
            Some(Mark::Begun(version)) => format!("          {version} begins"),
            Some(Mark::Acked(version)) => format!("          {version} is acknowledged"),
            Some(Mark::Shown(version)) => format!("          {version} is shown"),
            Some(Mark::Copied(version)) => format!("          the copy of {version} is finished"),
            Some(Mark::Uncopied) => "          the copy is taken away".to_owned(),
            Some(Mark::Way(way)) => format!("          by: {}", way.name()),
            Some(Mark::SyncCalled(file)) => format!("          a sync of file {file} is called"),
            None => format!("          mark {number}"),
        },
    }
}

fn of_change(change: &Change) -> String {
    match change {
        Change::Create { file, name } => format!("create    file {file}, {name}"),
        Change::Write { file, offset, data } => format!(
            "write     file {file}, {} bytes at {offset}, digest {:016x}",
            data.len(),
            xxh3_64(data)
        ),
        Change::SetLen { file, len } => format!("set-len   file {file}, {len} bytes"),
        Change::Rename { from, to } => format!("rename    {from} to {to}"),
        Change::Remove { name } => format!("remove    {name}"),
    }
}

/// A number that two events share only if they are the same, or by chance.
pub(crate) fn digest(event: &Event) -> u64 {
    xxh3_64(line(event).as_bytes())
}

/// The same of a whole session.
pub(crate) fn digest_of(events: &[Event]) -> u64 {
    let mut hash = Xxh3::new();
    for event in events {
        hash.update(&digest(event).to_le_bytes());
    }
    hash.digest()
}
