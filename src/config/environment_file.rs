//! A configuration from environment variables alone, and warnings about
//! variables that have no effect.

use strict_yaml::{Diagnostics, Span, Spanned, Text, suggest};

use super::file::{File, FileCredential, FileCredentialUse, FileTenant, SECTIONS};
use super::table::{FromEnvironment, Reader};
use crate::config_values::{Environment, guid};
use crate::credentials::Credential;

/// The prefix of the exporter's variables; the others are Azure's usual names.
pub(super) const PREFIX: &str = "SECURE_SCORE_";

/// The environment variables that set a key, in the order of the table.
pub fn variables() -> impl Iterator<Item = &'static str> {
    let keys = SECTIONS.iter().flat_map(|section| section.keys);
    keys.flat_map(|key| key.variables).copied()
}

/// The exporter's variables that are set, in the order of the table. None of
/// them holds a secret.
pub(super) fn prefixed(environment: &Environment) -> impl Iterator<Item = (&'static str, &str)> {
    variables()
        .filter(|name| name.starts_with(PREFIX))
        .filter_map(|name| Some((name, environment.get(name)?)))
}

/// Warns of misspelt variables, which would otherwise have no effect.
pub(super) fn warn_of_unknown(environment: &Environment, diagnostics: &mut Diagnostics) {
    let unknown = environment.names().filter(|name| {
        name.starts_with(PREFIX)
            && !is_service_link(name)
            && !variables().any(|known| known == *name)
    });
    for name in unknown {
        let fix = match suggest::nearest(name, variables()) {
            Some(near) => format!("did you mean {near}?"),
            None => "it has no effect".to_owned(),
        };
        let message = format!("unknown environment variable {name}; {fix}");
        diagnostics.warn(Span::Nowhere, "", message);
    }
}

/// Whether Kubernetes sets this variable for a service called `secure-score…`.
///
/// It sets a dozen of them for every service of the namespace, so each user of
/// the chart would see warnings.
fn is_service_link(name: &str) -> bool {
    name.ends_with("_SERVICE_HOST") || name.ends_with("_PORT") || name.contains("_PORT_")
}

/// The configuration file that is equivalent to the environment, or `None` if
/// no variable names a tenant.
pub(super) fn read(environment: &Environment, diagnostics: &mut Diagnostics) -> Option<File> {
    let reader = &mut Reader::new(environment, diagnostics);
    let tenant = FileTenant::from_environment(reader, &[])?;
    let tenant_id = tenant.tenant_id?;
    let span = tenant_id.span;
    let tenant = FileTenant {
        name: tenant.name.or_else(|| Some(default_alias(&tenant_id))),
        credential: credential(reader, span),
        tenant_id: Some(tenant_id),
        ..tenant
    };
    Some(File {
        tenants: Some(vec![Spanned::new(tenant, span)]),
        ..File::from_environment(reader, &[]).unwrap_or_default()
    })
}

/// The first label of the domain, or `default` for a GUID.
fn default_alias(tenant_id: &Text) -> Text {
    let label = tenant_id.value.split('.').next();
    let alias = label.filter(|_| guid::is_domain(&tenant_id.value));
    Text::new(alias.unwrap_or("default").to_owned(), tenant_id.span)
}

fn credential(reader: &mut Reader<'_>, tenant: Span) -> Option<Spanned<FileCredentialUse>> {
    let mut set = FileCredential::from_environment(reader, &[]).unwrap_or_default();
    let Some(r#type) = set.r#type.clone().or_else(|| implied_type(&set)) else {
        reader.diagnostics.error(
            tenant,
            "",
            "no credential for this tenant; set AZURE_CLIENT_ID and AZURE_CLIENT_SECRET_FILE \
             (or AZURE_CLIENT_SECRET), or SECURE_SCORE_CREDENTIAL_TYPE=azure_cli to use the account of `az login`",
        );
        return None;
    };
    let span = r#type.span;
    let taken = Credential::keys(r#type.value.trim());
    set.r#type = Some(r#type);
    for (key, value) in set.texts() {
        // Azure sets variables in pods and virtual machines whether or not the
        // credential uses them, so those of other types are ignored.
        if !taken.contains(&key) && !["type", "expires"].contains(&key) {
            *value = None;
        }
        // Such a key holds the name of a variable rather than its value.
        if key.ends_with("_env")
            && let Some(text) = value
            && let Span::Variable(name) = text.span
        {
            text.value = name.to_owned();
        }
    }
    if taken.contains(&"client_secret_file") {
        check_secret(&mut set, span, reader.diagnostics);
    }
    Some(Spanned::new(FileCredentialUse::Inline(Box::new(set)), span))
}

/// The credential type that Azure's variables imply for the application they
/// name. An application without any of them probably lacks its secret.
fn implied_type(set: &FileCredential) -> Option<Text> {
    let application = set.client_id.as_ref()?;
    let has_secret = set.client_secret_file.is_some() || set.client_secret_env.is_some();
    let implied = if has_secret {
        "client_secret"
    } else if set.certificate_file.is_some() {
        "client_certificate"
    } else if set.token_file.is_some() {
        "workload_identity"
    } else {
        "client_secret"
    };
    Some(Text::new(implied.to_owned(), application.span))
}

fn check_secret(set: &mut FileCredential, span: Span, diagnostics: &mut Diagnostics) {
    match (&set.client_secret_file, &set.client_secret_env) {
        (Some(file), Some(_)) => {
            let message = "AZURE_CLIENT_SECRET is set too; keep one of them";
            diagnostics.error(file.span, "", message);
            // With both, a second error would name the keys of a file.
            set.client_secret_env = None;
        }
        (None, None) => diagnostics.error(
            span,
            "",
            "no secret for this application; set AZURE_CLIENT_SECRET_FILE or AZURE_CLIENT_SECRET",
        ),
        _ => {}
    }
}
