//! The list of all accepted risks.

use super::Acceptance;
use crate::store::Tenants;
use secure_score_model::{Category, Place, Timestamp};

/// The kinds of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Kinds {
    /// Acceptances only.
    #[default]
    Acceptances,
    /// Claims only.
    Claims,
    /// Both.
    All,
}

impl Kinds {
    /// All of them, in the order in which they are offered.
    pub const ALL: [Self; 3] = [Self::All, Self::Acceptances, Self::Claims];

    /// The word in a query.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Acceptances => "acceptance",
            Self::Claims => "claim",
            Self::All => "all",
        }
    }
}

/// Conditions on acceptances; a missing one matches all.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    /// The tenant's alias.
    pub tenant: Option<String>,
    /// The control's id or the recommendation's name, in any case.
    pub control: Option<String>,
    /// The control's category.
    pub category: Option<Category>,
    /// Accepted at or after this time; an acceptance without a date matches,
    /// since it may be of any time.
    pub since: Option<Timestamp>,
    /// Whether an unexpired decision covers it.
    pub approved: Option<bool>,
    /// Whether it is in force.
    pub in_force: Option<bool>,
    /// Where it is accepted.
    pub place: Option<Place>,
    /// Acceptances, claims or both.
    pub kinds: Kinds,
}

impl Filter {
    fn matches(&self, it: &Acceptance<'_>, now: Timestamp) -> bool {
        let (tenant, control) = (self.tenant.as_deref(), self.control.as_deref());
        let is_since = |since| it.accepted.at.is_none_or(|at| at >= since);
        tenant.is_none_or(|alias| *it.tenant.identity.alias == *alias)
            && control.is_none_or(|name| it.has_name(name))
            && self.category.is_none_or(|category| it.category == category)
            && self.since.is_none_or(is_since)
            && self
                .approved
                .is_none_or(|is| it.approval(now).is_approved() == is)
            && self.in_force.is_none_or(|is| it.is_in_force() == is)
            && self.place.is_none_or(|place| it.place() == place)
    }
}

/// The acceptances and claims of all tenants that match a filter, identity first, then the
/// newest.
///
/// Controls and recommendations without exported series are included: a selection of series must
/// not hide a risk.
pub fn acceptances<'a>(
    tenants: &'a Tenants,
    filter: &Filter,
    now: Timestamp,
) -> Vec<Acceptance<'a>> {
    let tenants = tenants.states.iter();
    let all = tenants.flat_map(|tenant| {
        let accepted = (filter.kinds != Kinds::Claims).then(|| Acceptance::of_tenant(tenant));
        let claimed =
            (filter.kinds != Kinds::Acceptances).then(|| Acceptance::claims_of_tenant(tenant));
        let accepted = accepted.into_iter().flatten();
        accepted.chain(claimed.into_iter().flatten())
    });
    let mut found: Vec<_> = all.filter(|it| filter.matches(it, now)).collect();
    found.sort_by_cached_key(Acceptance::rank);
    found
}
