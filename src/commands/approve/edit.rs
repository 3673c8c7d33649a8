//! The edit of a file of decisions.

use super::alerts::Effect;
use super::subject;
use crate::cli::Approve;
use crate::commands::config_source::EditableConfig;
use crate::commands::edited_file::{EditedFile, FileName};
use crate::commands::{Failure, stdout};
use crate::config::{Loaded, ProposedFile, ProposedList, TenantRules};
use crate::decision_file::{DecisionError, DecisionFile, NewDecision};
use crate::diagnostics;
use crate::store::TenantState;
use crate::yaml_list::diff::changed_lines;
use anyhow::{Context as _, anyhow};
use secure_score_model::{Decision, DecisionSource, Timestamp};
use std::io::{self, IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::sync::Arc;
use strict_yaml::{ConfigError, ConfigErrors};

const FLAG: &str = "--file";

/// A decision to write.
pub(super) struct Edit<'a> {
    pub(super) decision: &'a NewDecision,
    pub(super) name: PathBuf,
    pub(super) options: &'a Approve,
    pub(super) config: &'a EditableConfig<'a>,
}

/// An edit with which the exporter could load its configuration.
pub(super) struct PreparedEdit<'a> {
    edit: Edit<'a>,
    file: EditedFile<DecisionFile>,
    after: String,
    /// The decision as the exporter will read it.
    decision: Arc<Decision>,
    /// Whether the configuration reads the file.
    is_read: bool,
    /// The rules of the tenant with the decision.
    rules: TenantRules,
}

impl<'a> Edit<'a> {
    /// Prepares the edit; `None` where the decision is there already.
    pub(super) fn prepare(self) -> Result<Option<PreparedEdit<'a>>, Failure> {
        let name = FileName {
            path: self.name.clone(),
            flag: FLAG,
        };
        let file: EditedFile<DecisionFile> = EditedFile::open(name, !self.options.dry_run)?;
        let edited = file.list().with(self.decision);
        let edited = edited.map_err(|error| refused(&file, error))?;
        let loaded = self.loaded(&edited.text, edited.index)?;
        if edited.text == file.list().text() {
            let NewDecision {
                tenant,
                subject,
                reference,
                expires,
                ..
            } = self.decision;
            stdout::line(format_args!(
                "{}: {reference} approves {subject} on {tenant} until {expires} already; nothing changes",
                self.name.display()
            ))?;
            return Ok(None);
        }
        let Loaded {
            config, proposed, ..
        } = loaded;
        let is_read = proposed.as_ref().is_some_and(|it| it.is_named);
        let place = proposed.map(|it| DecisionSource::File(it.place.into()).at(edited.index));
        let mut decisions = config.decisions.iter();
        let decision = decisions.find(|it| Some(&it.place) == place.as_ref());
        let decision = decision.context("the decision is not in the edited file")?;
        Ok(Some(PreparedEdit {
            decision: Arc::clone(decision),
            is_read,
            rules: config.rules(&self.decision.tenant),
            edit: self,
            file,
            after: edited.text,
        }))
    }

    /// The configuration with this text of the file. Prints what it warns of, and how to
    /// make it read the file.
    fn loaded(&self, text: &str, index: usize) -> Result<Loaded, Failure> {
        let file = ProposedFile {
            list: ProposedList::Decisions,
            path: &self.name,
            text,
        };
        let entry = Entry {
            file,
            path: format!("[{index}]"),
        };
        let loaded = self.config.with(file);
        let loaded = loaded.map_err(|errors| entry.refused(errors))?;
        for warning in &loaded.warnings {
            match entry.option_of(warning.as_error()) {
                Some(option) => {
                    diagnostics::warning(format_args!("{option}: {}", warning.as_error().message))
                }
                None => diagnostics::warning(format_args!("{warning}")),
            }
        }
        if loaded.proposed.as_ref().is_some_and(|it| !it.is_named) {
            self.config.warn_of_unread(file);
        }
        Ok(loaded)
    }
}

/// An entry of the edited file, in errors and warnings.
struct Entry<'a> {
    file: ProposedFile<'a>,
    /// `[3]`.
    path: String,
}

impl Entry<'_> {
    /// The failure that names the options, where all errors are of the entry; otherwise
    /// the errors as they are.
    fn refused(&self, errors: ConfigErrors) -> Failure {
        let problems = errors.iter().map(|error| {
            let option = self.option_of(error)?;
            Some(format!("{option}: {}", error.message))
        });
        match problems.collect::<Option<Vec<String>>>() {
            Some(problems) => Failure::Usage {
                error: anyhow!(problems.join("; ")),
                hint: None,
            },
            None => Failure::Config(errors),
        }
    }

    /// The option from which a key of the entry comes; `None` for another place.
    fn option_of(&self, error: &ConfigError) -> Option<String> {
        let key = error.path().strip_prefix(&self.path)?.strip_prefix('.')?;
        let option = match key {
            "control" | "recommendation" => "CONTROL".to_owned(),
            "tenants" => "TENANT".to_owned(),
            key => format!("--{}", key.replace('_', "-")),
        };
        self.file.is_source(error.source()).then_some(option)
    }
}

impl PreparedEdit<'_> {
    /// Prints the difference and which alerts the decision ends, unless the tenant has
    /// nothing that it names.
    pub(super) fn print(&self, state: Option<&TenantState>, now: Timestamp) -> Result<(), Failure> {
        let Edit {
            decision: new,
            name,
            options,
            ..
        } = &self.edit;
        subject::check(new, state, options.allow_unknown)?;
        let before = self.file.list().text();
        let diff = changed_lines(&name.display().to_string(), before, &self.after);
        stdout::write(diff.as_bytes())?;
        if self.decision.is_expired(now) {
            diagnostics::warning(format_args!(
                "--expires {}: that day is over, so the decision approves nothing",
                new.expires
            ));
        }
        let is_known = |state: &&TenantState| subject::known(new, state).is_some();
        let tenant = &new.tenant;
        let Some(state) = state.filter(is_known) else {
            return stdout::line(format_args!(
                "it is not known what is declared on {tenant}, and which alerts this ends"
            ));
        };
        let effect = Effect::of(&self.decision, tenant, state, &self.rules, now);
        for line in effect.lines() {
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
        let is_new = self.file.list().text().is_empty();
        self.file.replace(&self.after)?;
        stdout::line(format_args!(
            "{shown}: written; {}",
            match (self.is_read, is_new) {
                (true, false) => "a running exporter uses it within seconds",
                (true, true) =>
                    "a running exporter uses it within seconds, if it has loaded `decision_files` (after an edit of the key: reload it with SIGHUP)",
                (false, _) => "the configuration does not read it, so it approves nothing yet",
            }
        ))
    }
}

fn refused(file: &EditedFile<DecisionFile>, error: DecisionError) -> Failure {
    let hint = match &error {
        DecisionError::File(error) => return file.refused(error.clone()),
        DecisionError::Detail { .. } => {
            "edit that entry by hand, or give the new decision a --reference of its own"
        }
        DecisionError::Several { .. } => {
            "keep one of them, or give the new decision a --reference of its own"
        }
        DecisionError::OtherDeclarations { .. } => {
            "give the same --accepted-by and --approved-on to change that entry, edit it by hand, or give the new decision a --reference of its own"
        }
    };
    let name = file.name().display().to_string();
    Failure::with_hint(anyhow::Error::new(error).context(name), hint)
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
