//! Lists with q-values, as `Accept` and `Accept-Encoding` hold them.

use std::borrow::Cow;

/// A q-value in thousandths, so that it has an order and no rounding.
pub(super) type Weight = u16;

const FULL_WEIGHT: Weight = 1_000;

/// One element of a list: what is accepted, and how gladly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Choice<'a> {
    /// What stands before the first semicolon.
    pub(super) value: &'a str,
    /// The parameters but for `q`.
    pub(super) parameters: Vec<(&'a str, Cow<'a, str>)>,
    /// 0 means *not this one*.
    pub(super) weight: Weight,
}

impl Choice<'_> {
    /// A parameter's value; names have no case.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_ref())
    }
}

/// The readable elements of a list, in their order.
///
/// An element whose q-value makes no sense is left out rather than guessed:
/// the worst that follows is the oldest format or an uncompressed body, which
/// every client can read.
pub(super) fn choices(list: &str) -> Vec<Choice<'_>> {
    unquoted(list, ',').filter_map(choice).collect()
}

fn choice(element: &str) -> Option<Choice<'_>> {
    let mut fields = unquoted(element, ';').map(str::trim);
    let value = fields.next().filter(|value| !value.is_empty())?;
    let mut weight = FULL_WEIGHT;
    let mut parameters = Vec::new();
    for (name, text) in fields.filter_map(|field| field.split_once('=')) {
        let (name, text) = (name.trim(), text.trim());
        if name.eq_ignore_ascii_case("q") {
            weight = thousandths(text)?;
        } else {
            parameters.push((name, without_quotes(text)));
        }
    }
    Some(Choice {
        value,
        parameters,
        weight,
    })
}

/// Rounded up, so that a tiny wish is not taken for a refusal.
fn thousandths(text: &str) -> Option<Weight> {
    let share: f32 = text.parse().ok()?;
    (0.0..=1.0)
        .contains(&share)
        .then(|| (share * f32::from(FULL_WEIGHT)).ceil() as Weight)
}

fn without_quotes(text: &str) -> Cow<'_, str> {
    match text.strip_prefix('"').and_then(|t| t.strip_suffix('"')) {
        Some(inner) if inner.contains('\\') => Cow::Owned(inner.replace('\\', "")),
        Some(inner) => Cow::Borrowed(inner),
        None => Cow::Borrowed(text),
    }
}

/// Splits at a character that is not inside double quotes.
fn unquoted(text: &str, separator: char) -> impl Iterator<Item = &str> {
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

    fn weights(list: &str) -> Vec<(&str, Weight)> {
        choices(list).iter().map(|c| (c.value, c.weight)).collect()
    }

    #[test]
    fn an_absent_weight_is_the_full_one() {
        assert_eq!(
            weights("gzip , br;q=0.5,*; Q=0"),
            [("gzip", 1_000), ("br", 500), ("*", 0)]
        );
    }

    #[test]
    fn an_element_with_a_senseless_weight_is_left_out() {
        let list = "a;q=x, b;q=, c;q=1.1, d;q=-1, e;q=nan, f;q=inf, , ;q=1, g";
        assert_eq!(weights(list), [("g", 1_000)]);
    }

    #[test]
    fn the_smallest_wish_is_not_a_refusal() {
        assert_eq!(weights("a;q=0.0001"), [("a", 1)]);
    }

    #[test]
    fn a_comma_inside_quotes_does_not_split() {
        let list = choices(r#"text/plain;note="a,b;c\"d";version="0.0.4", next"#);
        assert_eq!(list.len(), 2);
        assert_eq!(list[0].parameter("NOTE"), Some(r#"a,b;c"d"#));
        assert_eq!(list[0].parameter("version"), Some("0.0.4"));
    }
}
