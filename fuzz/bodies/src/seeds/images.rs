//! Changes to images: of every page, of header slots, and of the log.

use super::Seeds;
use crate::image;

pub(super) fn add(seeds: &mut Seeds) {
    for target in ["open_image", "open_image_resealed"] {
        // Samples are numbered from 1 where 0 stands for arbitrary files.
        let first = u8::from(target == "open_image");
        for (i, sample) in image::samples().iter().enumerate() {
            let form = first + i as u8;
            let name = |what: &str| format!("{}-{what}", ["killed", "closed"][i]);
            let [slot, _, record] = sample.places(0, 0);
            seeds.add_edits(target, &name("intact"), form, &[]);
            seeds.add_edits(target, &name("older-state"), form, &[(slot + 8, 0x80)]);
            seeds.add_edits(target, &name("next-node"), form, &[(slot + 56, 1)]);
            seeds.add_edits(target, &name("far-sequence"), form, &[(slot + 39, 0xff)]);
            seeds.add_edits(target, &name("far-log"), form, &[(slot + 103, 0xff)]);
            if i == 0 {
                seeds.add_edits(target, &name("record"), form, &[(record + 45, 7)]);
                seeds.add_edits(target, &name("one-bit"), form, &[(record + 45, 4)]);
                seeds.add_edits(target, &name("commit"), form, &[(record + 24, 1)]);
            }
            add_pages(seeds, target, &name, form, sample);
        }
    }
    seeds.add("open_image", "arbitrary-empty", vec![0]);
    seeds.add(
        "open_image",
        "arbitrary-magic",
        b"\0\x08\0VellumDBVellumLG".to_vec(),
    );
}

/// A few pages each: their header, and their first cells.
fn add_pages(
    seeds: &mut Seeds,
    target: &'static str,
    name: &dyn Fn(&str) -> String,
    form: u8,
    sample: &image::Sample,
) {
    let pages = sample.pages();
    for page in (2..pages).step_by((pages as usize / 8).max(1)) {
        let [_, at, _] = sample.places(page, 0);
        let change = [(at + 4, 1), (at + 40, 0x11)];
        seeds.add_edits(target, &name(&format!("page-{page}")), form, &change[..1]);
        seeds.add_edits(target, &name(&format!("cells-{page}")), form, &change[1..]);
    }
}
