//! The tenants that a file of `tenant_files` lists, for a command that edits it.

use super::file::FileTenant;
use strict_yaml::{ParseError, Spanned, Text, parse};

/// An entry of a file of tenants, as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedTenant {
    /// The value of `name`; empty if absent.
    pub alias: String,
    /// The value of `tenant_id`, in lower case; empty if absent.
    pub tenant_id: String,
    /// The value of `display_name`; empty if absent.
    pub display_name: String,
    /// Every key with its value and its place in the file.
    content: String,
}

/// The entries of the file with these contents, in their order. They are as written:
/// `--config.check` reports what is wrong with their values.
///
/// # Errors
/// Where the contents are no list of tenants.
pub fn listed_tenants(contents: &str) -> Result<Vec<ListedTenant>, ParseError> {
    let tenants: Vec<Spanned<FileTenant>> = parse(contents)?;
    let text = |text: &Option<Text>| {
        let text = text.as_ref().map(|it| it.value.trim());
        text.unwrap_or_default().to_owned()
    };
    let listed = tenants.iter().map(|tenant| ListedTenant {
        alias: text(&tenant.value.name),
        tenant_id: text(&tenant.value.tenant_id).to_lowercase(),
        display_name: text(&tenant.value.display_name),
        content: format!("{tenant:?}"),
    });
    Ok(listed.collect())
}
