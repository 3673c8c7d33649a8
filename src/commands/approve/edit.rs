//! The edit of a file of decisions.

use super::alerts::Effect;
use crate::cli::Approve;
use crate::commands::edited_file::{EditedFile, FileName};
use crate::commands::{Failure, stdout};
use crate::config::{Additions, ConfigText, Environment, TenantRules};
use crate::credentials::DecryptedKeyCache;
use crate::decision_file::{DecisionError, DecisionFile, NewDecision};
use crate::diagnostics;
use crate::store::TenantState;
use crate::yaml_list::diff::changed_lines;
use anyhow::{Context as _, anyhow};
use secure_score_model::Timestamp;
use std::io::{self, IsTerminal as _, Write as _};
use std::path::PathBuf;

const FLAG: &str = "--file";

/// A decision to write.
pub(super) struct Edit<'a> {
    pub(super) decision: &'a NewDecision,
    pub(super) name: PathBuf,
    pub(super) options: &'a Approve,
    pub(super) source: &'a ConfigText,
    pub(super) environment: &'a Environment,
}

/// A difference that is printed and not written yet.
pub(super) struct PreparedEdit<'a> {
    edit: Edit<'a>,
    file: EditedFile<DecisionFile>,
    after: String,
    /// The rules of the tenant with the decision.
    rules: TenantRules,
}

impl<'a> Edit<'a> {
    /// Prints the difference; `None` where the decision is there already.
    pub(super) fn prepare(self) -> Result<Option<PreparedEdit<'a>>, Failure> {
        let name = FileName {
            path: self.name.clone(),
            flag: FLAG,
        };
        let file: EditedFile<DecisionFile> = EditedFile::open(name, !self.options.dry_run)?;
        let before = file.list();
        let after = before
            .with(self.decision)
            .map_err(|error| refused(&file, error))?;
        let shown = self.name.display().to_string();
        if after == before.text() {
            let NewDecision {
                tenant,
                subject,
                reference,
                expires,
                ..
            } = self.decision;
            stdout::line(format_args!(
                "{shown}: {reference} approves {subject} on {tenant} until {expires} already; nothing changes"
            ))?;
            return Ok(None);
        }
        let rules = self.rules()?;
        stdout::write(changed_lines(&shown, before.text(), &after).as_bytes())?;
        Ok(Some(PreparedEdit {
            edit: self,
            file,
            after,
            rules,
        }))
    }

    /// The rules of the tenant with the decision, unless the exporter could not load its
    /// configuration then.
    fn rules(&self) -> Result<TenantRules, Failure> {
        let entry = format!("{}\n", self.decision.entry());
        let additions = Additions {
            decisions: entry.as_bytes(),
            ..Additions::default()
        };
        let loaded =
            self.source
                .load_with(additions, self.environment, &DecryptedKeyCache::default())?;
        Ok(loaded.config.rules(&self.decision.tenant))
    }

    /// Says how to make the configuration read the file, where it does not.
    fn hint_at_unread(&self) {
        let loaded = self
            .source
            .load(self.environment, &DecryptedKeyCache::default());
        let is_read = |reference: &str| {
            loaded.as_ref().is_ok_and(|loaded| {
                let mut decisions = loaded.config.decisions.iter();
                decisions.any(|it| *it.reference == *reference)
            })
        };
        if loaded.is_ok() && !is_read(&self.decision.reference) {
            diagnostics::warning(format_args!(
                "the configuration does not read this file; add `decision_files: [{}]`, relative to the configuration",
                self.name.display()
            ));
        }
    }
}

impl PreparedEdit<'_> {
    /// Prints which alerts the decision ends.
    pub(super) fn print_alerts(
        &self,
        state: Option<&TenantState>,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let decision = self.edit.decision;
        let Some(state) = state.filter(|it| it.snapshot.catalogue_anomalies.is_some()) else {
            return stdout::line(format_args!(
                "{} cannot be read, so that it is not known which alerts this ends",
                decision.tenant
            ));
        };
        for line in Effect::of(decision, state, &self.rules, now).lines() {
            stdout::line(format_args!("{line}"))?;
        }
        Ok(())
    }

    /// Writes the file, unless the flags or the user refuse it.
    pub(super) fn finish(self) -> Result<(), Failure> {
        let shown = self.edit.name.display().to_string();
        if self.edit.options.dry_run {
            return stdout::line(format_args!("{shown}: not written (--dry-run)"));
        }
        if !self.edit.options.yes && !is_confirmed(&shown)? {
            stdout::line(format_args!("{shown}: not written"))?;
            return Err(Failure::Found);
        }
        self.file.replace(&self.after)?;
        stdout::line(format_args!(
            "{shown}: written; a running exporter uses it within seconds"
        ))?;
        self.edit.hint_at_unread();
        Ok(())
    }
}

fn refused(file: &EditedFile<DecisionFile>, error: DecisionError) -> Failure {
    match error {
        DecisionError::File(error) => file.refused(error),
        detail @ DecisionError::Detail { .. } => Failure::with_hint(
            anyhow::Error::new(detail).context(file.name().display().to_string()),
            "edit that entry by hand, or give the new decision a --reference of its own",
        ),
    }
}

/// The answer to a question on the terminal.
fn is_confirmed(file: &str) -> Result<bool, Failure> {
    let input = io::stdin();
    if !input.is_terminal() {
        return Err(Failure::with_hint(
            anyhow!("{file} is not written without an answer, and there is no terminal to ask on"),
            "add --yes to write it, or --dry-run to print only",
        ));
    }
    let question = format!("Write {file}? [y/N] ");
    stdout::write(question.as_bytes())?;
    io::stdout()
        .flush()
        .context("the question cannot be written")?;
    let mut answer = String::new();
    let read = input.read_line(&mut answer);
    read.context("the answer cannot be read")?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}
