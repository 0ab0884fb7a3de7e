//! ChaCha with eight rounds: one seed gives the same sequence on every machine and in every version.

/// A reproducible stream of random numbers.
#[derive(Clone, Debug)]
pub(crate) struct Random {
    input: [u32; 16],
    block: [u32; 16],
    used: usize,
}

impl Random {
    /// The stream of this seed. Different `stream` numbers of one seed are independent.
    pub(crate) fn new(seed: u64, stream: u64) -> Random {
        let mut input = [0u32; 16];
        input[..4].copy_from_slice(&[0x6170_7865, 0x3320_646e, 0x7962_2d32, 0x6b20_6574]);
        input[4] = seed as u32;
        input[5] = (seed >> 32) as u32;
        input[14] = stream as u32;
        input[15] = (stream >> 32) as u32;
        Random {
            input,
            block: [0; 16],
            used: 16,
        }
    }

    pub(crate) fn next_u32(&mut self) -> u32 {
        if self.used == self.block.len() {
            self.refill();
        }
        let word = self.block[self.used];
        self.used += 1;
        word
    }

    /// A number below `bound`; 0 for a bound of 0. The bias is below 2^-32 of the bound.
    pub(crate) fn below(&mut self, bound: u32) -> u32 {
        ((u64::from(self.next_u32()) * u64::from(bound)) >> 32) as u32
    }

    fn refill(&mut self) {
        let mut state = self.input;
        for _ in 0..4 {
            for [a, b, c, d] in [[0, 4, 8, 12], [1, 5, 9, 13], [2, 6, 10, 14], [3, 7, 11, 15]] {
                quarter(&mut state, a, b, c, d);
            }
            for [a, b, c, d] in [[0, 5, 10, 15], [1, 6, 11, 12], [2, 7, 8, 13], [3, 4, 9, 14]] {
                quarter(&mut state, a, b, c, d);
            }
        }
        for (out, (mixed, input)) in self.block.iter_mut().zip(state.iter().zip(&self.input)) {
            *out = mixed.wrapping_add(*input);
        }
        let counter =
            (u64::from(self.input[12]) | (u64::from(self.input[13]) << 32)).wrapping_add(1);
        self.input[12] = counter as u32;
        self.input[13] = (counter >> 32) as u32;
        self.used = 0;
    }
}

fn quarter(state: &mut [u32; 16], a: usize, b: usize, c: usize, d: usize) {
    for (bits_d, bits_b) in [(16, 12), (8, 7)] {
        state[a] = state[a].wrapping_add(state[b]);
        state[d] = (state[d] ^ state[a]).rotate_left(bits_d);
        state[c] = state[c].wrapping_add(state[d]);
        state[b] = (state[b] ^ state[c]).rotate_left(bits_b);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The key stream of eight rounds for a key and a nonce of zeros, as published by its author.
    #[test]
    fn known_stream() {
        let mut random = Random::new(0, 0);
        let bytes: Vec<u8> = (0..8)
            .flat_map(|_| random.next_u32().to_le_bytes())
            .collect();
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(
            hex,
            "3e00ef2f895f40d67f5bb8e81f09a5a12c840ec3ce9a7f3b181be188ef711a1e"
        );
    }

    #[test]
    fn bounds_hold() {
        let mut random = Random::new(7, 1);
        assert_eq!(random.below(0), 0);
        assert!((0..1000).all(|_| random.below(10) < 10));
    }
}
