//! Tenants whose alias resembles a mistyped one.

use crate::store::Tenants;
use strict_yaml::suggest::similar;

/// The number of aliases suggested.
const MAX_SUGGESTIONS: usize = 5;

/// The aliases most similar to a name, the most similar first.
pub fn similar_tenants<'a>(name: &str, tenants: &'a Tenants) -> Vec<&'a str> {
    let aliases = tenants.states.iter().map(|state| &*state.identity.alias);
    let mut similar = similar(name, aliases);
    similar.truncate(MAX_SUGGESTIONS);
    similar
}
