//! The messages that were received.

use crate::Introduction;
use crate::message::{Content, Message};
use crate::page_event::PageEvent;
use crate::subject::DecisionTime;
use jiff::Timestamp;
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::fmt;

/// The number of messages that are kept; older ones are dropped.
const MAX_MESSAGES: usize = 200;

/// The messages and what the page says beside them.
pub(crate) struct Inbox {
    decision_time: DecisionTime,
    /// A page about an older decision measures no delay.
    started: Timestamp,
    introduction: Mutex<Introduction>,
    received: Mutex<Received>,
}

#[derive(Debug, Default)]
struct Received {
    /// The oldest first.
    messages: VecDeque<Message>,
    /// The number of messages, including those dropped.
    count: usize,
    /// Whether there was a page about a decision since the start.
    has_measured: bool,
}

impl Inbox {
    pub(crate) fn new(decision_time: DecisionTime, started: Timestamp) -> Self {
        Self {
            decision_time,
            started,
            introduction: Mutex::default(),
            received: Mutex::default(),
        }
    }

    pub(crate) fn introduce(&self, introduction: Introduction) {
        *self.introduction.lock() = introduction;
    }

    /// What the page says beside the messages now.
    pub(crate) fn introduction(&self) -> Introduction {
        let mut introduction = self.introduction.lock().clone();
        if self.received.lock().has_measured {
            introduction.expected.clear();
        }
        introduction
    }

    /// Keeps a message that arrived now.
    pub(crate) fn receive(&self, content: Content, now: Timestamp) {
        let trigger = match &content {
            Content::Page(page) if page.is_trigger => Some(page),
            _ => None,
        };
        let decided = trigger.and_then(|page| self.decided(page, now));
        let mut received = self.received.lock();
        let is_new = trigger.is_some_and(|page| !received.has_page(page));
        let delay = decided.filter(|_| is_new);
        let delay = delay.map(|decided| now.duration_since(decided));
        received.count += 1;
        received.has_measured |= delay.is_some();
        let number = received.count;
        received.messages.push_back(Message {
            number,
            received: now,
            delay,
            content,
        });
        if received.messages.len() > MAX_MESSAGES {
            received.messages.pop_front();
        }
    }

    /// When what a page is about was decided, if that was since the start.
    fn decided(&self, page: &PageEvent, now: Timestamp) -> Option<Timestamp> {
        let decided = (self.decision_time)(&page.subject)?;
        (self.started..=now).contains(&decided).then_some(decided)
    }

    /// The messages, the newest first.
    pub(crate) fn messages(&self) -> Vec<Message> {
        let received = self.received.lock();
        received.messages.iter().rev().cloned().collect()
    }

    /// Whether a message with this number was received and is dropped.
    pub(crate) fn has_dropped(&self, number: usize) -> bool {
        let received = self.received.lock();
        let oldest = received.messages.front().map(|it| it.number);
        number > 0 && oldest.is_some_and(|oldest| number < oldest)
    }

    /// The message with this number, while it is kept.
    pub(crate) fn message(&self, number: usize) -> Option<Message> {
        let received = self.received.lock();
        let mut messages = received.messages.iter();
        messages.find(|it| it.number == number).cloned()
    }
}

impl Received {
    /// Whether the page repeats one that has not ended.
    fn has_page(&self, page: &PageEvent) -> bool {
        let newest = self.messages.iter().rev().find_map(|it| match &it.content {
            Content::Page(known) if known.key == page.key => Some(known.is_trigger),
            _ => None,
        });
        newest.unwrap_or(false)
    }
}

impl fmt::Debug for Inbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inbox")
            .field("received", &self.received)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::subject::Subject;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn page(is_trigger: bool) -> Content {
        Content::Page(PageEvent {
            is_trigger,
            key: "k".to_owned(),
            severity: String::new(),
            summary: String::new(),
            text: String::new(),
            subject: Subject::default(),
        })
    }

    #[test]
    fn the_first_page_about_a_decision_has_its_delay_and_a_repetition_has_none() {
        let inbox = Inbox::new(Box::new(|_| Some(at(100))), at(90));
        for (second, is_trigger) in [(112, true), (130, true), (140, false), (150, true)] {
            inbox.receive(page(is_trigger), at(second));
        }
        let delays = inbox.messages().into_iter().rev().map(|it| it.delay);
        let seconds: Vec<_> = delays.map(|it| it.map(|it| it.as_secs())).collect();
        assert_eq!(seconds, [Some(12), None, None, Some(50)]);
    }

    #[test]
    fn what_is_expected_is_said_until_it_has_arrived() {
        let inbox = Inbox::new(Box::new(|_| Some(at(100))), at(90));
        inbox.introduce(Introduction {
            expected: "A risk is accepted soon.".to_owned(),
            sentences: vec!["Always.".to_owned()],
            ..Introduction::default()
        });
        inbox.receive(page(false), at(95));
        assert_eq!(inbox.introduction().expected, "A risk is accepted soon.");
        inbox.receive(page(true), at(112));
        let introduction = inbox.introduction();
        assert_eq!(introduction.expected, "");
        assert_eq!(introduction.sentences, ["Always."]);
    }

    #[test]
    fn a_page_without_a_decision_since_the_start_has_no_delay() {
        for decided in [None, Some(at(89)), Some(at(200))] {
            let inbox = Inbox::new(Box::new(move |_| decided), at(90));
            inbox.receive(page(true), at(112));
            assert_eq!(inbox.messages()[0].delay, None);
        }
    }

    #[test]
    fn the_oldest_messages_are_dropped_and_numbers_stay() {
        let inbox = Inbox::new(Box::new(|_| None), at(0));
        for second in 0..=MAX_MESSAGES {
            inbox.receive(page(false), at(second as i64));
        }
        assert_eq!(inbox.messages().len(), MAX_MESSAGES);
        assert!(inbox.message(1).is_none());
        let dropped = [0, 1, 2, MAX_MESSAGES + 2].map(|number| inbox.has_dropped(number));
        assert_eq!(dropped, [false, true, false, false]);
        assert_eq!(inbox.messages()[0].number, MAX_MESSAGES + 1);
        assert_eq!(inbox.message(2).unwrap().received, at(1));
    }
}
