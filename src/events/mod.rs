//! # events: what happened to a control, told once
//!
//! Metrics say how things are; an event says what happened, who did it and
//! why, once. [`detect`] compares what a tenant's catalogue says with what was
//! [`Seen`] of it, a pure function; [`Events`] tells what it finds to the log,
//! to a counter and, where one is configured, to a webhook.
//!
//! The log comes first and cannot fail. The webhook gets a copy through a
//! queue of its own, so that no receiver, however slow, delays a refresh.

mod delivery;
mod detect;
mod event;
mod identity;
mod letter;
mod look;
mod outbox;
mod past;
mod remembered;
mod seen;
mod tell;
mod webhook;

pub use delivery::{Answer, Pace, Post, WebhookSender};
pub use detect::detect;
pub use event::Event;
pub use identity::Identity;
pub use letter::Letter;
pub use outbox::DeliveryQueue;
pub use remembered::{Remembered, RememberedAcceptance, RememberedChange, RememberedControl};
pub use seen::Seen;
pub use webhook::{Webhook, WebhookError};

use crate::telemetry::Telemetry;
use secure_score_model::Persons;
use std::sync::Arc;

/// Where events go.
#[derive(Debug, Clone)]
pub struct Events {
    /// What of persons is told, in the log and to the webhook alike.
    pub persons: Persons,
    /// Counts what was told.
    pub telemetry: Arc<Telemetry>,
    /// The URL under which the exporter's pages are reached, for receivers.
    pub exporter: Option<String>,
    /// What the webhook is to get, where there is one.
    pub outbox: Option<Arc<DeliveryQueue>>,
}

impl Events {
    /// Tells of events, oldest first. Never waits for anybody.
    pub fn tell(&self, events: &[Event]) {
        for event in events {
            tell::log(event, &self.persons);
            self.telemetry.event(event.kind);
            if let Some(outbox) = &self.outbox {
                let letter = Letter::of(event, &self.persons, self.exporter.as_deref());
                outbox.put(letter, &self.telemetry);
            }
        }
    }
}
