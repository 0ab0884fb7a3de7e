#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use super::graph::Graph;
use super::notes::Notes;
use super::reads;
use super::subject::{Change, Config, Session, Store};
use super::vellum::Vellum;

/// Loads by commits and in bulk, changes, deletes, and reads it all.
fn sums<S: Store>() -> [u64; 3] {
    let graph = Graph::new(300, 2_000, 5);
    let folder = tempfile::tempdir().unwrap();
    let config = |name: &str| {
        let config = Config {
            folder: folder.path().join(name),
            cache_bytes: 4 << 20,
            name_index: true,
        };
        std::fs::create_dir_all(&config.folder).unwrap();
        config
    };
    let bulk = S::open(&config("bulk")).unwrap();
    bulk.bulk(&graph).unwrap();
    bulk.close().unwrap();
    let bulk = S::open(&config("bulk")).unwrap();
    let store = S::open(&config("batch")).unwrap();
    let nodes: Vec<_> = graph.all_nodes().map(Change::Insert).collect();
    nodes
        .chunks(77)
        .for_each(|batch| store.commit(batch).unwrap());
    let edges: Vec<_> = graph.edges.iter().map(|edge| Change::Link(*edge)).collect();
    edges
        .chunks(333)
        .for_each(|batch| store.commit(batch).unwrap());
    let read = |store: &S| {
        let session = store.session().unwrap();
        let mut reader = session.reader().unwrap();
        let sum = reads::content(&mut reader, graph.nodes + 1).unwrap();
        drop(reader);
        let mut notes = Notes::default();
        reads::alone(&session, &graph, 50, &mut notes).unwrap();
        notes.digests.values().fold(sum, |sum, digest| {
            xxhash_rust::xxh3::xxh3_64_with_seed(digest.as_bytes(), sum)
        })
    };
    let of_bulk = read(&bulk);
    let of_batch = read(&store);
    let changed = [
        Change::Insert(graph.node(graph.nodes + 1)),
        Change::Update(super::graph::Node {
            data: b"{}",
            ..graph.node(3)
        }),
        Change::Link(graph.spare[0]),
        Change::Unlink(graph.edges[0]),
        Change::Delete(graph.node(graph.hub())),
    ];
    changed
        .iter()
        .for_each(|change| store.commit(std::slice::from_ref(change)).unwrap());
    let of_changed = read(&store);
    store.close().unwrap();
    bulk.close().unwrap();
    [of_bulk, of_batch, of_changed]
}

/// What a plain list of the edges says of a node's neighbours is what the flat arrays say.
#[test]
fn stores_agree_with_the_arrays_and_each_other() {
    let own = sums::<Vellum>();
    assert_eq!(own[0], own[1]);
    assert_ne!(own[1], own[2]);
    #[cfg(feature = "sqlite")]
    assert_eq!(sums::<super::sqlite::Sqlite>(), own);
    #[cfg(feature = "redb")]
    assert_eq!(sums::<super::redb::Redb>(), own);
    #[cfg(feature = "lmdb")]
    assert_eq!(sums::<super::lmdb::Lmdb>(), own);
    #[cfg(feature = "fjall")]
    assert_eq!(sums::<super::fjall::Fjall>(), own);
    let graph = Graph::new(300, 2_000, 5);
    let config = Config {
        folder: std::path::PathBuf::new(),
        cache_bytes: 0,
        name_index: false,
    };
    let arrays = super::csr::Csr::open(&config).unwrap();
    arrays.bulk(&graph).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let store = Vellum::open(&Config {
        folder: folder.path().to_owned(),
        cache_bytes: 4 << 20,
        name_index: false,
    })
    .unwrap();
    store.bulk(&graph).unwrap();
    let mut notes = [Notes::default(), Notes::default()];
    reads::alone(&arrays.session().unwrap(), &graph, 50, &mut notes[0]).unwrap();
    reads::alone(&store.session().unwrap(), &graph, 50, &mut notes[1]).unwrap();
    assert_eq!(notes[0].digests, notes[1].digests);
    assert_eq!(notes[0].digests.len(), 9);
}

#[test]
fn the_graph_is_what_it_says() {
    let graph = Graph::new(1_000, 5_000, 1);
    let mut edges = graph.edges.clone();
    edges.extend(&graph.spare);
    assert_eq!((graph.edges.len(), graph.spare.len()), (5_000, 20_000));
    assert!(!edges.is_sorted());
    edges.sort_unstable();
    edges.dedup();
    assert_eq!(edges.len(), 25_000);
    for node in graph.all_nodes() {
        assert!((40..=200).contains(&node.data.len()), "{}", node.data.len());
        serde_json::from_slice::<serde_json::Value>(node.data).unwrap();
    }
}

fn measured(size: super::Size, values: &[(&str, &str, f64)]) -> super::Results {
    let mut notes: Vec<Notes> = Vec::new();
    for (store, key, value) in values {
        let mut note = Notes {
            store: (*store).to_owned(),
            ..Notes::default()
        };
        note.value(key, *value);
        notes.push(note);
    }
    super::Results {
        size,
        repeats: 1,
        manifest: crate::machine::describe(std::path::Path::new(".")),
        notes,
        wrong: Vec::new(),
    }
}

#[test]
fn costs_that_grow_faster_than_allowed_fall_short() {
    let sizes = |get: f64, edge: f64| {
        let small = [
            ("vellum", "get", 200.0),
            ("csr", "get", 50.0),
            ("vellum", "traversal", 5.0),
            ("vellum", "edge_load", 2e6),
        ];
        let large = [
            ("vellum", "get", get),
            ("csr", "get", 100.0),
            ("vellum", "traversal", edge),
            ("vellum", "edge_load", 1e6),
        ];
        let all = [
            measured(super::Size::PeersM, &small),
            measured(super::Size::PeersL, &large),
        ];
        super::growth::lines(&all)
            .iter()
            .map(|line| line.reached)
            .collect::<Vec<_>>()
    };
    assert_eq!(sizes(399.0, 8.4), [true, true, true]);
    assert_eq!(sizes(401.0, 8.6), [false, false, true]);
    let small = measured(super::Size::PeersM, &[("vellum", "get", 1.0)]);
    assert!(
        super::growth::lines(&[small]).is_empty(),
        "two sizes or none"
    );
}

#[test]
fn calls_are_read_as_criterion_and_the_counts_leave_them() {
    let folder = tempfile::tempdir().unwrap();
    let newest = folder.path().join("a group/10/new");
    std::fs::create_dir_all(&newest).unwrap();
    std::fs::write(
        newest.join("benchmark.json"),
        r#"{"full_id": "a group/10"}"#,
    )
    .unwrap();
    let estimates = r#"{"median": {"point_estimate": 12.5, "confidence_interval":
        {"confidence_level": 0.95, "lower_bound": 12.0, "upper_bound": 13.0}}}"#;
    std::fs::write(newest.join("estimates.json"), estimates).unwrap();
    let list = folder.path().join("counts.tsv");
    std::fs::write(&list, "# some tools\nget_nodes\t354579\n").unwrap();
    let calls = super::calls::Calls::collect(folder.path(), &list, folder.path()).unwrap();
    let time = &calls.times[0];
    assert_eq!(
        (time.call.as_str(), time.ns, time.low, time.high),
        ("a group/10", 12.5, 12.0, 13.0)
    );
    assert_eq!(calls.tools, "some tools");
    assert_eq!(calls.instructions, [("get nodes".to_owned(), 354_579)]);
    let empty = tempfile::tempdir().unwrap();
    assert!(super::calls::Calls::collect(empty.path(), &list, folder.path()).is_err());
}

#[test]
fn profiles_are_of_rows_with_a_goal() {
    for (keys, _) in super::short::WHY {
        for key in *keys {
            let row = super::rows::ROWS.iter().find(|row| row.key == *key);
            assert!(row.is_some_and(|row| !row.goals.is_empty()), "{key}");
        }
    }
}
