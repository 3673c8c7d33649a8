//! The customers that an exporter watches without a configured tenant, as its state
//! directory has them.

use super::partner_data::is_saved_of;
use crate::config::{Partner, Tenant};
use crate::store::saved_partner::SavedPartner;
use crate::store::state_directory::StateDirectory;
use std::path::Path;

/// The watched customers of a partner, from the directory of an exporter that may run;
/// `None` where it holds nothing of the partner.
pub fn saved_customers(path: &Path, partner: &Partner) -> Option<Vec<Tenant>> {
    let saved = StateDirectory::peek_partner(path, &partner.name)?;
    is_saved_of(&saved, partner).then(|| {
        let watched = saved.watched.iter();
        let tenants = watched.filter_map(|id| {
            let alias = saved.aliases.get(&**id)?;
            Some(partner.tenant(alias.clone(), id, &display_name(&saved, id)))
        });
        tenants.collect()
    })
}

fn display_name(saved: &SavedPartner, id: &str) -> String {
    let listed = saved.list.as_ref().and_then(|it| it.value.find(id));
    let left = saved.left.get(id).map(|it| &it.customer);
    let known = listed.or(left);
    known
        .map(|it| it.display_name.to_string())
        .unwrap_or_default()
}
