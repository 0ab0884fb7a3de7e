//! A digest of results: two runs, two load paths or two stores agree when their digests do.

use std::fmt;

use xxhash_rust::xxh3::Xxh3;

/// A running digest of 128 bits (XXH3) over a sequence of numbers and byte strings.
///
/// It detects mistakes, not malice. Every string enters with its length, so that the same bytes cut
/// otherwise give another digest.
#[derive(Clone)]
pub(crate) struct Digest {
    state: Xxh3,
}

impl Digest {
    pub(crate) fn new() -> Digest {
        Digest { state: Xxh3::new() }
    }

    pub(crate) fn number(&mut self, number: u64) {
        self.state.update(&number.to_le_bytes());
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.state.update(bytes);
    }

    pub(crate) fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    /// The digest of what was added so far.
    pub(crate) fn value(&self) -> u128 {
        self.state.digest128()
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.value())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(parts: &[&[u8]]) -> String {
        let mut digest = Digest::new();
        for part in parts {
            digest.bytes(part);
        }
        digest.to_string()
    }

    #[test]
    fn order_cuts_and_padding_matter() {
        let all = [
            of(&[]),
            of(&[b""]),
            of(&[b"ab", b"c"]),
            of(&[b"a", b"bc"]),
            of(&[b"c", b"ab"]),
            of(&[b"ab\0", b"c"]),
            of(&[b"12345678"]),
            of(&[b"123456789"]),
        ];
        for (i, one) in all.iter().enumerate() {
            for other in all.iter().skip(i + 1) {
                assert_ne!(one, other);
            }
        }
        assert_eq!(of(&[b"ab", b"c"]), of(&[b"ab", b"c"]));
    }
}
