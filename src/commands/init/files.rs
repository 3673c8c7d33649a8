//! The files that `init` writes.

use super::answers::{Answers, Mail, Subject};
use crate::commands::Failure;
use crate::commands::atomic_file::{PRIVATE, READABLE};
use crate::commands::shipped_files;
use crate::config::{Cloud, DEFAULT_FILE};
use anyhow::Context as _;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

pub(super) const CONFIG: &str = DEFAULT_FILE;
pub(super) const ALERTMANAGER: &str = "alertmanager.yml";
pub(super) const CUSTOMERS: &str = "customers.yml";
const DECISIONS: &str = "decisions.yml";
const PROMETHEUS: &str = "prometheus.yml";
const RULES: &str = "secure-score.rules.yml";
const TEMPLATES: &str = "templates/secure-score.tmpl";
const TENANT_SECRET: &str = "watcher.secret";
const CUSTOMERS_SECRET: &str = "customers.secret";
const PARTNER_SECRET: &str = "partner.secret";

/// Every name that a run may write.
const NAMES: [&str; 10] = [
    CONFIG,
    TENANT_SECRET,
    CUSTOMERS_SECRET,
    PARTNER_SECRET,
    CUSTOMERS,
    DECISIONS,
    PROMETHEUS,
    RULES,
    ALERTMANAGER,
    TEMPLATES,
];

/// A page about each control and recommendation, as in alerts/alertmanager.yml.
const ROUTES: &str = r#"  routes:
    # A message per control or recommendation: a group that fires already is
    # sent every `group_interval`, and an acceptance withdrawn before would be
    # missed.
    - matchers: ['severity = "critical"', 'alertname = "SecureScoreRiskAccepted"']
      group_by: [alertname, tenant, control]
    - matchers: ['severity = "critical"', 'alertname = "SecureScoreRecommendationSetAside"']
      group_by: [alertname, tenant, recommendation]
"#;

const MAIL_TEXTS: &str = r#"        headers: {Subject: '{{ template "secure_score.title" . }}'}
        html: '{{ template "secure_score.html" . }}'
        text: '{{ template "secure_score.text" . }}'
"#;

/// The file of decisions before the first one.
const NO_DECISIONS: &str = "\
# Decisions about declared states; none yet. `secure-score-exporter approve` adds them
# here, and a running exporter follows this file without a reload. An entry by hand:
# - control: UserRiskPolicy
#   tenants: [NAME]
#   reference: SEC-1234
#   approver: risk committee
#   expires: 2027-03-31
";

/// The reference of the configuration where the Debian package installs it.
const PACKAGED_REFERENCE: &str = "/usr/share/doc/secure-score-exporter/configuration.md";

const HEADING: &str = "# Written by `secure-score-exporter init`.";

/// A file to write.
pub(super) struct NewFile {
    pub(super) name: &'static str,
    /// What it is, for the list that is printed.
    pub(super) purpose: &'static str,
    text: String,
    mode: u32,
}

impl NewFile {
    /// Whether it takes a secret.
    pub(super) const fn is_secret(&self) -> bool {
        self.mode == PRIVATE
    }

    fn readable(name: &'static str, purpose: &'static str, text: String) -> Self {
        Self {
            name,
            purpose,
            text,
            mode: READABLE,
        }
    }

    fn secret(name: &'static str, purpose: &'static str) -> Self {
        Self {
            name,
            purpose,
            text: String::new(),
            mode: PRIVATE,
        }
    }
}

/// The files, in the order in which they are printed.
pub(super) fn all(answers: &Answers) -> Vec<NewFile> {
    let mut files = vec![NewFile::readable(
        CONFIG,
        "the configuration",
        config(answers),
    )];
    match answers.subject {
        Subject::Tenant => {
            files.push(NewFile::secret(TENANT_SECRET, "empty: the client secret"));
        }
        Subject::Partner { .. } => files.extend([
            NewFile::secret(
                CUSTOMERS_SECRET,
                "empty: the client secret of the application that customers consent to",
            ),
            NewFile::secret(
                PARTNER_SECRET,
                "empty: the client secret of the application in your own tenant",
            ),
            NewFile::readable(
                CUSTOMERS,
                "the customers; none yet",
                "# The watched customers; `secure-score-exporter discover --write` adds them.\n"
                    .to_owned(),
            ),
        ]),
    }
    files.extend([
        NewFile::readable(
            DECISIONS,
            "decisions about accepted risks; none yet",
            NO_DECISIONS.to_owned(),
        ),
        NewFile::readable(
            PROMETHEUS,
            "for Prometheus: the scrape job",
            prometheus(answers),
        ),
        NewFile::readable(
            RULES,
            "for Prometheus: the alerts",
            shipped_files::RULES.to_owned(),
        ),
        NewFile::readable(ALERTMANAGER, "for Alertmanager", alertmanager(answers)),
        NewFile::readable(
            TEMPLATES,
            "for Alertmanager, beside it: the texts of messages",
            shipped_files::TEMPLATES.to_owned(),
        ),
    ]);
    files
}

/// Fails if one of the files exists.
pub(super) fn refuse_existing(directory: &Path) -> Result<(), Failure> {
    let exists = |name: &&str| fs::symlink_metadata(directory.join(name)).is_ok();
    let existing: Vec<_> = NAMES.into_iter().filter(exists).collect();
    if existing.is_empty() {
        return Ok(());
    }
    let error = anyhow::anyhow!(
        "{} already has {}; nothing was written",
        directory.display(),
        existing.join(", ")
    );
    let hint = "init overwrites no file: name another directory, or move these away";
    Err(Failure::with_hint(error, hint))
}

/// Writes all files or none.
pub(super) fn write(directory: &Path, files: &[NewFile]) -> Result<(), Failure> {
    fs::create_dir_all(directory)
        .with_context(|| format!("the directory {} cannot be created", directory.display()))?;
    for (index, file) in files.iter().enumerate() {
        let path = directory.join(file.name);
        if let Err(error) = create_with_parent(&path, file) {
            let own = files.iter().take(index);
            // A file that cannot be removed either is no worse than the error.
            own.for_each(|file| drop(fs::remove_file(directory.join(file.name))));
            let error = anyhow::Error::new(error);
            let error = error.context(format!("{} cannot be written", path.display()));
            return Err(error.into());
        }
    }
    Ok(())
}

/// Creates a file, and the directory that it is in.
fn create_with_parent(path: &Path, file: &NewFile) -> io::Result<()> {
    path.parent().map_or(Ok(()), fs::create_dir_all)?;
    create(path, file)
}

/// Creates a file that does not exist.
fn create(path: &Path, file: &NewFile) -> io::Result<()> {
    let mut options = OpenOptions::new();
    let mut out = options
        .write(true)
        .create_new(true)
        .mode(file.mode)
        .open(path)?;
    let written = out.write_all(file.text.as_bytes());
    if written.is_err() {
        let _the_first_error_counts = fs::remove_file(path);
    }
    written
}

fn config(answers: &Answers) -> String {
    let credential = |name: &str, client_id: &str, file: &str| {
        format!(
            "  {name}:\n    type: client_secret\n    client_id: {client_id}\n    \
             client_secret_file: {file}\n    \
             # The day on which the secret expires; an alert fires before it.\n    \
             # expires: 2027-03-31\n"
        )
    };
    let cloud = match answers.cloud {
        Cloud::Global => String::new(),
        cloud => format!("  cloud: {}\n", cloud.as_str()),
    };
    let (client_id, name, tenant_id) = (
        &answers.client_id,
        quoted(&answers.name),
        &answers.tenant_id,
    );
    let address = &answers.exporter_address;
    let heading = format!(
        "{HEADING}\n# The running exporter lists every key at http://{address}/runbooks/configuration,\n# the Debian package in {PACKAGED_REFERENCE}.\n\ncredentials:\n"
    );
    let decisions = format!("decision_files: [{DECISIONS}]\n");
    match &answers.subject {
        Subject::Tenant => format!(
            "{heading}{}\ndefaults:\n  credential: watcher\n{cloud}\ntenants:\n  \
             - name: {name}\n    tenant_id: {tenant_id}\n\n{decisions}",
            credential("watcher", client_id, TENANT_SECRET),
        ),
        Subject::Partner {
            client_id: own_client_id,
        } => format!(
            "{heading}  # The application in many tenants, to which each customer consents.\n{}\n  \
             # The application in your own tenant that reads the list of customers.\n{}\n\
             defaults:\n  credential: customers\n{cloud}\npartner:\n  name: {name}\n  \
             tenant_id: {tenant_id}\n  credential: partner\n  \
             # With it, labels, alerts and the log have the names of customers, and entries\n  \
             # that `discover --write` adds have a display_name; without it they have aliases.\n  \
             # display_names: plain\n\ntenant_files: [{CUSTOMERS}]\n{decisions}",
            credential("customers", client_id, CUSTOMERS_SECRET),
            credential("partner", own_client_id, PARTNER_SECRET),
        ),
    }
}

fn prometheus(answers: &Answers) -> String {
    let target = quoted(&answers.exporter_address);
    format!(
        "{HEADING} Check it with `promtool check config`.\n\n\
         rule_files: [{RULES}]\n\n\
         alerting:\n  alertmanagers:\n    - static_configs: [{{targets: [\"127.0.0.1:9093\"]}}]\n\n\
         scrape_configs:\n  - job_name: secure-score # the alerts expect this name\n    \
         scrape_interval: 1m\n    static_configs: [{{targets: [{target}]}}]\n"
    )
}

fn alertmanager(answers: &Answers) -> String {
    let receiver = quoted(&answers.receiver);
    let (global, how) = match &answers.mail {
        Some(mail) => (smtp(mail), email(mail)),
        None => (
            String::new(),
            "    # It sends nothing yet: add email_configs, webhook_configs or another kind.\n"
                .to_owned(),
        ),
    };
    let inhibition = shipped_files::ALERTMANAGER_FRAGMENT.split_once("\ninhibit_rules:\n");
    let inhibition = inhibition.map_or("", |(_, rules)| rules);
    format!(
        "{HEADING} Check it with `amtool check-config`.\n\
         # The exporter's page /runbooks/routing describes routes by severity.\n\n\
         {global}# The texts of messages, in a directory beside this file.\n\
         templates: [{TEMPLATES}]\n\n\
         route:\n  receiver: {receiver}\n  group_by: [alertname, tenant]\n  \
         group_wait: 30s\n  group_interval: 5m\n  repeat_interval: 24h\n{ROUTES}\n\
         receivers:\n  - name: {receiver}\n{how}\n\
         # The cause mutes its consequences.\ninhibit_rules:\n{inhibition}"
    )
}

fn smtp(mail: &Mail) -> String {
    let (address, smarthost) = (quoted(&mail.address), quoted(&mail.smarthost));
    format!(
        "# For a server that wants a login, add smtp_auth_username and\n\
         # smtp_auth_password_file. For a relay without TLS, such as one on this machine,\n\
         # add `smtp_require_tls: false`.\n\
         global:\n  smtp_smarthost: {smarthost}\n  smtp_from: {address}\n\n"
    )
}

fn email(mail: &Mail) -> String {
    format!(
        "    email_configs:\n      - to: {}\n        send_resolved: true\n{MAIL_TEXTS}",
        quoted(&mail.address)
    )
}

/// A YAML string: a bare `null` or `007` would be another value.
fn quoted(text: &str) -> String {
    format!("\"{text}\"")
}
