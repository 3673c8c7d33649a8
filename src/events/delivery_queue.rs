//! Events that wait for the webhook.

use super::WebhookPayload;
use crate::telemetry::Telemetry;
use parking_lot::Mutex;
use secure_score_model::Delivery;
use std::collections::VecDeque;
use tokio::sync::Notify;

/// Events that may wait: one for each of a thousand tenants. A receiver that is
/// unavailable for long must not fill the exporter's memory.
const CAPACITY: usize = 1_000;

/// A queue between the refreshes, which must not wait, and the webhook.
///
/// A full queue drops its oldest event: after an outage the newest ones matter
/// most, and the log has all of them.
#[derive(Debug, Default)]
pub struct DeliveryQueue {
    payloads: Mutex<Payloads>,
    added: Notify,
}

#[derive(Debug, Default)]
struct Payloads {
    /// The payload that is being sent; a full queue does not drop it.
    in_flight: Option<WebhookPayload>,
    waiting: VecDeque<WebhookPayload>,
    /// Whether the log has the warning about dropped events.
    overflowing: bool,
}

impl DeliveryQueue {
    /// Adds a payload, and drops the oldest one of a full queue.
    pub fn push(&self, payload: WebhookPayload, telemetry: &Telemetry) {
        let mut payloads = self.payloads.lock();
        payloads.waiting.push_back(payload);
        if payloads.waiting.len() > CAPACITY {
            payloads.waiting.pop_front();
            telemetry.delivery(Delivery::Dropped, 1);
            if !payloads.overflowing {
                payloads.overflowing = true;
                tracing::warn!(
                    waiting = CAPACITY,
                    "the webhook accepts events too slowly; the queue is full and drops the oldest"
                );
            }
        }
        drop(payloads);
        self.added.notify_one();
    }

    /// Waits for the next payload and puts it in flight.
    pub(super) async fn next(&self) -> WebhookPayload {
        loop {
            let added = self.added.notified();
            if let Some(payload) = self.try_next() {
                return payload;
            }
            added.await;
        }
    }

    /// The payload in flight, else the oldest one that waits.
    pub(super) fn try_next(&self) -> Option<WebhookPayload> {
        let mut payloads = self.payloads.lock();
        if payloads.in_flight.is_none() {
            payloads.in_flight = payloads.waiting.pop_front();
            payloads.overflowing &= !payloads.waiting.is_empty();
        }
        payloads.in_flight.clone()
    }

    /// Removes the payload in flight.
    pub(super) fn complete(&self) {
        self.payloads.lock().in_flight = None;
    }

    /// The payloads that are not delivered, oldest first.
    pub fn undelivered(&self) -> Vec<WebhookPayload> {
        let payloads = self.payloads.lock();
        let all = payloads.in_flight.iter().chain(&payloads.waiting);
        all.cloned().collect()
    }

    /// Removes all payloads and returns their number.
    pub(super) fn clear(&self) -> usize {
        let payloads = std::mem::take(&mut *self.payloads.lock());
        payloads.waiting.len() + usize::from(payloads.in_flight.is_some())
    }
}
