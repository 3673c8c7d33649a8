//! Who approved an accepted risk, and until when.

use super::context::ViewContext;
use super::layout::shortened;
use super::time::{day, duration, last_day};
use maud::{Markup, html};
use secure_score_model::{Approval, Exception};

/// The approval, with its reference, its approver and its last day.
pub(super) fn approval(
    approval: Approval<'_>,
    in_force: bool,
    context: &ViewContext<'_>,
) -> Markup {
    match approval {
        Approval::Approved(exception) => {
            let left = exception.expires.since(context.now);
            html! {
                span.tag.good { "approved" } " " (shortened(&exception.reference))
                p.soft {
                    "until " (day(last_day(exception.expires))) ", " (duration(left)) " left"
                    (approver_and_reason(exception, context))
                }
            }
        }
        Approval::Expired(exception) => html! {
            span.tag.bad { "expired" } " " (shortened(&exception.reference))
            p.soft {
                "expired on " (day(last_day(exception.expires)))
                (approver_and_reason(exception, context))
            }
        },
        Approval::Missing if in_force => html! { span.tag.bad { "not approved" } },
        Approval::Missing => html! { span.soft { "none" } },
    }
}

fn approver_and_reason(exception: &Exception, context: &ViewContext<'_>) -> Markup {
    let by = context.persons().name(exception.approver.as_deref());
    let why = context.persons().comment(exception.reason.as_deref());
    html! {
        @if let Some(by) = by { ", by " (shortened(&by)) }
        @if let Some(why) = why { ": " (shortened(why)) }
    }
}
