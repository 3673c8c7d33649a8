//! Sample lines, written once and sent many times.

use std::borrow::Cow;
use std::io::Write as _;

/// The longest label value, in bytes. Prometheus can be told to refuse a whole
/// scrape for one value that is longer than its limit.
const LONGEST_VALUE: usize = 128;

/// Integers up to here are exact in a double and are written without a point.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// Writes the samples of one family of one tenant.
pub struct Lines<'a> {
    buffer: &'a mut Vec<u8>,
    name: &'static str,
    labels: &'static [&'static str],
    tenant: &'a str,
}

impl<'a> Lines<'a> {
    pub(super) fn new(
        buffer: &'a mut Vec<u8>,
        name: &'static str,
        labels: &'static [&'static str],
        tenant: &'a str,
    ) -> Self {
        Self {
            buffer,
            name,
            labels,
            tenant,
        }
    }

    /// One sample; the values stand in the order of the family's labels. An
    /// empty value is no label, which is the same to Prometheus. What is no
    /// finite number is no sample: missing is shown by absence.
    pub(super) fn sample(&mut self, values: &[&str], value: f64) {
        debug_assert_eq!(values.len(), self.labels.len(), "{}", self.name);
        if !value.is_finite() {
            return;
        }
        self.buffer.extend_from_slice(self.name.as_bytes());
        self.buffer.extend_from_slice(b"{tenant=\"");
        escape(self.tenant, self.buffer);
        self.buffer.push(b'"');
        for (label, text) in self.labels.iter().zip(values) {
            if text.is_empty() {
                continue;
            }
            self.buffer.push(b',');
            self.buffer.extend_from_slice(label.as_bytes());
            self.buffer.extend_from_slice(b"=\"");
            escape(text, self.buffer);
            self.buffer.push(b'"');
        }
        self.buffer.extend_from_slice(b"} ");
        number(value, self.buffer);
        self.buffer.push(b'\n');
    }

    /// A sample where there is a value.
    pub(super) fn sample_if(&mut self, values: &[&str], value: Option<f64>) {
        if let Some(value) = value {
            self.sample(values, value);
        }
    }

    /// A sample of 1 or 0.
    pub(super) fn flag(&mut self, values: &[&str], up: bool) {
        self.sample(values, f64::from(u8::from(up)));
    }
}

/// A label value as a reader will see it: cut to size, and with a space for
/// each control character but the line's end.
///
/// Two texts can become one here, and two series with it; whoever writes
/// several series that differ in a foreign text alone must compare this.
pub(super) fn shown(text: &str) -> Cow<'_, str> {
    let text = cut(text);
    let odd = |character: char| character.is_control() && character != '\n';
    if text.contains(odd) {
        text.replace(odd, " ").into()
    } else {
        text.into()
    }
}

/// Writes a label value, escaped, on one line.
pub fn escape(text: &str, buffer: &mut Vec<u8>) {
    if is_plain(text) {
        return buffer.extend_from_slice(text.as_bytes());
    }
    for character in shown(text).chars() {
        match character {
            '\\' => buffer.extend_from_slice(b"\\\\"),
            '"' => buffer.extend_from_slice(b"\\\""),
            '\n' => buffer.extend_from_slice(b"\\n"),
            plain => {
                let mut utf8 = [0; 4];
                buffer.extend_from_slice(plain.encode_utf8(&mut utf8).as_bytes());
            }
        }
    }
}

/// Whether a value is written as it is. Nearly all are, and looking at each
/// character of each was a tenth of a refresh.
fn is_plain(text: &str) -> bool {
    let plain = |byte: u8| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\';
    text.len() <= LONGEST_VALUE && text.bytes().all(plain)
}

fn cut(text: &str) -> &str {
    let mut end = text.len().min(LONGEST_VALUE);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

/// Writes a number so that it reads back as the same, whole ones without a point.
pub fn number(value: f64, buffer: &mut Vec<u8>) {
    if value.fract() == 0.0 && value.abs() < EXACT {
        // Writing to a vector cannot fail.
        let _written = write!(buffer, "{}", value as i64);
    } else {
        buffer.extend_from_slice(zmij::Buffer::new().format(value).as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn line(values: &[&str], value: f64) -> String {
        let mut buffer = Vec::new();
        let labels: &'static [&'static str] = &["control", "title"];
        Lines::new(&mut buffer, "x", labels, "contoso").sample(values, value);
        String::from_utf8(buffer).unwrap()
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
                other => other,
            });
        }
        plain
    }

    #[test]
    fn numbers_are_short_and_exact() {
        assert_eq!(
            line(&["a", "b"], 7.0),
            "x{tenant=\"contoso\",control=\"a\",title=\"b\"} 7\n"
        );
        for (value, text) in [
            (7.83, "7.83"),
            (0.0, "0"),
            (-3.5, "-3.5"),
            (1_763_626_530.123, "1763626530.123"),
        ] {
            assert!(
                line(&["a", "b"], value).ends_with(&format!(" {text}\n")),
                "{text}"
            );
        }
    }

    #[test]
    fn an_empty_label_is_not_written() {
        assert_eq!(
            line(&["a", ""], 1.0),
            "x{tenant=\"contoso\",control=\"a\"} 1\n"
        );
    }

    #[test]
    fn a_long_value_is_cut_between_characters() {
        let long = "ä".repeat(100);
        assert!(line(&["a", &long], 1.0).contains(&format!("title=\"{}\"", "ä".repeat(64))));
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
