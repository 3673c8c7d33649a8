//! Configurations and customers for tests.

use crate::config::{self, Config};
use secure_score_model::Customer;
use std::io::Write as _;

/// A configuration with the tenants `contoso`, of the GUID of sevens, and
/// `fabrikam`, of a domain, and a partner with more keys.
pub(super) fn config(more: &str) -> Config {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    let text = format!(
        "credentials:\n  app: {{type: azure_cli}}\ndefaults: {{credential: app}}\ntenants:\n  \
         - {{name: contoso, tenant_id: 77777777-7777-4777-8777-777777777777}}\n  \
         - {{name: fabrikam, tenant_id: fabrikam.example}}\npartner:\n  name: provider\n  \
         tenant_id: provider.example\n  credential: app\n  {more}\n"
    );
    file.write_all(text.as_bytes()).unwrap();
    config::load(file.path(), &Default::default())
        .unwrap()
        .config
}

/// A customer with this id, which is its name too.
pub(super) fn customer(id: &str) -> Customer {
    Customer {
        tenant_id: id.into(),
        display_name: id.into(),
        relationship: None,
    }
}
