//! Sample lines as Prometheus reads them.

use super::control_labels::ControlLabels;
use super::family::{Family, SampleSink};
use super::label::{shown, write_label, write_value};
use std::ops::Range;

/// Integers up to here are exact in a double and are written without a point.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// Writes the samples of a family as lines.
pub(super) struct TextSink<'a> {
    buffer: &'a mut Vec<u8>,
    tenant: &'a str,
    /// Where the buffer has what each line begins with: the name of the family and the
    /// tenant.
    start: Range<usize>,
}

impl<'a> TextSink<'a> {
    pub(super) fn new(tenant: &'a str, buffer: &'a mut Vec<u8>) -> Self {
        let start = 0..0;
        Self {
            buffer,
            tenant,
            start,
        }
    }

    fn start(&mut self, family: &Family) {
        if self.start.is_empty() {
            let start = self.buffer.len();
            write_start(family, self.tenant, self.buffer);
            self.start = start..self.buffer.len();
        } else {
            let line = self.buffer.get(self.start.clone()).unwrap_or_default();
            debug_assert!(line.starts_with(family.name.as_bytes()), "{}", family.name);
            self.buffer.extend_from_within(self.start.clone());
        }
    }

    fn end(&mut self, names: &[&str], labels: &[&str], value: f64) {
        for (name, label) in names.iter().zip(labels) {
            write_label(name, label, self.buffer);
        }
        self.buffer.extend_from_slice(b"} ");
        write_number(value, self.buffer);
        self.buffer.push(b'\n');
    }
}

impl SampleSink for TextSink<'_> {
    fn sample(&mut self, family: &'static Family, labels: &[&str], value: f64) {
        self.start(family);
        self.end(family.labels, labels, value);
    }

    fn control_sample(
        &mut self,
        family: &'static Family,
        control: &ControlLabels<'_>,
        more: &[&str],
        value: f64,
    ) {
        let names = family.labels.get(control.values.len()..);
        self.start(family);
        self.buffer.extend_from_slice(control.text);
        self.end(names.unwrap_or_default(), more, value);
    }
}

/// Writes the name and the labels of a series without the closing brace, so
/// that the caller can add labels of its own.
pub fn write_series(
    family: &Family,
    tenant: &str,
    labels: impl IntoIterator<Item: AsRef<str>>,
    buffer: &mut Vec<u8>,
) {
    write_start(family, tenant, buffer);
    for (name, value) in family.labels.iter().zip(labels) {
        write_label(name, value.as_ref(), buffer);
    }
}

fn write_start(family: &Family, tenant: &str, buffer: &mut Vec<u8>) {
    buffer.extend_from_slice(family.name.as_bytes());
    buffer.extend_from_slice(b"{tenant=\"");
    write_value(tenant, buffer);
    buffer.push(b'"');
}

/// The labels of a series as Prometheus stores them, the name as `__name__`.
pub fn series_labels(
    family: &Family,
    tenant: &str,
    labels: impl IntoIterator<Item: AsRef<str>>,
) -> Vec<(String, String)> {
    let label = |name: &str, value: &str| (name.to_owned(), shown(value).into_owned());
    let own = family.labels.iter().zip(labels);
    let own = own.map(|(name, value)| label(name, value.as_ref()));
    [label("__name__", family.name), label("tenant", tenant)]
        .into_iter()
        .chain(own.filter(|(_, value)| !value.is_empty()))
        .collect()
}

/// Writes a number so that it reads back as the same, whole ones without a point.
pub fn write_number(value: f64, buffer: &mut Vec<u8>) {
    if value.fract() == 0.0 && value.abs() < EXACT {
        buffer.extend_from_slice(itoa::Buffer::new().format(value as i64).as_bytes());
    } else {
        buffer.extend_from_slice(zmij::Buffer::new().format(value).as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::super::family::{Kind, Presence, Render, Samples};
    use super::super::label::LONGEST_VALUE;
    use super::super::series_set::{Membership, Part};
    use super::*;
    use proptest::prelude::*;

    const FAMILY: &Family = &Family {
        name: "x",
        kind: Kind::Gauge,
        help: "x",
        labels: &["control", "title"],
        presence: Presence::Always,
        membership: Membership::Every,
        cached_from: &[],
        past: None,
        render: Render::Data(|_, _| {}),
    };

    fn line(labels: &[&str], value: f64) -> String {
        let mut line = Vec::new();
        let mut text = TextSink::new("contoso", &mut line);
        Samples::new(FAMILY, Part::Whole, &mut text).add(labels, value);
        String::from_utf8(line).unwrap()
    }

    /// Reads a value back, by the rules of the format and not by our code.
    fn unescape(escaped: &str) -> String {
        let mut plain = String::new();
        let mut characters = escaped.chars();
        while let Some(character) = characters.next() {
            plain.push(match character {
                '\\' => match characters.next() {
                    Some('n') => '\n',
                    Some(other) => other,
                    None => panic!("a backslash at the end"),
                },
                '"' => panic!("the quote ends the value"),
                other => other,
            });
        }
        plain
    }

    #[test]
    fn numbers_are_short_and_exact() {
        for (value, text) in [
            (7.0, "7"),
            (7.83, "7.83"),
            (0.0, "0"),
            (-3.5, "-3.5"),
            (1_763_626_530.123, "1763626530.123"),
        ] {
            let expected = format!("x{{tenant=\"contoso\",control=\"a\",title=\"b\"}} {text}\n");
            assert_eq!(line(&["a", "b"], value), expected);
        }
    }

    #[test]
    fn an_empty_label_is_not_written() {
        let expected = "x{tenant=\"contoso\",control=\"a\"} 1\n";
        assert_eq!(line(&["a", ""], 1.0), expected);
    }

    #[test]
    fn a_long_value_is_cut_between_characters() {
        for (long, cut) in [
            ("ä".repeat(100), "ä".repeat(64)),
            ("x".repeat(129), "x".repeat(128)),
        ] {
            assert!(line(&["a", &long], 1.0).contains(&format!("title=\"{cut}\"")));
        }
    }

    #[test]
    fn a_value_that_is_no_number_is_left_out() {
        for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(line(&["a", "b"], value), "");
        }
    }

    #[test]
    fn a_series_has_the_labels_of_its_line() {
        let labels = series_labels(FAMILY, "contoso", &["a\"\\\u{1}", ""]);
        let expected = [
            ("__name__", "x"),
            ("tenant", "contoso"),
            ("control", "a\"\\ "),
        ];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(labels, expected);
    }

    proptest! {
        #[test]
        fn any_text_comes_back_from_one_line(text in "\\PC{1,60}|[\\\\\"\n]{1,9}") {
            let line = line(&["a", &text], 1.0);
            prop_assert_eq!(line.matches('\n').count(), 1, "one line");
            let value = line
                .strip_prefix("x{tenant=\"contoso\",control=\"a\",title=\"")
                .and_then(|rest| rest.strip_suffix("\"} 1\n"))
                .expect("the value stands between its quotes");
            prop_assert!(value.len() <= 2 * LONGEST_VALUE);
            prop_assert_eq!(unescape(value), shown(&text).into_owned());
        }

        #[test]
        fn every_finite_number_reads_back_as_itself(value in any::<f64>().prop_filter("finite", |v| v.is_finite())) {
            let line = line(&["a", "b"], value);
            let text = line.rsplit(' ').next().unwrap().trim_end();
            prop_assert_eq!(text.parse::<f64>().unwrap(), value);
        }
    }
}
