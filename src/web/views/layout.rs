//! What all pages have in common.

use crate::web::Options;
use maud::{DOCTYPE, Markup, html};

/// The style of all pages.
pub(in crate::web) const STYLE: &str = include_str!("style.css");

/// Where it is served, below the prefix.
pub(in crate::web) const STYLE_PATH: &str = "/style.css";

/// What every page is called, with something more where there is more to say.
const NAME: &str = "Secure Score exporter";

/// A whole page around its content.
pub(super) fn layout(options: &Options, title: Option<&str>, content: Markup) -> Markup {
    let prefix = options.link_prefix();
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { @if let Some(title) = title { (title) " · " } (NAME) }
                link rel="stylesheet" href={ (prefix) (STYLE_PATH) "?v=" (options.version) };
            }
            body {
                header {
                    h1 { (NAME) }
                    p.soft {
                        "Microsoft Secure Score for Prometheus: scores, control states and accepted risks. Version "
                        (options.version) "."
                    }
                }
                (links(options))
                main { (content) }
            }
        }
    }
}

/// The paths a person or a program may want.
fn links(options: &Options) -> Markup {
    let prefix = options.link_prefix();
    let paths = [
        ("/", "Status"),
        (&options.telemetry_path, "Metrics"),
        ("/-/healthy", "Health"),
        ("/-/ready", "Readiness"),
    ];
    html! {
        nav aria-label="Pages" {
            ul {
                @for (path, name) in paths {
                    li { a href={ (prefix) (path) } { (name) } }
                }
            }
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
