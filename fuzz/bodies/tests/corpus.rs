//! The committed corpus, replayed: nothing panics, and it reaches every accepting branch.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

use std::fs;
use std::path::{Path, PathBuf};

use vellum::KeySpace;
use vellum::format::changes::TAGS;
use vellum::format::page::PageKind;
use vellum::format::sorted::Mode;
use vellum_fuzz_bodies::{
    TARGETS, adjacency_block, header, inspect, open_image, open_image_resealed, page_unpack, seeds,
    wal,
};

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpus")
}

fn replay<T>(target: &str, run: fn(&[u8]) -> T) -> Vec<T> {
    let mut files: Vec<_> = fs::read_dir(corpus().join(target))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    let outcome = |file: &PathBuf| {
        // Shown when the test fails: the file that did it.
        println!("{}", file.display());
        run(&fs::read(file).unwrap())
    };
    files.iter().map(outcome).collect()
}

#[test]
fn the_corpus_holds_every_seed() {
    for seed in seeds::all() {
        let path = corpus().join(seed.target).join(&seed.name);
        let there = fs::read(&path).ok();
        assert!(
            there.as_ref() == Some(&seed.input),
            "{} is not what the generator makes; run it: \
             cargo run -p vellum-fuzz-bodies --example seeds",
            path.display()
        );
    }
}

#[test]
fn every_target_has_a_small_corpus_and_every_corpus_a_target() {
    for folder in fs::read_dir(corpus()).unwrap() {
        let folder = folder.unwrap();
        let name = folder.file_name().into_string().unwrap();
        assert!(TARGETS.iter().any(|(target, _)| *target == name), "{name}");
        for file in fs::read_dir(folder.path()).unwrap() {
            let file = file.unwrap();
            assert!(file.metadata().unwrap().len() < 8192, "{:?}", file.path());
        }
    }
    for (target, run) in TARGETS {
        assert!(replay(target, *run).len() >= 12, "{target}");
    }
}

#[test]
fn pages_of_every_kind_space_and_mode_are_accepted() {
    let outcomes = replay("page_unpack", page_unpack::run);
    let shapes: Vec<_> = outcomes
        .iter()
        .filter_map(|outcome| match outcome {
            page_unpack::Outcome::Page(shape) if shape.values => Some(*shape),
            _ => None,
        })
        .collect();
    assert!(shapes.len() < outcomes.len(), "something is refused");
    for kind in PageKind::ALL {
        assert!(shapes.iter().any(|shape| shape.kind == kind), "{kind:?}");
    }
    let reached = |space, branch, mode| {
        shapes
            .iter()
            .any(|shape| shape.space == Some(space) && shape.branch == branch && shape.mode == mode)
    };
    for space in KeySpace::ALL {
        let leaves: &[_] = match space {
            KeySpace::Names => &[None],
            KeySpace::Dictionary => &Mode::ALL.map(Some),
            _ => &[Some(Mode::Direct), Some(Mode::Fixed)],
        };
        for mode in leaves {
            assert!(reached(space, false, *mode), "{space} leaf {mode:?}");
        }
        for mode in [Mode::Fixed, Mode::Variable] {
            assert!(reached(space, true, Some(mode)), "{space} branch {mode:?}");
        }
    }
}

#[test]
fn headers_of_every_page_size_are_accepted() {
    let outcomes = replay("header", header::run);
    for size in vellum::format::limits::PAGE_SIZES {
        let of_size = outcomes.iter().any(
            |outcome| matches!(outcome, header::Outcome::State(state) if state.page_size == size),
        );
        assert!(of_size, "{size}");
    }
    let refused = |outcome: &header::Outcome| matches!(outcome, header::Outcome::Refused(_));
    assert!(outcomes.iter().any(refused));
}

#[test]
fn records_of_every_kind_and_every_operation_are_accepted() {
    let outcomes = replay("wal", wal::run);
    for (name, tag) in TAGS {
        let read = |outcome: &wal::Outcome| outcome.operations[usize::from(*tag)] > 0;
        assert!(outcomes.iter().any(read), "{name}");
    }
    type Is = fn(&wal::Outcome) -> bool;
    let ways: [(&str, Is); 8] = [
        ("refused", |outcome| outcome.refused),
        ("corrupt", |outcome| outcome.corrupt),
        ("commits", |outcome| outcome.commits == 5),
        ("root", |outcome| outcome.roots > 0),
        ("repaired", |outcome| outcome.repaired),
        ("torn", |outcome| outcome.torn),
        ("continued", |outcome| outcome.continued),
        ("arbitrary", |outcome| {
            outcome.commits > 0 && !outcome.continued
        }),
    ];
    for (name, is) in ways {
        assert!(outcomes.iter().any(is), "{name}: {outcomes:?}");
    }
}

#[test]
fn blocks_of_every_packing_are_accepted() {
    let outcomes = replay("adjacency_block", adjacency_block::run);
    assert!(outcomes.contains(&adjacency_block::Outcome::Nothing));
    for built in [false, true] {
        let shapes = || {
            outcomes.iter().filter_map(move |outcome| match outcome {
                adjacency_block::Outcome::Block(shape) if shape.built == built => Some(shape),
                _ => None,
            })
        };
        assert!(shapes().any(|shape| shape.ordinals));
        assert!(shapes().any(|shape| shape.data && !shape.blobs));
        assert!(shapes().any(|shape| shape.blobs));
        assert!(shapes().any(|shape| shape.delta));
        assert!(shapes().any(|shape| !shape.delta));
        assert!(shapes().any(|shape| shape.labels));
    }
}

#[test]
fn images_are_accepted_and_refused() {
    let outcomes = replay("open_image", open_image::run);
    assert!(
        outcomes
            .iter()
            .any(|outcome| outcome.sound && outcome.written)
    );
    assert!(outcomes.iter().any(|outcome| outcome.recovered > 0));
    assert!(outcomes.iter().any(|outcome| !outcome.opened));
    assert!(
        outcomes
            .iter()
            .any(|outcome| outcome.opened && !outcome.read)
    );
}

#[test]
fn resealed_images_get_past_their_checksums() {
    let outcomes = replay("open_image_resealed", open_image_resealed::run);
    assert!(
        outcomes
            .iter()
            .any(|outcome| outcome.sound && outcome.written)
    );
    assert!(
        outcomes
            .iter()
            .any(|outcome| outcome.read && !outcome.sound)
    );
}

#[test]
fn every_view_is_shown_and_files_are_saved() {
    let outcomes = replay("inspect", inspect::run);
    assert!(
        outcomes
            .iter()
            .any(|looked| looked.header && looked.pages > 8)
    );
    assert!(outcomes.iter().any(|looked| !looked.header));
    assert!(outcomes.iter().any(|looked| looked.saved > Some(0)));
    assert!(outcomes.iter().any(|looked| looked.shown > 60));
}
