//! A page as Graph sent it, and the link in it.

use super::wire::NEXT_LINK_KEY;
use aws_lc_rs::digest::{Context, SHA256};
use memchr::memmem;
use std::ops::Range;

pub(super) type PageDigest = Box<[u8]>;

/// A page of which only the link to the next one is read.
pub(super) struct SentPage<'a> {
    /// The link, found by its key. Where the key occurs twice, or its value is no
    /// string, there is none.
    pub(super) link: Option<String>,
    before: &'a str,
    after: &'a str,
}

impl<'a> SentPage<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let (link, place) = match find_link(text) {
            Some((link, place)) => (Some(link), place),
            None => (None, text.len()..text.len()),
        };
        Self {
            link,
            before: text.get(..place.start).unwrap_or_default(),
            after: text.get(place.end..).unwrap_or_default(),
        }
    }

    /// The SHA-256 of everything but the link: Graph may use another one in each
    /// answer. It is a digest that a server cannot forge: another page with the same
    /// digest would not be noticed.
    pub(super) fn digest(&self) -> PageDigest {
        let mut context = Context::new(&SHA256);
        context.update(self.before.as_bytes());
        context.update(self.after.as_bytes());
        context.finish().as_ref().into()
    }
}

/// The link, and where it is between its quotes.
fn find_link(text: &str) -> Option<(String, Range<usize>)> {
    let mut keys = memmem::find_iter(text.as_bytes(), NEXT_LINK_KEY);
    let (Some(key), None) = (keys.next(), keys.next()) else {
        return None;
    };
    let after_key = text.get(key + NEXT_LINK_KEY.len()..)?;
    let value = after_key.trim_start().strip_prefix(':')?.trim_start();
    let start = text.len() - value.len();
    let mut values = serde_json::Deserializer::from_str(value).into_iter::<String>();
    let link = values.next()?.ok()?;
    let end = start + values.byte_offset();
    Some((link, start + 1..end - 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(text: &str) -> PageDigest {
        SentPage::new(text).digest()
    }

    #[test]
    fn the_link_is_read_and_is_not_part_of_the_digest() {
        let page = |link: &str| format!(r#"{{"value":[1], "@odata.nextLink" : {link} }}"#);
        for (sent, link) in [
            (r#""https://a.example/?b""#, Some("https://a.example/?b")),
            (r#""a\"\u0062\\""#, Some("a\"b\\")),
            (r#""""#, Some("")),
        ] {
            let text = page(sent);
            assert_eq!(SentPage::new(&text).link.as_deref(), link);
            assert_eq!(digest(&text), digest(&page(r#""another""#)), "{sent}");
        }
    }

    #[test]
    fn everything_else_is_part_of_the_digest() {
        let pages = [
            r#"{"value":[1],"@odata.nextLink":"a"}"#,
            r#"{"value":[2],"@odata.nextLink":"a"}"#,
            r#"{"@odata.nextLink":"a","value":[1]}"#,
            r#"{"@odata.nextLink":"a","value":[1],"more":1}"#,
            r#"{"value":[1]}"#,
            r#"{"value":[1],"@odata.nextLink":null}"#,
            r#"{"value":[1],"@odata.nextLink":"a"null}"#,
            r#"{"value":[1],"@odata.nextLink":"a""b"}"#,
            r#"{"value":[1],"@odata.nextLink":"a"#,
        ];
        for (at, page) in pages.iter().enumerate() {
            let same = pages.iter().filter(|it| digest(it) == digest(page));
            assert_eq!(same.count(), 1, "{at}: {page}");
        }
    }

    #[test]
    fn a_link_that_is_not_certain_is_none() {
        for text in [
            r#"{"value":[{"@odata.nextLink":"a"}],"@odata.nextLink":"b"}"#,
            r#"{"value":["@odata.nextLink"]}"#,
            r#"{"value":["\"@odata.nextLink\":\"a\""]}"#,
            r#"{"@odata.nextLink":null,"value":[]}"#,
            r#"{"@odata.nextLink":["a"],"value":[]}"#,
            "\"@odata.nextLink\"",
            "",
        ] {
            assert_eq!(SentPage::new(text).link, None, "{text}");
        }
    }
}
