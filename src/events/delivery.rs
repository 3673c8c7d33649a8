//! Bringing events to a receiver that may be away.

use super::{DeliveryQueue, Letter};
use crate::telemetry::Telemetry;
use secure_score_model::Delivery;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// How patiently an event is tried again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pace {
    /// The wait after the first failure; it doubles with each.
    pub first_wait: Duration,
    /// No wait is longer, unless the receiver asks for it.
    pub longest_wait: Duration,
    /// So long an event is tried whose receiver is away: a night, and the
    /// morning in which somebody mends it.
    pub give_up_after: Duration,
    /// So many answers of a receiver that is there and fails are borne. It may
    /// be this event over which it stumbles, and others wait behind it.
    pub most_stumbles: u32,
    /// So long a process that ends still tries to send what waits: well within
    /// the ten seconds that Docker gives a container.
    pub farewell: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            first_wait: Duration::from_secs(1),
            longest_wait: Duration::from_secs(5 * 60),
            give_up_after: Duration::from_secs(24 * 60 * 60),
            most_stumbles: 12,
            farewell: Duration::from_secs(5),
        }
    }
}

/// The longest wait a receiver may ask for.
pub(super) const LONGEST_ASKED: Duration = Duration::from_secs(60 * 60);

/// How a receiver answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// It has the event.
    Taken,
    /// It does not want it, and never will.
    Refused(u16),
    /// It is there and failed over it.
    Stumbled(u16),
    /// It is not there for anybody; perhaps it said for how long.
    Away {
        /// Why we think so.
        why: Absence,
        /// The wait it asked for.
        wait: Option<Duration>,
    },
}

/// Why a receiver is held to be away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Absence {
    /// It answered that it is.
    #[error("status {0}")]
    Status(u16),
    /// No connection, or no trust in it.
    #[error("could not connect")]
    Connect,
    /// No answer in time.
    #[error("no answer in time")]
    Timeout,
    /// The connection broke.
    #[error("the connection broke off")]
    Interrupted,
}

/// One try to bring a letter to its receiver.
pub trait Post: Send + Sync + 'static {
    /// Sends it once, within a time of its own.
    fn post(&self, letter: &Letter) -> impl Future<Output = Answer> + Send;
}

/// Takes letters to the webhook, one after the other, so that they arrive in
/// the order in which things happened.
pub struct WebhookSender {
    outbox: Arc<DeliveryQueue>,
    telemetry: Arc<Telemetry>,
    farewell: Duration,
    stop: CancellationToken,
    task: tokio::task::JoinHandle<()>,
}

/// What the task has to do its rounds.
struct Round<P> {
    post: P,
    pace: Pace,
    outbox: Arc<DeliveryQueue>,
    telemetry: Arc<Telemetry>,
    stop: CancellationToken,
}

impl WebhookSender {
    /// Starts to deliver.
    pub fn start(
        post: impl Post,
        pace: Pace,
        outbox: Arc<DeliveryQueue>,
        telemetry: Arc<Telemetry>,
    ) -> Self {
        let stop = CancellationToken::new();
        let round = Round {
            post,
            pace: pace.clone(),
            outbox: Arc::clone(&outbox),
            telemetry: Arc::clone(&telemetry),
            stop: stop.clone(),
        };
        Self {
            outbox,
            telemetry,
            farewell: pace.farewell,
            stop,
            task: tokio::spawn(round.run()),
        }
    }

    /// Tries once to send each letter that waits, for a short time, and ends.
    pub async fn stop(mut self) {
        self.stop.cancel();
        if tokio::time::timeout(self.farewell, &mut self.task)
            .await
            .is_err()
        {
            self.task.abort();
        }
        let lost = self.outbox.clear();
        if lost > 0 {
            self.telemetry.delivery(Delivery::Dropped, lost);
            tracing::warn!(
                events = lost,
                "stopped before the webhook took these events; they are in this log, and told again at the next start only without --state.dir"
            );
        }
    }
}

impl<P: Post> Round<P> {
    async fn run(self) {
        loop {
            let letter = tokio::select! {
                () = self.stop.cancelled() => break,
                letter = self.outbox.take() => letter,
            };
            match self.deliver(&letter).await {
                Some(ending) => self.conclude(ending),
                None => break,
            }
        }
        while let Some(letter) = self.outbox.take_now() {
            match self.post.post(&letter).await {
                Answer::Taken => self.conclude(Delivery::Delivered),
                Answer::Refused(status) => self.conclude(failed(&letter, &Absence::Status(status))),
                Answer::Stumbled(_) | Answer::Away { .. } => break,
            }
        }
    }

    /// Tries until it is decided; `None` when the process is to end first.
    async fn deliver(&self, letter: &Letter) -> Option<Delivery> {
        let began = Instant::now();
        let mut wait = self.pace.first_wait;
        let mut stumbles = 0;
        let mut troubled = false;
        loop {
            let (why, asked) = match self.post.post(letter).await {
                Answer::Taken => {
                    if troubled {
                        tracing::info!(id = %letter.key, "the webhook takes events again");
                    }
                    return Some(Delivery::Delivered);
                }
                Answer::Refused(status) => return Some(failed(letter, &Absence::Status(status))),
                Answer::Stumbled(status) => {
                    stumbles += 1;
                    (Absence::Status(status), None)
                }
                Answer::Away { why, wait } => (why, wait),
            };
            let pause = jittered(wait).max(asked.unwrap_or_default());
            let over = began.elapsed() + pause > self.pace.give_up_after;
            if over || stumbles >= self.pace.most_stumbles {
                return Some(failed(letter, &why));
            }
            if !troubled {
                tracing::warn!(
                    id = %letter.key,
                    reason = %why,
                    "the webhook does not take events; they wait and are tried again"
                );
            }
            troubled = true;
            wait = wait.saturating_mul(2).min(self.pace.longest_wait);
            tokio::select! {
                () = self.stop.cancelled() => return None,
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    fn conclude(&self, ending: Delivery) {
        self.outbox.done();
        self.telemetry.delivery(ending, 1);
    }
}

/// Says that an event will not arrive.
fn failed(letter: &Letter, why: &Absence) -> Delivery {
    tracing::warn!(
        id = %letter.key,
        event = letter.kind.as_str(),
        tenant = %letter.tenant,
        control = %letter.control,
        reason = %why,
        "the webhook did not take an event, and it is not tried again"
    );
    Delivery::Failed
}

/// Half of the wait for sure, the rest by chance, so that exporters that lost
/// the same receiver do not come back to it together.
fn jittered(wait: Duration) -> Duration {
    wait.mul_f64(0.5 + fastrand::f64() / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::Identity;
    use secure_score_exposition::Format;
    use secure_score_model::EventKind;
    use std::sync::Mutex;

    const HOUR: Duration = Duration::from_secs(3_600);

    /// What to say to a letter that came so often before.
    type Rule = dyn Fn(&Letter, usize) -> Option<Answer> + Send + Sync;

    /// Answers by a rule, and keeps what came and when.
    #[derive(Clone)]
    struct Receiver {
        rule: Arc<Rule>,
        began: Instant,
        came: Arc<Mutex<Vec<(String, Duration)>>>,
    }

    impl Receiver {
        /// `rule` gets the letter and how often it came before; without an
        /// answer the receiver stalls.
        fn by(rule: impl Fn(&Letter, usize) -> Option<Answer> + Send + Sync + 'static) -> Self {
            Self {
                rule: Arc::new(rule),
                began: Instant::now(),
                came: Arc::default(),
            }
        }

        fn names(&self) -> Vec<String> {
            let came = self.came.lock().unwrap();
            came.iter().map(|(name, _)| name.clone()).collect()
        }

        fn times(&self) -> Vec<Duration> {
            let came = self.came.lock().unwrap();
            came.iter().map(|(_, at)| *at).collect()
        }
    }

    impl Post for Receiver {
        async fn post(&self, letter: &Letter) -> Answer {
            let before = {
                let mut came = self.came.lock().unwrap();
                let before = came.iter().filter(|(n, _)| *n == letter.body).count();
                came.push((letter.body.clone(), self.began.elapsed()));
                before
            };
            match (self.rule)(letter, before) {
                Some(answer) => answer,
                None => std::future::pending().await,
            }
        }
    }

    struct Office {
        outbox: Arc<DeliveryQueue>,
        telemetry: Arc<Telemetry>,
        courier: WebhookSender,
        receiver: Receiver,
    }

    impl Office {
        fn of(receiver: Receiver) -> Self {
            let outbox = Arc::new(DeliveryQueue::of(4));
            let telemetry = Arc::new(Telemetry::new().unwrap());
            let courier = WebhookSender::start(
                receiver.clone(),
                Pace::default(),
                Arc::clone(&outbox),
                Arc::clone(&telemetry),
            );
            Self {
                outbox,
                telemetry,
                courier,
                receiver,
            }
        }

        fn put(&self, names: &[&str]) {
            for name in names {
                let letter = Letter {
                    key: Identity::of(&[name]),
                    kind: EventKind::StateChanged,
                    tenant: "contoso".into(),
                    control: "A".into(),
                    body: (*name).to_owned(),
                };
                self.outbox.put(letter, &self.telemetry);
            }
        }

        /// Until nothing waits.
        async fn idle(&self) {
            while !self.outbox.unsent().is_empty() {
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }

        fn count(&self, outcome: Delivery) -> u64 {
            count(&self.telemetry, outcome)
        }
    }

    fn count(telemetry: &Telemetry, outcome: Delivery) -> u64 {
        let text = String::from_utf8(telemetry.encode(Format::Text)).unwrap();
        let series = format!(
            "secure_score_exporter_webhook_deliveries_total{{outcome=\"{}\"}} ",
            outcome.as_str()
        );
        let mut lines = text.lines();
        let value = lines.find_map(|line| line.strip_prefix(series.as_str()));
        value.unwrap().parse().unwrap()
    }

    fn away(status: u16, wait: Option<Duration>) -> Answer {
        Answer::Away {
            why: Absence::Status(status),
            wait,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_follows_waits_for_what_fails_so_that_the_order_stays() {
        let office = Office::of(Receiver::by(|letter, before| {
            Some(match (letter.body.as_str(), before) {
                ("a", 0..2) => Answer::Stumbled(500),
                ("b", 0) => away(502, None),
                _ => Answer::Taken,
            })
        }));
        office.put(&["a", "b", "c"]);
        office.idle().await;
        assert_eq!(office.receiver.names(), ["a", "a", "a", "b", "b", "c"]);
        assert_eq!(office.count(Delivery::Delivered), 3);
        assert_eq!(office.count(Delivery::Failed), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_is_not_tried_again() {
        let office = Office::of(Receiver::by(|letter, _| {
            Some(match letter.body.as_str() {
                "a" => Answer::Refused(422),
                _ => Answer::Taken,
            })
        }));
        office.put(&["a", "b"]);
        office.idle().await;
        assert_eq!(office.receiver.names(), ["a", "b"]);
        assert_eq!(office.count(Delivery::Failed), 1);
        assert_eq!(office.count(Delivery::Delivered), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn an_event_over_which_the_receiver_stumbles_does_not_hold_up_the_others_for_ever() {
        let office = Office::of(Receiver::by(|letter, _| {
            Some(match letter.body.as_str() {
                "a" => Answer::Stumbled(500),
                _ => Answer::Taken,
            })
        }));
        office.put(&["a", "b"]);
        office.idle().await;
        assert_eq!(office.receiver.names().len(), 13);
        assert_eq!(office.count(Delivery::Failed), 1);
        assert!(office.receiver.began.elapsed() < HOUR);
    }

    #[tokio::test(start_paused = true)]
    async fn a_receiver_that_was_away_for_a_night_gets_everything() {
        let began = Instant::now();
        let office = Office::of(Receiver::by(move |_, _| {
            Some(match began.elapsed() < 20 * HOUR {
                true => Answer::Away {
                    why: Absence::Connect,
                    wait: None,
                },
                false => Answer::Taken,
            })
        }));
        office.put(&["a", "b", "c"]);
        office.idle().await;
        assert_eq!(office.count(Delivery::Delivered), 3);
        let attempts = office.receiver.names().len();
        assert!((200..600).contains(&attempts), "{attempts}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_receiver_that_never_comes_back_is_given_up_event_by_event() {
        let office = Office::of(Receiver::by(|_, _| Some(away(503, None))));
        office.put(&["a", "b"]);
        office.idle().await;
        assert_eq!(office.count(Delivery::Failed), 2);
        let elapsed = office.receiver.began.elapsed();
        assert!(elapsed > 40 * HOUR && elapsed < 49 * HOUR, "{elapsed:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn waits_grow_up_to_a_bound_and_never_undercut_what_was_asked() {
        let asked = Duration::from_secs(20 * 60);
        let office = Office::of(Receiver::by(move |_, before| {
            Some(match before {
                0..12 => away(503, None),
                12 => away(429, Some(asked)),
                _ => Answer::Taken,
            })
        }));
        office.put(&["a"]);
        office.idle().await;
        let times = office.receiver.times();
        let waits: Vec<f64> = times
            .windows(2)
            .map(|w| (w[1] - w[0]).as_secs_f64())
            .collect();
        let bounds = (0..12).map(|n| f64::from(2_u32.pow(n)).min(300.0));
        for (wait, bound) in waits.iter().zip(bounds) {
            let enough = (bound * 0.49)..(bound * 1.01 + 0.01);
            assert!(enough.contains(wait), "{wait} of {bound}: {waits:?}");
        }
        assert!(waits[12] >= asked.as_secs_f64(), "{waits:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn too_many_that_wait_cost_the_oldest_but_not_the_one_on_its_way() {
        let office = Office::of(Receiver::by(|_, before| {
            Some(match before {
                0 => away(503, None),
                _ => Answer::Taken,
            })
        }));
        office.put(&["a"]);
        tokio::time::sleep(Duration::from_millis(1)).await;
        office.put(&["b", "c", "d", "e", "f", "g"]);
        assert_eq!(office.count(Delivery::Dropped), 2);
        let unsent = office.outbox.unsent();
        let names: Vec<&str> = unsent.iter().map(|letter| letter.body.as_str()).collect();
        assert_eq!(names, ["a", "d", "e", "f", "g"]);
        office.idle().await;
        assert_eq!(office.count(Delivery::Delivered), 5);
    }

    #[tokio::test(start_paused = true)]
    async fn a_process_that_ends_sends_what_waits_without_waiting_for_its_turn() {
        let office = Office::of(Receiver::by(|_, before| {
            Some(match before {
                0 => away(503, Some(HOUR)),
                _ => Answer::Taken,
            })
        }));
        office.put(&["a"]);
        tokio::time::sleep(Duration::from_secs(1)).await;
        let Office {
            courier,
            receiver,
            telemetry,
            ..
        } = office;
        courier.stop().await;
        assert_eq!(receiver.names(), ["a", "a"]);
        assert!(receiver.began.elapsed() < Duration::from_secs(2));
        assert_eq!(count(&telemetry, Delivery::Delivered), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_receiver_that_stalls_holds_up_the_end_of_the_process_for_seconds_only() {
        let office = Office::of(Receiver::by(|_, _| None));
        office.put(&["a", "b", "c"]);
        tokio::time::sleep(Duration::from_secs(1)).await;
        let Office {
            courier,
            receiver,
            telemetry,
            outbox,
        } = office;
        courier.stop().await;
        assert!(receiver.began.elapsed() <= Duration::from_secs(7));
        assert_eq!(count(&telemetry, Delivery::Dropped), 3);
        assert!(outbox.unsent().is_empty());
    }
}
