//! The lengths and counts within the cells of pages and the operations of commits.

use vellum::KeySpace;
use vellum::format::Reader;
use vellum::format::changes::OpReader;
use vellum::format::page::Page;
use vellum::inspect::{PartKind, parts};

use super::fields::Form;

type Out = Vec<(usize, Form)>;

/// Numbers of a varint each, one behind the other, from a place on.
pub(super) fn varints(bytes: &[u8], mut at: usize, count: usize, out: &mut Out) {
    for _ in 0..count {
        let Some(len) = varint(bytes, at) else { return };
        out.push((at, Form::Varint(len)));
        at += len;
    }
}

/// How many bytes the varint there has.
fn varint(bytes: &[u8], at: usize) -> Option<usize> {
    let mut r = Reader::new(bytes.get(at..)?);
    r.varint().ok()?;
    Some(r.position())
}

/// Where each cell ends, and what the cells of leaves count.
pub(super) fn sorted(page: &Page, out: &mut Out) {
    let Some(view) = page.sorted() else { return };
    let tables = view.tables();
    out.extend(
        (tables.ends..tables.cells)
            .step_by(2)
            .map(|at| (at, Form::Fixed(2))),
    );
    if page.level() > 0 {
        return;
    }
    for i in 0..view.len() {
        let range = view.value_range(i);
        let cell = page.bytes().get(range.clone()).unwrap_or_default();
        let mut inner = Vec::new();
        match page.space() {
            Some(KeySpace::Nodes) => node(cell, &mut inner),
            Some(KeySpace::Out | KeySpace::In | KeySpace::Kinds) => {
                edges(cell, &mut inner);
            }
            Some(KeySpace::Absent) => varints(cell, 0, 1, &mut inner),
            _ => {}
        }
        out.extend(inner.into_iter().map(|(at, form)| (range.start + at, form)));
    }
}

/// Kind and form of the data, length of the name; the length of data that stands elsewhere.
fn node(cell: &[u8], out: &mut Out) {
    varints(cell, 0, 2, out);
    let mut r = Reader::new(cell);
    if let (Ok(kind), Ok(name)) = (r.varint(), r.varint())
        && kind % 2 == 1
    {
        varints(cell, r.position() + name as usize + 12, 1, out);
    }
}

/// Flags, counts and widths of an edge block, and the lengths of its data. `None` where it ends early.
fn edges(cell: &[u8], out: &mut Out) -> Option<()> {
    let flags = *cell.first()?;
    out.push((0, Form::Fixed(1)));
    if flags & 8 != 0 {
        out.push((1, Form::Fixed(1)));
        return Some(());
    }
    varints(cell, 1, 1, out);
    let mut r = Reader::new(cell.get(1..)?);
    let count = r.varint().ok()? as usize;
    let mut at = 1 + r.position();
    let mut runs = Vec::new();
    while runs.iter().sum::<usize>() < count {
        let head = *cell.get(at)?;
        out.push((at, Form::Fixed(1)));
        at += 1;
        let mut run = usize::from(head % 16);
        if head >> 4 == 15 {
            varints(cell, at, 1, out);
            at += varint(cell, at)?;
        }
        if run == 0 {
            varints(cell, at, 1, out);
            let mut r = Reader::new(cell.get(at..)?);
            run = 16 + r.varint().ok()? as usize;
            at += r.position();
        }
        runs.push(run);
    }
    if flags & 4 == 0 {
        at = packed(cell, at, count, out)?;
    } else {
        for run in runs {
            let mut left = run;
            while left > 0 {
                let chunk = left.min(128);
                at = packed(cell, at + 6, chunk - 1, out)?;
                left -= chunk;
            }
        }
    }
    if flags & 1 != 0 {
        at = packed(cell, at, count, out)?;
    }
    if flags & 2 != 0 {
        varints(cell, at, count, out);
    }
    Some(())
}

/// A width and so many numbers of it. Returns where they end.
fn packed(cell: &[u8], at: usize, count: usize, out: &mut Out) -> Option<usize> {
    let width = usize::from(*cell.get(at)?);
    out.push((at, Form::Fixed(1)));
    Some(at + 1 + (width * count).div_ceil(8))
}

/// The restarts of a leaf of names, and the lengths of its entries.
pub(super) fn names(page: &Page, out: &mut Out) {
    for part in parts(page) {
        match part.kind {
            PartKind::Ends => {
                out.extend(part.range.step_by(2).map(|at| (at, Form::Fixed(2))));
            }
            PartKind::Cell(_) => varints(page.bytes(), part.range.start, 2, out),
            _ => {}
        }
    }
}

/// The lengths in each operation of a payload that begins at `base`, and the counts of its totals.
pub(super) fn operations(payload: &[u8], base: usize, out: &mut Out) {
    let mut reader = OpReader::new(payload);
    loop {
        let start = reader.position();
        let Some(Ok(_)) = reader.next() else { return };
        let op = payload.get(start..reader.position()).unwrap_or_default();
        let mut inner = Vec::new();
        operation(op, &mut inner);
        out.extend(
            inner
                .into_iter()
                .map(|(at, form)| (base + start + at, form)),
        );
    }
}

fn operation(op: &[u8], out: &mut Out) {
    match op.first() {
        // The totals.
        Some(13) => varints(op, 1, 3, out),
        // Behind id and kind: the length of the name, the name, the length of the data.
        Some(3) => {
            if let Some(name) = skip(op, 1, 2) {
                varints(op, name, 1, out);
                let mut r = Reader::new(op.get(name..).unwrap_or_default());
                if let Ok(len) = r.varint() {
                    varints(op, name + r.position() + len as usize, 1, out);
                }
            }
        }
        // Behind source, label, target and ordinal: the length of the data.
        Some(5) => behind(op, 4, out),
        // Behind an id: the length of a name, or of a run.
        Some(1 | 2 | 7 | 8 | 11) => behind(op, 1, out),
        _ => {}
    }
}

/// The number behind so many others.
fn behind(op: &[u8], others: usize, out: &mut Out) {
    if let Some(at) = skip(op, 1, others) {
        varints(op, at, 1, out);
    }
}

fn skip(bytes: &[u8], mut at: usize, numbers: usize) -> Option<usize> {
    for _ in 0..numbers {
        at += varint(bytes, at)?;
    }
    Some(at)
}
