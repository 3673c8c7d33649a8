//! New entries for a file of `tenant_files`.

use crate::config::{ListedTenant, listed_tenants};
use crate::yaml_list::scalar::{is_special, plain_or_quoted, quoted};
use crate::yaml_list::{EditError, ListDocument, ListText, body};
use std::fmt::Write as _;

/// A file of tenants as it is on the disk.
#[derive(Debug, Clone)]
pub struct TenantFile {
    text: ListText,
    tenants: Vec<ListedTenant>,
}

/// A tenant to add.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewTenant {
    /// Its alias, the value of `name`.
    pub alias: String,
    /// Its GUID.
    pub tenant_id: String,
    /// The value of `display_name`; empty to omit the key.
    pub display_name: String,
    /// Further keys with their values.
    pub keys: Vec<(&'static str, String)>,
    /// A comment behind the entry; empty for none.
    pub comment: String,
}

impl ListDocument for TenantFile {
    const ENTRY: &'static str = "- {name: …, tenant_id: …}";

    fn read(contents: Vec<u8>) -> Result<Self, EditError> {
        let text = ListText::read(contents)?;
        let tenants = listed_tenants(body(text.as_str()))?;
        Ok(Self { text, tenants })
    }
}

impl TenantFile {
    /// The text of the file.
    pub fn text(&self) -> &str {
        self.text.as_str()
    }

    /// Its tenants, in their order.
    pub fn tenants(&self) -> &[ListedTenant] {
        &self.tenants
    }

    /// The text with the tenants added at its end. The text before stays as it is, byte
    /// for byte.
    ///
    /// # Errors
    /// Where the result is not exactly the tenants of before and the new ones, read in
    /// the same way as the exporter reads the file.
    pub fn with(&self, new: &[NewTenant]) -> Result<String, EditError> {
        if new.is_empty() {
            return Ok(self.text().to_owned());
        }
        let entries: Vec<String> = new.iter().map(NewTenant::entry).collect();
        let text = self.text.with_entries(entries.iter().map(String::as_str));
        match listed_tenants(body(&text)) {
            Ok(all) if self.is_extended_by(new, &all) => Ok(text),
            _ => Err(EditError::NoBlockList),
        }
    }

    fn is_extended_by(&self, new: &[NewTenant], all: &[ListedTenant]) -> bool {
        let (before, added) = all.split_at(self.tenants.len().min(all.len()));
        let is_new = |(tenant, listed): (&NewTenant, &ListedTenant)| {
            tenant.alias == listed.alias
                && tenant.tenant_id == listed.tenant_id
                && tenant.display_name == listed.display_name
        };
        before == self.tenants && added.len() == new.len() && new.iter().zip(added).all(is_new)
    }
}

impl NewTenant {
    /// The entry in one line, without the line break.
    pub fn entry(&self) -> String {
        let mut entry = format!(
            "- {{name: {}, tenant_id: {}",
            plain_or_quoted(&self.alias),
            plain_or_quoted(&self.tenant_id)
        );
        if !self.display_name.is_empty() {
            let _ = write!(entry, ", display_name: {}", quoted(&self.display_name));
        }
        for (key, value) in &self.keys {
            let _ = write!(entry, ", {key}: {}", plain_or_quoted(value));
        }
        entry.push('}');
        if !self.comment.is_empty() {
            let _ = write!(entry, " # {}", self.comment.replace(is_special, ""));
        }
        entry
    }
}

#[cfg(test)]
mod tests;
