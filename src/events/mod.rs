//! # events: changes of controls and recommendations, each reported once
//!
//! [`detect`] compares a tenant's catalogue with what was [`Seen`] before;
//! [`of_statuses`] takes the new statuses of Entra's recommendations.
//! [`Events`] logs, counts and queues what changed. The log comes first and
//! cannot fail. The webhook has a queue of its own, so that a slow receiver does
//! not delay a refresh. With `--state.dir` the queue survives the process.
//!
//! Another receiver implements [`WebhookTransport`], has its keys in
//! `config/events.rs`, and is started in `commands/exporter.rs`.

mod coverage;
mod customer_event;
mod delivery_queue;
mod detect;
mod event;
mod log_event;
mod seen;
mod seen_history;
mod status_events;
mod webhook;
mod webhook_sender;

pub use coverage::Coverage;
pub use customer_event::CustomerEvent;
pub use delivery_queue::{
    CAPACITY, DeliveryQueue, QueueChanges, QueueObserver, QueuedEvent, StoredEvents,
};
pub use detect::detect;
pub use event::{Event, EventId, EventState, WebhookPayload};
pub use seen::Seen;
pub use status_events::of_statuses;
pub use webhook::{Webhook, WebhookError};
pub use webhook_sender::{
    DeliveryResult, RetryPolicy, TransportSwitch, WebhookSender, WebhookTransport,
};

use crate::telemetry::Telemetry;
use secure_score_model::Persons;
use std::sync::Arc;

/// The log, the counter and the webhook as targets of events.
#[derive(Debug, Clone)]
pub struct Events {
    /// How much of names and comments the log and the webhook show.
    pub persons: Persons,
    /// Counts the events.
    pub telemetry: Arc<Telemetry>,
    /// The external URL of the exporter's pages, for receivers.
    pub exporter: Option<String>,
    /// The queue of the webhook, where one is configured.
    pub queue: Option<Arc<DeliveryQueue>>,
}

impl Events {
    /// Logs, counts and queues events, oldest first, without waiting.
    pub fn emit(&self, events: &[Event]) {
        for event in events {
            let event = event.shown_to(&self.persons);
            log_event::log_event(&event);
            self.count_and_send(WebhookPayload::new(&event, self.exporter.as_deref()));
        }
    }

    /// The same of events of customers.
    pub fn emit_of_customers(&self, events: &[CustomerEvent]) {
        for event in events {
            event.log();
            self.count_and_send(event.payload(self.exporter.as_deref()));
        }
    }

    fn count_and_send(&self, payload: WebhookPayload) {
        self.telemetry.event(payload.kind);
        if let Some(queue) = &self.queue {
            queue.push(payload, &self.telemetry);
        }
    }
}
