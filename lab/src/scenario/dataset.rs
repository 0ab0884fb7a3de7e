//! The `[dataset]` of a scenario: a file, or a generator with its sizes.

use std::ops::Range;

use toml::Spanned;

use crate::dataset::generate::{Content, Generator};

use super::diagnose::Diagnostic;
use super::raw::{self, Shape, Size};

const NODES: u64 = 10_000;
const DEGREE: u64 = 5;
/// Bytes of data on a node where the scenario does not say.
const NODE_BYTES: u64 = 60;
/// Most nodes, and most edges, of a generated graph. The model of it is in memory.
const MOST: u64 = 100_000_000;
/// Most bytes of data: what the engine takes.
const DATA: u64 = 64 << 20;

/// The generator, if there is one.
pub(super) fn generated(
    raw: &Spanned<raw::Dataset>,
    seed: u64,
    page_size: u64,
    wrong: &mut Vec<Diagnostic>,
) -> Option<Generator> {
    let dataset = raw.get_ref();
    let shape = match (&dataset.file, &dataset.generator) {
        (None, None) => {
            wrong.push(
                Diagnostic::new(raw.span(), "the dataset needs `generator` or `file`")
                    .label("neither is set"),
            );
            return None;
        }
        (Some(_), Some(generator)) => {
            wrong.push(
                Diagnostic::new(generator.span(), "a dataset is a file or generated")
                    .label("both are set"),
            );
            return None;
        }
        (Some(_), None) => {
            without_generator(dataset, wrong);
            return None;
        }
        (None, Some(shape)) => *shape.get_ref(),
    };
    misplaced(dataset, shape, wrong);
    let number = |field: &Option<Spanned<u64>>, default: u64| {
        field.as_ref().map_or(default, |value| *value.get_ref())
    };
    let size = |field: &Option<Spanned<Size>>, default: u64| {
        field
            .as_ref()
            .map_or(default, |value| value.get_ref().bytes(page_size))
    };
    let node_bytes = size(&dataset.node_bytes, NODE_BYTES);
    let generator = Generator {
        shape,
        nodes: number(&dataset.nodes, NODES),
        degree: number(
            &dataset.degree,
            if shape == Shape::Tree { 2 } else { DEGREE },
        ),
        stride: number(&dataset.stride, 1),
        seed: number(&dataset.seed, seed),
        content: Content {
            kinds: number(&dataset.kinds, 10),
            labels: number(&dataset.labels, 3),
            node_bytes,
            node_bytes_max: size(&dataset.node_bytes_max, node_bytes),
            edge_bytes: size(&dataset.edge_bytes, 0),
        },
    };
    limits(raw, &generator, wrong);
    Some(generator)
}

/// Fields that only a generator reads.
fn without_generator(dataset: &raw::Dataset, wrong: &mut Vec<Diagnostic>) {
    for (name, span) in set(dataset) {
        wrong.push(
            Diagnostic::new(span, format!("`{name}` has no meaning for a file"))
                .label("only generators read it"),
        );
    }
}

fn set(dataset: &raw::Dataset) -> Vec<(&'static str, Range<usize>)> {
    let numbers = [
        ("nodes", &dataset.nodes),
        ("degree", &dataset.degree),
        ("stride", &dataset.stride),
        ("seed", &dataset.seed),
        ("kinds", &dataset.kinds),
        ("labels", &dataset.labels),
    ];
    let sizes = [
        ("node_bytes", &dataset.node_bytes),
        ("node_bytes_max", &dataset.node_bytes_max),
        ("edge_bytes", &dataset.edge_bytes),
    ];
    let numbers = numbers
        .into_iter()
        .filter_map(|(name, field)| field.as_ref().map(|value| (name, value.span())));
    let sizes = sizes
        .into_iter()
        .filter_map(|(name, field)| field.as_ref().map(|value| (name, value.span())));
    numbers.chain(sizes).collect()
}

fn misplaced(dataset: &raw::Dataset, shape: Shape, wrong: &mut Vec<Diagnostic>) {
    let grows = matches!(
        shape,
        Shape::Uniform | Shape::PowerLaw | Shape::Rmat | Shape::Tree
    );
    let unused = [
        ("degree", &dataset.degree, grows),
        ("stride", &dataset.stride, shape == Shape::Chain),
    ];
    for (name, field, used) in unused {
        if let Some(value) = field.as_ref().filter(|_| !used) {
            let message = format!("`{name}` has no effect on the generator `{}`", shape.name());
            wrong.push(Diagnostic::new(value.span(), message).label("not used here"));
        }
    }
}

fn limits(raw: &Spanned<raw::Dataset>, generator: &Generator, wrong: &mut Vec<Diagnostic>) {
    let dataset = raw.get_ref();
    let place = |field: Option<Range<usize>>| field.unwrap_or_else(|| raw.span());
    let nodes = place(dataset.nodes.as_ref().map(Spanned::span));
    if generator.nodes > MOST {
        let message = format!("a generated graph has at most {MOST} nodes");
        wrong.push(Diagnostic::new(nodes.clone(), message).label("out of range"));
    } else if generator.edges() > MOST {
        let message = format!(
            "{} edges, and a generated graph has at most {MOST}",
            generator.edges()
        );
        wrong.push(Diagnostic::new(nodes, message).label("too many edges"));
    }
    let content = &generator.content;
    let ranges = [
        ("kinds", &dataset.kinds, content.kinds),
        ("labels", &dataset.labels, content.labels),
    ];
    for (name, field, value) in ranges {
        if !(1..=10_000).contains(&value) {
            let span = place(field.as_ref().map(Spanned::span));
            let message = format!("`{name}` must be from 1 to 10000");
            wrong.push(Diagnostic::new(span, message).label("out of range"));
        }
    }
    if let Some(stride) = dataset
        .stride
        .as_ref()
        .filter(|stride| *stride.get_ref() == 0)
    {
        wrong.push(
            Diagnostic::new(stride.span(), "`stride` must be at least 1").label("out of range"),
        );
    }
    if let Some(degree) = dataset
        .degree
        .as_ref()
        .filter(|degree| generator.shape == Shape::Tree && *degree.get_ref() == 0)
    {
        wrong.push(
            Diagnostic::new(degree.span(), "a tree has at least 1 child a node")
                .label("out of range"),
        );
    }
    let most = place(dataset.node_bytes_max.as_ref().map(Spanned::span));
    if content.node_bytes_max < content.node_bytes {
        wrong.push(
            Diagnostic::new(most, "`node_bytes_max` must be at least `node_bytes`")
                .label("out of range"),
        );
    } else if content.node_bytes_max > DATA || content.edge_bytes > DATA {
        wrong.push(Diagnostic::new(most, "data has at most 64 MiB").label("out of range"));
    }
}
