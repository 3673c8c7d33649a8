//! One measure in one tenant, in both places.

use super::StateChange;
use super::standing::Standing;
use crate::store::TenantState;
use secure_score_model::{Approval, Control, Judgement, Recommendation, Timestamp};

/// A control of Secure Score and the recommendation of Entra that is the same
/// measure, in one tenant; neither where the tenant's catalogue is not known.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// The tenant.
    pub tenant: &'a TenantState,
    /// The control.
    pub control: Option<&'a Control>,
    /// The recommendation.
    pub recommendation: Option<&'a Recommendation>,
}

impl<'a> Subject<'a> {
    /// The control or the recommendation of this name, in any case.
    pub fn find(tenant: &'a TenantState, name: &str) -> Option<Self> {
        let snapshot = &tenant.snapshot;
        if let Some(control) = snapshot.control_named(name) {
            return Some(Self::of_control(tenant, control));
        }
        let mut recommendations = snapshot.recommendations.iter();
        let same = recommendations.find(|it| it.entry.name.eq_ignore_ascii_case(name))?;
        Some(match &same.control {
            Some(control) if !control.eq_ignore_ascii_case(name) => Self::find(tenant, control)?,
            _ => Self::of_recommendation(tenant, same),
        })
    }

    /// A measure of which it is not known whether the tenant has it: its catalogue is
    /// not known.
    pub fn unknown(tenant: &'a TenantState) -> Option<Self> {
        tenant.lacks_catalogue().then_some(Self {
            tenant,
            control: None,
            recommendation: None,
        })
    }

    /// Whether one of the two places has it.
    pub const fn is_known(&self) -> bool {
        self.control.is_some() || self.recommendation.is_some()
    }

    /// What is on the watch list.
    pub fn watched(tenant: &'a TenantState) -> Vec<Self> {
        let controls = tenant.snapshot.controls.iter();
        let controls = controls.filter(|it| it.watched);
        let mut watched: Vec<Self> = controls.map(|it| Self::of_control(tenant, it)).collect();
        let recommendations = tenant.snapshot.recommendations.iter();
        for it in recommendations.filter(|it| it.watched) {
            let subject = match it.control.as_deref() {
                Some(control) => Self::find(tenant, control),
                None => Some(Self::of_recommendation(tenant, it)),
            };
            let is_new = |subject: &Self| !watched.iter().any(|it| it.name() == subject.name());
            watched.extend(subject.filter(is_new));
        }
        watched
    }

    fn of_control(tenant: &'a TenantState, control: &'a Control) -> Self {
        Self {
            tenant,
            control: Some(control),
            recommendation: tenant.snapshot.recommendation_of(&control.id),
        }
    }

    const fn of_recommendation(
        tenant: &'a TenantState,
        recommendation: &'a Recommendation,
    ) -> Self {
        Self {
            tenant,
            control: None,
            recommendation: Some(recommendation),
        }
    }

    /// The control's id; the recommendation's name, where there is no control.
    pub fn name(&self) -> &'a str {
        match (self.control, self.recommendation) {
            (Some(control), _) => &control.id,
            (None, Some(it)) => &it.entry.name,
            (None, None) => "",
        }
    }

    /// The title in the portal; the name, where none is known.
    pub fn title(&self) -> &'a str {
        let entry = self.control.and_then(|it| it.entry.as_deref());
        let title = entry.map(|it| &*it.title);
        let advice = self.recommendation.map(|it| &*it.entry.title);
        title.or(advice).unwrap_or_else(|| self.name())
    }

    /// Whether it is on the watch list.
    pub fn is_watched(&self) -> bool {
        self.control.is_some_and(|it| it.watched)
            || self.recommendation.is_some_and(|it| it.watched)
    }

    /// The newest change of either place. An open recommendation that no person has
    /// touched was never changed.
    pub fn change(&self) -> Option<StateChange<'a>> {
        let control = self.control.and_then(|it| it.history()?.changes().last());
        let advice = self
            .recommendation
            .and_then(Recommendation::changed_since_listed);
        let both = [
            control.map(StateChange::from),
            advice.map(StateChange::from),
        ];
        both.into_iter().flatten().max_by_key(|it| it.at)
    }

    /// The approval of what is declared now, in the place whose standing counts. None
    /// where nothing is declared.
    pub fn approval(&self, now: Timestamp) -> Option<Approval<'a>> {
        let places = self.places(now);
        let mut judgements = places.iter().map(|(_, it)| it);
        judgements.find_map(|it| it.present_approval(now))
    }

    /// How far the tenant is with it.
    pub fn standing(&self, now: Timestamp) -> Standing {
        let places = self.places(now);
        places.first().map_or(Standing::Unknown, |(it, _)| *it)
    }

    /// The standing and the judgement in each place, the one that counts first; of two
    /// that stand alike, Secure Score.
    fn places(&self, now: Timestamp) -> Vec<(Standing, Judgement<'a>)> {
        let control = self.control.map(|it| {
            let standing = Standing::of_control(self.tenant, it, now);
            (standing, it.judgement())
        });
        let recommendation = self.recommendation;
        let recommendation =
            recommendation.map(|it| (Standing::of_recommendation(it, now), it.judgement()));
        let mut places: Vec<_> = control.into_iter().chain(recommendation).collect();
        places.sort_by_key(|(standing, _)| *standing);
        places
    }
}
