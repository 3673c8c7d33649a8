//! Sends events to a receiver that may be unavailable.

use super::delivery_queue::{DeliveryQueue, QueuedEvent};
use super::event::WebhookPayload;
use crate::backoff::Backoff;
use crate::http_client::TransportError;
use crate::telemetry::Telemetry;
use secure_score_model::Delivery;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// When an event is sent again.
#[derive(Debug, Clone, PartialEq)]
pub struct RetryPolicy {
    /// The delays between attempts; a receiver may ask for longer ones.
    pub backoff: Backoff,
    /// The age at which an event is given up while its receiver is unavailable:
    /// over a weekend and the morning in which an administrator repairs it.
    pub give_up_after: Duration,
    /// 5xx responses after which others are sent before an event. The event
    /// itself may cause them: if the receiver then accepts others, and answers
    /// this one as often with 5xx again, it is given up.
    pub max_server_errors: u32,
    /// How long a stopping process may send what is queued: well within the
    /// ten seconds that Docker gives a container.
    pub shutdown_timeout: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            backoff: Backoff {
                first: Duration::from_secs(1),
                max: Duration::from_secs(5 * 60),
                jitter: 0.5..=1.0,
            },
            give_up_after: Duration::from_secs(3 * 24 * 60 * 60),
            max_server_errors: 12,
            shutdown_timeout: Duration::from_secs(5),
        }
    }
}

/// How an attempt to send an event ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeliveryResult {
    /// The receiver has the event.
    Accepted,
    /// The receiver will never accept the event; the status.
    Rejected(u16),
    /// The receiver failed to process the event; the status.
    ServerError(u16),
    /// The receiver accepts no event now.
    Unavailable {
        /// Why it counts as unavailable.
        reason: UnavailableReason,
        /// The delay for which it asked.
        retry_after: Option<Duration>,
    },
}

/// Why a receiver counts as unavailable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnavailableReason {
    /// It answered with this status.
    #[error("status {0}")]
    Status(u16),
    /// It did not answer.
    #[error("{0}")]
    NoAnswer(TransportError),
}

impl UnavailableReason {
    /// The fix, if there is one.
    fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Status(401) => Some(
                "replace the token in the file that events.webhook.authorization_file names; it is used within seconds",
            ),
            Self::Status(_) => None,
            Self::NoAnswer(error) => error.hint(),
        }
    }
}

/// A client that can send a payload to its receiver.
pub trait WebhookTransport: Send + Sync + 'static {
    /// Sends the payload once, with a timeout.
    fn send(&self, payload: &WebhookPayload) -> impl Future<Output = DeliveryResult> + Send;
}

/// Sends payloads one by one, so that they arrive in the order of the events.
pub struct WebhookSender<T> {
    stop: CancellationToken,
    task: tokio::task::JoinHandle<()>,
    queue: Arc<DeliveryQueue>,
    telemetry: Arc<Telemetry>,
    transport: TransportSwitch<T>,
}

/// Replaces the transport of a running sender. Without one, events wait.
#[derive(Debug)]
pub struct TransportSwitch<T>(watch::Sender<Option<Arc<T>>>);

impl<T> Clone for TransportSwitch<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> TransportSwitch<T> {
    /// Uses another transport from the next attempt on, which follows at once.
    /// An attempt that runs ends first.
    pub fn replace(&self, transport: Option<T>) {
        self.0.send_replace(transport.map(Arc::new));
    }

    /// Ends the delay before the next attempt: an administrator may have fixed
    /// the receiver.
    pub fn retry_now(&self) {
        self.0.send_modify(|_| {});
    }

    fn current(&self) -> Option<Arc<T>> {
        self.0.borrow().clone()
    }
}

struct DeliveryLoop<T> {
    transport: TransportSwitch<T>,
    policy: RetryPolicy,
    queue: Arc<DeliveryQueue>,
    telemetry: Arc<Telemetry>,
    stop: CancellationToken,
    /// How many events the receiver accepted.
    accepted: AtomicU64,
}

/// How the attempts to send an event ended.
enum Outcome {
    Completed(Delivery),
    /// Others are sent before it.
    Postponed,
    /// The process stops.
    Stopping,
}

impl<T: WebhookTransport> WebhookSender<T> {
    /// Starts the task that delivers.
    pub fn start(
        transport: Option<T>,
        policy: RetryPolicy,
        queue: Arc<DeliveryQueue>,
        telemetry: Arc<Telemetry>,
    ) -> Self {
        let stop = CancellationToken::new();
        let transport = TransportSwitch(watch::Sender::new(transport.map(Arc::new)));
        let deliveries = DeliveryLoop {
            transport: transport.clone(),
            policy,
            queue: Arc::clone(&queue),
            telemetry: Arc::clone(&telemetry),
            stop: stop.clone(),
            accepted: AtomicU64::default(),
        };
        let task = tokio::spawn(deliveries.run());
        Self {
            stop,
            task,
            queue,
            telemetry,
            transport,
        }
    }

    /// The handle that replaces the transport.
    pub fn transport(&self) -> TransportSwitch<T> {
        self.transport.clone()
    }

    /// Tries once to send each queued payload, for a limited time, and stops.
    pub async fn stop(self) {
        self.stop.cancel();
        let _ended = self.task.await;
        if self.queue.is_stored() {
            let waiting = self.queue.len();
            if waiting > 0 {
                tracing::info!(
                    events = waiting,
                    "stopped before the webhook accepted these events; --state.dir keeps them, and the next start sends them"
                );
            }
            return;
        }
        let lost = self.queue.clear();
        if lost > 0 {
            self.telemetry.delivery(Delivery::Dropped, lost);
            tracing::warn!(
                events = lost,
                hint = "--state.dir keeps such events for the next start",
                "stopped before the webhook accepted these events; this log has them, and the next start sends those of the last 24 hours again"
            );
        }
    }
}

impl<T: WebhookTransport> DeliveryLoop<T> {
    async fn run(self) {
        let shutdown_ended = async {
            self.stop.cancelled().await;
            tokio::time::sleep(self.policy.shutdown_timeout).await;
        };
        tokio::select! {
            () = self.deliver_all() => {}
            () = shutdown_ended => {}
        }
    }

    async fn deliver_all(&self) {
        loop {
            let event = tokio::select! {
                () = self.stop.cancelled() => break,
                event = self.queue.next() => event,
            };
            match self.deliver(&event).await {
                Outcome::Completed(delivery) => self.complete(delivery),
                Outcome::Postponed => self.queue.postpone(self.accepted()),
                Outcome::Stopping => break,
            }
        }
        while let Some(transport) = self.transport.current()
            && let Some(event) = self.queue.try_next()
        {
            match transport.send(&event.payload).await {
                DeliveryResult::Accepted => self.complete(Delivery::Delivered),
                DeliveryResult::Rejected(status) => {
                    self.complete(failed(&event.payload, &UnavailableReason::Status(status)));
                }
                DeliveryResult::ServerError(_) | DeliveryResult::Unavailable { .. } => break,
            }
        }
    }

    /// Sends an event until the receiver decides, the policy gives up, or the
    /// process stops.
    async fn deliver(&self, event: &QueuedEvent) -> Outcome {
        let payload = &event.payload;
        let mut transports = self.transport.0.subscribe();
        let mut failures = 0;
        let mut server_errors = 0;
        loop {
            let transport = transports.borrow_and_update().clone();
            let Some(transport) = transport else {
                let left = event.time_left(self.policy.give_up_after);
                tokio::select! {
                    () = self.stop.cancelled() => return Outcome::Stopping,
                    _ = transports.changed() => continue,
                    () = tokio::time::sleep(left) => {
                        return Outcome::Completed(expired(payload));
                    }
                }
            };
            let (reason, retry_after) = match transport.send(payload).await {
                DeliveryResult::Accepted => {
                    if failures > 0 {
                        tracing::info!(id = %payload.id, "the webhook accepts events again");
                    }
                    return Outcome::Completed(Delivery::Delivered);
                }
                DeliveryResult::Rejected(status) => {
                    let reason = UnavailableReason::Status(status);
                    return Outcome::Completed(failed(payload, &reason));
                }
                DeliveryResult::ServerError(status) => {
                    server_errors += 1;
                    (UnavailableReason::Status(status), None)
                }
                DeliveryResult::Unavailable {
                    reason,
                    retry_after,
                } => (reason, retry_after),
            };
            failures += 1;
            let delay = self.policy.backoff.random_delay(failures);
            let delay = delay.max(retry_after.unwrap_or_default());
            if delay > event.time_left(self.policy.give_up_after) {
                return Outcome::Completed(failed(payload, &reason));
            }
            if server_errors >= self.policy.max_server_errors {
                let accepted_others = event.accepted_before.is_some_and(|it| self.accepted() > it);
                return match accepted_others {
                    true => Outcome::Completed(failed(payload, &reason)),
                    false => Outcome::Postponed,
                };
            }
            if failures == 1 {
                tracing::warn!(
                    id = %payload.id,
                    %reason,
                    hint = reason.hint(),
                    "the webhook does not accept events; they are queued and sent again"
                );
            }
            tokio::select! {
                () = self.stop.cancelled() => return Outcome::Stopping,
                _ = transports.changed() => {}
                () = tokio::time::sleep(delay) => {}
            }
        }
    }

    fn accepted(&self) -> u64 {
        self.accepted.load(Ordering::Relaxed)
    }

    fn complete(&self, delivery: Delivery) {
        if delivery == Delivery::Delivered {
            self.accepted.fetch_add(1, Ordering::Relaxed);
        }
        self.queue.complete(&self.telemetry);
        self.telemetry.delivery(delivery, 1);
    }
}

fn expired(payload: &WebhookPayload) -> Delivery {
    tracing::warn!(
        id = %payload.id,
        event = payload.kind.as_str(),
        tenant = %payload.tenant,
        control = %payload.control,
        hint = "configure events.webhook again",
        "an event waited too long for a webhook and is dropped"
    );
    Delivery::Dropped
}

fn failed(payload: &WebhookPayload, reason: &UnavailableReason) -> Delivery {
    tracing::warn!(
        id = %payload.id,
        event = payload.kind.as_str(),
        tenant = %payload.tenant,
        control = %payload.control,
        %reason,
        hint = reason.hint(),
        "the webhook did not accept an event, and it is not sent again"
    );
    Delivery::Failed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::EventId;
    use parking_lot::Mutex;
    use secure_score_exposition::Format;
    use secure_score_model::{EventKind, Timestamp};
    use tokio::time::Instant;

    const HOUR: Duration = Duration::from_secs(3_600);

    /// The result for a body that arrived so often before; without one the
    /// receiver stalls.
    type Rule = dyn Fn(&str, usize) -> Option<DeliveryResult> + Send + Sync;

    /// Answers by a rule, and records what arrived and when.
    #[derive(Clone)]
    struct Receiver {
        rule: Arc<Rule>,
        began: Instant,
        arrived: Arc<Mutex<Vec<(String, Duration)>>>,
    }

    impl WebhookTransport for Receiver {
        async fn send(&self, payload: &WebhookPayload) -> DeliveryResult {
            let before = {
                let mut arrived = self.arrived.lock();
                let before = arrived.iter().filter(|(n, _)| *n == payload.body).count();
                arrived.push((payload.body.clone(), self.began.elapsed()));
                before
            };
            match (self.rule)(&payload.body, before) {
                Some(result) => result,
                None => std::future::pending().await,
            }
        }
    }

    struct Stage {
        queue: Arc<DeliveryQueue>,
        telemetry: Arc<Telemetry>,
        receiver: Receiver,
    }

    impl Stage {
        fn start<R: Into<Option<DeliveryResult>>>(
            rule: impl Fn(&str, usize) -> R + Send + Sync + 'static,
        ) -> (Self, WebhookSender<Receiver>) {
            let receiver = Receiver {
                rule: Arc::new(move |body, before| rule(body, before).into()),
                began: Instant::now(),
                arrived: Arc::default(),
            };
            let stage = Self {
                queue: Arc::default(),
                telemetry: Arc::new(Telemetry::new().unwrap()),
                receiver,
            };
            let transport = Some(stage.receiver.clone());
            let (queue, telemetry) = (Arc::clone(&stage.queue), Arc::clone(&stage.telemetry));
            let sender = WebhookSender::start(transport, RetryPolicy::default(), queue, telemetry);
            (stage, sender)
        }

        fn push(&self, names: &[&str]) {
            for name in names {
                let payload = WebhookPayload {
                    id: EventId::of(&[name]),
                    kind: EventKind::StateChanged,
                    tenant: "contoso".into(),
                    control: "A".into(),
                    seen_at: Timestamp::from_seconds(0),
                    body: (*name).to_owned(),
                };
                self.queue.push(payload, &self.telemetry);
            }
        }

        /// Waits until the queue is empty.
        async fn idle(&self) {
            while !self.queue.undelivered().is_empty() {
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }

        /// The bodies that arrived.
        fn names(&self) -> Vec<String> {
            let arrived = self.receiver.arrived.lock();
            arrived.iter().map(|(name, _)| name.clone()).collect()
        }

        fn count(&self, outcome: Delivery) -> u64 {
            let text = String::from_utf8(self.telemetry.encode(Format::Text)).unwrap();
            let series =
                format!("secure_score_exporter_webhook_deliveries_total{{outcome=\"{outcome}\"}} ");
            let mut lines = text.lines();
            let value = lines.find_map(|line| line.strip_prefix(series.as_str()));
            value.unwrap().parse().unwrap()
        }
    }

    fn unavailable(status: u16, retry_after: Option<Duration>) -> DeliveryResult {
        DeliveryResult::Unavailable {
            reason: UnavailableReason::Status(status),
            retry_after,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_event_that_causes_server_errors_does_not_block_the_others() {
        let (stage, _sender) = Stage::start(|body, _| match body {
            "a" => DeliveryResult::ServerError(500),
            _ => DeliveryResult::Accepted,
        });
        stage.push(&["a", "b"]);
        stage.idle().await;
        let attempts = [vec!["a"; 12], vec!["b"], vec!["a"; 12]].concat();
        assert_eq!(stage.names(), attempts);
        assert_eq!(stage.count(Delivery::Failed), 1);
        assert!(stage.receiver.began.elapsed() < HOUR);
    }

    #[tokio::test(start_paused = true)]
    async fn a_receiver_that_failed_for_a_weekend_gets_every_event() {
        let began = Instant::now();
        let (stage, _sender) = Stage::start(move |_, _| match began.elapsed() < 70 * HOUR {
            true => DeliveryResult::ServerError(500),
            false => DeliveryResult::Accepted,
        });
        stage.push(&["a", "b", "c"]);
        stage.idle().await;
        assert_eq!(stage.count(Delivery::Delivered), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn a_receiver_that_was_unavailable_for_a_weekend_gets_every_event() {
        let began = Instant::now();
        let (stage, _sender) = Stage::start(move |_, _| match began.elapsed() < 70 * HOUR {
            true => unavailable(502, None),
            false => DeliveryResult::Accepted,
        });
        stage.push(&["a", "b", "c"]);
        stage.idle().await;
        assert_eq!(stage.count(Delivery::Delivered), 3);
        let attempts = stage.names().len();
        assert!((700..2_100).contains(&attempts), "{attempts}");
    }

    #[tokio::test(start_paused = true)]
    async fn an_event_is_given_up_at_its_age_and_after_an_attempt_of_its_own() {
        let (stage, _sender) = Stage::start(|_, _| unavailable(503, None));
        stage.push(&["a", "b"]);
        stage.idle().await;
        assert_eq!(stage.count(Delivery::Failed), 2);
        let elapsed = stage.receiver.began.elapsed();
        assert!(elapsed > 71 * HOUR && elapsed < 73 * HOUR, "{elapsed:?}");
        assert!(stage.names().contains(&"b".to_owned()));
    }

    #[tokio::test(start_paused = true)]
    async fn another_receiver_gets_what_waits_at_once() {
        let (stage, sender) = Stage::start(|_, _| unavailable(503, Some(HOUR)));
        stage.push(&["a", "b"]);
        tokio::time::sleep(Duration::from_secs(1)).await;
        let another = Receiver {
            rule: Arc::new(|_, _| Some(DeliveryResult::Accepted)),
            began: Instant::now(),
            arrived: Arc::default(),
        };
        sender.transport().replace(None);
        tokio::time::sleep(HOUR).await;
        assert_eq!(stage.names(), ["a"], "nothing is sent without a receiver");
        sender.transport().replace(Some(another.clone()));
        stage.idle().await;
        let arrived = another.arrived.lock();
        let names: Vec<_> = arrived.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["a", "b"]);
        assert!(another.began.elapsed() < HOUR + Duration::from_secs(5));
    }

    #[tokio::test(start_paused = true)]
    async fn a_reload_retries_at_once() {
        let (stage, sender) = Stage::start(|_, before| match before {
            0 => unavailable(503, Some(HOUR)),
            _ => DeliveryResult::Accepted,
        });
        stage.push(&["a"]);
        tokio::time::sleep(Duration::from_secs(1)).await;
        sender.transport().retry_now();
        stage.idle().await;
        assert!(stage.receiver.began.elapsed() < Duration::from_secs(5));
    }

    #[tokio::test(start_paused = true)]
    async fn events_without_a_receiver_are_dropped_after_days() {
        let (stage, sender) = Stage::start(|_, _| DeliveryResult::Accepted);
        sender.transport().replace(None);
        stage.push(&["a", "b"]);
        tokio::time::sleep(71 * HOUR).await;
        assert_eq!(stage.queue.len(), 2);
        tokio::time::sleep(2 * HOUR).await;
        assert_eq!(stage.count(Delivery::Dropped), 2);
        assert!(stage.queue.is_empty() && stage.names().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn delays_grow_up_to_a_maximum_and_respect_retry_after() {
        let retry_after = Duration::from_secs(20 * 60);
        let (stage, _sender) = Stage::start(move |_, before| match before {
            0..12 => unavailable(503, None),
            12 => unavailable(429, Some(retry_after)),
            _ => DeliveryResult::Accepted,
        });
        stage.push(&["a"]);
        stage.idle().await;
        let arrived = stage.receiver.arrived.lock();
        let delays: Vec<f64> = arrived
            .windows(2)
            .map(|w| (w[1].1 - w[0].1).as_secs_f64())
            .collect();
        let bounds = (0..12).map(|n| f64::from(2_u32.pow(n)).min(300.0));
        for (delay, bound) in delays.iter().zip(bounds) {
            let range = (bound * 0.49)..(bound * 1.01 + 0.01);
            assert!(range.contains(delay), "{delay} of {bound}: {delays:?}");
        }
        assert!(delays[12] >= retry_after.as_secs_f64(), "{delays:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_stopping_process_sends_queued_events_without_delay() {
        let (stage, sender) = Stage::start(|_, before| match before {
            0 => unavailable(503, Some(HOUR)),
            _ => DeliveryResult::Accepted,
        });
        stage.push(&["a"]);
        tokio::time::sleep(Duration::from_secs(1)).await;
        sender.stop().await;
        assert_eq!(stage.names(), ["a", "a"]);
        assert!(stage.receiver.began.elapsed() < Duration::from_secs(2));
        assert_eq!(stage.count(Delivery::Delivered), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_stalled_receiver_delays_the_stop_for_seconds_only() {
        let (stage, sender) = Stage::start(|_, _| None);
        stage.push(&["a", "b", "c"]);
        tokio::time::sleep(Duration::from_secs(1)).await;
        sender.stop().await;
        assert!(stage.receiver.began.elapsed() <= Duration::from_secs(7));
        assert_eq!(stage.count(Delivery::Dropped), 3);
        assert!(stage.queue.undelivered().is_empty());
    }
}
