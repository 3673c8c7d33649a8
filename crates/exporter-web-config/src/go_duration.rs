use std::time::Duration;

/// Units and their nanoseconds; `ms` must come before `m` and `s`.
const UNITS: [(&str, f64); 8] = [
    ("ns", 1.0),
    ("us", 1e3),
    ("µs", 1e3),
    ("μs", 1e3),
    ("ms", 1e6),
    ("s", 1e9),
    ("m", 60e9),
    ("h", 3600e9),
];

/// Parses a duration as Go writes it: `1m30s`, `1.5h` or `0`.
pub(crate) fn parse(text: &str) -> Option<Duration> {
    if text == "0" {
        return Some(Duration::ZERO);
    }
    let mut nanoseconds = 0.0;
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, after) = rest.split_at(end);
        let number: f64 = number.parse().ok()?;
        let (unit, factor) = UNITS.iter().find(|(unit, _)| {
            let next = after.strip_prefix(unit);
            next.is_some_and(|next| {
                next.is_empty() || next.starts_with(|c: char| c.is_ascii_digit())
            })
        })?;
        nanoseconds += number * factor;
        rest = after.get(unit.len()..)?;
    }
    (!text.is_empty()).then_some(())?;
    Duration::try_from_secs_f64(nanoseconds / 1e9).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_parsed_as_in_go() {
        for (text, seconds) in [
            ("0", 0.0),
            ("1s", 1.0),
            ("250ms", 0.25),
            ("1m30s", 90.0),
            ("1.5h", 5400.0),
            ("1h2m3s", 3723.0),
        ] {
            assert_eq!(
                parse(text).map(|d| d.as_secs_f64()),
                Some(seconds),
                "{text}"
            );
        }
        for text in ["", "1", "s", "1x", "1 s", "-1s", "1s2", "1..5s"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
