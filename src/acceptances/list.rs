//! The list of acceptances.

use super::{Acceptance, Filter};
use crate::store::Tenants;
use secure_score_model::Timestamp;

/// The acceptances of all tenants that match a filter, identity first, then the
/// newest.
///
/// Controls without exported series are included: a selection of series must
/// not hide a risk.
pub fn acceptances<'a>(
    tenants: &'a Tenants,
    filter: &Filter,
    now: Timestamp,
) -> Vec<Acceptance<'a>> {
    let controls = tenants.states.iter().flat_map(|tenant| {
        let controls = tenant.snapshot.controls.iter();
        controls.filter_map(|control| Acceptance::of(tenant, control))
    });
    let mut found: Vec<_> = controls.filter(|it| filter.matches(it, now)).collect();
    found.sort_by_key(Acceptance::rank);
    found
}
