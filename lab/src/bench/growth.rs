//! How costs grow from M to L.

use super::report::number;
use super::rows::LIMIT;
use super::stages::VELLUM;
use super::{Results, Size, report};

/// What grew, how many times, what is allowed, and whether it holds.
pub(super) struct Growth {
    pub(super) title: &'static str,
    pub(super) times: f64,
    pub(super) goal: String,
    pub(super) reached: bool,
}

/// Nothing unless both sizes were measured.
pub(super) fn lines(all: &[Results]) -> Vec<Growth> {
    let of = |size| all.iter().find(|results| results.size == size);
    let (Some(small), Some(large)) = (of(Size::PeersM), of(Size::PeersL)) else {
        return Vec::new();
    };
    let grown = |store, key| {
        let small = report::value(small, store, key)?;
        Some(report::value(large, store, key)? / small)
    };
    let mut lines = Vec::new();
    if let (Some(times), Some(limit)) = (grown(VELLUM, "get"), grown(LIMIT, "get")) {
        lines.push(Growth {
            title: "time of a get",
            times,
            goal: format!("≤ the arrays' own growth, {}×", number(limit)),
            reached: times <= limit,
        });
    }
    let mut bounded = |title, times: Option<f64>, most: f64| {
        if let Some(times) = times {
            lines.push(Growth {
                title,
                times,
                goal: format!("≤ {most}×"),
                reached: times <= most,
            });
        }
    };
    bounded("time of a traversed edge", grown(VELLUM, "traversal"), 1.7);
    let slower = grown(VELLUM, "edge_load").map(|faster| 1.0 / faster);
    bounded("time of an inserted edge", slower, 2.2);
    lines
}
