//! The runbooks of the alerts, as the build script rendered them: the links of
//! pages and tickets lead here. They hold no tenant's data.

use super::context::ViewContext;
use super::layout::{fixed_layout, unknown_page};
use super::{PageError, RUNBOOKS_PATH};
use crate::http_types::similar_names;
use maud::{Markup, PreEscaped, html};

/// The runbooks, and the documents that they link to, by name.
const RUNBOOKS: &[Runbook] = include!(concat!(env!("OUT_DIR"), "/runbooks.rs"));

/// A document of the repository.
struct Runbook {
    /// The end of its path: of a runbook, the name of the alert.
    name: &'static str,
    title: &'static str,
    /// Its first sentence.
    summary: &'static str,
    /// Whether it is a runbook, and not a document that runbooks link to.
    is_runbook: bool,
    /// Its content, below the title.
    html: &'static str,
}

/// The list of all runbooks.
pub(super) fn list(context: &ViewContext<'_>) -> Markup {
    let item = |runbook: &Runbook| {
        html! { li { (link(runbook.name, runbook.title, context)) p { (runbook.summary) } } }
    };
    let (runbooks, documents): (Vec<_>, Vec<_>) =
        RUNBOOKS.iter().partition(|runbook| runbook.is_runbook);
    let content = html! {
        p { "What each alert means, and what to do." }
        ul.runbooks { @for runbook in runbooks { (item(runbook)) } }
        h2 { "Documents they refer to" }
        ul.runbooks { @for document in documents { (item(document)) } }
    };
    fixed_layout(context, "Runbooks", content)
}

/// One runbook, by the name of its alert; without a name, the list.
pub(super) fn view(name: &str, context: &ViewContext<'_>) -> Result<Markup, PageError> {
    if name.is_empty() {
        return Ok(list(context));
    }
    let found = RUNBOOKS.iter().find(|runbook| runbook.name == name);
    let runbook = found.ok_or_else(|| PageError::UnknownRunbook(name.to_owned()))?;
    let content = html! { article.runbook { (PreEscaped(runbook.html)) } };
    Ok(fixed_layout(context, runbook.title, content))
}

/// The page for a name that no runbook has.
pub(super) fn unknown(name: &str, context: &ViewContext<'_>) -> Markup {
    let similar = similar_names(name, RUNBOOKS.iter().map(|it| it.name)).into_iter();
    let similar: Vec<_> = similar.map(|name| link(name, name, context)).collect();
    let missing = ("There is no runbook", name);
    let all = (RUNBOOKS_PATH, "All runbooks");
    unknown_page(context, "Runbook not found", missing, &similar, all)
}

fn link(name: &str, words: &str, context: &ViewContext<'_>) -> Markup {
    let href = context.page(&format!("{RUNBOOKS_PATH}/{name}"));
    html! { a href=(href) { (words) } }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn targets<'a>(html: &'a str, attribute: &'a str) -> impl Iterator<Item = &'a str> {
        html.split(attribute)
            .skip(1)
            .filter_map(|rest| rest.split('"').next())
    }

    #[test]
    fn every_link_among_the_runbooks_leads_to_a_heading_that_exists() {
        let mut links = 0;
        for runbook in RUNBOOKS {
            for link in targets(runbook.html, "href=\"") {
                if link.starts_with("https://") {
                    continue;
                }
                links += 1;
                let (name, anchor) = link.split_once('#').unwrap_or((link, ""));
                let name = if name.is_empty() { runbook.name } else { name };
                let target = RUNBOOKS.iter().find(|it| it.name == name);
                let target = target.unwrap_or_else(|| panic!("{}: {link}", runbook.name));
                let mut ids = targets(target.html, " id=\"");
                assert!(
                    anchor.is_empty() || ids.any(|id| id == anchor),
                    "{}: {link}",
                    runbook.name
                );
            }
        }
        assert!(links > 60, "only {links} links");
    }

    #[test]
    fn each_runbook_has_a_sentence_in_the_list() {
        for Runbook { name, summary, .. } in RUNBOOKS {
            let length = summary.chars().count();
            assert!((20..=320).contains(&length), "{name}: {summary}");
            assert!(summary.ends_with(['.', ':']), "{name}: {summary}");
            let opened = summary.matches('(').count();
            assert_eq!(opened, summary.matches(')').count(), "{name}: {summary}");
        }
    }

    #[test]
    fn runbooks_have_tables_and_code_and_nothing_that_the_policy_forbids() {
        let all: String = RUNBOOKS.iter().map(|it| it.html).collect();
        for needed in ["<table>", "<pre><code", "<h2 id=\"meaning\">", "<ol>"] {
            assert!(all.contains(needed), "{needed}");
        }
        for forbidden in ["style=", "<script", "<!--", "<img", "<h1", "](", ".md\""] {
            assert!(!all.contains(forbidden), "{forbidden}");
        }
        let runbook = |it: &&Runbook| it.name == "SecureScoreRiskAccepted";
        let runbook = RUNBOOKS.iter().find(runbook).unwrap();
        assert!(runbook.is_runbook && runbook.title == runbook.name);
        let link = "<a href=\"decisions\">decision</a>";
        assert!(runbook.html.contains(link), "{}", runbook.html);
    }
}
