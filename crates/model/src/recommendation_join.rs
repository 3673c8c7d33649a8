//! Entra's recommendations, joined with a tenant's controls.

use crate::{
    Category, Control, ControlRules, IdentityScore, Recommendation, RecommendationList,
    RecommendationStatus, StatusHistories, TenantSnapshot,
};
use std::sync::Arc;

impl TenantSnapshot {
    /// The snapshot with Entra's recommendations, each joined with the control
    /// of its name, and with the Identity Secure Score.
    ///
    /// Names are compared without case where one control only has that
    /// spelling: Entra writes `adminMFAV2`, Secure Score `AdminMFAV2`.
    #[must_use]
    pub fn with_recommendations(
        mut self,
        list: Option<&RecommendationList>,
        histories: &StatusHistories,
        identity_score: Option<Arc<IdentityScore>>,
        rules: &impl ControlRules,
    ) -> Self {
        self.identity_score = identity_score;
        let Some(list) = list else {
            return self;
        };
        self.recommendation_anomalies = Some(list.anomalies.clone());
        let names = list.entries.iter().flat_map(|it| it.names());
        let names: Vec<&str> = names.collect();
        let unmatched = rules.unmatched_watches(&names);
        self.unmatched_watches.retain(|it| unmatched.contains(it));
        let joined = list.entries.iter().map(|entry| {
            let names: Vec<&str> = entry.names().collect();
            let control = names.iter().find_map(|name| self.control_named(name));
            Recommendation {
                history: histories.of(&entry.id).cloned().unwrap_or_default(),
                control: control.map(|it| Arc::clone(&it.id)),
                control_state: control.and_then(Control::state),
                selected: rules.selects_recommendation(&names, entry.category),
                watched: names.iter().any(|name| rules.watches(name))
                    || control.is_some_and(|it| it.watched),
                decisions: rules.decisions_of_recommendation(&entry.name),
                entry: Arc::clone(entry),
            }
        });
        let mut joined: Vec<Recommendation> = joined.collect();
        joined.sort_by(|a, b| a.entry.name.cmp(&b.entry.name));
        self.recommendations = joined;
        self
    }

    /// The recommendation that is the same as a control; of several, one that is
    /// set aside.
    pub fn recommendation_of(&self, control: &str) -> Option<&Recommendation> {
        let recommendations = self.recommendations.iter();
        let same = recommendations.filter(|it| it.control.as_deref() == Some(control));
        same.min_by_key(|it| !it.is_set_aside())
    }

    /// The category of a recommendation: that of its control; recommendations
    /// without one are about identity.
    pub fn category_of(&self, recommendation: &Recommendation) -> Category {
        let control = recommendation.control.as_deref();
        let control = control.and_then(|id| self.control_named(id));
        control.map_or(Category::Identity, |it| it.category)
    }

    /// The control of a recommendation's name.
    pub fn control_named(&self, name: &str) -> Option<&Control> {
        if let Some(exact) = self.controls.iter().find(|it| *it.id == *name) {
            return Some(exact);
        }
        let controls = self.controls.iter();
        let mut same = controls.filter(|it| it.id.eq_ignore_ascii_case(name));
        same.next().filter(|_| same.next().is_none())
    }

    /// How many recommendations are declared as solved by other means without a
    /// valid decision; none without a list.
    pub fn unapproved_recommendation_claims(&self) -> Option<usize> {
        self.recommendation_anomalies.as_ref()?;
        let claims = self.recommendations.iter().filter(|it| it.is_claimed());
        Some(self.count_unapproved(claims.map(Recommendation::judgement)))
    }

    /// How many recommendations have an unknown status, which may be an
    /// acceptance.
    pub fn unknown_statuses(&self) -> usize {
        let recommendations = self.recommendations.iter();
        let unknown = recommendations.filter(|it| it.entry.status == RecommendationStatus::Unknown);
        unknown.count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Catalogue, CatalogueEntry, CategoryPins, Decision, RecommendationEntry};

    /// Watches one name, and has no other rule.
    struct Watching(&'static str);

    impl ControlRules for Watching {
        fn category_override(&self, _: &str) -> Option<Category> {
            None
        }
        fn selects(&self, _: &str, _: Category) -> bool {
            true
        }
        fn watches(&self, id: &str) -> bool {
            id == self.0
        }
        fn unmatched_watches(&self, ids: &[&str]) -> Vec<Arc<str>> {
            let lines = [self.0].into_iter();
            lines
                .filter(|line| !ids.contains(line))
                .map(Arc::from)
                .collect()
        }
        fn decisions(&self) -> Vec<Arc<Decision>> {
            Vec::new()
        }
        fn decisions_of(&self, _: &str) -> Vec<Arc<Decision>> {
            Vec::new()
        }
    }

    fn snapshot(watch: &'static str, controls: &[&str], names: &[&str]) -> TenantSnapshot {
        let entries = names.iter().map(|name| RecommendationEntry::new(name));
        joined(watch, controls, entries.collect())
    }

    fn joined(
        watch: &'static str,
        controls: &[&str],
        entries: Vec<RecommendationEntry>,
    ) -> TenantSnapshot {
        let catalogue = Catalogue {
            entries: controls
                .iter()
                .map(|id| Arc::new(CatalogueEntry::new(id)))
                .collect(),
            ..Catalogue::default()
        };
        let list = RecommendationList {
            entries: entries.into_iter().map(Arc::new).collect(),
            ..RecommendationList::default()
        };
        let rules = Watching(watch);
        TenantSnapshot::join(Some(&catalogue), None, &CategoryPins::default(), &rules)
            .with_recommendations(Some(&list), &StatusHistories::default(), None, &rules)
    }

    #[test]
    fn a_recommendation_belongs_to_the_control_of_its_name() {
        let joined = snapshot(
            "Exact",
            &["AdminMFAV2", "Exact", "exact", "Two", "TWO"],
            &["adminMFAV2", "exact", "two", "staleApps"],
        );
        let joined = joined.recommendations.iter();
        let joined: Vec<_> = joined
            .map(|it| (&*it.entry.name, it.control.as_deref()))
            .collect();
        assert_eq!(
            joined,
            [
                ("adminMFAV2", Some("AdminMFAV2")),
                ("exact", Some("exact")),
                ("staleApps", None),
                ("two", None),
            ]
        );
    }

    #[test]
    fn several_of_one_type_belong_to_its_control() {
        let of = |id: &str, status| RecommendationEntry {
            kind: Some("adminMFAV2".into()),
            status,
            ..RecommendationEntry::new(id)
        };
        let entries = vec![
            of("A", RecommendationStatus::Active),
            of("B", RecommendationStatus::Dismissed),
        ];
        for watch in ["AdminMFAV2", "adminMFAV2"] {
            let snapshot = joined(watch, &["AdminMFAV2"], entries.clone());
            let all = &snapshot.recommendations;
            assert!(all.iter().all(|it| it.watched), "{watch}");
            assert!(
                all.iter()
                    .all(|it| it.control.as_deref() == Some("AdminMFAV2"))
            );
            let shown = snapshot.recommendation_of("AdminMFAV2");
            assert_eq!(shown.map(|it| &*it.entry.name), Some("B"));
            assert!(snapshot.unmatched_watches.is_empty(), "{watch}");
        }
    }

    #[test]
    fn the_watch_list_names_recommendations_and_controls() {
        let watched = |watch| {
            let snapshot = snapshot(watch, &["AdminMFAV2"], &["adminMFAV2", "staleApps"]);
            let all = snapshot.recommendations.iter();
            let names: Vec<_> = all
                .filter(|it| it.watched)
                .map(|it| &*it.entry.name)
                .collect();
            (names.join(" "), snapshot.unmatched_watches.len())
        };
        assert_eq!(watched("AdminMFAV2"), ("adminMFAV2".to_owned(), 0));
        assert_eq!(watched("staleApps"), ("staleApps".to_owned(), 0));
        assert_eq!(watched("missing"), (String::new(), 1));
    }
}
