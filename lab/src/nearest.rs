//! The name somebody probably meant.

/// The candidate with the fewest edits to `name`, if it is close enough to be worth suggesting.
pub(crate) fn nearest<'a>(
    name: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let limit = (name.chars().count() / 3).max(1) + 1;
    candidates
        .into_iter()
        .map(|candidate| (distance(name, candidate), candidate))
        .filter(|(edits, candidate)| *edits <= limit && *edits < candidate.chars().count())
        .min()
        .map(|(_, candidate)| candidate)
}

/// Insertions, deletions, replacements and swaps of neighbours needed to turn one into the other.
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=to.len()).collect();
    let mut previous = None;
    for (i, a) in from.chars().enumerate() {
        let mut row = vec![i + 1];
        for (j, &b) in to.iter().enumerate() {
            let replace = last[j] + usize::from(a != b);
            let mut best = replace.min(last[j + 1] + 1).min(row[j] + 1);
            if j > 0 && previous == Some(b) && to[j - 1] == a {
                best = best.min(before_last[j - 1] + 1);
            }
            row.push(best);
        }
        before_last = std::mem::replace(&mut last, row);
        previous = Some(a);
    }
    last.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggests_only_what_is_close() {
        let names = ["durability", "page_size", "cache", "batch"];
        let cases = [
            ("durabilty", Some("durability")),
            ("pagesize", Some("page_size")),
            ("cahce", Some("cache")),
            ("cache_bytes", None),
            ("zzz", None),
            ("", None),
        ];
        for (typed, want) in cases {
            assert_eq!(nearest(typed, names), want, "{typed}");
        }
    }

    #[test]
    fn swaps_count_once() {
        assert_eq!(distance("cahce", "cache"), 1);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("abc", ""), 3);
    }
}
