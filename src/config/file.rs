//! The table of configuration keys.
//!
//! From it follow the structs that a YAML file is read into, the configuration
//! by environment variables, the JSON Schema and the reference page. A new key
//! is a line here and its resolver.

use std::ops::RangeInclusive;

use secure_score_model::{Category, DecisionState, RecommendationCategory};
use serde::de::IgnoredAny;
use strict_yaml::{Entries, Spanned, Text};

use super::alternatives::{NameOr, OneOrMany, SectionOrSections};
use super::choices::{
    AcceptedBy, Choice, Cloud, CommentLabel, CustomerSource, DisplayNames, Enabled, EventDetail,
    NewCustomers, PageAudience, RefreshMode, SeriesChoice, Switch,
};
use super::table::Form::{
    Day, Duration, Integer, ListOf, MappingOf, NamedSections, OneOf, Ratio, Refused, SectionList,
    SectionOrList, TextOr,
};
use super::table::{Form, REQUIRED, Section, section};
use crate::credentials::Credential;

/// A tenant's credential: the name of one, or the credential itself.
pub(super) type FileCredentialUse = NameOr<FileCredential>;

/// One partner, or a list of them.
pub(super) type FilePartners = SectionOrSections<FilePartner>;

/// Every section, in the order of the reference page.
pub(super) const SECTIONS: &[Section] = &[
    File::SECTION,
    FileTenant::SECTION,
    FileCredential::SECTION,
    FileDefaults::SECTION,
    FilePartner::SECTION,
    FilePartnerDefaults::SECTION,
    FileRefresh::SECTION,
    FileControls::SECTION,
    FileRecommendations::SECTION,
    FileRiskAccepted::SECTION,
    FileException::SECTION,
    FileDecision::SECTION,
    FileLabels::SECTION,
    FilePrivacy::SECTION,
    FileAccess::SECTION,
    FileEvents::SECTION,
    FileWebhook::SECTION,
    FileGraph::SECTION,
    FileSimulator::SECTION,
];

/// The number of concurrent requests.
pub(super) const CONCURRENCY_RANGE: RangeInclusive<usize> = 1..=256;
/// The number of states in the lookback.
pub(super) const LOOKBACK_RANGE: RangeInclusive<usize> = 1..=100;

/// The characters of a reason.
pub(super) const REASON_RANGE: RangeInclusive<usize> = 1..=500;

const PATH: Form = Form::Text("path");
const PEM_PATH: Form = Form::Text("path of PEM certificates");
const ONE_LINE: Form = Form::Text("one line, at most 128 bytes");
const DAY: Form = Day("a day in UTC, `2027-03-31`");
const ID_OR_PATTERN: Form = Form::Text("ids or patterns");
const NAME_OR_PATTERN: Form = Form::Text("names or patterns");
const CUSTOMER_PATTERN: Form = Form::Text("names, ids or patterns");
const ALIAS: Form =
    Form::Text("a letter or digit, then letters, digits, `.`, `_` or `-`; at most 64");
const CREDENTIAL: Form = TextOr(
    &Form::Section("credentials.NAME"),
    "the name of a credential, or a credential as a mapping",
);
const CATEGORY: Form = OneOf(&CATEGORIES);

/// The states that a decision can approve.
const STATE: Form = OneOf(&DecisionState::WORDS);

/// A category that an override can name.
const KNOWN_CATEGORY: Form = match CATEGORIES.split_last() {
    Some((_unknown, known)) => OneOf(known),
    None => CATEGORY,
};

/// The categories, *Unknown* last.
const CATEGORIES: [&str; 6] = [
    Category::Identity.as_str(),
    Category::Data.as_str(),
    Category::Device.as_str(),
    Category::Apps.as_str(),
    Category::Infrastructure.as_str(),
    Category::Unknown.as_str(),
];

const RECOMMENDATION_CATEGORY: Form = OneOf(&RECOMMENDATION_CATEGORIES);

/// The categories of recommendations, *unknown* last.
const RECOMMENDATION_CATEGORIES: [&str; 4] = [
    RecommendationCategory::IdentitySecureScore.as_str(),
    RecommendationCategory::IdentityBestPractice.as_str(),
    RecommendationCategory::MdiSecureScore.as_str(),
    RecommendationCategory::Unknown.as_str(),
];

section! {
    /// The whole file.
    File "" "The sections, in any order." {
        refresh: FileRefresh, Form::Section("refresh"), "see there", "how often the exporter queries Graph, and its limits", env;
        credentials: Entries<Spanned<FileCredential>>, NamedSections("credentials.NAME"), "none", "named credentials, which tenants can share";
        defaults: FileDefaults, Form::Section("defaults"), "none", "values for tenants that do not set their own";
        tenants: Vec<Spanned<FileTenant>>, SectionList("tenants[]"), REQUIRED, "the tenants to watch";
        tenant_files: Vec<Text>, ListOf(&Form::Text("patterns, such as `tenants.d/*.yml`")), "none", "files of tenants, each a list as under `tenants`; paths in such a file are relative to it";
        partner: Spanned<FilePartners>, SectionOrList("partner"), "none", "a provider's own tenant, whose list of customers shows which tenants are not watched; a list for several";
        series: Text, OneOf(SeriesChoice::WORDS), "`full`", "the series of each tenant: every family, those that dashboards show, or those that alerts and the dashboard of accepted risks need; see [scaling](../scaling.md#fewer-series). The API, the pages and events do not depend on it", env "SECURE_SCORE_SERIES";
        controls: FileControls, Form::Section("controls"), "all controls", "the controls that get series of their own", env;
        recommendations: FileRecommendations, Form::Section("recommendations"), "where the permission is granted", "Entra's recommendations and the Identity Secure Score", env;
        risk_accepted: FileRiskAccepted, Form::Section("risk_accepted"), "see there", "the watch list, the lookback and approved exceptions", env;
        decisions: Vec<Spanned<FileDecision>>, SectionList("decisions[]"), "none", "decisions about accepted risks, claims and plans";
        decision_files: Vec<Text>, ListOf(&Form::Text("patterns, such as `decisions.d/*.yml`")), "none", "files of decisions, each a list as under `decisions`; `approve` writes into one";
        labels: FileLabels, Form::Section("labels"), "no persons", "persons and comments in labels", env;
        privacy: FilePrivacy, Form::Section("privacy"), "full", "persons and comments in the log, the API, the pages and the webhook", env;
        access: Spanned<Vec<Spanned<FileAccess>>>, SectionList("access[]"), "every client sees every tenant", "the tenants that each user or client certificate sees; with this section, others see none";
        events: FileEvents, Form::Section("events"), "the log only", "the receiver of events", env;
        graph: FileGraph, Form::Section("graph"), "none", "the connection to Microsoft Graph", env;
        simulator: Spanned<FileSimulator>, Form::Section("simulator"), "none", "the simulator that serves the tenants with `cloud: simulator`";
    }
}

// `tenant_id` comes before `name`: the hash of a configuration by environment
// variables depends on this order.
section! {
    FileTenant "tenants[]" "One tenant each. Two entries for one Entra tenant are refused; if only a response shows it, since one names a domain, the first is served." {
        tenant_id: Text, Form::Text("GUID or domain"), REQUIRED, "the tenant, as in the Entra overview", env "SECURE_SCORE_TENANT_ID" "AZURE_TENANT_ID";
        name: Text, ALIAS, REQUIRED, "the alias: the value of the label `tenant`", env "SECURE_SCORE_TENANT_NAME";
        display_name: Text, Form::Text("text of one line"), "the alias", "the tenant's name on pages", env "SECURE_SCORE_DISPLAY_NAME";
        cloud: Text, OneOf(Cloud::WORDS), "`defaults.cloud`", "the national cloud of the tenant", env "SECURE_SCORE_CLOUD";
        credential: Spanned<FileCredentialUse>, CREDENTIAL, "`defaults.credential`", "the credential for this tenant";
        target: Text, Ratio, "`defaults.target`", "the share of the maximum score to reach", env "SECURE_SCORE_TARGET";
        recommendations: FileRecommendations, Form::Section("recommendations"), "the top-level `recommendations`", "the keys of that section that differ for this tenant";
        labels: Entries<Text>, MappingOf("label names", &Form::Text("texts")), "none", "labels of the tenant's target in `/sd/tenants`, for routing; the series of `/metrics` do not carry them";
    }
}

section! {
    /// An inline `client_secret` is recognised only to be refused, so its value
    /// is not kept.
    FileCredential "credentials.NAME" "A way to get tokens. Secrets come from a file or an environment variable, never from this file." {
        r#type: Text, OneOf(Credential::TYPES), REQUIRED, "an application with a secret, with a certificate or with a federated credential; the identity of an Azure machine; or the account of `az login`. See [permissions](../permissions.md)", env "SECURE_SCORE_CREDENTIAL_TYPE";
        client_id: Text, Form::Text("GUID"), "required for `client_secret` and `client_certificate`; for `workload_identity` AZURE_CLIENT_ID; for `managed_identity` the system-assigned identity", "the application (client) id, or the client id of a user-assigned identity", env "AZURE_CLIENT_ID";
        client_secret: Spanned<IgnoredAny>, Refused, "refused", "a secret does not belong in this file; the error names the keys to use";
        client_secret_file: Text, Form::Text("path, relative to this file"), "one of the two for `client_secret`", "the file with the secret", env "AZURE_CLIENT_SECRET_FILE";
        client_secret_env: Text, Form::Text("name of a variable"), "one of the two for `client_secret`", "the environment variable with the secret", env "AZURE_CLIENT_SECRET";
        certificate_file: Text, PATH, "required for `client_certificate`", "the certificate with its private key: PEM or PKCS#12. The exporter reads it again when it changes; a metric and `check` report when it expires", env "AZURE_CLIENT_CERTIFICATE_PATH";
        key_file: Text, PATH, "in `certificate_file`", "the private key, PEM, if it is in a separate file";
        password_file: Text, PATH, "no password", "the file with the password of a PKCS#12 file or an encrypted key";
        password_env: Text, Form::Text("name of a variable"), "no password", "the environment variable with that password", env "AZURE_CLIENT_CERTIFICATE_PASSWORD";
        token_file: Text, PATH, "AZURE_FEDERATED_TOKEN_FILE", "for `workload_identity`: the file with the federated token, read again for each request", env "AZURE_FEDERATED_TOKEN_FILE";
        managed_identity: Text, Form::Text("a client id"), "none", "for `workload_identity`: the user-assigned managed identity whose token is the federated token. The application trusts this identity, so it reaches many tenants without a secret";
        expires: Text, Day("a day, `2027-03-31`"), "unknown", "when a client secret expires, as the app registration shows it; a metric and `check` report it", env "SECURE_SCORE_CREDENTIAL_EXPIRES";
    }
}

impl From<FileException> for FileDecision {
    fn from(it: FileException) -> Self {
        Self {
            control: it.control,
            recommendation: it.recommendation,
            tenants: it.tenants,
            states: None,
            reference: it.reference,
            approver: it.approver,
            reason: it.reason,
            approved_on: it.approved_on,
            accepted_by: it.accepted_by,
            evidence: None,
            expires: it.expires,
            unknown: it.unknown,
            without_value: it.without_value,
        }
    }
}

impl FileCredential {
    /// The keys that the types of credentials take.
    pub(super) fn texts(&mut self) -> [(&'static str, &mut Option<Text>); 11] {
        [
            ("type", &mut self.r#type),
            ("client_id", &mut self.client_id),
            ("client_secret_file", &mut self.client_secret_file),
            ("client_secret_env", &mut self.client_secret_env),
            ("expires", &mut self.expires),
            ("certificate_file", &mut self.certificate_file),
            ("key_file", &mut self.key_file),
            ("password_file", &mut self.password_file),
            ("password_env", &mut self.password_env),
            ("token_file", &mut self.token_file),
            ("managed_identity", &mut self.managed_identity),
        ]
    }
}

section! {
    FileDefaults "defaults" "Values for tenants that do not set their own." {
        credential: Spanned<FileCredentialUse>, CREDENTIAL, "none", "the credential";
        cloud: Text, Form::Text("as for a tenant"), "`global`", "the national cloud";
        target: Text, Ratio, "none", "the share of the maximum score to reach";
    }
}

section! {
    FilePartner "partner" "A *partner* is a provider's own tenant; a *customer* is a tenant in its list. The exporter reads that list with the partner's credential and compares it with `tenants`. See [permissions](../permissions.md#the-customers-of-a-partner)." {
        name: Text, ALIAS, REQUIRED, "the value of the label `partner`";
        tenant_id: Text, Form::Text("GUID or domain"), REQUIRED, "the partner's own tenant";
        cloud: Text, OneOf(Cloud::WORDS), "`defaults.cloud`", "its national cloud; a partner sees customers of its own cloud only";
        credential: Spanned<FileCredentialUse>, CREDENTIAL, REQUIRED, "an application in the partner's own tenant, which alone has the permission to read the list";
        display_names: Text, OneOf(DisplayNames::WORDS), "`off`", "the customers' names in labels, which everyone who can read `/metrics` or Prometheus can read";
        interval: Text, Duration("`5m`", "`7d`"), "`6h`", "the time between two refreshes of the list";
        source: Vec<Text>, ListOf(&OneOf(CustomerSource::WORDS)), "`delegated_admin_customers`", "the lists that name the customers: those with delegated administration, which needs `DelegatedAdminRelationship.Read.All`, or the tenants of a multitenant organization, which needs `MultiTenantOrganization.Read.All`";
        include: Vec<Text>, ListOf(&CUSTOMER_PATTERN), "all", "only customers of which the name or the tenant id matches one of these; the others have the state `excluded`";
        exclude: Vec<Text>, ListOf(&CUSTOMER_PATTERN), "none", "no customers of which the name or the tenant id matches one of these; wins over `include`";
        new_customers: Text, OneOf(NewCustomers::WORDS), "`report`", "with `report`, a customer without an entry under `tenants` has the state `unwatched`; with `watch`, the exporter watches it under an alias that it keeps in the state directory, so `--state.dir` is required";
        defaults: FilePartnerDefaults, Form::Section("partner.defaults"), "the top-level sections", "what applies to customers that have no entry under `tenants`";
    }
}

section! {
    FilePartnerDefaults "partner.defaults" "Values for customers that `new_customers: watch` watches. `discover --write` adds `credential`, `cloud` and `target` to the entries that it writes." {
        credential: Spanned<FileCredentialUse>, CREDENTIAL, "`defaults.credential`", "the multi-tenant application to which each customer consents; one of the two is required";
        cloud: Text, OneOf(Cloud::WORDS), "the partner's cloud", "the national cloud";
        target: Text, Ratio, "`defaults.target`", "the share of the maximum score to reach";
        recommendations: FileRecommendations, Form::Section("recommendations"), "the top-level `recommendations`", "the keys of that section that differ for these customers";
        labels: Entries<Text>, MappingOf("label names", &Form::Text("texts")), "none", "labels of each customer's target in `/sd/tenants`";
    }
}

section! {
    FileRefresh "refresh" "Durations are written `90s`, `15m`, `1h30m`, `1d`." {
        mode: Text, OneOf(RefreshMode::WORDS), "`background`", "with `scrape`, a scrape refreshes the data that are older than their interval, and waits for them; see [scaling](../scaling.md)", env "SECURE_SCORE_REFRESH_MODE";
        profiles: Text, Duration("`10s`", "`1d`"), "`15m`", "the time between two refreshes of the catalogue, which holds the states", env "SECURE_SCORE_REFRESH_PROFILES";
        scores: Text, Duration("`10s`", "`1d`"), "`1h`", "the time between two refreshes of the report, which Microsoft computes once a day", env "SECURE_SCORE_REFRESH_SCORES";
        recommendations: Text, Duration("`10s`", "`1d`"), "`30m`", "the time between two refreshes of Entra's recommendations; unless set, at most a third of `max_staleness`", env "SECURE_SCORE_REFRESH_RECOMMENDATIONS";
        identity_scores: Text, Duration("`10s`", "`1d`"), "`1h`", "the time between two refreshes of the Identity Secure Score, which Microsoft computes once a day; unless set, at most a third of `max_staleness`", env "SECURE_SCORE_REFRESH_IDENTITY_SCORES";
        max_staleness: Text, Duration("three intervals", "`30d`"), "`24h`", "the age at which the exporter drops a tenant's data series", env "SECURE_SCORE_REFRESH_MAX_STALENESS";
        timeout: Text, Duration("`1s`", "`5m`"), "`30s`", "the timeout of one request to Graph", env "SECURE_SCORE_REFRESH_TIMEOUT";
        concurrency: Text, Integer(CONCURRENCY_RANGE), "8", "concurrent requests over all tenants", env "SECURE_SCORE_REFRESH_CONCURRENCY";
    }
}

section! {
    FileControls "controls" "The controls that get series. Sums, the API and the pages count every control." {
        categories: Vec<Text>, ListOf(&CATEGORY), "all", "only controls of these categories", env "SECURE_SCORE_CATEGORIES";
        include: Vec<Text>, ListOf(&ID_OR_PATTERN), "all", "only controls that match one of these", env "SECURE_SCORE_CONTROLS_INCLUDE";
        exclude: Vec<Text>, ListOf(&ID_OR_PATTERN), "none", "no controls that match one of these; wins over `include`", env "SECURE_SCORE_CONTROLS_EXCLUDE";
        category_overrides: Entries<Text>, MappingOf("control ids", &KNOWN_CATEGORY), "none", "the category of a control, regardless of Microsoft's", env "SECURE_SCORE_CATEGORY_OVERRIDES";
    }
}

section! {
    FileRecommendations "recommendations" "Entra's recommendations, which need the permission `DirectoryRecommendations.Read.All`. A tenant can have a section of its own, whose keys replace these one by one. `include`, `exclude` and `categories` select the recommendations that get series; events, the API and the pages have every recommendation." {
        enabled: Text, OneOf(Enabled::WORDS), "`auto`", "with `auto` they are read where the token has the permission; with `on` a missing permission is a failure; with `off` they are never read", env "SECURE_SCORE_RECOMMENDATIONS_ENABLED";
        impacted_resources: Text, OneOf(Switch::WORDS), "`false`", "also count the resources that each recommendation concerns, by their status; the answers are larger", env "SECURE_SCORE_RECOMMENDATIONS_IMPACTED_RESOURCES";
        categories: Vec<Text>, ListOf(&RECOMMENDATION_CATEGORY), "all", "only recommendations of these categories", env "SECURE_SCORE_RECOMMENDATIONS_CATEGORIES";
        include: Vec<Text>, ListOf(&NAME_OR_PATTERN), "all", "only recommendations that match one of these", env "SECURE_SCORE_RECOMMENDATIONS_INCLUDE";
        exclude: Vec<Text>, ListOf(&NAME_OR_PATTERN), "none", "no recommendations that match one of these; wins over `include`", env "SECURE_SCORE_RECOMMENDATIONS_EXCLUDE";
    }
}

section! {
    FileRiskAccepted "risk_accepted" "See [accepted risks](../acceptances.md)." {
        lookback: Text, Integer(LOOKBACK_RANGE), "3", "how many of a control's last states the lookback covers", env "SECURE_SCORE_LOOKBACK";
        watch: Vec<Text>, ListOf(&Form::Text("ids, names or patterns")), "`UserRiskPolicy`, `SigninRiskPolicy`, `AdminMFAV2`, `MFARegistrationV2`, `BlockLegacyAuthentication`", "the watch list: controls, and recommendations of Entra, whose accepted risk raises an alert of its own. A recommendation is also watched if its control is", env "SECURE_SCORE_WATCH";
        exceptions: Vec<Spanned<FileException>>, SectionList("risk_accepted.exceptions[]"), "none", "approved acceptances: decisions with the states `risk_accepted`, `dismissed` and `postponed`";
        require_separate_approver: Text, OneOf(Switch::WORDS), "`false`", "a decision approves nothing without an `approver`, and nothing that its approver declared", env "SECURE_SCORE_REQUIRE_SEPARATE_APPROVER";
        minimum_reason: Text, Integer(REASON_RANGE), "10", "the characters that the comment of an acceptance has at least; fewer, or the name of a state, count as no reason", env "SECURE_SCORE_MINIMUM_REASON";
    }
}

section! {
    FileException "risk_accepted.exceptions[]" "One approval each." {
        control: Text, Form::Text("id or pattern"), "at least one of the two", "the control whose risk may be accepted in Secure Score";
        recommendation: Text, Form::Text("name or pattern"), "at least one of the two", "the recommendation that may be accepted, dismissed or postponed in Entra";
        tenants: Spanned<OneOrMany>, TextOr(&ListOf(&Form::Text("names")), "a name, a list of names, or `all`"), "`all`", "the tenants in which it may be accepted";
        reference: Text, ONE_LINE, REQUIRED, "where the decision is recorded; becomes a label";
        approver: Text, ONE_LINE, "none", "the person who approved it";
        reason: Text, ONE_LINE, "none", "the reason";
        approved_on: Text, DAY, "none", "binds the approval to the acceptance in effect on that day, or else to the first one after it";
        accepted_by: Text, Form::Text("a person as Graph writes them; case does not matter"), "any person", "covers only acceptances by this person";
        expires: Text, DAY, REQUIRED, "the last day of the approval";
    }
}

section! {
    FileDecision "decisions[]" "One decision each: the general form of an exception, also for claims (*Resolved through third party*, *Resolved through alternate mitigation*) and plans. See [decisions](../decisions.md)." {
        control: Text, Form::Text("id or pattern"), "at least one of the two", "the control of Secure Score";
        recommendation: Text, Form::Text("name or pattern"), "at least one of the two", "the recommendation of Entra";
        tenants: Spanned<OneOrMany>, TextOr(&ListOf(&Form::Text("names")), "a name, a list of names, or `all`"), "`all`", "the tenants in which it holds";
        states: Spanned<OneOrMany>, TextOr(&ListOf(&STATE), "a state, or a list of states"), "`risk_accepted`", "the states that it approves; a control is neither dismissed nor postponed";
        reference: Text, ONE_LINE, REQUIRED, "where the decision is recorded; becomes a label";
        approver: Text, ONE_LINE, "none", "the person who approved it; who declared the state is another person, or the decision is *self-approved*";
        reason: Text, ONE_LINE, "none", "the reason";
        approved_on: Text, DAY, "none", "binds the decision to the declaration in effect on that day, or else to the first one after it";
        accepted_by: Text, Form::Text("a person as Graph writes them; case does not matter"), "any person", "covers only declarations by this person";
        evidence: Text, Form::Text("URL"), "none", "the proof: `https` or `http`, without a user";
        expires: Text, DAY, REQUIRED, "the last day of the decision";
    }
}

section! {
    FileLabels "labels" "Everyone who can read `/metrics` or Prometheus can read all labels." {
        accepted_by: Text, OneOf(AcceptedBy::WORDS), "`off`", "the person who accepted, in `secure_score_control_acceptance_info`", env "SECURE_SCORE_LABELS_ACCEPTED_BY";
        comment: Text, OneOf(CommentLabel::WORDS), "`off`", "the comment, in the same metric", env "SECURE_SCORE_LABELS_COMMENT";
        salt_file: Text, PATH, "required if something is hashed", "at least 16 bytes for HMAC-SHA-256; the same salt gives the same pseudonyms", env "SECURE_SCORE_SALT_FILE";
    }
}

section! {
    FilePrivacy "privacy" "Everywhere except in labels." {
        events: Text, OneOf(EventDetail::WORDS), "`full`", "persons and comments; `hash` writes pseudonyms and no comments", env "SECURE_SCORE_PRIVACY_EVENTS";
        pages: Text, OneOf(PageAudience::WORDS), "`authenticated`", "the clients that see persons and comments on the pages and in the API: those that [authenticate](../security.md#names-of-persons), or with `show` every client", env "SECURE_SCORE_PRIVACY_PAGES";
    }
}

section! {
    FileAccess "access[]" "One user or client certificate each. The users are those of [`--web.config.file`](../security.md#the-web-configuration). See [access by customer](../access.md)." {
        user: Text, Form::Text("a user"), "one of the two", "a user of `basic_auth_users`";
        certificate: Text, Form::Text("a name"), "one of the two", "a name in a client certificate that is verified against `client_ca_file`: an alternative name that is a DNS name, an e-mail address or a URI, or the common name of a certificate without alternative names; compared exactly";
        tenants: Vec<Text>, ListOf(&Form::Text("aliases or patterns")), REQUIRED, "the tenants; a pattern matches tenants of the configuration, not those that a partner discovers; `'*'` grants every tenant, the partners, the exporter's own metrics and reloads";
    }
}

section! {
    FileEvents "events" "See [events](../events.md). The log has every event in any case." {
        webhook: Spanned<FileWebhook>, Form::Section("events.webhook"), "none", "a receiver of events as JSON", env;
    }
}

section! {
    FileWebhook "events.webhook" "The URL is a secret: everyone who knows it can post there." {
        url: Text, Form::Text("URL without user and query"), "one of the two", "the URL, if it contains no secret", env "SECURE_SCORE_EVENTS_WEBHOOK_URL";
        url_file: Text, PATH, "one of the two", "the file with the URL: `https`, or `http` on a loopback address", env "SECURE_SCORE_EVENTS_WEBHOOK_URL_FILE";
        authorization_file: Text, PATH, "none", "the file with a bearer token, or with a whole `Authorization` header, sent with each event", env "SECURE_SCORE_EVENTS_WEBHOOK_AUTHORIZATION_FILE";
        timeout: Text, Duration("`1s`", "`1m`"), "`10s`", "the timeout of one delivery attempt", env "SECURE_SCORE_EVENTS_WEBHOOK_TIMEOUT";
    }
}

section! {
    FileGraph "graph" "For networks with a TLS-inspecting proxy." {
        ca_file: Text, PEM_PATH, "none", "certificate authorities in addition to the system's", env "SECURE_SCORE_GRAPH_CA_FILE";
    }
}

section! {
    FileSimulator "simulator" "`secure-score-exporter simulate --config-dir DIR` writes this section." {
        url: Text, Form::Text("`https://` URL of a loopback address"), "required with simulated tenants", "the address of the Graph simulator";
        ca_file: Text, PEM_PATH, "required with simulated tenants", "its certificate authority";
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_of_a_credential_but_the_refused_one_reaches_its_type() {
        let mut credential = FileCredential::default();
        let mut read: Vec<_> = credential.texts().iter().map(|(key, _)| *key).collect();
        read.push("client_secret");
        read.sort_unstable();
        let mut keys = FileCredential::KEYS.to_vec();
        keys.sort_unstable();
        assert_eq!(read, keys);
    }
}
