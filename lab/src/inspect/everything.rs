//! Every view of one file at once, and its salvage: for those who make files up to see what gives.

use std::sync::Arc;

use vellum::storage::MemoryDirectory;

use crate::cli::{Inspect, MapArgs, MapBy, TreeArgs};
use crate::recover::Recovery;

use super::paint::Paint;
use super::source::Source;
use super::{Look, inspect};

const NAME: &str = "file";

/// What a look at everything came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Looked {
    /// Views that were shown.
    pub shown: usize,
    /// Pages in the file.
    pub pages: u64,
    /// Whether a header slot is whole.
    pub header: bool,
    /// Nodes that a salvage wrote into a new database, if it could write one.
    pub saved: Option<u64>,
}

/// Looks at these bytes in every way that `lab inspect` has, and salvages them in memory. Whatever
/// they are, nothing panics, and views of pages that are there are shown.
pub fn look_at_everything(database: &[u8], log: &[u8]) -> Looked {
    let directory = MemoryDirectory::new();
    directory.put(NAME, database.to_vec());
    if !log.is_empty() {
        directory.put(&format!("{NAME}-log"), log.to_vec());
    }
    let Ok(source) = Source::open_in(&directory, NAME) else {
        return Looked::default();
    };
    let pages = source.pages.page_count();
    let mut looked = Looked {
        pages,
        header: source.pages.newest().is_some(),
        ..Looked::default()
    };
    for number in 0..2 {
        let look = Look {
            paint: Paint { on: number == 0 },
            verbose: number == 0,
            redact: number == 1,
        };
        for what in views(pages) {
            looked.shown += usize::from(inspect(&source, &what, look).is_ok());
        }
    }
    looked.saved = salvage(&source);
    looked
}

fn views(pages: u64) -> Vec<Inspect> {
    let map = |by| {
        Inspect::Map(MapArgs {
            by,
            svg: None,
            trace: None,
            columns: 64,
        })
    };
    let tree = |dot| Inspect::Tree(TreeArgs { space: None, dot });
    let mut views = vec![
        Inspect::Info,
        Inspect::Stats,
        Inspect::Pages,
        Inspect::Wal,
        tree(false),
        tree(true),
    ];
    views.extend(
        [
            MapBy::Kind,
            MapBy::Fill,
            MapBy::Birth,
            MapBy::Space,
            MapBy::Owner,
            MapBy::Damage,
        ]
        .map(map),
    );
    views.extend([1, 2, 7, vellum::MAX_U48].map(|id| Inspect::Node { id }));
    // A few pages stand for all: the fuzzer turns every page into one of the first.
    for number in (0..pages).take(12) {
        views.extend([Inspect::Page { number }, Inspect::Why { number }]);
    }
    views
}

fn salvage(source: &Source) -> Option<u64> {
    let recovery = Recovery::of(source).ok()?;
    let database = recovery
        .builder()
        .in_directory(Arc::new(MemoryDirectory::new()))
        .create(NAME)
        .ok()?;
    Some(recovery.write(database).ok()?.written.nodes)
}
