//! What all pages have in common.

use super::reader::Reader;
use maud::{DOCTYPE, Markup, html};

/// The style of all pages.
pub(in crate::http) const STYLE: &str = include_str!("style.css");

/// Where it is served, below the prefix.
pub(in crate::http) const STYLE_PATH: &str = "/style.css";

/// What the whole is called.
const NAME: &str = "Secure Score exporter";

/// Where in the navigation a page stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Here {
    /// The status page.
    Status,
    /// The register of accepted risks.
    Acceptances,
    /// None of those one can go to from everywhere.
    Elsewhere,
}

/// A whole page around its content.
pub(super) fn layout(reader: &Reader<'_>, here: Here, title: &str, content: Markup) -> Markup {
    let version = &reader.options.version;
    let style = format!("{}?v={version}", reader.href(STYLE_PATH));
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " · " (NAME) }
                link rel="stylesheet" href=(style);
            }
            body {
                a.skip href="#main" { "Skip to the content" }
                header.site {
                    p.name { (NAME) }
                    (navigation(reader, here))
                }
                main #main tabindex="-1" {
                    h1 { (title) }
                    (content)
                }
                footer.site { (foot(reader)) }
            }
        }
    }
}

/// The pages a person may want.
fn navigation(reader: &Reader<'_>, here: Here) -> Markup {
    let pages = [
        ("/", "Status", Here::Status),
        ("/acceptances", "Accepted risks", Here::Acceptances),
    ];
    html! {
        nav aria-label="Pages" {
            ul {
                @for (path, name, place) in pages {
                    @let current = (place == here).then_some("page");
                    li { a href=(reader.href(path)) aria-current=[current] { (name) } }
                }
                li { a href=(reader.href(&reader.options.telemetry_path)) { "Metrics" } }
            }
        }
    }
}

fn foot(reader: &Reader<'_>) -> Markup {
    html! {
        p {
            (NAME) " " (reader.options.version) ": Microsoft Secure Score for Prometheus. "
            a href=(reader.href("/-/healthy")) { "Health" } ", "
            a href=(reader.href("/-/ready")) { "readiness" } "."
        }
    }
}

/// A table that may be wider than a phone: it scrolls by itself, by keyboard
/// too, and the page around it does not.
pub(super) fn wide(label: &str, table: Markup) -> Markup {
    html! {
        div.wide role="region" tabindex="0" aria-label=(label) { (table) }
    }
}

/// Foreign words, cut to what a table can hold.
///
/// A comment may be as long as somebody liked; a page of a thousand of them
/// must still load.
pub(super) fn shortened(words: &str) -> String {
    const CHARACTERS: usize = 200;
    match words.char_indices().nth(CHARACTERS) {
        None => words.to_owned(),
        Some((end, _)) => format!("{}…", words.get(..end).unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_words_are_cut_between_characters() {
        assert_eq!(shortened("kürz"), "kürz");
        let long = shortened(&"ü".repeat(400));
        assert_eq!(long.chars().count(), 201);
        assert!(long.ends_with("ü…"));
    }
}
