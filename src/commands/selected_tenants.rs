//! The tenants that `--tenant` selects.

use super::Failure;
use crate::config::{Config, Tenant};
use strict_yaml::suggest;

/// The tenants with these names; without names, all.
pub(super) fn selected_tenants<'a>(
    config: &'a Config,
    names: &[String],
) -> Result<Vec<&'a Tenant>, Failure> {
    let exists = |name: &String| config.tenants.iter().any(|tenant| tenant.alias == *name);
    if let Some(unknown) = names.iter().find(|name| !exists(name)) {
        let known = config.tenants.iter().map(|tenant| tenant.alias.as_str());
        let hint = match suggest::nearest(unknown, known) {
            Some(near) => format!("did you mean {near}?"),
            None => "use the `name` of a tenant in the configuration".to_owned(),
        };
        let error = anyhow::anyhow!("--tenant {unknown}: the configuration has no such tenant");
        return Err(Failure::with_hint(error, hint));
    }
    let is_selected = |tenant: &&Tenant| names.is_empty() || names.contains(&tenant.alias);
    Ok(config.tenants.iter().filter(is_selected).collect())
}
