//! Lists with q-values, as `Accept` and `Accept-Encoding` hold them (RFC 9110).

use std::borrow::Cow;

/// A q-value in thousandths: it compares without rounding.
pub(super) type Quality = u16;

const MAX_QUALITY: Quality = 1_000;

/// One element of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preference<'a> {
    /// What stands before the first semicolon.
    pub(super) value: &'a str,
    /// The parameters other than `q`.
    parameters: Vec<(&'a str, Cow<'a, str>)>,
    /// 0 excludes the value.
    pub(super) quality: Quality,
}

impl Preference<'_> {
    /// The value of a parameter; names are case-insensitive.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_ref())
    }
}

/// The valid elements of a list, in their order.
///
/// An element with an invalid q-value is left out. The worst result is the
/// oldest format or an uncompressed body, which every client can read.
pub fn preferences(list: &str) -> Vec<Preference<'_>> {
    split_unquoted(list, ',')
        .filter_map(parse_element)
        .collect()
}

fn parse_element(element: &str) -> Option<Preference<'_>> {
    let mut fields = split_unquoted(element, ';').map(str::trim);
    let value = fields.next().filter(|value| !value.is_empty())?;
    let mut quality = MAX_QUALITY;
    let mut parameters = Vec::new();
    for (name, text) in fields.filter_map(|field| field.split_once('=')) {
        let (name, text) = (name.trim(), text.trim());
        if name.eq_ignore_ascii_case("q") {
            quality = parse_quality(text)?;
        } else {
            parameters.push((name, unquote(text)));
        }
    }
    Some(Preference {
        value,
        parameters,
        quality,
    })
}

/// Rounded up, so that a tiny q-value does not become 0, an exclusion.
fn parse_quality(text: &str) -> Option<Quality> {
    let share: f32 = text.parse().ok()?;
    (0.0..=1.0)
        .contains(&share)
        .then(|| (share * f32::from(MAX_QUALITY)).ceil() as Quality)
}

fn unquote(text: &str) -> Cow<'_, str> {
    match text.strip_prefix('"').and_then(|t| t.strip_suffix('"')) {
        Some(inner) if inner.contains('\\') => Cow::Owned(inner.replace('\\', "")),
        Some(inner) => Cow::Borrowed(inner),
        None => Cow::Borrowed(text),
    }
}

/// Splits at a separator that is not inside double quotes.
fn split_unquoted(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    let mut escaped = false;
    text.split(move |character| {
        if quoted && escaped {
            escaped = false;
        } else if quoted && character == '\\' {
            escaped = true;
        } else if character == '"' {
            quoted = !quoted;
        }
        !quoted && character == separator
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn qualities(list: &str) -> Vec<(&str, Quality)> {
        preferences(list)
            .iter()
            .map(|c| (c.value, c.quality))
            .collect()
    }

    #[test]
    fn a_missing_q_value_is_1() {
        assert_eq!(
            qualities("gzip , br;q=0.5,*; Q=0"),
            [("gzip", 1_000), ("br", 500), ("*", 0)]
        );
    }

    #[test]
    fn an_element_with_an_invalid_q_value_is_left_out() {
        let list = "a;q=x, b;q=, c;q=1.1, d;q=-1, e;q=nan, f;q=inf, , ;q=1, g";
        assert_eq!(qualities(list), [("g", 1_000)]);
    }

    #[test]
    fn the_smallest_q_value_is_not_an_exclusion() {
        assert_eq!(qualities("a;q=0.0001"), [("a", 1)]);
    }

    #[test]
    fn a_comma_inside_quotes_does_not_split() {
        let list = preferences(r#"text/plain;note="a,b;c\"d";version="0.0.4", next"#);
        assert_eq!(list.len(), 2);
        assert_eq!(list[0].parameter("NOTE"), Some(r#"a,b;c"d"#));
        assert_eq!(list[0].parameter("version"), Some("0.0.4"));
    }
}
