//! The table of environment variables, from which all else about them follows.

/// What our own variables begin with; the others are Azure's usual names.
pub(super) const OWN_PREFIX: &str = "SECURE_SCORE_";

/// One environment variable the exporter reads.
#[derive(Debug, Clone, Copy)]
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// What it stands for, as the reference prints it.
    pub meaning: &'static str,
}

const fn variable(name: &'static str, meaning: &'static str) -> Variable {
    Variable { name, meaning }
}

/// Every variable of the single-tenant case.
///
/// A variable that is not in this table cannot be read: the reader looks its
/// name up here, so the reference can never lack one.
pub const VARIABLES: &[Variable] = &[
    variable(
        "SECURE_SCORE_TENANT_ID",
        "the tenant: its GUID or a domain of it",
    ),
    variable(
        "AZURE_TENANT_ID",
        "read where SECURE_SCORE_TENANT_ID is not set",
    ),
    variable(
        "SECURE_SCORE_TENANT_NAME",
        "the alias in the label `tenant`; by default the first label of the domain, or `default`",
    ),
    variable(
        "SECURE_SCORE_DISPLAY_NAME",
        "the tenant's name on pages; by default the alias",
    ),
    variable("SECURE_SCORE_CLOUD", "global, gcc-high or dod"),
    variable("SECURE_SCORE_TARGET", "the score to reach, as 80% or 0.8"),
    variable(
        "SECURE_SCORE_CREDENTIAL_TYPE",
        "client_secret, client_certificate, workload_identity, managed_identity or azure_cli; by default what the variables below give away, and client_secret where AZURE_CLIENT_ID alone is set",
    ),
    variable(
        "AZURE_CLIENT_ID",
        "the application (client) id, or that of a user-assigned managed identity",
    ),
    variable(
        "AZURE_CLIENT_SECRET_FILE",
        "the file with the application's secret",
    ),
    variable(
        "AZURE_CLIENT_SECRET",
        "the application's secret itself; a file is safer",
    ),
    variable(
        "AZURE_CLIENT_CERTIFICATE_PATH",
        "the file with the application's certificate and private key, PEM or PKCS#12",
    ),
    variable(
        "AZURE_CLIENT_CERTIFICATE_PASSWORD",
        "its password, where it has one",
    ),
    variable(
        "AZURE_FEDERATED_TOKEN_FILE",
        "the file with the federated token, as the webhook of Azure Workload Identity sets it",
    ),
    variable(
        "SECURE_SCORE_CREDENTIAL_EXPIRES",
        "the day on which the secret expires, as 2027-03-31",
    ),
    variable(
        "SECURE_SCORE_REFRESH_MODE",
        "background, or scrape to refresh only when scraped; background by default",
    ),
    variable(
        "SECURE_SCORE_REFRESH_PROFILES",
        "how often states are fetched, 15m by default",
    ),
    variable(
        "SECURE_SCORE_REFRESH_SCORES",
        "how often scores are fetched, 1h by default",
    ),
    variable(
        "SECURE_SCORE_REFRESH_MAX_STALENESS",
        "how old data may become before its series end, 24h by default",
    ),
    variable(
        "SECURE_SCORE_REFRESH_TIMEOUT",
        "how long one request may take, 30s by default",
    ),
    variable(
        "SECURE_SCORE_REFRESH_CONCURRENCY",
        "requests at the same time, 8 by default",
    ),
    variable(
        "SECURE_SCORE_CATEGORIES",
        "categories with series per control, with commas; all by default",
    ),
    variable(
        "SECURE_SCORE_CONTROLS_INCLUDE",
        "patterns of controls to show, with commas; all by default",
    ),
    variable(
        "SECURE_SCORE_CONTROLS_EXCLUDE",
        "patterns of controls to leave out, with commas",
    ),
    variable(
        "SECURE_SCORE_CATEGORY_OVERRIDES",
        "CONTROL=Category pairs, with commas",
    ),
    variable(
        "SECURE_SCORE_LOOKBACK",
        "how many of the last states count for the lookback, 3 by default",
    ),
    variable(
        "SECURE_SCORE_WATCH",
        "controls on the watch list, ids or patterns, with commas",
    ),
    variable(
        "SECURE_SCORE_LABELS_ACCEPTED_BY",
        "who accepted, as a label: off (default), hash or plain",
    ),
    variable(
        "SECURE_SCORE_LABELS_COMMENT",
        "the comment as a label: off (default) or plain",
    ),
    variable(
        "SECURE_SCORE_SALT_FILE",
        "the file with the salt of the hashes, at least 16 bytes",
    ),
    variable(
        "SECURE_SCORE_PRIVACY_EVENTS",
        "who and why in events: full (default), hash or off",
    ),
    variable(
        "SECURE_SCORE_EVENTS_WEBHOOK_URL_FILE",
        "the file with the URL to which events are posted",
    ),
    variable(
        "SECURE_SCORE_EVENTS_WEBHOOK_URL",
        "the URL itself, where it holds no secret",
    ),
    variable(
        "SECURE_SCORE_EVENTS_WEBHOOK_AUTHORIZATION_FILE",
        "the file with the bearer token, or the whole Authorization header, sent with each event",
    ),
    variable(
        "SECURE_SCORE_EVENTS_WEBHOOK_TIMEOUT",
        "how long one delivery may take, 10s by default",
    ),
    variable(
        "SECURE_SCORE_GRAPH_CA_FILE",
        "extra certificate authorities (PEM) for a TLS-inspecting proxy",
    ),
];
