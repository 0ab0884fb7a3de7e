//! A page from arbitrary bytes: refused, or read whole and written again as the same content.

use std::sync::Arc;

use arbitrary::{Arbitrary, Unstructured};
use vellum::format::page::{Page, PageKind, TRAILER_LEN, seal};
use vellum::format::sorted::Mode;
use vellum::format::{FileId, FormatError};
use vellum::{KeySpace, PageRef};

use crate::{cells, reencode};

const ID: FileId = *b"a file to fuzz..";

/// What the bytes were taken for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// They break this rule.
    Refused(FormatError),
    /// They are a page.
    Page(Shape),
}

/// What sort of page it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Its kind.
    pub kind: PageKind,
    /// Its key space, if it is of a tree.
    pub space: Option<KeySpace>,
    /// Whether it refers to other pages of its tree.
    pub branch: bool,
    /// How its cells are arranged, if it is sorted.
    pub mode: Option<Mode>,
    /// Whether every value has the form that its space demands.
    pub values: bool,
}

/// The header of a page, field by field, so that a fuzzer need not find the checksum.
#[derive(Arbitrary, Clone, Copy, Debug, Default)]
pub(crate) struct Start {
    /// The lowest bit: take what follows as it is; then the page's size.
    pub(crate) form: u8,
    pub(crate) kind: u8,
    pub(crate) space: u8,
    pub(crate) level: u8,
    pub(crate) flags: u8,
    pub(crate) count: u16,
    pub(crate) prefix_len: u16,
    pub(crate) extra: u16,
}

impl Start {
    /// The input that gives this page.
    pub(crate) fn input(self, body: &[u8]) -> Vec<u8> {
        let mut input = vec![self.form, self.kind, self.space, self.level, self.flags];
        for number in [self.count, self.prefix_len, self.extra] {
            input.extend_from_slice(&number.to_le_bytes());
        }
        input.extend_from_slice(body);
        input
    }

    fn image(self, body: &[u8]) -> Box<[u8]> {
        let size = 4096 << (self.form / 2 % 5);
        let mut image = vec![self.kind, self.space, self.level, self.flags];
        image.extend_from_slice(&self.count.to_le_bytes());
        image.extend_from_slice(&self.prefix_len.to_le_bytes());
        image.extend_from_slice(&[0; 6]);
        image.extend_from_slice(&self.extra.to_le_bytes());
        let room = size - TRAILER_LEN - image.len();
        image.extend_from_slice(body.get(..room).unwrap_or(body));
        image.resize(size, 0);
        sealed(image.into())
    }
}

/// Where every page of this target stands.
pub(crate) fn place() -> PageRef {
    PageRef::new(77, 1234).expect("both numbers are small")
}

/// The image with its birth and checksum.
pub(crate) fn sealed(mut image: Box<[u8]>) -> Box<[u8]> {
    seal(&mut image, place(), &ID);
    image
}

/// Takes the input for a page.
pub fn run(data: &[u8]) -> Outcome {
    let mut u = Unstructured::new(data);
    let start = Start::arbitrary(&mut u).unwrap_or_default();
    let raw = start.form & 1 == 1;
    let image = if raw {
        u.take_rest().into()
    } else {
        start.image(u.take_rest())
    };
    let image: Arc<[u8]> = image.into();
    match Page::verify(image.clone(), place(), &ID) {
        Ok(page) => {
            assert_nowhere_else(&image);
            Outcome::Page(read(&page))
        }
        Err(rule) => Outcome::Refused(rule),
    }
}

/// A page is a page in one place of one file, from one birth on.
fn assert_nowhere_else(image: &Arc<[u8]>) {
    let (page, birth) = (place().page(), place().birth());
    let elsewhere = [
        (PageRef::new(page + 1, birth), &ID),
        (PageRef::new(page, birth - 1), &ID),
        (Some(place()), b"another file...."),
    ];
    for (at, id) in elsewhere {
        let taken = Page::verify(image.clone(), at.expect("small numbers"), id);
        assert!(taken.is_err(), "a page is taken for another");
    }
}

fn read(page: &Page) -> Shape {
    let values = cells::read(page);
    if let Some(image) = reencode::page(page) {
        let again =
            Page::verify(sealed(image).into(), place(), &ID).expect("what was just encoded");
        reencode::assert_same(page, &again);
    }
    Shape {
        kind: page.kind(),
        space: page.space(),
        branch: page.level() > 0,
        mode: page.sorted().map(|sorted| sorted.mode()),
        values,
    }
}
