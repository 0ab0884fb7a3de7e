//! The picture on a terminal: a letter for each field, on the colour of its class where there are
//! colours.

use crate::inspect::paint::{Ink, Paint};
use crate::units::grouped;

use super::fields::Class;
use super::{Picture, share};

const NUMBER_WIDTH: usize = 9;

pub(super) fn draw(picture: &Picture<'_>, columns: usize, paint: Paint) -> String {
    let file = &picture.source.pages;
    let mut out = format!(
        "{}: {} pages of {} bytes, by {}",
        paint.strong(&picture.source.name),
        grouped(file.page_count()),
        file.page_size(),
        picture.by
    );
    if picture.pages_each > 1 {
        out += &format!("; a field is {} pages", picture.pages_each);
    }
    out += "\n\n";
    for row in picture.fields.chunks(columns.max(8)) {
        let first = row.first().map_or(0, |field| field.first);
        out += &paint.faint(&format!("{first:>NUMBER_WIDTH$} "));
        out.push(' ');
        out += &runs(row.iter().map(|field| field.class), paint);
        out.push('\n');
    }
    out.push('\n');
    legend(picture, &mut out, paint);
    out
}

/// Neighbours of one class share a colour's start and end.
fn runs(classes: impl Iterator<Item = Class>, paint: Paint) -> String {
    let mut out = String::new();
    let mut run: Option<(Class, String)> = None;
    for class in classes {
        match &mut run {
            Some((last, text)) if *last == class => text.push(class.letter),
            _ => {
                if let Some((last, text)) = run.take() {
                    out += &paint.ink(Ink::On(last.terminal), &text);
                }
                run = Some((class, class.letter.to_string()));
            }
        }
    }
    if let Some((last, text)) = run {
        out += &paint.ink(Ink::On(last.terminal), &text);
    }
    out
}

fn legend(picture: &Picture<'_>, out: &mut String, paint: Paint) {
    let all: u64 = picture.fields.iter().map(|field| field.pages).sum();
    for (class, pages) in picture.counts() {
        let mark = paint.ink(Ink::On(class.terminal), &format!(" {} ", class.letter));
        *out += &format!(
            "  {mark} {:<24} {:>10}  {:>6}\n",
            class.name,
            grouped(pages),
            share(pages, all)
        );
    }
}
