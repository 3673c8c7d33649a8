//! The relationships that customers have when a partner starts.

use jiff::{SignedDuration, Timestamp};

use crate::relationship::Relationship;
use crate::rng::draw_between;

/// The customer whose relationship ends soon and does not extend itself.
const ENDING: usize = 3;

/// The days left of that relationship, fewer than any alert's 30.
const DAYS_LEFT: u64 = 21;

/// The relationships of a customer, counted from 0 in the partner's list.
///
/// Most customers have several: an older one that ends first, one of Lighthouse (`MLT_`)
/// that ends last, and one that is not active.
pub(crate) fn relationships(seed: u64, customer: usize, now: Timestamp) -> Vec<Relationship> {
    let index = customer as u64;
    let name = format!("Managed security {}", customer + 1);
    let days = draw_between(seed, "days left", index, 120, 600);
    let current = Relationship::active(&name, after(now, days));
    let lighthouse = Relationship::active(
        &format!(
            "MLT_{:08}",
            draw_between(seed, "lighthouse", index, 0, 99_999_999)
        ),
        after(now, 700),
    );
    if customer == ENDING {
        let current = Relationship::active(&name, after(now, DAYS_LEFT));
        return vec![lighthouse.extending(), current];
    }
    let mut all = Vec::new();
    if customer.is_multiple_of(2) {
        all.push(Relationship::active("First year", after(now, days / 3)));
    }
    all.push(match customer % 5 {
        4 => current,
        _ => current.extending(),
    });
    if customer.is_multiple_of(3) {
        all.push(lighthouse);
    }
    if customer % 4 == 1 {
        let ended = Relationship::active("Onboarding", after(now, 0));
        all.push(ended.with_status("terminated"));
    }
    if customer % 4 == 2 {
        all.push(Relationship {
            ends: None,
            ..Relationship::active("Defender rollout", now).with_status("approvalPending")
        });
    }
    all
}

/// The relationship of a customer who signs up.
pub(crate) fn first(now: Timestamp) -> Vec<Relationship> {
    vec![Relationship::active("Managed security", after(now, 730)).extending()]
}

fn after(now: Timestamp, days: u64) -> Timestamp {
    let hours = i64::try_from(24 * days).unwrap_or(i64::MAX);
    let later = now.saturating_add(SignedDuration::from_hours(hours));
    later.unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(customer: usize) -> Vec<Relationship> {
        relationships(7, customer, Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn every_customer_has_an_active_relationship_besides_those_of_lighthouse() {
        for customer in 0..60 {
            let counts =
                |it: &Relationship| it.status == "active" && !it.display_name.starts_with("MLT_");
            assert!(of(customer).iter().any(counts), "{customer}");
        }
    }

    #[test]
    fn one_customer_loses_its_last_relationship_within_thirty_days() {
        let days = |it: &Relationship| it.ends.unwrap().as_second() / 86_400;
        let [lighthouse, current] = &of(ENDING)[..] else {
            panic!("two relationships");
        };
        assert_eq!((days(current), current.auto_extend.as_str()), (21, "PT0S"));
        assert!(lighthouse.display_name.starts_with("MLT_") && days(lighthouse) == 700);
    }

    #[test]
    fn other_words_than_active_occur() {
        let all = (0..12).flat_map(of);
        let words: Vec<String> = all.map(|it| it.status).collect();
        for word in ["active", "terminated", "approvalPending"] {
            assert!(words.iter().any(|it| it == word), "{word}");
        }
    }
}
