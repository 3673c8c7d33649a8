//! What Microsoft says about a control: HTML, shown as its text.

use crate::acceptances::Subject;
use crate::text::single_line;
use maud::{Markup, html};

/// The description in the newest report of the first tenant that has one.
pub(super) fn description(found: &[Subject<'_>]) -> Markup {
    let mut scores = found.iter().filter_map(|it| it.control?.score.as_deref());
    let description = scores.find_map(|it| it.description.as_deref());
    let paragraphs = description.map(paragraphs).unwrap_or_default();
    html! {
        @if !paragraphs.is_empty() {
            section aria-labelledby="description" {
                h2 #description { "What Microsoft says" }
                div.note {
                    @for paragraph in paragraphs { p { (paragraph) } }
                }
            }
        }
    }
}

/// The paragraphs of a text in HTML, without markup.
fn paragraphs(html: &str) -> Vec<String> {
    let html = single_line(html);
    let mut text = String::with_capacity(html.len());
    let mut rest = &*html;
    while let Some((before, tag, after)) = split_at_tag(rest) {
        text.push_str(before);
        if ends_line(tag) {
            text.push('\n');
        }
        rest = after;
    }
    text.push_str(rest);
    let lines = text
        .lines()
        .map(|it| single_line(&decoded(it)).into_owned());
    lines.filter(|it| !it.is_empty()).collect()
}

/// What is before, in and after the first tag.
fn split_at_tag(html: &str) -> Option<(&str, &str, &str)> {
    let is_tag = |c: char| c.is_ascii_alphabetic() || matches!(c, '/' | '!');
    let mut opened = html
        .match_indices('<')
        .filter_map(|(at, _)| html.split_at_checked(at));
    let (before, tag) =
        opened.find(|(_, tag)| tag.get(1..).is_some_and(|it| it.starts_with(is_tag)))?;
    let (tag, after) = tag.strip_prefix('<')?.split_once('>')?;
    Some((before, tag, after))
}

/// Whether a tag begins or ends a line.
fn ends_line(tag: &str) -> bool {
    let tag = tag.trim_start_matches('/');
    let name = tag.split(|c: char| !c.is_ascii_alphanumeric()).next();
    let name = name.unwrap_or_default().to_ascii_lowercase();
    let blocks = [
        "br", "div", "h1", "h2", "h3", "h4", "h5", "h6", "li", "ol", "p", "td", "tr", "ul",
    ];
    blocks.contains(&&*name)
}

/// A text with its character references replaced.
fn decoded(text: &str) -> String {
    let mut pieces = text.split('&');
    let mut decoded = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let reference = piece.split_once(';');
        match reference.and_then(|(name, rest)| Some((character(name)?, rest))) {
            Some((character, rest)) => {
                decoded.push(character);
                decoded.push_str(rest);
            }
            None => {
                decoded.push('&');
                decoded.push_str(piece);
            }
        }
    }
    decoded
}

fn character(name: &str) -> Option<char> {
    if let Some(number) = name.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16),
            None => number.parse(),
        };
        return char::from_u32(code.ok()?);
    }
    Some(match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => ' ',
        "lsquo" => '‘',
        "rsquo" => '’',
        "ldquo" => '“',
        "rdquo" => '”',
        "ndash" => '–',
        "mdash" => '—',
        "hellip" => '…',
        "bull" => '•',
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_left_out_and_blocks_become_paragraphs() {
        for (html, expected) in [
            ("One.<br/>Two.", &["One.", "Two."][..]),
            ("<p>One <b>bold</b> word.</p><p> </p>", &["One bold word."]),
            (
                "<UL class='x'><LI>One</LI><LI>Two</LI></UL>",
                &["One", "Two"],
            ),
            ("<a href=\"javascript:alert(1)\">Here</a>.", &["Here."]),
            ("<!-- note -->One", &["One"]),
            ("One\r\n  <b>\nword</b>.\t\n", &["One word."]),
            ("", &[]),
            ("<br><br>", &[]),
        ] {
            assert_eq!(paragraphs(html), expected, "{html}");
        }
    }

    #[test]
    fn what_is_no_tag_stays() {
        for (html, expected) in [
            ("1 < 2 > 1", "1 < 2 > 1"),
            ("cut off <a href", "cut off <a href"),
            ("<", "<"),
            (
                "a & b &unknown; &#xZ; &#1114112;",
                "a & b &unknown; &#xZ; &#1114112;",
            ),
        ] {
            assert_eq!(paragraphs(html), [expected], "{html}");
        }
    }

    #[test]
    fn character_references_become_characters_and_no_markup() {
        assert_eq!(
            paragraphs("Don&rsquo;t &amp;lt; &#60;script&#x3E;&nbsp;x&#8238;y&#10;z"),
            ["Don’t &lt; <script> xy z"]
        );
    }
}
