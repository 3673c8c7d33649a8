//! Arbitrary snapshots.
//!
//! Texts come from a small set of mean ones as often as from anywhere, so
//! that two of them meet in one label value.

use proptest::prelude::*;
use secure_score_model::*;
use std::sync::Arc;

fn text() -> impl Strategy<Value = Arc<str>> {
    let long = "ä".repeat(64);
    let mean = prop::sample::select(vec![
        String::new(),
        "a".to_owned(),
        "A".to_owned(),
        "a b".to_owned(),
        "a\u{1}b".to_owned(),
        "a\rb".to_owned(),
        "a\nb".to_owned(),
        "\\".to_owned(),
        "\\n".to_owned(),
        "\"} 1\nx{y=\"".to_owned(),
        format!("{long}1"),
        format!("{long}2"),
        format!("x{long}"),
    ]);
    prop_oneof![mean, any::<String>()].prop_map(Arc::from)
}

/// `any::<f64>()` would leave out what is no number.
fn number() -> impl Strategy<Value = f64> {
    prop::num::f64::ANY
}

fn points() -> impl Strategy<Value = Option<Points>> {
    prop_oneof![number(), -2.0..20.0].prop_map(Points::new)
}

fn time() -> impl Strategy<Value = Option<Timestamp>> {
    prop::option::of(any::<i64>().prop_map(Timestamp::from_nanos))
}

fn category() -> impl Strategy<Value = Category> {
    prop::sample::select(Category::ALL.to_vec())
}

fn update() -> impl Strategy<Value = StateUpdate> {
    use ControlState::{Planned, RiskAccepted, ToAddress, Unknown};
    let state = prop::sample::select(vec![ToAddress, RiskAccepted, Planned, Unknown]);
    let person = prop::option::of(text());
    (state, time(), person, prop::option::of(text())).prop_map(|(state, at, by, comment)| {
        StateUpdate {
            at,
            by,
            comment,
            ..StateUpdate::new(state)
        }
    })
}

fn entry() -> impl Strategy<Value = Arc<CatalogueEntry>> {
    let updates = prop::collection::vec(update(), 0..4);
    (text(), text(), text(), category(), points(), updates).prop_map(
        |(id, title, product, category, max_score, updates)| {
            Arc::new(CatalogueEntry {
                id,
                title,
                category,
                product,
                max_score,
                history: History::from_updates(updates),
                ..CatalogueEntry::new("")
            })
        },
    )
}

fn score() -> impl Strategy<Value = Arc<ControlScore>> {
    let percentage = prop::option::of(number());
    (text(), category(), points(), percentage, time()).prop_map(
        |(id, category, score, percentage, last_synced)| {
            Arc::new(ControlScore {
                percentage,
                last_synced,
                ..ControlScore::new(&id, category, score.unwrap_or(Points::ZERO))
            })
        },
    )
}

fn comparison() -> impl Strategy<Value = Comparison> {
    let basis = prop::sample::select(vec![Basis::AllTenants, Basis::TotalSeats]);
    let average = (category(), points(), points()).prop_map(|(category, score, max_score)| {
        CategoryComparison {
            category,
            score,
            max_score,
        }
    });
    let categories = prop::collection::vec(average, 0..4);
    (basis, prop::option::of(number()), categories).prop_map(|(basis, ratio, categories)| {
        Comparison {
            basis,
            ratio,
            categories,
        }
    })
}

pub(crate) fn catalogue() -> impl Strategy<Value = Catalogue> {
    prop::collection::vec(entry(), 0..8).prop_map(|entries| Catalogue {
        entries,
        ..Catalogue::default()
    })
}

pub(crate) fn report() -> impl Strategy<Value = Report> {
    let comparisons = prop::collection::vec(comparison(), 0..4);
    let scores = prop::collection::vec(score(), 0..8);
    let users = any::<Option<u64>>();
    (time(), points(), points(), users, comparisons, scores).prop_map(
        |(as_of, current_score, max_score, active_users, comparisons, scores)| Report {
            as_of,
            current_score,
            max_score,
            active_users,
            licensed_users: active_users,
            comparisons,
            scores,
            ..Report::default()
        },
    )
}

fn recommendation() -> impl Strategy<Value = Arc<RecommendationEntry>> {
    let status = || prop::sample::select(RecommendationStatus::ALL.to_vec());
    let resources = prop::option::of(prop::collection::btree_map(status(), any::<u64>(), 0..3));
    let texts = (text(), text(), text());
    (texts, status(), points(), time(), resources).prop_map(
        |((name, title, license), status, score, time, impacted_resources)| {
            Arc::new(RecommendationEntry {
                name,
                title,
                license,
                status,
                score,
                postponed_until: time,
                impacted_resources,
                ..RecommendationEntry::new("")
            })
        },
    )
}

pub(crate) fn recommendations() -> impl Strategy<Value = RecommendationList> {
    prop::collection::vec(recommendation(), 0..6).prop_map(|entries| RecommendationList {
        entries,
        ..RecommendationList::default()
    })
}

pub(crate) fn identity() -> impl Strategy<Value = TenantIdentity> {
    (text(), prop::option::of(number())).prop_map(|(display_name, target)| TenantIdentity {
        display_name,
        target,
        ..TenantIdentity::new("contoso")
    })
}
