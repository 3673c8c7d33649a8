//! Who approved an accepted risk, and until when.

use super::layout::shortened;
use super::moment::{day, last_day, span};
use super::reader::Reader;
use maud::{Markup, html};
use secure_score_model::{Approval, Exception};

/// The verdict in words, with its reference, its approver and its last day.
pub(super) fn approval(verdict: Approval<'_>, in_force: bool, reader: &Reader<'_>) -> Markup {
    match verdict {
        Approval::Approved(exception) => {
            let left = exception.expires.since(reader.now);
            html! {
                span.tag.good { "approved" } " " (shortened(&exception.reference))
                p.soft {
                    "until " (day(last_day(exception.expires))) ", " (span(left)) " left"
                    (decision(exception, reader))
                }
            }
        }
        Approval::Expired(exception) => html! {
            span.tag.bad { "expired" } " " (shortened(&exception.reference))
            p.soft {
                "expired on " (day(last_day(exception.expires)))
                (decision(exception, reader))
            }
        },
        Approval::Missing if in_force => html! { span.tag.bad { "not approved" } },
        Approval::Missing => html! { span.soft { "none" } },
    }
}

/// Who decided so, and why, as far as this reader may know.
fn decision(exception: &Exception, reader: &Reader<'_>) -> Markup {
    let by = reader.persons().name(exception.approver.as_deref());
    let why = reader.persons().comment(exception.reason.as_deref());
    html! {
        @if let Some(by) = by { ", by " (shortened(&by)) }
        @if let Some(why) = why { ": " (shortened(why)) }
    }
}
