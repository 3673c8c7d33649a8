//! The reference page of the configuration.

use super::file::SECTIONS;
use super::table::{Form, Key, Section};
use std::fmt;

const INTRODUCTION: &str = "\
# Configuration

Every key of the configuration, with its values and its default. Generated from the table of keys in `src/config/file.rs`; a test compares them.

The configuration is one YAML file: `--config.file`, or `secure-score.yml` in the working directory. \
Parsing is strict: an unknown key, a misspelt name or an invalid value is an error with line, column and key, and all errors are reported at once; but a value of the wrong kind, such as a text where a list belongs, is reported alone. \
Relative paths are relative to the file. `--config.check` checks the file and exits. \
Editors complete and explain keys with the [schema](config.schema.json), which the first line of [the example](../../examples/secure-score.yml) names.

In a pattern of control ids or of names of recommendations `*` matches any characters and `?` matches one character; case does not matter: `AdminMFAV2` also matches Entra's `adminMFAV2`.
";

const ENVIRONMENT: &str = "
## Without a file

Environment variables alone can describe one tenant. Each sets a key of the tables above, with that key's values and default.

- `SECURE_SCORE_TENANT_NAME` defaults to the first label of the domain, or to `default` for a GUID. Simulated tenants need a file.
- `SECURE_SCORE_CREDENTIAL_TYPE` defaults to the type that the `AZURE_*` variables imply: `client_secret` if a secret or only `AZURE_CLIENT_ID` is set, `client_certificate` for a certificate, and `workload_identity` for a federated token, as the webhook of Azure Workload Identity sets it.
- `AZURE_CLIENT_SECRET` and `AZURE_CLIENT_CERTIFICATE_PASSWORD` contain the secret itself; a file is safer.
- Members of a list are separated by commas, as are the pairs of `SECURE_SCORE_CATEGORY_OVERRIDES`: `CONTROL=Category,CONTROL=Category`.

| variable | key | meaning |
|---|---|---|
";

/// `docs/reference/configuration.md`.
pub fn reference() -> String {
    let sections = SECTIONS.iter().map(ToString::to_string);
    let variables = SECTIONS.iter().map(Section::variables);
    let parts = sections.chain([ENVIRONMENT.to_owned()]).chain(variables);
    parts.fold(INTRODUCTION.to_owned(), |page, part| page + &part)
}

impl Section {
    /// The rows of its environment variables.
    fn variables(&self) -> String {
        let keys = self.keys.iter().flat_map(|key| {
            let variables = key.variables.iter().enumerate();
            variables.map(move |(index, variable)| (key, variable, index))
        });
        let rows = keys.map(|(key, variable, index)| {
            let (path, name, meaning) = (self.path, key.name, key.meaning);
            let note = match key.variables.first() {
                Some(preferred) if index > 0 => format!("; only read if `{preferred}` is not set"),
                _ => String::new(),
            };
            format!("| `{variable}` | `{path}.{name}` | {meaning}{note} |\n")
        });
        rows.collect()
    }
}

impl fmt::Display for Section {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path {
            "" => f.write_str("\n## The file\n")?,
            path => writeln!(f, "\n## `{path}`")?,
        }
        let about = self.about;
        write!(
            f,
            "\n{about}\n\n| key | value | default | meaning |\n|---|---|---|---|\n"
        )?;
        self.keys.iter().try_for_each(|key| key.fmt(f))
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            name,
            form,
            default,
            meaning,
            ..
        } = self;
        writeln!(f, "| `{name}` | {form} | {default} | {meaning} |")
    }
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(description) | Self::Day(description) | Self::TextOr(_, description) => {
                f.write_str(description)
            }
            Self::OneOf(words) => {
                let words: Vec<_> = words.iter().map(|word| format!("`{word}`")).collect();
                let words: Vec<_> = words.iter().map(String::as_str).collect();
                f.write_str(&strict_yaml::suggest::one_of(&words))
            }
            Self::Integer(range) => write!(f, "{} to {}", range.start(), range.end()),
            Self::Duration(shortest, longest) => write!(f, "{shortest} to {longest}"),
            Self::Ratio => f.write_str("`80%` or `0.8`"),
            Self::ListOf(items) => write!(f, "list of {items}"),
            Self::MappingOf(keys, values) => write!(f, "mapping of {keys} to {values}"),
            Self::Section(_) | Self::NamedSections(_) => f.write_str("mapping"),
            Self::SectionOrList(_) => f.write_str("mapping, or list of mappings"),
            Self::SectionList(_) => f.write_str("list"),
            Self::Refused => f.write_str("–"),
        }
    }
}
