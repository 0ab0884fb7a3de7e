//! What a crash keeps of the pending changes, and the way a person writes that down.

use std::fmt;
use std::str::FromStr;

/// A set of small numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Bits(Vec<u64>);

impl Bits {
    /// The numbers below `len` for which `kept` holds.
    pub(crate) fn of(len: usize, kept: impl Fn(usize) -> bool) -> Bits {
        let mut words = vec![0u64; len.div_ceil(64)];
        for index in (0..len).filter(|index| kept(*index)) {
            words[index / 64] |= 1 << (index % 64);
        }
        Bits(words)
    }

    pub(crate) fn contains(&self, index: usize) -> bool {
        self.0
            .get(index / 64)
            .is_some_and(|word| word >> (index % 64) & 1 == 1)
    }

    pub(crate) fn remove(&mut self, index: usize) {
        if let Some(word) = self.0.get_mut(index / 64) {
            *word &= !(1 << (index % 64));
        }
    }

    pub(crate) fn count(&self) -> usize {
        self.0.iter().map(|word| word.count_ones() as usize).sum()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = usize> {
        (0..self.0.len() * 64).filter(|index| self.contains(*index))
    }
}

impl fmt::Display for Bits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut words = self.0.iter().rev().skip_while(|word| **word == 0);
        match words.next() {
            None => f.write_str("0")?,
            Some(first) => write!(f, "{first:x}")?,
        }
        words.try_for_each(|word| write!(f, "{word:016x}"))
    }
}

impl FromStr for Bits {
    type Err = ();

    fn from_str(text: &str) -> Result<Bits, ()> {
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(());
        }
        let mut words = Vec::new();
        for part in text.as_bytes().rchunks(16) {
            let part = str::from_utf8(part).map_err(|_| ())?;
            words.push(u64::from_str_radix(part, 16).map_err(|_| ())?);
        }
        Ok(Bits(words))
    }
}

/// What stands in the sectors of a torn write that did not reach the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Fill {
    /// What was there before.
    Old,
    Zeros,
    Garbage,
}

impl Fill {
    pub(crate) const ALL: [Fill; 3] = [Fill::Old, Fill::Zeros, Fill::Garbage];
}

/// One write, and the parts of it that reached the disk.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Tear {
    /// Which of the pending changes.
    pub(crate) change: usize,
    pub(crate) parts: Bits,
    pub(crate) fill: Fill,
}

/// Which changes that an earlier crash seemed to have lost are there after all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) enum Surfaced {
    #[default]
    None,
    All,
    One(usize),
}

/// What a crash keeps.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Choice {
    /// Of the pending changes, by their place among them.
    pub(crate) kept: Bits,
    pub(crate) tear: Option<Tear>,
    pub(crate) surfaced: Surfaced,
}

impl Choice {
    pub(crate) fn keeping(kept: Bits) -> Choice {
        Choice {
            kept,
            ..Choice::default()
        }
    }

    pub(crate) fn tearing(kept: Bits, tear: Tear) -> Choice {
        Choice {
            tear: Some(tear),
            ..Choice::keeping(kept)
        }
    }
}

/// `k3f`, `k3f-t2.a0.z`, `k3f-s`, `k3f-s4`: kept, torn, surfaced.
impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "k{}", self.kept)?;
        if let Some(tear) = &self.tear {
            let fill = match tear.fill {
                Fill::Old => 'o',
                Fill::Zeros => 'z',
                Fill::Garbage => 'g',
            };
            write!(f, "-t{}.{}.{fill}", tear.change, tear.parts)?;
        }
        match self.surfaced {
            Surfaced::None => Ok(()),
            Surfaced::All => f.write_str("-s"),
            Surfaced::One(one) => write!(f, "-s{one}"),
        }
    }
}

impl FromStr for Choice {
    type Err = ();

    fn from_str(text: &str) -> Result<Choice, ()> {
        let mut parts = text.split('-');
        let kept = parts.next().and_then(|part| part.strip_prefix('k'));
        let mut choice = Choice::keeping(kept.ok_or(())?.parse()?);
        for part in parts {
            if let Some(torn) = part.strip_prefix('t') {
                choice.tear = Some(tear(torn).ok_or(())?);
            } else {
                choice.surfaced = match part.strip_prefix('s').ok_or(())? {
                    "" => Surfaced::All,
                    one => Surfaced::One(one.parse().map_err(|_| ())?),
                };
            }
        }
        Ok(choice)
    }
}

fn tear(text: &str) -> Option<Tear> {
    let mut fields = text.split('.');
    let tear = Tear {
        change: fields.next()?.parse().ok()?,
        parts: fields.next()?.parse().ok()?,
        fill: match fields.next()? {
            "o" => Fill::Old,
            "z" => Fill::Zeros,
            "g" => Fill::Garbage,
            _ => return None,
        },
    };
    fields.next().is_none().then_some(tear)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn what_is_written_down_is_read_back() {
        let many = Bits::of(130, |index| index % 3 == 0 && index < 129);
        for kept in [Bits::of(0, |_| true), Bits::of(12, |i| i != 3), many] {
            for tear in [None, Some(Fill::Old), Some(Fill::Garbage)] {
                for surfaced in [Surfaced::None, Surfaced::All, Surfaced::One(17)] {
                    let choice = Choice {
                        kept: kept.clone(),
                        tear: tear.map(|fill| Tear {
                            change: 4,
                            parts: Bits::of(8, |part| part == 7),
                            fill,
                        }),
                        surfaced,
                    };
                    let read: Choice = choice.to_string().parse().unwrap();
                    assert_eq!(read.to_string(), choice.to_string());
                    assert!((0..200).all(|i| read.kept.contains(i) == choice.kept.contains(i)));
                    assert_eq!(read.surfaced, choice.surfaced);
                }
            }
        }
    }

    #[test]
    fn nonsense_is_refused() {
        for text in [
            "",
            "k",
            "3f",
            "kxy",
            "k3-t",
            "k3-t1.2",
            "k3-t1.2.q",
            "k3-t1.2.o.4",
            "k3-sx",
            "k3-",
        ] {
            assert!(text.parse::<Choice>().is_err(), "{text}");
        }
    }
}
