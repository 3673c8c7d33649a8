//! What can be received.

use crate::mail::Mail;
use crate::page_event::PageEvent;
use crate::ticket::Ticket;
use jiff::{SignedDuration, Timestamp};

/// A message with the time of its arrival.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    /// From 1, in the order of arrival.
    pub(crate) number: usize,
    pub(crate) received: Timestamp,
    /// For the first page about a decision: the time since the decision.
    pub(crate) delay: Option<SignedDuration>,
    pub(crate) content: Content,
}

/// The kinds of messages.
#[derive(Debug, Clone)]
pub(crate) enum Content {
    Page(PageEvent),
    Mail(Mail),
    Ticket(Ticket),
}
