#![allow(clippy::unwrap_used)]

use crate::scenario::expect;
use crate::units::Unit;

use super::*;

fn plan(metric: &str, text: &str) -> CheckPlan {
    CheckPlan {
        metric: metric.to_owned(),
        meaning: String::new(),
        unit: Unit::Count,
        expect_text: text.to_owned(),
        expect: expect::parse(text).unwrap(),
        severity: Severity::Fail,
        only_if: None,
        only_where: Vec::new(),
        note: None,
        span: 0..0,
    }
}

fn measure(samples: &[f64]) -> Measure {
    Measure::of(samples.iter().copied().map(Number).collect()).unwrap()
}

/// Judges values along an axis.
#[track_caller]
fn along_is(metric: &str, text: &str, points: &[&[f64]], want: Verdict) {
    let plan = plan(metric, text);
    let Expect::Along { trend, .. } = plan.expect else {
        unreachable!("{text} is a trend");
    };
    let points: Vec<(String, Measure)> = points
        .iter()
        .map(|samples| (String::new(), measure(samples)))
        .collect();
    let judged = along(&points, &plan, trend).unwrap();
    assert_eq!(judged.verdict, want, "{text}: {}", judged.detail);
}

#[test]
fn counts_follow_trends_exactly() {
    let pages = "p.pages_read";
    along_is(
        pages,
        "non-increasing over x",
        &[&[9.0], &[9.0], &[3.0]],
        Verdict::Pass,
    );
    along_is(
        pages,
        "non-increasing over x",
        &[&[9.0], &[3.0], &[4.0]],
        Verdict::Fail,
    );
    along_is(
        pages,
        "non-increasing within 50% over x",
        &[&[9.0], &[3.0], &[4.0]],
        Verdict::Pass,
    );
    along_is(
        pages,
        "non-decreasing over x",
        &[&[1.0], &[5.0], &[4.0]],
        Verdict::Fail,
    );
    along_is(pages, "same over x", &[&[2.0], &[2.0]], Verdict::Pass);
    along_is(pages, "same over x", &[&[2.0], &[3.0]], Verdict::Fail);
    along_is(
        pages,
        "flat within 2 x over x",
        &[&[2.0], &[4.0], &[3.0]],
        Verdict::Pass,
    );
    along_is(
        pages,
        "flat within 2 x over x",
        &[&[2.0], &[5.0]],
        Verdict::Fail,
    );
    along_is(
        pages,
        "flat within 2 x over x",
        &[&[0.0], &[5.0]],
        Verdict::Fail,
    );
}

/// A single value shows nothing, whatever is asked of it.
#[test]
fn one_value_alone_is_inconclusive() {
    for text in [
        "same over x",
        "flat within 2 x over x",
        "non-increasing over x",
        "non-decreasing within 5% over x",
    ] {
        along_is("p.pages_read", text, &[&[2.0]], Verdict::Inconclusive);
        along_is("p.p50_ns", text, &[&[2.0, 2.0, 2.0]], Verdict::Inconclusive);
    }
}

#[test]
fn a_slow_creep_is_seen_against_the_best_so_far() {
    let points: &[&[f64]] = &[&[100.0], &[95.0], &[90.0], &[85.0]];
    along_is(
        "p.rows",
        "non-decreasing within 10% over x",
        points,
        Verdict::Fail,
    );
}

#[test]
fn times_fail_only_where_their_intervals_part() {
    let time = "p.p50_ns";
    let text = "non-increasing within 10% over x";
    along_is(
        time,
        text,
        &[&[10.0, 10.0, 10.0], &[20.0, 21.0, 22.0]],
        Verdict::Fail,
    );
    along_is(
        time,
        text,
        &[&[10.0, 12.0, 40.0], &[20.0, 21.0, 22.0]],
        Verdict::Inconclusive,
    );
    along_is(time, text, &[&[10.0], &[20.0]], Verdict::Inconclusive);
}

#[test]
fn bounds_hold_for_every_count_and_the_whole_interval_of_a_time() {
    let holds = |metric: &str, samples: &[f64]| {
        let measure = measure(samples);
        let values = witnesses(metric, &measure);
        let holds: Vec<bool> = values
            .iter()
            .map(|value| Op::AtMost.holds(*value, 10.0))
            .collect();
        decide(metric, &holds)
    };
    assert_eq!(holds("p.pages_read", &[9.0, 10.0, 8.0]), Verdict::Pass);
    assert_eq!(holds("p.pages_read", &[9.0, 11.0, 8.0]), Verdict::Fail);
    assert_eq!(holds("p.p50_ns", &[9.0, 9.5, 8.0]), Verdict::Pass);
    assert_eq!(holds("p.p50_ns", &[9.0, 11.0, 8.0]), Verdict::Inconclusive);
    assert_eq!(holds("p.p50_ns", &[12.0, 11.0, 13.0]), Verdict::Fail);
    assert_eq!(holds("p.p50_ns", &[12.0]), Verdict::Fail);
}
