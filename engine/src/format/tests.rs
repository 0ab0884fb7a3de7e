#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic
)]

use proptest::prelude::*;

use super::bytes::{from_u48_be, put_u48, u48_be};
use super::checksum::{crc, flip_effects, locate_flip, solve};
use super::limits::PAGE_SIZES;
use super::page::{Page, PageKind, put_ref, seal};
use super::testing::{ID, each, place, read_all, sealed};
use super::{Reader, blob, varint};
use crate::ids::{MAX_U48, PageRef};

fn check_varint(v: u64) {
    let mut out = Vec::new();
    varint::put(&mut out, v);
    assert_eq!(out.len(), varint::len(v));
    let mut r = Reader::new(&out);
    assert_eq!(r.varint(), Ok(v));
    assert!(r.is_empty());
    for cut in 0..out.len() {
        assert!(Reader::new(&out[..cut]).varint().is_err());
    }
}

#[test]
fn varints_round_trip() {
    for bits in 0..64 {
        for near in [0, 1, 2] {
            check_varint((1u64 << bits).wrapping_add(near).wrapping_sub(1));
        }
    }
    check_varint(u64::MAX);
    (0..70_000).for_each(check_varint);
}

#[test]
fn varints_have_one_form() {
    for bytes in [
        &[0x80, 0x00][..],
        &[0xff, 0x80, 0x00],
        &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02],
        &[0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00],
        &[0xff; 11],
    ] {
        assert!(Reader::new(bytes).varint().is_err(), "{bytes:x?}");
    }
}

#[test]
fn numbers_round_trip() {
    for v in [0, 1, 255, 256, 0x0102_0304_0506, MAX_U48] {
        let mut out = Vec::new();
        put_u48(&mut out, v);
        assert_eq!(Reader::new(&out).u48(), Ok(v));
        assert_eq!(from_u48_be(u48_be(v)), v);
    }
    assert!(u48_be(255) < u48_be(256));
    let mut r = Reader::new(&[1, 2, 0, 3, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 9]);
    assert_eq!(
        (r.u8(), r.u16(), r.u32(), r.u64()),
        (Ok(1), Ok(2), Ok(3), Ok(4))
    );
    assert_eq!(r.position(), 15);
    assert!(r.u16().is_err());
    assert_eq!(r.u8(), Ok(9));
    assert!(r.end().is_ok());
}

#[test]
fn references_round_trip() {
    for r in [
        None,
        Some(place()),
        PageRef::new(MAX_U48, MAX_U48),
        PageRef::new(1, 0),
    ] {
        let mut out = Vec::new();
        put_ref(&mut out, r);
        assert_eq!(Reader::new(&out).page_ref(), Ok(r));
    }
    let mut no_page = vec![0; 12];
    no_page[6] = 1;
    assert!(Reader::new(&no_page).page_ref().is_err());
}

#[test]
fn checksum_is_crc64_nvme() {
    assert_eq!(crc(&[b"123456789"]), 0xae8b_1486_0a79_9888);
    assert_eq!(crc(&[b"1234", b"", b"56789"]), crc(&[b"123456789"]));
}

#[test]
fn every_flipped_bit_is_located() {
    for len in [1, 2, 9, 300] {
        let sound: Vec<u8> = (0..len).map(|i| (i * 7) as u8).collect();
        for bit in each(0..8 * len) {
            let mut bytes = sound.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let difference = crc(&[b"before", &bytes]) ^ crc(&[b"before", &sound]);
            assert_eq!(locate_flip(difference, len), Some(bit));
        }
    }
    assert_eq!(locate_flip(0, 100), None);
}

#[test]
fn the_flips_that_make_a_difference_are_found() {
    let effects = flip_effects(5, 40);
    assert_eq!(effects.len(), 8 * 5);
    for (bit, effect) in effects.iter().enumerate() {
        let mut flipped = [0; 40];
        flipped[bit / 8] = 1 << (bit % 8);
        assert_eq!(*effect, crc(&[&flipped]) ^ crc(&[&[0; 40]]));
    }
    // Bits of the first four bytes, and one after them, which they cannot stand for.
    let (four, after) = effects.split_at(32);
    for choice in [0, 1, 1 << 31, 0xdead_beef, u64::from(u32::MAX)] {
        let chosen = four
            .iter()
            .enumerate()
            .filter(|(i, _)| choice >> i & 1 == 1);
        let difference = chosen.fold(0, |sum, (_, effect)| sum ^ effect);
        assert_eq!(solve(four, difference), Some(choice));
        assert_eq!(solve(four, difference ^ after[0]), None);
    }
}

#[test]
fn a_page_is_bound_to_its_place_birth_and_file() {
    for size in PAGE_SIZES {
        let page = sealed(blob::encode_data(size, b"some data"));
        let verify = |at, id| Page::verify(page.bytes().into(), at, id).map(|page| page.kind());
        assert_eq!(verify(place(), &ID), Ok(PageKind::BlobData));
        assert_eq!(page.at(), place());
        let moved = PageRef::new(78, place().birth()).unwrap();
        assert!(verify(moved, &ID).is_err());
        let stale = PageRef::new(77, 1235).unwrap();
        assert_eq!(verify(stale, &ID).unwrap_err().0, "page has another birth");
        assert!(verify(place(), b"another file id.").is_err());
        read_all(&page);
    }
}

#[test]
fn every_flipped_bit_of_a_page_is_noticed() {
    let page = sealed(blob::encode_data(4096, b"some data"));
    for bit in each(0..8 * 4096) {
        let mut bytes: Box<[u8]> = page.bytes().into();
        bytes[bit / 8] ^= 1 << (bit % 8);
        assert!(
            Page::verify(bytes.into(), place(), &ID).is_err(),
            "bit {bit}"
        );
    }
}

#[test]
fn pages_of_other_sizes_are_refused() {
    for size in [0, 1, 7, 8, 16, 24, 512, 4095, 4097, 12288, 131_072] {
        assert!(Page::verify(vec![0; size].into(), place(), &ID).is_err());
    }
}

proptest! {
    #[test]
    fn garbage_is_no_page(mut bytes in prop::collection::vec(any::<u8>(), 4096), kind in 0..8u8, space in 0..9u8, level in 0..3u8, flags in 0..4u8) {
        prop_assert!(Page::verify(bytes.clone().into(), place(), &ID).is_err());
        bytes[..4].copy_from_slice(&[kind, space, level, flags]);
        bytes[5] = 0;
        bytes[7] = 0;
        seal(&mut bytes, place(), &ID);
        if let Ok(page) = Page::verify(bytes.into(), place(), &ID) {
            read_all(&page);
        }
    }

    #[test]
    fn garbage_varints_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..12)) {
        let mut r = Reader::new(&bytes);
        if let Ok(v) = r.varint() {
            prop_assert_eq!(varint::len(v), r.position());
        }
    }
}
