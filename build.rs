//! Renders the runbooks, and the documents that they link to, as HTML: the
//! exporter serves them at `/runbooks`, so that the links of its alerts work
//! wherever it runs.

#![allow(
    clippy::print_stdout,
    reason = "Cargo reads a build script's standard output"
)]

use pulldown_cmark::{
    CowStr, Event, HeadingLevel, Options, Parser, Tag, TagEnd, TextMergeStream, html,
};
use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

const RUNBOOKS: &str = "docs/runbooks";

/// The documents that runbooks and commands link to, and their names below `/runbooks`.
const DOCUMENTS: [(&str, &str); 8] = [
    ("docs/acceptances.md", "acceptances"),
    ("alerts/README.md", "alerts"),
    ("docs/reference/configuration.md", "configuration"),
    ("docs/decisions.md", "decisions"),
    ("docs/reference/entra-errors.md", "entra-errors"),
    ("docs/partners.md", "partners"),
    ("docs/permissions.md", "permissions"),
    ("alerts/ROUTING.md", "routing"),
];

/// The names of the served files, by path.
type Names = BTreeMap<PathBuf, String>;

fn main() -> Result<(), Box<dyn Error>> {
    let names = names()?;
    let mut table = "&[\n".to_owned();
    for (path, name) in &names {
        println!("cargo::rerun-if-changed={}", path.display());
        let page = Document::parse(path, &fs::read_to_string(path)?, &names).render();
        let is_runbook = path.starts_with(RUNBOOKS);
        writeln!(
            table,
            "Runbook {{ name: {name:?}, title: {:?}, summary: {:?}, is_runbook: {is_runbook}, html: {:?} }},",
            page.title, page.summary, page.html
        )?;
    }
    table.push_str("]\n");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={RUNBOOKS}");
    let out = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(out.join("runbooks.rs"), table)?;
    Ok(())
}

/// Every file to serve, by path.
fn names() -> io::Result<Names> {
    let mut names = Names::new();
    for entry in fs::read_dir(RUNBOOKS)? {
        let path = entry?.path();
        if let Some(name) = path.file_stem().and_then(|it| it.to_str()) {
            names.insert(path.clone(), name.to_owned());
        }
    }
    for (path, name) in DOCUMENTS {
        names.insert(path.into(), name.to_owned());
    }
    Ok(names)
}

/// A document without its title.
struct Document<'a> {
    path: &'a Path,
    names: &'a Names,
    events: Vec<Event<'a>>,
}

/// A document, rendered.
struct Page {
    title: String,
    /// Its first sentence.
    summary: String,
    html: String,
}

impl<'a> Document<'a> {
    fn parse(path: &'a Path, text: &'a str, names: &'a Names) -> Self {
        let parser = Parser::new_ext(text, Options::ENABLE_TABLES);
        Self {
            path,
            names,
            events: TextMergeStream::new(parser).collect(),
        }
    }

    fn render(self) -> Page {
        let is_title =
            |event: &Event<'_>| matches!(event, Event::End(TagEnd::Heading(HeadingLevel::H1)));
        let title_end = self.events.iter().position(is_title).map_or(0, |at| at + 1);
        let (head, rest) = self.events.split_at(title_end);
        let mut events = Vec::with_capacity(rest.len());
        // The ends of links that are left out, innermost last.
        let mut left_out = Vec::new();
        for (at, event) in rest.iter().enumerate() {
            match event {
                // Comments for the tests.
                Event::Html(_) | Event::InlineHtml(_) => {}
                Event::Start(Tag::Table(columns)) => {
                    // Alignment would become a style, which the policy forbids.
                    let columns = vec![pulldown_cmark::Alignment::None; columns.len()];
                    events.push(region("wide", "Table"));
                    events.push(Event::Start(Tag::Table(columns)));
                }
                Event::Start(Tag::CodeBlock(_)) => {
                    events.push(region("code", "Code"));
                    events.push(event.clone());
                }
                Event::End(TagEnd::Table | TagEnd::CodeBlock) => {
                    events.push(event.clone());
                    events.push(Event::Html(CowStr::from("</div>")));
                }
                Event::Start(Tag::Heading { level, .. }) => {
                    let id = anchor(&words(rest.get(at..).unwrap_or_default()));
                    events.push(Event::Start(Tag::Heading {
                        level: *level,
                        id: Some(id.into()),
                        classes: Vec::new(),
                        attrs: Vec::new(),
                    }));
                }
                Event::Start(Tag::Link {
                    link_type,
                    dest_url,
                    ..
                }) => {
                    let address = self.address(dest_url);
                    left_out.push(address.is_none().then(|| dest_url.clone()));
                    if let Some(address) = address {
                        events.push(Event::Start(Tag::Link {
                            link_type: *link_type,
                            dest_url: address.into(),
                            title: CowStr::from(""),
                            id: CowStr::from(""),
                        }));
                    }
                }
                Event::End(TagEnd::Link) => match left_out.pop().flatten() {
                    None => events.push(event.clone()),
                    Some(path) => {
                        let name = path.rsplit('/').next().unwrap_or_default();
                        let name = name.split('#').next().unwrap_or_default();
                        events.push(Event::Text(" (".into()));
                        events.push(Event::Code(name.to_owned().into()));
                        events.push(Event::Text(")".into()));
                    }
                },
                event => events.push(event.clone()),
            }
        }
        let mut html = String::new();
        html::push_html(&mut html, events.into_iter());
        Page {
            title: words(head),
            summary: first_sentence(rest),
            html,
        }
    }

    /// Where a link leads on the exporter's pages; `None` for files that it does not
    /// serve.
    fn address(&self, written: &str) -> Option<String> {
        if written.starts_with("https://") || written.starts_with('#') {
            return Some(written.to_owned());
        }
        let (file, anchor) = written.split_once('#').unwrap_or((written, ""));
        let mut path = self.path.parent()?.to_owned();
        for part in file.split('/') {
            match part {
                ".." => {
                    path.pop();
                }
                part => path.push(part),
            }
        }
        let name = self.names.get(&path)?;
        // Relative, so that it works below any prefix.
        let separator = if anchor.is_empty() { "" } else { "#" };
        Some(format!("{name}{separator}{anchor}"))
    }
}

/// The start of a part that may be wider than a phone: it scrolls on its own, by
/// keyboard too.
fn region(class: &str, label: &str) -> Event<'static> {
    let tag =
        format!("<div class=\"{class}\" role=\"region\" tabindex=\"0\" aria-label=\"{label}\">");
    Event::Html(tag.into())
}

/// The text of a heading, from its start.
fn words(events: &[Event<'_>]) -> String {
    let mut words = String::new();
    for event in events {
        match event {
            Event::Text(text) | Event::Code(text) => words.push_str(text),
            Event::End(TagEnd::Heading(_)) => break,
            _ => {}
        }
    }
    words
}

/// The first sentence of the first paragraph.
fn first_sentence(events: &[Event<'_>]) -> String {
    let is_start = |event: &Event<'_>| matches!(event, Event::Start(Tag::Paragraph));
    let is_end = |event: &Event<'_>| matches!(event, Event::End(TagEnd::Paragraph));
    let mut paragraph = String::new();
    for event in events
        .iter()
        .skip_while(|it| !is_start(it))
        .take_while(|it| !is_end(it))
    {
        match event {
            Event::Text(text) | Event::Code(text) => paragraph.push_str(text),
            Event::SoftBreak | Event::HardBreak => paragraph.push(' '),
            _ => {}
        }
    }
    match paragraph.split_once(". ") {
        Some((sentence, _)) => format!("{sentence}."),
        None => paragraph,
    }
}

/// The id of a heading, as on the usual hosts of Markdown files.
fn anchor(heading: &str) -> String {
    let kept = heading
        .chars()
        .filter(|it| it.is_alphanumeric() || matches!(it, ' ' | '-' | '_'));
    kept.map(|it| if it == ' ' { '-' } else { it })
        .collect::<String>()
        .to_lowercase()
}
