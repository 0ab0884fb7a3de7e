//! A digest of results: two runs, two load paths or two stores agree when their digests do.

use std::fmt;

const PRIMES: [u64; 2] = [0x9E37_79B1_85EB_CA87, 0xC2B2_AE3D_27D4_EB4F];

/// A running digest of 128 bits over a sequence of numbers and byte strings.
///
/// It detects mistakes, not malice. Every string enters with its length, so that the same bytes cut
/// otherwise give another digest.
#[derive(Clone, Debug)]
pub(crate) struct Digest {
    lanes: [u64; 2],
}

impl Digest {
    pub(crate) fn new() -> Digest {
        Digest {
            lanes: [0x243F_6A88_85A3_08D3, 0x1319_8A2E_0370_7344],
        }
    }

    pub(crate) fn number(&mut self, number: u64) {
        let [a, b] = &mut self.lanes;
        *a = (*a ^ number).wrapping_mul(PRIMES[0]).rotate_left(29);
        *b = (*b ^ number.rotate_left(32))
            .wrapping_mul(PRIMES[1])
            .rotate_left(37);
        *a ^= *a >> 32;
        *b ^= *b >> 29;
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.number(u64::from_le_bytes(*word));
        }
        if !rest.is_empty() {
            let mut last = [0u8; 8];
            for (to, from) in last.iter_mut().zip(rest) {
                *to = *from;
            }
            self.number(u64::from_le_bytes(last));
        }
    }

    pub(crate) fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}{:016x}", self.lanes[0], self.lanes[1])
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
