//! OData's `$filter`: a property that equals a text.

use serde_json::Value;

/// `PROPERTY eq 'TEXT'`, the form that Microsoft documents for both lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Filter {
    pub(crate) property: String,
    text: String,
}

impl Filter {
    /// An element by its id.
    pub(crate) fn id(id: &str) -> Self {
        Self {
            property: "id".to_owned(),
            text: id.to_owned(),
        }
    }

    /// The filter of a query; `None` for another form.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (property, rest) = text.trim().split_once(' ')?;
        let literal = rest.trim_start().strip_prefix("eq ")?.trim_start();
        Some(Self {
            property: property.to_owned(),
            text: unquote(literal)?,
        })
    }

    /// Whether the property is the text, or a list that contains it.
    pub(crate) fn matches(&self, element: &Value) -> bool {
        let is_equal = |value: &Value| value.as_str() == Some(&self.text);
        match element.get(&self.property) {
            Some(Value::Array(values)) => values.iter().any(is_equal),
            value => value.is_some_and(is_equal),
        }
    }
}

/// The text of an OData literal, in which a quote is written twice.
pub(crate) fn unquote(literal: &str) -> Option<String> {
    let inner = literal.strip_prefix('\'')?.strip_suffix('\'')?;
    let text = inner.replace("''", "\u{0}");
    (!text.contains('\'')).then(|| text.replace('\u{0}', "'"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_property_is_compared_with_a_quoted_text() {
        let filter = Filter::parse(" controlCategory eq 'Identity' ").unwrap();
        assert!(filter.matches(&json!({"controlCategory": "Identity"})));
        assert!(!filter.matches(&json!({"controlCategory": "identity"})));
        assert!(!filter.matches(&json!({"id": "Identity"})));
        assert!(filter.matches(&json!({"controlCategory": ["Apps", "Identity"]})));
        let filter = Filter::parse("id eq 'it''s'").unwrap();
        assert_eq!(filter, Filter::id("it's"));
    }

    #[test]
    fn another_form_is_not_parsed() {
        for text in [
            "",
            "id",
            "id ne 'A'",
            "id eq A",
            "id eq 'A' or id eq 'B'",
            "startswith(id,'A')",
        ] {
            assert_eq!(Filter::parse(text), None, "{text}");
        }
    }
}
