//! The tenants somebody named on the command line.

use super::Failure;
use crate::config::{Config, Tenant};

/// Those with these names, or all where no name is given.
pub(super) fn chosen<'a>(config: &'a Config, names: &[String]) -> Result<Vec<&'a Tenant>, Failure> {
    let known = |name: &String| config.tenants.iter().any(|tenant| tenant.alias == *name);
    let names_known = config.tenants.iter().map(|tenant| tenant.alias.as_str());
    if let Some(unknown) = names.iter().find(|name| !known(name)) {
        return Err(Failure::Other {
            error: anyhow::anyhow!(
                "--tenant {unknown}: no tenant of the configuration has this name"
            ),
            hint: Some(match strict_yaml::suggest::nearest(unknown, names_known) {
                Some(near) => format!("did you mean {near}?"),
                None => "use the `name` of a tenant as the configuration spells it".to_owned(),
            }),
        });
    }
    let wanted = |tenant: &&Tenant| names.is_empty() || names.contains(&tenant.alias);
    Ok(config.tenants.iter().filter(wanted).collect())
}
