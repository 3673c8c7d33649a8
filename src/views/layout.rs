//! What all pages have in common.

use super::Page;
use super::context::ViewContext;
use super::csv_link;
use super::page_query::PageQuery;
use super::time::duration;
use crate::text::truncate;
use maud::{DOCTYPE, Markup, html};
use std::time::Duration;

/// The style sheet of all pages.
pub(crate) const STYLE: &str = concat!(
    include_str!("style.css"),
    include_str!("chart.css"),
    include_str!("runbook.css"),
    include_str!("triage.css")
);

/// Its path, below the prefix.
pub(crate) const STYLE_PATH: &str = "/style.css";

/// What the pages are of.
pub(super) const NAME: &str = "Secure Score exporter";

/// How often a browser requests a page again.
const REFRESH_INTERVAL: Duration = Duration::from_secs(2 * 60);

/// A whole page around its content, with the switch of its refresh.
pub(super) fn layout(context: &ViewContext<'_>, title: &str, content: Markup) -> Markup {
    document(context, title, refresh_switch(context), content)
}

/// A page that does not change by being requested again: an error or a text.
pub(super) fn fixed_layout(context: &ViewContext<'_>, title: &str, content: Markup) -> Markup {
    document(context, title, html! {}, content)
}

/// The page for a name that does not exist: what is missing, links to similar names, and
/// the path and the name of the page that has all.
pub(super) fn unknown_page(
    context: &ViewContext<'_>,
    title: &str,
    (missing, name): (&str, &str),
    similar: &[Markup],
    (path, words): (&str, &str),
) -> Markup {
    let content = html! {
        p { (missing) " " code { (shortened(name)) } "." }
        @if !similar.is_empty() {
            p { "Did you mean one of these?" }
            ul { @for link in similar { li { (link) } } }
        }
        p { a href=(context.page(path)) { (words) } }
    };
    fixed_layout(context, title, content)
}

/// The seconds after which the browser requests a page again; `None` where that is
/// switched off.
pub(super) fn refresh_seconds(query: &PageQuery) -> Option<u64> {
    query.refreshes().then_some(REFRESH_INTERVAL.as_secs())
}

fn refresh_switch(context: &ViewContext<'_>) -> Markup {
    let (query, interval) = (&context.query, duration(REFRESH_INTERVAL));
    html! {
        p.refresh.soft {
            @if let Some((address, words)) = csv_link::link(context) {
                a href=(address) { (words) } ". "
            }
            @if query.refreshes() {
                "Refreshes every " (interval) ". "
                a href=(query.switching_refresh("off")) { "Stop refreshing" }
            } @else {
                "Does not refresh itself. "
                a href=(query.switching_refresh("on")) { "Refresh every " (interval) }
            }
        }
    }
}

/// The head of a page with this title, and the address of its style sheet.
pub(super) fn head(title: &str, style: Option<&str>) -> Markup {
    html! {
        head {
            meta charset="utf-8";
            meta name="viewport" content="width=device-width, initial-scale=1";
            meta name="color-scheme" content="light dark";
            title { (title) " · " (NAME) }
            @if let Some(style) = style { link rel="stylesheet" href=(style); }
        }
    }
}

fn document(context: &ViewContext<'_>, title: &str, switch: Markup, content: Markup) -> Markup {
    let style = format!("{}?v={}", context.href(STYLE_PATH), context.version);
    html! {
        (DOCTYPE)
        html lang="en" {
            (head(title, Some(&style)))
            body {
                a.skip href="#main" { "Skip to the content" }
                header.site {
                    p.name { (NAME) }
                    (navigation(context))
                    (switch)
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
                    @let is_current = context.href(page.path) == context.query.path();
                    @let current = is_current.then_some("page");
                    li { a href=(context.page(page.path)) aria-current=[current] { (page.title) } }
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
