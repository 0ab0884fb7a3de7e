//! Every schedule of holders of one value.

use loom::thread;

use super::{Exclusive, Lent};
use crate::forensics::{Counter, Tally};

/// Counts its holders, and how often it came back.
#[derive(Default)]
struct Visits {
    held: u64,
    back: u64,
}

impl Lent for Visits {
    fn come_back(&mut self) {
        self.back += 1;
    }
}

#[test]
fn one_holder_at_a_time_and_every_other_gets_its_turn() {
    loom::model(|| {
        let visits = Exclusive::new(Visits::default(), Tally::default(), Counter::WriterWaits);
        let others: Vec<_> = (0..2)
            .map(|_| {
                let visits = visits.clone();
                thread::spawn(move || visits.acquire().held += 1)
            })
            .collect();
        if let Some(mut held) = visits.try_acquire() {
            held.held += 1;
        }
        for other in others {
            other.join().unwrap();
        }
        let held = visits.acquire();
        assert!((2..=3).contains(&held.held));
        assert_eq!(held.back, held.held);
    });
}
