//! The process environment as a value, and a configuration made of it alone.

use std::collections::BTreeMap;
use std::fmt;
use strict_yaml::{Diagnostics, Entries, Span, Spanned, Text, suggest};

use super::file::{
    File, FileControls, FileCredential, FileCredentialUse, FileEvents, FileGraph, FileLabels,
    FilePrivacy, FileRefresh, FileRiskAccepted, FileTenant, FileWebhook,
};
use super::guid;
use super::variable::{OWN_PREFIX, VARIABLES};

/// The environment variables, handed in rather than looked up.
///
/// It is read once in `main`. Everything else gets this value, so a test can
/// give its own and nothing changes under a running program.
#[derive(Clone, Default)]
pub struct Environment(BTreeMap<String, String>);

impl Environment {
    /// The variables of this process; those that are not UTF-8 are left out.
    pub fn from_process() -> Self {
        std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect()
    }

    /// The variable's value; an empty one counts as not set.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    /// Whether a tenant is described here. `AZURE_TENANT_ID` alone counts only
    /// where there is no file: Kubernetes injects it beside any configuration.
    pub(super) fn names_a_tenant(&self) -> bool {
        self.get("SECURE_SCORE_TENANT_ID").is_some()
    }

    /// Our variables that are set, in the order of the table.
    pub(super) fn own(&self) -> impl Iterator<Item = (&'static str, &str)> {
        VARIABLES
            .iter()
            .filter(|variable| variable.name.starts_with(OWN_PREFIX))
            .filter_map(|variable| Some((variable.name, self.get(variable.name)?)))
    }

    /// Variables with our prefix that mean nothing to us.
    fn unknown(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str).filter(|name| {
            name.starts_with(OWN_PREFIX)
                && !is_service_link(name)
                && !VARIABLES.iter().any(|variable| variable.name == *name)
        })
    }

    /// Warns of misspelt variables, which would otherwise quietly do nothing.
    pub(super) fn warn_of_unknown(&self, diagnostics: &mut Diagnostics) {
        for name in self.unknown() {
            let known = VARIABLES.iter().map(|variable| variable.name);
            let remedy = match suggest::nearest(name, known) {
                Some(near) => format!("did you mean {near}?"),
                None => "it has no effect".to_owned(),
            };
            diagnostics.warn(
                Span::Nowhere,
                "",
                format!("unknown environment variable {name}; {remedy}"),
            );
        }
    }
}

impl FromIterator<(String, String)> for Environment {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(variables: I) -> Self {
        Self(variables.into_iter().collect())
    }
}

impl fmt::Debug for Environment {
    /// Names only: any variable may hold a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// Whether Kubernetes set the variable because a service has a name like ours.
///
/// It does so for every service of the namespace; to warn of these would greet
/// each user of the chart with a dozen warnings.
fn is_service_link(name: &str) -> bool {
    name.ends_with("_SERVICE_HOST")
        || name.contains("_SERVICE_PORT")
        || name.ends_with("_PORT")
        || name.contains("_PORT_")
}

/// Writes the configuration file that the environment stands for.
///
/// It then takes the same way as any other file, so that no rule exists twice.
pub(super) fn as_file(environment: &Environment, diagnostics: &mut Diagnostics) -> Option<File> {
    let reader = Reader(environment);
    let tenant_id = reader.first(&["SECURE_SCORE_TENANT_ID", "AZURE_TENANT_ID"])?;
    let span = tenant_id.span;
    let tenant = FileTenant {
        name: Some(alias(&reader, &tenant_id)),
        display_name: reader.text("SECURE_SCORE_DISPLAY_NAME"),
        cloud: reader.text("SECURE_SCORE_CLOUD"),
        credential: credential(&reader, span, diagnostics),
        target: reader.text("SECURE_SCORE_TARGET"),
        tenant_id: Some(tenant_id),
        ..FileTenant::default()
    };
    Some(File {
        tenants: Some(vec![Spanned::new(tenant, span)]),
        refresh: Some(refresh(&reader)),
        controls: Some(controls(&reader, diagnostics)),
        risk_accepted: Some(FileRiskAccepted {
            lookback: reader.text("SECURE_SCORE_LOOKBACK"),
            watch: reader.list("SECURE_SCORE_WATCH"),
            ..FileRiskAccepted::default()
        }),
        labels: Some(labels(&reader)),
        privacy: Some(FilePrivacy {
            events: reader.text("SECURE_SCORE_PRIVACY_EVENTS"),
            ..FilePrivacy::default()
        }),
        events: Some(events(&reader)),
        graph: Some(FileGraph {
            ca_file: reader.text("SECURE_SCORE_GRAPH_CA_FILE"),
            ..FileGraph::default()
        }),
        ..File::default()
    })
}

/// Takes variables out of the environment with their places.
struct Reader<'a>(&'a Environment);

impl Reader<'_> {
    fn text(&self, name: &str) -> Option<Text> {
        let variable = VARIABLES.iter().find(|variable| variable.name == name)?;
        let value = self.0.get(variable.name)?;
        Some(Spanned::new(
            value.to_owned(),
            Span::Variable(variable.name),
        ))
    }

    fn first(&self, names: &[&str]) -> Option<Text> {
        names.iter().find_map(|name| self.text(name))
    }

    /// A list with commas between its members.
    fn list(&self, name: &str) -> Option<Vec<Text>> {
        let text = self.text(name)?;
        let members = text.value.split(',').map(str::trim);
        Some(
            members
                .filter(|member| !member.is_empty())
                .map(|member| Spanned::new(member.to_owned(), text.span))
                .collect(),
        )
    }
}

/// The receiver of events, where any variable speaks of one.
fn events(reader: &Reader<'_>) -> FileEvents {
    let webhook = FileWebhook {
        url: reader.text("SECURE_SCORE_EVENTS_WEBHOOK_URL"),
        url_file: reader.text("SECURE_SCORE_EVENTS_WEBHOOK_URL_FILE"),
        authorization_file: reader.text("SECURE_SCORE_EVENTS_WEBHOOK_AUTHORIZATION_FILE"),
        timeout: reader.text("SECURE_SCORE_EVENTS_WEBHOOK_TIMEOUT"),
        ..FileWebhook::default()
    };
    let keys = [
        &webhook.url,
        &webhook.url_file,
        &webhook.authorization_file,
        &webhook.timeout,
    ];
    let span = keys.into_iter().flatten().map(|text| text.span).next();
    FileEvents {
        webhook: span.map(|span| Spanned::new(webhook, span)),
        ..FileEvents::default()
    }
}

/// The alias that was set, the first label of the domain, or `default`.
fn alias(reader: &Reader<'_>, tenant_id: &Text) -> Text {
    reader.text("SECURE_SCORE_TENANT_NAME").unwrap_or_else(|| {
        let label = tenant_id.value.split('.').next();
        let alias = label.filter(|_| guid::is_domain(&tenant_id.value));
        Spanned::new(alias.unwrap_or("default").to_owned(), tenant_id.span)
    })
}

/// The kinds of credentials that a variable of Azure's gives away, first the
/// one that is tried first.
const SIGNS: [(&str, &str); 4] = [
    ("AZURE_CLIENT_SECRET_FILE", "client_secret"),
    ("AZURE_CLIENT_SECRET", "client_secret"),
    ("AZURE_CLIENT_CERTIFICATE_PATH", "client_certificate"),
    ("AZURE_FEDERATED_TOKEN_FILE", "workload_identity"),
];

fn credential(
    reader: &Reader<'_>,
    tenant: Span,
    diagnostics: &mut Diagnostics,
) -> Option<Spanned<FileCredentialUse>> {
    let r#type = kind(reader).or_else(|| {
        diagnostics.error(
            tenant,
            "",
            "no credential for this tenant; set AZURE_CLIENT_ID and AZURE_CLIENT_SECRET_FILE \
             (or AZURE_CLIENT_SECRET), or SECURE_SCORE_CREDENTIAL_TYPE=azure_cli to use the account of `az login`",
        );
        None
    })?;
    let span = r#type.span;
    let client_id = reader.text("AZURE_CLIENT_ID");
    let credential = match r#type.value.trim() {
        "client_secret" => FileCredential {
            client_id,
            ..secret(reader, span, diagnostics)
        },
        "client_certificate" => FileCredential {
            client_id,
            certificate_file: reader.text("AZURE_CLIENT_CERTIFICATE_PATH"),
            password_env: reader
                .text("AZURE_CLIENT_CERTIFICATE_PASSWORD")
                .map(|it| Spanned::new("AZURE_CLIENT_CERTIFICATE_PASSWORD".to_owned(), it.span)),
            ..FileCredential::default()
        },
        "workload_identity" => FileCredential {
            client_id,
            token_file: reader.text("AZURE_FEDERATED_TOKEN_FILE"),
            ..FileCredential::default()
        },
        "managed_identity" => FileCredential {
            client_id,
            ..FileCredential::default()
        },
        _ => FileCredential::default(),
    };
    let credential = FileCredential {
        r#type: Some(r#type),
        expires: reader.text("SECURE_SCORE_CREDENTIAL_EXPIRES"),
        ..credential
    };
    Some(Spanned::new(
        FileCredentialUse::Inline(Box::new(credential)),
        span,
    ))
}

/// What was said, or what a variable gives away. An application without any
/// sign lacks its secret, most likely.
fn kind(reader: &Reader<'_>) -> Option<Text> {
    let said = reader.text("SECURE_SCORE_CREDENTIAL_TYPE");
    let sign = || {
        let mut signs = SIGNS.into_iter();
        signs.find_map(|(name, kind)| {
            let span = reader.text(name)?.span;
            Some(Spanned::new(kind.to_owned(), span))
        })
    };
    let id = || reader.text("AZURE_CLIENT_ID");
    said.or_else(|| Some(Spanned::new(sign()?.value, id()?.span)))
        .or_else(|| Some(Spanned::new("client_secret".to_owned(), id()?.span)))
}

/// The two ways to hand in the secret, of which one must be taken.
fn secret(reader: &Reader<'_>, span: Span, diagnostics: &mut Diagnostics) -> FileCredential {
    let file = reader.text("AZURE_CLIENT_SECRET_FILE");
    let inline = reader.text("AZURE_CLIENT_SECRET");
    if let (Some(file), Some(_)) = (&file, &inline) {
        diagnostics.error(
            file.span,
            "",
            "AZURE_CLIENT_SECRET is set too; keep one of them",
        );
        return FileCredential {
            client_secret_file: Some(file.clone()),
            ..FileCredential::default()
        };
    }
    let variable = inline.map(|secret| Spanned::new("AZURE_CLIENT_SECRET".to_owned(), secret.span));
    if file.is_none() && variable.is_none() {
        diagnostics.error(
            span,
            "",
            "no secret for this application; set AZURE_CLIENT_SECRET_FILE or AZURE_CLIENT_SECRET",
        );
    }
    FileCredential {
        client_secret_file: file,
        client_secret_env: variable,
        ..FileCredential::default()
    }
}

fn refresh(reader: &Reader<'_>) -> FileRefresh {
    FileRefresh {
        mode: reader.text("SECURE_SCORE_REFRESH_MODE"),
        profiles: reader.text("SECURE_SCORE_REFRESH_PROFILES"),
        scores: reader.text("SECURE_SCORE_REFRESH_SCORES"),
        max_staleness: reader.text("SECURE_SCORE_REFRESH_MAX_STALENESS"),
        timeout: reader.text("SECURE_SCORE_REFRESH_TIMEOUT"),
        concurrency: reader.text("SECURE_SCORE_REFRESH_CONCURRENCY"),
        ..FileRefresh::default()
    }
}

fn controls(reader: &Reader<'_>, diagnostics: &mut Diagnostics) -> FileControls {
    FileControls {
        categories: reader.list("SECURE_SCORE_CATEGORIES"),
        include: reader.list("SECURE_SCORE_CONTROLS_INCLUDE"),
        exclude: reader.list("SECURE_SCORE_CONTROLS_EXCLUDE"),
        category_overrides: overrides(reader, diagnostics),
        ..FileControls::default()
    }
}

fn overrides(reader: &Reader<'_>, diagnostics: &mut Diagnostics) -> Option<Entries<Text>> {
    let mut entries = Vec::new();
    for pair in reader.list("SECURE_SCORE_CATEGORY_OVERRIDES")? {
        match pair.value.split_once('=') {
            Some((id, category)) => entries.push((
                Spanned::new(id.trim().to_owned(), pair.span),
                Spanned::new(category.trim().to_owned(), pair.span),
            )),
            None => diagnostics.error(
                pair.span,
                "",
                "a pair without `=`; write CONTROL=Category,CONTROL=Category",
            ),
        }
    }
    Some(Entries(entries))
}

fn labels(reader: &Reader<'_>) -> FileLabels {
    FileLabels {
        accepted_by: reader.text("SECURE_SCORE_LABELS_ACCEPTED_BY"),
        comment: reader.text("SECURE_SCORE_LABELS_COMMENT"),
        salt_file: reader.text("SECURE_SCORE_SALT_FILE"),
        ..FileLabels::default()
    }
}
