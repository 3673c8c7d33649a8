//! The reference page of the configuration, checked against the keys there are.

use super::file::{
    File, FileControls, FileCredential, FileDefaults, FileEvents, FileException, FileGraph,
    FileLabels, FilePrivacy, FileRefresh, FileRiskAccepted, FileSimulator, FileTenant, FileWebhook,
};
use super::variable::VARIABLES;
use std::fmt::Write as _;

/// A section as the reference tells it.
pub(super) struct Section {
    /// How its keys are reached, such as `tenants[]`; empty at the top.
    pub(super) path: &'static str,
    pub(super) about: &'static str,
    pub(super) keys: &'static [Key],
    /// The keys there are, in the order in which they are told.
    known: &'static [&'static str],
}

/// A key: its name, what may be written, what holds without it, its meaning.
pub(super) type Key = (&'static str, &'static str, &'static str, &'static str);

#[rustfmt::skip]
pub(super) const SECTIONS: &[Section] = &[
    Section { path: "", known: File::KEYS, about: "The sections, in any order.", keys: &[
        ("tenants", "list", "required", "whom to watch"),
        ("tenant_files", "list of patterns, such as `tenants.d/*.yml`", "none", "files of tenants, each a list as under `tenants`; paths in them are relative to them"),
        ("credentials", "mapping", "none", "named credentials, to be shared by tenants"),
        ("defaults", "mapping", "none", "what holds for each tenant that says nothing else"),
        ("refresh", "mapping", "see there", "how often and how patiently Graph is asked"),
        ("controls", "mapping", "all controls", "which controls get series of their own"),
        ("risk_accepted", "mapping", "see there", "which acceptances matter, and which are approved"),
        ("labels", "mapping", "nobody", "who and why in labels"),
        ("privacy", "mapping", "full", "who and why in the log, the API and on the pages"),
        ("events", "mapping", "the log only", "to whom events are sent"),
        ("graph", "mapping", "none", "the way to Microsoft Graph"),
        ("simulator", "mapping", "none", "where the tenants of `cloud: simulator` live"),
    ]},
    Section { path: "tenants[]", known: FileTenant::KEYS, about: "One tenant each. Two entries for one Entra tenant are refused.", keys: &[
        ("name", "a letter or digit, then those, `.`, `_` or `-`; at most 64", "required", "the alias: the value of the label `tenant`"),
        ("tenant_id", "GUID or domain", "required", "which tenant, as in the Entra overview"),
        ("display_name", "text of one line", "the alias", "its name for people"),
        ("cloud", "`global`, `gcc-high`, `dod` or `simulator`", "`defaults.cloud`", "the national cloud it lives in"),
        ("credential", "a name, or a credential in place", "`defaults.credential`", "how to get in"),
        ("target", "`80%` or `0.8`", "`defaults.target`", "the share of the maximum score to reach"),
        ("labels", "mapping of label names to texts", "none", "labels of its target in `/sd/tenants`, for routing; not on the series of `/metrics`"),
    ]},
    Section { path: "credentials.NAME", known: FileCredential::KEYS, about: "A way to a token. Secrets come from a file or a variable, never from this file.", keys: &[
        ("type", "`client_secret`, `client_certificate`, `workload_identity`, `managed_identity` or `azure_cli`", "required", "an application with a secret, with a certificate, or with a federated credential; the identity of an Azure machine; or the account of `az login`. See [permissions](../permissions.md)"),
        ("client_id", "GUID", "required for `client_secret` and `client_certificate`; for `workload_identity` AZURE_CLIENT_ID; for `managed_identity` the system-assigned identity", "the application (client) id, or the client id of a user-assigned identity"),
        ("client_secret_file", "path, relative to this file", "one of the two for `client_secret`", "the file with the secret"),
        ("client_secret_env", "name of a variable", "one of the two for `client_secret`", "the variable with the secret"),
        ("client_secret", "–", "refused", "a secret does not belong in this file; the key is known only to say so"),
        ("certificate_file", "path", "required for `client_certificate`", "the certificate with its private key: PEM or PKCS#12. It is read again when it changes; its end becomes a metric and a finding of `check`"),
        ("key_file", "path", "in `certificate_file`", "the private key, PEM, where it has a file of its own"),
        ("password_file", "path", "no password", "the file with the password of a PKCS#12 file or an encrypted key"),
        ("password_env", "name of a variable", "no password", "the variable with that password"),
        ("token_file", "path", "AZURE_FEDERATED_TOKEN_FILE", "for `workload_identity`: the file with the federated token, read again for each request"),
        ("managed_identity", "a client id", "none", "for `workload_identity`: the federated token is that of this user-assigned managed identity, which the application trusts; so one identity reaches many tenants without a secret"),
        ("expires", "a day, `2027-03-31`", "unknown", "when a client secret ends, as the app registration shows it; becomes a metric and a finding of `check`"),
    ]},
    Section { path: "defaults", known: FileDefaults::KEYS, about: "For tenants that say nothing else.", keys: &[
        ("credential", "a name, or a credential in place", "none", "how to get in"),
        ("cloud", "as for a tenant", "`global`", "the national cloud"),
        ("target", "`80%` or `0.8`", "none", "the share of the maximum score to reach"),
    ]},
    Section { path: "refresh", known: FileRefresh::KEYS, about: "Durations are written `90s`, `15m`, `1h30m`, `1d`.", keys: &[
        ("mode", "`background` or `scrape`", "`background`", "with `scrape` a list that is older than its interval is refreshed when somebody scrapes it, who waits for it; see [scaling](../scaling.md)"),
        ("profiles", "`10s` to `1d`", "`15m`", "between two refreshes of the catalogue, which holds the states"),
        ("scores", "`10s` to `1d`", "`1h`", "between two refreshes of the report, which Microsoft computes once a day"),
        ("max_staleness", "three intervals to `30d`", "`24h`", "the age at which a tenant's data series end"),
        ("timeout", "`1s` to `5m`", "`30s`", "for one request to Graph"),
        ("concurrency", "1 to 256", "8", "requests in flight over all tenants"),
    ]},
    Section { path: "controls", known: FileControls::KEYS, about: "A choice of series per control. Sums, the register and the pages count every control.", keys: &[
        ("categories", "list of `Identity`, `Data`, `Device`, `Apps`, `Infrastructure`, `Unknown`", "all", "only controls of these"),
        ("include", "list of ids or patterns", "all", "only controls that fit one of these"),
        ("exclude", "list of ids or patterns", "none", "no control that fits one of these; wins over `include`"),
        ("category_overrides", "mapping of id to category", "none", "pins a control, whatever Microsoft says"),
    ]},
    Section { path: "risk_accepted", known: FileRiskAccepted::KEYS, about: "See [accepted risks](../acceptances.md).", keys: &[
        ("lookback", "1 to 100", "3", "how many of the last states are looked at"),
        ("watch", "list of ids or patterns", "`UserRiskPolicy`, `SigninRiskPolicy`, `AdminMFAV2`, `MFARegistrationV2`, `BlockLegacyAuthentication`", "the controls whose risk nobody may accept in silence"),
        ("exceptions", "list", "none", "acceptances somebody approved"),
    ]},
    Section { path: "risk_accepted.exceptions[]", known: FileException::KEYS, about: "One approval each.", keys: &[
        ("control", "id or pattern", "required", "whose risk may be accepted"),
        ("tenants", "a name, a list of names, or `all`", "`all`", "where"),
        ("reference", "one line, at most 128 bytes", "required", "where the decision is recorded; becomes a label"),
        ("approver", "one line, at most 128 bytes", "none", "who approved it"),
        ("reason", "one line, at most 128 bytes", "none", "why"),
        ("approved_on", "a day, UTC", "none", "binds it to the acceptance that stood on that day, else to the first after it"),
        ("accepted_by", "a person as Graph writes them; case does not matter", "anybody", "covers this person's acceptances only"),
        ("expires", "a day, UTC", "required", "its last day"),
    ]},
    Section { path: "labels", known: FileLabels::KEYS, about: "Whoever reads `/metrics` or Prometheus reads all labels.", keys: &[
        ("accepted_by", "`off`, `hash` or `plain`", "`off`", "the person who accepted, in `secure_score_control_acceptance_info`"),
        ("comment", "`off` or `plain`", "`off`", "the comment, in the same"),
        ("salt_file", "path", "required where something is hashed", "at least 16 bytes for HMAC-SHA-256; the same salt gives the same pseudonyms"),
    ]},
    Section { path: "privacy", known: FilePrivacy::KEYS, about: "Everywhere but in labels.", keys: &[
        ("events", "`full`, `hash` or `off`", "`full`", "who and why; with `hash` pseudonyms and no comments"),
    ]},
    Section { path: "events", known: FileEvents::KEYS, about: "See [events](../events.md). The log has every event anyway.", keys: &[
        ("webhook", "mapping", "none", "a receiver of events as JSON"),
    ]},
    Section { path: "events.webhook", known: FileWebhook::KEYS, about: "Its URL is a secret, since whoever knows it can post there.", keys: &[
        ("url_file", "path", "one of the two", "the file with the URL: `https`, or `http` on a loopback address"),
        ("url", "URL without user and query", "one of the two", "the URL, where it is no secret"),
        ("authorization_file", "path", "none", "a bearer token, or a whole `Authorization` header"),
        ("timeout", "`1s` to `1m`", "`10s`", "for one attempt"),
    ]},
    Section { path: "graph", known: FileGraph::KEYS, about: "For networks that look into TLS.", keys: &[
        ("ca_file", "path of PEM certificates", "none", "certificate authorities beside the system's"),
    ]},
    Section { path: "simulator", known: FileSimulator::KEYS, about: "`secure-score-exporter simulate --config-dir DIR` writes it.", keys: &[
        ("url", "`https://` URL of a loopback address", "required with simulated tenants", "where the embedded Graph listens"),
        ("ca_file", "path of PEM certificates", "required with simulated tenants", "its certificate authority"),
    ]},
];

/// `docs/reference/configuration.md`.
pub fn reference() -> String {
    let mut page = String::from(
        "# Configuration\n\n\
         Generated; a test keeps it true to the keys the exporter knows.\n\n\
         One YAML file, named by `--config.file`, else `secure-score.yml` in the working directory. \
         It is strict: an unknown key, a misspelt name or a value that cannot be meant is a fault with line and column, and all faults are reported at once. \
         Relative paths are relative to the file. `--config.check` checks it and exits. \
         Editors complete and explain it by its [schema](config.schema.json), which [the example](../../examples/secure-score.yml) names in its first line.\n\n\
         In a pattern of control ids `*` is any run of characters and `?` any one; case does not matter.\n",
    );
    for section in SECTIONS {
        page += &section.markdown();
    }
    page += "\n## Without a file\n\nOne tenant can be described by the environment alone.\n\n| variable | meaning |\n|---|---|\n";
    for variable in VARIABLES {
        // Writing to a string cannot fail.
        let _written = writeln!(page, "| `{}` | {} |", variable.name, variable.meaning);
    }
    page
}

impl Section {
    fn markdown(&self) -> String {
        let heading = match self.path {
            "" => "The file".to_owned(),
            path => format!("`{path}`"),
        };
        let described = |known: &&str| self.keys.iter().find(|(key, ..)| key == known);
        let keys = self.known.iter().filter_map(described);
        let rows = keys.map(|(key, value, without, meaning)| {
            format!("| `{key}` | {value} | {without} | {meaning} |\n")
        });
        format!(
            "\n## {heading}\n\n{}\n\n| key | value | without it | meaning |\n|---|---|---|---|\n{}",
            self.about,
            rows.collect::<String>()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_tells_each_key_there_is_and_no_other() {
        for section in SECTIONS {
            let mut told: Vec<_> = section.keys.iter().map(|(key, ..)| *key).collect();
            let mut known = section.known.to_vec();
            told.sort_unstable();
            known.sort_unstable();
            assert_eq!(told, known, "{}", section.path);
        }
    }
}
