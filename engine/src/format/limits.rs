//! The limits of version 1, section 7 of `FORMAT.md`.

/// The page sizes a file may have, in bytes.
pub const PAGE_SIZES: [usize; 5] = [4096, 8192, 16384, 32768, 65536];
/// Longest node name, in bytes.
pub const MAX_NAME_LEN: usize = 1024;
/// Longest name of a kind or label, in bytes; the shortest is one byte.
pub const MAX_TERM_LEN: usize = 255;
/// Most kinds, and most labels, that one database defines.
pub const MAX_TERMS: u32 = 65_536;
/// Longest data of a node or an edge, in bytes.
pub const MAX_DATA_LEN: u64 = 64 << 20;
/// The highest that a number which only ever counts up may be: room to add to it is never lacking.
pub const MAX_COUNT: u64 = i64::MAX as u64;
/// Highest level of a branch; a tree has at most one level more.
pub const MAX_LEVEL: u8 = 24;

/// Data of at most this many bytes stands in its leaf cell; longer data is a blob.
pub const fn max_inline(page_size: usize) -> usize {
    page_size / 8
}
