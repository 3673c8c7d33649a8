//! The edit of the file that `--write` names.

use super::coverage::{Row, State};
use crate::cli::{Discover, DiscoverOutput};
use crate::commands::config_source::EditableConfig;
use crate::commands::edited_file::EditedFile;
use crate::commands::{Failure, stdout};
use crate::config::{DisplayNames, Partner, ProposedFile, ProposedList, Tenant};
use crate::diagnostics;
use crate::partners::tenant_file::{NewTenant, TenantFile};
use crate::text::single_line;
use crate::yaml_list::diff::changed_lines;
use anyhow::anyhow;

/// The edit of the file.
pub(super) struct Edit<'a> {
    pub(super) file: &'a EditedFile<TenantFile>,
    pub(super) rows: &'a [Row],
    pub(super) partners: &'a [&'a Partner],
    /// The aliases of tenants in the configuration and the file that are named by a
    /// domain whose GUID is not known.
    pub(super) unresolved: &'a [String],
    pub(super) options: &'a Discover,
    pub(super) config: &'a EditableConfig<'a>,
}

impl Edit<'_> {
    /// Prints the difference, and with it what the command leaves to the user; writes
    /// the file unless `--check` is given.
    pub(super) fn run(&self) -> Result<(), Failure> {
        let name = self.file.name().display().to_string();
        for row in self.rows {
            // A domain may be that of a customer.
            let is_left = row.state == State::NotInList
                && row.is_listed
                && !row.entra_tenant_id.contains('.');
            if let Some(alias) = row.alias.as_deref().filter(|_| is_left) {
                diagnostics::warning(format_args!(
                    "{name}: {alias} is in no partner's list; remove its line once it need not be watched"
                ));
            }
        }
        let new = self.new_tenants();
        if new.is_empty() {
            return self.print(&format!("{name}: no customer to add\n"));
        }
        self.check_resolved()?;
        let before = self.file.list();
        let after = before
            .with(&new)
            .map_err(|error| self.file.refused(error))?;
        let is_read = self.check_configuration(&after)?;
        self.print(&changed_lines(&name, before.text(), &after))?;
        let count = stdout::tenants(new.len());
        if self.options.check {
            return self.print(&format!("{name}: {count} to add; not written\n"));
        }
        self.file.replace(&after)?;
        self.print(&format!("{name}: {count} added\n"))?;
        if !is_read {
            self.config.warn_of_unread(self.proposed(&after));
        }
        Ok(())
    }

    fn proposed<'t>(&'t self, text: &'t str) -> ProposedFile<'t> {
        ProposedFile {
            list: ProposedList::Tenants,
            path: self.file.name(),
            text,
        }
    }

    /// Refuses entries with which the exporter could not load its configuration, or
    /// would request other tokens than this command did. Returns whether the
    /// configuration reads the file.
    fn check_configuration(&self, after: &str) -> Result<bool, Failure> {
        let loaded = self.config.with(self.proposed(after))?;
        let is_read = loaded.proposed.is_some_and(|it| it.is_named);
        let tenants = loaded.config.tenants;
        let differs = |tenant: &&Tenant| {
            let resolved = tenants.iter().find(|it| it.alias == tenant.alias);
            resolved
                .is_none_or(|it| (it.cloud, &it.credential) != (tenant.cloud, &tenant.credential))
        };
        let added = self.rows.iter().filter(|row| is_new(row));
        let mut added = added.filter_map(|row| Some((row, row.tenant.as_ref()?)));
        match added.find(|(_, tenant)| differs(tenant)) {
            None => Ok(is_read),
            Some((row, _)) => Err(Failure::with_hint(
                anyhow!(
                    "nothing is written: an entry of a file cannot name the credential of partner {}, which is described in partner.defaults itself",
                    row.partner
                ),
                "describe it under `credentials` with a name, and give that name as partner.defaults.credential",
            )),
        }
    }

    /// The customers that are neither configured nor in the file, by alias.
    fn new_tenants(&self) -> Vec<NewTenant> {
        let rows = self.rows.iter();
        let rows = rows.filter(|row| is_new(row));
        let new = rows.filter_map(|row| {
            let tenant = row.tenant.as_ref()?;
            let partner = self.partners.iter().find(|it| it.name == row.partner)?;
            let name = single_line(&row.display_name).into_owned();
            // Labels have the display name of a tenant.
            let (display_name, comment) = match partner.display_names {
                DisplayNames::Plain => (name, String::new()),
                DisplayNames::Off => (String::new(), name),
            };
            Some(NewTenant {
                alias: tenant.alias.clone(),
                tenant_id: row.entra_tenant_id.clone(),
                display_name,
                keys: partner.defaults.entry_keys.clone(),
                comment,
            })
        });
        let mut new: Vec<NewTenant> = new.collect();
        new.sort_by(|a, b| a.alias.cmp(&b.alias));
        new
    }

    /// Refuses to add customers of which one may be configured already.
    fn check_resolved(&self) -> Result<(), Failure> {
        if self.unresolved.is_empty() {
            return Ok(());
        }
        Err(Failure::with_hint(
            anyhow!(
                "nothing is written: {} named by a domain, and without a token its tenant id is unknown, so that a customer could be added twice",
                self.unresolved.join(", ")
            ),
            "set tenant_id to the GUID of each",
        ))
    }

    /// Beside a table on standard output; beside JSON on standard error.
    fn print(&self, text: &str) -> Result<(), Failure> {
        match self.options.output {
            DiscoverOutput::Table => stdout::write(text.as_bytes()),
            DiscoverOutput::Json => {
                diagnostics::note(text.trim_end());
                Ok(())
            }
        }
    }
}

/// Whether the row is a customer that is neither configured nor in the file.
fn is_new(row: &Row) -> bool {
    row.state == State::Unwatched && !row.is_listed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::ConfigFlags;
    use crate::commands::discover::consent::Consent;
    use crate::commands::edited_file::FileName;
    use crate::config::Environment;
    use std::fs;

    const ID: &str = "33333333-3333-3333-3333-333333333333";
    const CONFIG: &str = "\
credentials:
  msp: {type: azure_cli}
defaults: {credential: msp}
partner: {name: msp, tenant_id: msp.example, credential: msp}
tenant_files: [customers.yml]
";

    #[test]
    fn an_entry_that_another_run_added_meanwhile_is_a_changed_file() {
        let folder = tempfile::tempdir().unwrap();
        let (path, file) = ("secure-score.yml", "customers.yml");
        let (path, file) = (folder.path().join(path), folder.path().join(file));
        fs::write(&path, CONFIG).unwrap();
        fs::write(&file, "# none yet\n").unwrap();
        let flags = ConfigFlags {
            file: Some(path),
            check: false,
            auto_reload: false,
        };
        let environment = Environment::default();
        let config = EditableConfig::load(&flags, &environment).unwrap();
        let partner = &config.config.partners[0];
        let row = Row {
            state: State::Unwatched,
            partner: "msp".to_owned(),
            entra_tenant_id: ID.to_owned(),
            display_name: "Fabrikam".to_owned(),
            alias: Some("fabrikam".to_owned()),
            is_listed: false,
            tenant: Some(partner.tenant("fabrikam".to_owned(), ID, "Fabrikam")),
            relationship: None,
            consent: Consent::NotRequested,
            consent_url: None,
        };
        let name = FileName {
            path: file.clone(),
            flag: "--write",
        };
        let edited = EditedFile::open(name, true).unwrap();
        let options = Discover {
            partners: Vec::new(),
            output: DiscoverOutput::Json,
            write: Some(file.clone()),
            check: false,
        };
        let edit = Edit {
            file: &edited,
            rows: &[row],
            partners: &[partner],
            unresolved: &[],
            options: &options,
            config: &config,
        };
        let of_another_run = format!("# none yet\n- {{name: fabrikam, tenant_id: {ID}}}\n");
        fs::write(&file, &of_another_run).unwrap();
        match edit.run() {
            Err(Failure::Other { error, .. }) => {
                assert!(error.to_string().contains("has changed since"), "{error}");
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(fs::read_to_string(&file).unwrap(), of_another_run);
    }
}
