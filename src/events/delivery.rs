//! Bringing events to a receiver that may be away.

use super::{Letter, Outbox};
use crate::model::Delivery;
use crate::telemetry::Telemetry;
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
pub struct Courier {
    outbox: Arc<Outbox>,
    telemetry: Arc<Telemetry>,
    farewell: Duration,
    stop: CancellationToken,
    task: tokio::task::JoinHandle<()>,
}

/// What the task has to do its rounds.
struct Round<P> {
    post: P,
    pace: Pace,
    outbox: Arc<Outbox>,
    telemetry: Arc<Telemetry>,
    stop: CancellationToken,
}

impl Courier {
    /// Starts to deliver.
    pub fn start(
        post: impl Post,
        pace: Pace,
        outbox: Arc<Outbox>,
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
                "stopped before the webhook took these events; those of the last day are told again at the next start"
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
