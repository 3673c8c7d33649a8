//! Events that wait for the webhook.

use super::Letter;
use crate::telemetry::Telemetry;
use secure_score_model::Delivery;
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// So many events wait at most: of a thousand tenants each had one. A receiver
/// that was away for so long must not take the memory of the exporter.
const MOST_WAITING: usize = 1_000;

/// A queue between the refreshes, which may not wait, and the webhook, which
/// may have to.
///
/// When it is full the oldest goes. Whoever comes back from an outage has to
/// act on what is, so the newest is worth more than what the log has shown for
/// longest.
#[derive(Debug)]
pub struct DeliveryQueue {
    most: usize,
    letters: Mutex<Letters>,
    arrived: Notify,
}

#[derive(Debug, Default)]
struct Letters {
    /// The one on its way; it is nobody's to drop.
    in_hand: Option<Letter>,
    waiting: VecDeque<Letter>,
    /// Whether the log knows that letters are dropped.
    overflowing: bool,
}

impl Default for DeliveryQueue {
    fn default() -> Self {
        Self::of(MOST_WAITING)
    }
}

impl DeliveryQueue {
    /// A queue in which so many wait at most, at least one.
    pub fn of(most: usize) -> Self {
        Self {
            most: most.max(1),
            letters: Mutex::default(),
            arrived: Notify::new(),
        }
    }

    /// Puts a letter last, and drops the first where there is no room.
    pub fn put(&self, letter: Letter, telemetry: &Telemetry) {
        let mut letters = self.letters();
        letters.waiting.push_back(letter);
        if letters.waiting.len() > self.most {
            letters.waiting.pop_front();
            telemetry.delivery(Delivery::Dropped, 1);
            if !letters.overflowing {
                letters.overflowing = true;
                tracing::warn!(
                    waiting = self.most,
                    "the webhook takes events too slowly; the oldest that wait are dropped"
                );
            }
        }
        drop(letters);
        self.arrived.notify_one();
    }

    /// Takes the first letter in hand, waiting for one.
    pub(super) async fn take(&self) -> Letter {
        loop {
            let arrived = self.arrived.notified();
            if let Some(letter) = self.take_now() {
                return letter;
            }
            arrived.await;
        }
    }

    /// Takes the first letter in hand, the one in hand before all others.
    pub(super) fn take_now(&self) -> Option<Letter> {
        let mut letters = self.letters();
        if letters.in_hand.is_none() {
            letters.in_hand = letters.waiting.pop_front();
            letters.overflowing &= !letters.waiting.is_empty();
        }
        letters.in_hand.clone()
    }

    /// The letter in hand is dealt with.
    pub(super) fn done(&self) {
        self.letters().in_hand = None;
    }

    /// The letters not yet dealt with, in order; whoever stores what was seen
    /// has to store these with it, or they are lost with the process.
    pub fn unsent(&self) -> Vec<Letter> {
        let letters = self.letters();
        let all = letters.in_hand.iter().chain(&letters.waiting);
        all.cloned().collect()
    }

    /// Throws away what was not dealt with, and says how many they were.
    pub(super) fn clear(&self) -> usize {
        let letters = std::mem::take(&mut *self.letters());
        letters.waiting.len() + usize::from(letters.in_hand.is_some())
    }

    fn letters(&self) -> MutexGuard<'_, Letters> {
        self.letters.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
