//! What all pages have in common.

use super::Page;
use super::context::ViewContext;
use crate::text::truncate;
use maud::{DOCTYPE, Markup, html};

/// The style sheet of all pages.
pub(crate) const STYLE: &str = concat!(
    include_str!("style.css"),
    include_str!("chart.css"),
    include_str!("runbook.css")
);

/// Its path, below the prefix.
pub(crate) const STYLE_PATH: &str = "/style.css";

const NAME: &str = "Secure Score exporter";

/// A whole page around its content.
pub(super) fn layout(context: &ViewContext<'_>, title: &str, content: Markup) -> Markup {
    let style = format!("{}?v={}", context.href(STYLE_PATH), context.version);
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
                    (navigation(context))
                }
                main #main tabindex="-1" {
                    h1 { (title) }
                    (content)
                }
                footer.site { (footer(context)) }
            }
        }
    }
}

fn navigation(context: &ViewContext<'_>) -> Markup {
    html! {
        nav aria-label="Pages" {
            ul {
                @for page in Page::linked() {
                    @let href = context.href(page.path);
                    @let current = (href == context.query.path()).then_some("page");
                    li { a href=(href) aria-current=[current] { (page.title) } }
                }
                li { a href=(context.href(context.telemetry_path)) { "Metrics" } }
            }
        }
    }
}

fn footer(context: &ViewContext<'_>) -> Markup {
    html! {
        p {
            (NAME) " " (context.version) ": Microsoft Secure Score for Prometheus. "
            a href=(context.href("/-/healthy")) { "Health" } ", "
            a href=(context.href("/-/ready")) { "readiness" } "."
        }
    }
}

/// A table that may be wider than a phone: it scrolls on its own, by keyboard
/// too, and the page does not.
pub(super) fn wide(label: &str, table: Markup) -> Markup {
    html! {
        div.wide role="region" tabindex="0" aria-label=(label) { (table) }
    }
}

/// Text from other people, cut to what a table can hold: a page with a thousand
/// long comments must still load.
pub(super) fn shortened(words: &str) -> String {
    const CHARACTERS: usize = 200;
    truncate(words, CHARACTERS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_text_is_cut_between_characters() {
        assert_eq!(shortened("kürz"), "kürz");
        let long = shortened(&"ü".repeat(400));
        assert_eq!(long.chars().count(), 201);
        assert!(long.ends_with("ü…"));
    }
}
