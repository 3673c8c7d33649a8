//! The page `/inbox`.

use crate::Introduction;
use crate::frame;
use crate::mail::Mail;
use crate::message::{Content, Message};
use crate::page_event::PageEvent;
use crate::ticket::Ticket;
use jiff::{SignedDuration, Timestamp};
use maud::{DOCTYPE, Markup, html};

/// The path of the page.
pub(crate) const PATH: &str = "/inbox";

/// The style sheet and its path.
pub(crate) const STYLE: &str = include_str!("style.css");
pub(crate) const STYLE_PATH: &str = "/inbox.css";

/// The interval after which a browser requests the page again.
const REFRESH_SECONDS: u32 = 5;

/// Whether the page refreshes itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refresh {
    On,
    Off,
}

impl Refresh {
    /// As the query `refresh=off` of the page's address says.
    pub(crate) fn of_query(query: Option<&str>) -> Self {
        match query {
            Some("refresh=off") => Self::Off,
            _ => Self::On,
        }
    }
}

/// The number of the mail that has this path.
pub(crate) fn mail_number(path: &str) -> Option<usize> {
    path.strip_prefix("/inbox/mails/")?.parse().ok()
}

/// The whole page; the newest message is first.
pub(crate) fn page(introduction: &Introduction, messages: &[Message], refresh: Refresh) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                @if refresh == Refresh::On {
                    meta http-equiv="refresh" content=(REFRESH_SECONDS);
                }
                title { "Inbox" }
                link rel="stylesheet" href=(STYLE_PATH);
            }
            body {
                (header(introduction, refresh))
                main {
                    h1 { "Inbox" }
                    (counts(messages))
                    @if !introduction.expected.is_empty() { p.soft { (introduction.expected) } }
                    @for sentence in &introduction.sentences { p.soft { (sentence) } }
                    @if messages.is_empty() { p.empty { "No message has arrived yet." } }
                    @for message in messages { (article(message)) }
                }
            }
        }
    }
}

fn header(introduction: &Introduction, refresh: Refresh) -> Markup {
    html! {
        header {
            nav aria-label="Pages" {
                ul {
                    li { a href=(PATH) aria-current="page" { "Inbox" } }
                    @for (name, url) in &introduction.links { li { a href=(url) { (name) } } }
                }
            }
            @match refresh {
                Refresh::On => p.soft {
                    "Refreshes every " (REFRESH_SECONDS) " s. "
                    a href={ (PATH) "?refresh=off" } { "Stop refreshing" }
                },
                Refresh::Off => p.soft { a href=(PATH) { "Refresh automatically" } },
            }
        }
    }
}

fn counts(messages: &[Message]) -> Markup {
    let count = |is: fn(&Content) -> bool| messages.iter().filter(|it| is(&it.content)).count();
    let counts = [
        ("page", count(|it| matches!(it, Content::Page(_)))),
        ("mail", count(|it| matches!(it, Content::Mail(_)))),
        ("ticket", count(|it| matches!(it, Content::Ticket(_)))),
    ];
    let newest = messages.iter().find_map(|message| message.delay);
    html! {
        ul.tiles {
            @if let Some(delay) = newest {
                li { strong { (seconds(delay)) } span { "from decision to page" } }
            }
            @for (name, count) in counts {
                li { strong { (count) } span { (name) @if count != 1 { "s" } } }
            }
        }
    }
}

fn article(message: &Message) -> Markup {
    match &message.content {
        Content::Page(page) => page_article(message, page),
        Content::Mail(mail) => mail_article(message, mail),
        Content::Ticket(ticket) => ticket_article(message, ticket),
    }
}

fn page_article(message: &Message, page: &PageEvent) -> Markup {
    let (class, kind) = match page.is_trigger {
        true => ("page firing", "Page"),
        false => ("page resolved", "End of a page"),
    };
    html! {
        article class=(class) {
            p.kind {
                b { (kind) }
                @if !page.severity.is_empty() { " · " (page.severity) }
                " · " (time(message.received))
                @if let Some(delay) = message.delay {
                    " · " strong { (seconds(delay)) " after the decision" }
                }
            }
            h2 { (page.summary) }
            pre { (linked(page.text.trim_end())) }
        }
    }
}

/// The frame begins with the sentence of the subject, so the heading of the article is for
/// screen readers only.
fn mail_article(message: &Message, mail: &Mail) -> Markup {
    let path = format!("/inbox/mails/{}", message.number);
    let has_frame = !mail.html.is_empty();
    html! {
        article.mail {
            p.kind { b { "Mail" } " · " (time(message.received)) }
            h2 class=[has_frame.then_some("unseen")] { (mail.subject) }
            p.soft { "From " (mail.from) " to " (mail.to) ". " a href=(path) { "Only this mail" } }
            @if has_frame {
                iframe src=(path) title={ "Mail " (message.number) } height=(frame::height(&mail.html)) loading="lazy" {}
            }
            details open[!has_frame] { summary { "As plain text" } pre { (linked(mail.text.trim_end())) } }
        }
    }
}

fn ticket_article(message: &Message, ticket: &Ticket) -> Markup {
    let kind = if ticket.is_open {
        "Ticket"
    } else {
        "End of a ticket"
    };
    html! {
        article.ticket {
            p.kind { b { (kind) } " · " (time(message.received)) }
            h2 { (ticket.title) }
            details { summary { "As JSON" } pre { (ticket.json) } }
        }
    }
}

fn time(at: Timestamp) -> Markup {
    let shown = at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string();
    html! { time datetime=(at) { (shown) } }
}

fn seconds(delay: SignedDuration) -> String {
    format!("{} s", delay.as_secs())
}

/// Text whose web addresses are links.
fn linked(text: &str) -> Markup {
    html! {
        @for word in text.split_inclusive(char::is_whitespace) {
            @match address(word) {
                Some((url, rest)) => { a href=(url) { (url) } (rest) }
                None => (word),
            }
        }
    }
}

/// The web address at the start of a word, and what follows it.
fn address(word: &str) -> Option<(&str, &str)> {
    let is_address = word.starts_with("http://") || word.starts_with("https://");
    let end = word.trim_end().trim_end_matches(['.', ',', ')', ';']).len();
    word.split_at_checked(end).filter(|_| is_address)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::subject::Subject;

    fn message(content: Content) -> Message {
        Message {
            number: 7,
            received: Timestamp::from_second(1_000_000_000).unwrap(),
            delay: Some(SignedDuration::from_millis(11_900)),
            content,
        }
    }

    fn shown(content: Content) -> String {
        let page = page(&Introduction::default(), &[message(content)], Refresh::On);
        page.into_string()
    }

    #[test]
    fn a_page_shows_its_texts_escaped_its_links_and_its_delay() {
        let shown = shown(Content::Page(PageEvent {
            is_trigger: true,
            key: String::new(),
            severity: "critical".to_owned(),
            summary: "a <b> risk".to_owned(),
            text: "See https://a.example/x?a=1&b=2.\n<script>".to_owned(),
            subject: Subject::default(),
        }));
        for part in [
            "<h2>a &lt;b&gt; risk</h2>",
            "<a href=\"https://a.example/x?a=1&amp;b=2\">https://a.example/x?a=1&amp;b=2</a>.\n&lt;script&gt;",
            "<strong>11 s after the decision</strong>",
            "2001-09-09 01:46:40 UTC",
        ] {
            assert!(shown.contains(part), "{part} is missing in {shown}");
        }
    }

    #[test]
    fn a_mail_is_shown_in_a_frame_of_its_own() {
        let shown = shown(Content::Mail(Mail {
            subject: "the subject".to_owned(),
            html: "<p>not in the page</p>".to_owned(),
            ..Mail::default()
        }));
        assert_eq!(shown.matches("the subject").count(), 1, "{shown}");
        assert!(
            shown.contains("<h2 class=\"unseen\">the subject"),
            "{shown}"
        );
        let frame = "<iframe src=\"/inbox/mails/7\" title=\"Mail 7\" height=\"120\"";
        assert!(shown.contains(frame), "{shown}");
        assert!(!shown.contains("not in the page"), "{shown}");
        assert_eq!(mail_number("/inbox/mails/7"), Some(7));
        assert_eq!(mail_number("/inbox/mails/x"), None);
    }

    #[test]
    fn a_mail_without_html_shows_its_subject_and_its_text() {
        let shown = shown(Content::Mail(Mail {
            subject: "the subject".to_owned(),
            ..Mail::default()
        }));
        assert!(shown.contains("<h2>the subject</h2>"), "{shown}");
        assert!(shown.contains("<details open>"), "{shown}");
        assert!(!shown.contains("<iframe"), "{shown}");
    }

    #[test]
    fn one_message_is_counted_in_the_singular() {
        let shown = shown(Content::Mail(Mail::default()));
        for part in [
            "<strong>0</strong><span>pages</span>",
            "<strong>1</strong><span>mail</span>",
        ] {
            assert!(shown.contains(part), "{part} is missing in {shown}");
        }
    }

    #[test]
    fn the_switch_ends_the_refresh() {
        let shown =
            |query| page(&Introduction::default(), &[], Refresh::of_query(query)).into_string();
        assert!(shown(None).contains("http-equiv=\"refresh\""));
        assert!(!shown(Some("refresh=off")).contains("http-equiv"));
    }
}
