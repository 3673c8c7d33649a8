//! A configuration by environment variables, without a file.

use super::*;
use secure_score_exporter::config::{AcceptedBy, Cloud, ConfigText, Enabled};
use secure_score_exporter::credentials::{
    ClientSecret, Credential, DecryptedKeyCache, ManagedIdentity,
};
use secure_score_model::{Category, ControlRules as _, RecommendationCategory};

const ID: &str = "11111111-2222-3333-4444-555555555555";
const TENANT: (&str, &str) = ("SECURE_SCORE_TENANT_ID", ID);
const AZURE_CLI: (&str, &str) = ("SECURE_SCORE_CREDENTIAL_TYPE", "azure_cli");

/// The default file does not exist in the working directory of the tests.
fn find(pairs: &[(&str, &str)]) -> Result<Loaded, strict_yaml::ConfigErrors> {
    ConfigText::read(None).load(&variables(pairs), &DecryptedKeyCache::default())
}

#[test]
fn three_variables_suffice() {
    let loaded = find(&[
        ("SECURE_SCORE_TENANT_ID", "contoso.onmicrosoft.com"),
        ("AZURE_CLIENT_ID", ID),
        ("AZURE_CLIENT_SECRET", SECRET),
    ])
    .unwrap();
    assert!(loaded.warnings.is_empty(), "{:?}", loaded.warnings);
    let [tenant] = loaded.config.tenants.as_slice() else {
        panic!("not one tenant");
    };
    assert_eq!(
        (tenant.alias.as_str(), tenant.cloud),
        ("contoso", Cloud::Global)
    );
    let Credential::ClientSecret(ClientSecret {
        client_id,
        secret,
        expires,
    }) = &tenant.credential
    else {
        panic!("not a secret");
    };
    assert_eq!((client_id.as_str(), secret.expose()), (ID, SECRET));
    assert_eq!(*expires, None);
}

#[test]
fn every_other_variable_has_an_effect() {
    let secrets = format!("{}/secrets", directory().display());
    let [salt, roots, webhook, token] =
        ["salt", "ca.pem", "webhook", "app"].map(|name| format!("{secrets}/{name}"));
    let config = find(&[
        ("AZURE_TENANT_ID", ID),
        AZURE_CLI,
        ("SECURE_SCORE_TENANT_NAME", "main"),
        ("SECURE_SCORE_DISPLAY_NAME", "Main Ltd"),
        ("SECURE_SCORE_CLOUD", "gcc-high"),
        ("SECURE_SCORE_TARGET", "80%"),
        ("SECURE_SCORE_REFRESH_PROFILES", "10m"),
        ("SECURE_SCORE_REFRESH_SCORES", "2h"),
        ("SECURE_SCORE_REFRESH_RECOMMENDATIONS", "20m"),
        ("SECURE_SCORE_REFRESH_IDENTITY_SCORES", "3h"),
        ("SECURE_SCORE_REFRESH_MAX_STALENESS", "2d"),
        ("SECURE_SCORE_REFRESH_TIMEOUT", "10s"),
        ("SECURE_SCORE_REFRESH_CONCURRENCY", "4"),
        ("SECURE_SCORE_CATEGORIES", "Identity, Apps"),
        ("SECURE_SCORE_CONTROLS_INCLUDE", "*mfa*,one?dmin"),
        ("SECURE_SCORE_CONTROLS_EXCLUDE", "scid_*"),
        ("SECURE_SCORE_CATEGORY_OVERRIDES", "OneAdmin=Identity"),
        ("SECURE_SCORE_RECOMMENDATIONS_ENABLED", "On"),
        ("SECURE_SCORE_RECOMMENDATIONS_IMPACTED_RESOURCES", "true"),
        (
            "SECURE_SCORE_RECOMMENDATIONS_CATEGORIES",
            "identity_secure_score",
        ),
        ("SECURE_SCORE_RECOMMENDATIONS_INCLUDE", "*risk*,oneAdmin"),
        ("SECURE_SCORE_RECOMMENDATIONS_EXCLUDE", "insider*"),
        ("SECURE_SCORE_LOOKBACK", "5"),
        ("SECURE_SCORE_LABELS_ACCEPTED_BY", "hash"),
        ("SECURE_SCORE_LABELS_COMMENT", "plain"),
        ("SECURE_SCORE_SALT_FILE", &salt),
        ("SECURE_SCORE_PRIVACY_EVENTS", "off"),
        ("SECURE_SCORE_EVENTS_WEBHOOK_URL_FILE", &webhook),
        ("SECURE_SCORE_EVENTS_WEBHOOK_AUTHORIZATION_FILE", &token),
        ("SECURE_SCORE_EVENTS_WEBHOOK_TIMEOUT", "3s"),
        ("SECURE_SCORE_GRAPH_CA_FILE", &roots),
    ])
    .unwrap()
    .config;
    let tenant = &config.tenants[0];
    assert_eq!(
        (tenant.alias.as_str(), tenant.display_name.as_str()),
        ("main", "Main Ltd")
    );
    assert_eq!((tenant.cloud, tenant.target), (Cloud::GccHigh, Some(0.8)));
    assert!(matches!(tenant.credential, Credential::AzureCli(_)));
    let refresh = &config.refresh;
    assert_eq!(
        (refresh.profiles.as_secs(), refresh.scores.as_secs()),
        (600, 7200)
    );
    assert_eq!(
        (
            refresh.recommendations.as_secs(),
            refresh.identity_scores.as_secs()
        ),
        (1_200, 10_800)
    );
    let recommendations = tenant.recommendations;
    assert_eq!(recommendations.enabled, Enabled::On);
    assert!(recommendations.impacted_resources);
    let rules = config.rules("main");
    let scored = RecommendationCategory::IdentitySecureScore;
    assert!(rules.selects_recommendation(&["userRiskPolicy"], scored));
    assert!(!rules.selects_recommendation(&["staleApps"], scored));
    assert!(!rules.selects_recommendation(&["insiderRiskPolicy"], scored));
    let unscored = RecommendationCategory::IdentityBestPractice;
    assert!(!rules.selects_recommendation(&["userRiskPolicy"], unscored));
    assert_eq!(
        (refresh.max_staleness.as_secs(), refresh.timeout.as_secs()),
        (172_800, 10)
    );
    assert_eq!((refresh.concurrency.get(), config.lookback.get()), (4, 5));
    assert!(config.controls.selects("AdminMFAV2", Category::Apps));
    assert!(!config.controls.selects("scid_mfa", Category::Apps));
    assert!(!config.controls.selects("AdminMFAV2", Category::Data));
    assert_eq!(
        config.controls.category_override("oneadmin"),
        Some(Category::Identity)
    );
    assert_eq!(config.labels.accepted_by, AcceptedBy::Hash);
    assert!(config.labels.comment && config.salt.is_some() && config.extra_roots.is_some());
    let webhook = config.webhook.unwrap();
    assert!(webhook.url.expose().starts_with("https://hooks.example/"));
    assert!(webhook.authorization.is_some() && webhook.timeout.as_secs() == 3);
}

#[test]
fn a_variable_may_contain_the_url_of_a_webhook() {
    let url = ("SECURE_SCORE_EVENTS_WEBHOOK_URL", "https://hooks.example/x");
    let config = find(&[TENANT, AZURE_CLI, url]).unwrap().config;
    let webhook = config.webhook.unwrap();
    assert_eq!(webhook.url.expose(), "https://hooks.example/x");
    assert_eq!(webhook.timeout.as_secs(), 10);

    let timeout = ("SECURE_SCORE_EVENTS_WEBHOOK_TIMEOUT", "5s");
    let errors = find(&[TENANT, AZURE_CLI, timeout]).unwrap_err();
    let fix = "no receiver; set SECURE_SCORE_EVENTS_WEBHOOK_URL_FILE";
    assert!(errors.to_string().contains(fix), "{errors}");
}

#[test]
fn an_error_names_its_variable() {
    let errors = find(&[
        TENANT,
        ("AZURE_CLIENT_ID", "mine"),
        ("SECURE_SCORE_TARGET", "much"),
    ])
    .unwrap_err()
    .to_string();
    assert!(
        errors.contains("environment: SECURE_SCORE_TARGET: not a share; write 80% or 0.8"),
        "{errors}"
    );
    assert!(
        errors.contains("environment: AZURE_CLIENT_ID: not a GUID"),
        "{errors}"
    );
    assert!(
        errors.contains("set AZURE_CLIENT_SECRET_FILE or AZURE_CLIENT_SECRET"),
        "{errors}"
    );
}

#[test]
fn warnings_are_printed_beside_errors() {
    let misspelt = [("SECURE_SCORE_TENNANT_ID", ID)];
    let report = secure_score_exporter::diagnostics::summary(&find(&misspelt).unwrap_err());
    let near = "SECURE_SCORE_TENNANT_ID; did you mean SECURE_SCORE_TENANT_ID?";
    assert!(report.contains(near), "{report}");
}

#[test]
fn a_missing_variable_is_reported_once() {
    let cases: [(&[(&str, &str)], &str); 3] = [
        (
            &[
                TENANT,
                AZURE_CLI,
                ("SECURE_SCORE_LABELS_ACCEPTED_BY", "hash"),
            ],
            "set SECURE_SCORE_SALT_FILE",
        ),
        (
            &[TENANT, ("AZURE_CLIENT_ID", ID)],
            "AZURE_CLIENT_SECRET_FILE",
        ),
        (&[AZURE_CLI], "SECURE_SCORE_TENANT_ID is missing"),
    ];
    for (pairs, named) in cases {
        let errors = find(pairs).unwrap_err();
        assert_eq!(errors.len(), 1, "{errors}");
        assert!(errors.to_string().contains(named), "{errors}");
    }
}

#[test]
fn the_error_for_a_missing_credential_lists_the_variables() {
    let errors = find(&[TENANT]).unwrap_err();
    assert_eq!(errors.len(), 1, "{errors}");
    assert!(
        errors
            .to_string()
            .contains("SECURE_SCORE_CREDENTIAL_TYPE=azure_cli")
    );
}

#[test]
fn a_misspelt_variable_is_a_warning_and_one_of_kubernetes_is_not() {
    let loaded = find(&[
        TENANT,
        AZURE_CLI,
        ("SECURE_SCORE_TRAGET", "80%"),
        ("SECURE_SCORE_EXPORTER_SERVICE_HOST", "10.0.0.1"),
        ("SECURE_SCORE_EXPORTER_PORT_10365_TCP_PROTO", "tcp"),
    ])
    .unwrap();
    let warnings: Vec<_> = loaded.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(
        warnings,
        [
            "environment: unknown environment variable SECURE_SCORE_TRAGET; did you mean SECURE_SCORE_TARGET?"
        ]
    );
}

#[test]
fn the_error_without_a_configuration_suggests_the_demo() {
    let report = secure_score_exporter::diagnostics::summary(&find(&[]).unwrap_err());
    assert!(report.contains("SECURE_SCORE_TENANT_ID"), "{report}");
    assert!(report.contains("secure-score-exporter demo"), "{report}");
    assert!(
        report.ends_with("1 problem, nothing was started"),
        "{report}"
    );
}

#[test]
fn a_tenant_in_the_environment_beside_a_file_is_refused() {
    let file = directory().join("smallest.good.yml");
    let both = variables(&[TENANT]);
    let errors = config::load(&file, &both).unwrap_err().to_string();
    assert!(
        errors.contains("unset the SECURE_SCORE_* variables"),
        "{errors}"
    );
}

#[test]
fn azure_tenant_id_is_ignored_beside_a_file() {
    let file = directory().join("smallest.good.yml");
    let injected = variables(&[("AZURE_TENANT_ID", ID)]);
    assert!(config::load(&file, &injected).unwrap().warnings.is_empty());
}

#[test]
fn the_environment_prints_only_names() {
    let printed = format!("{:?}", variables(&[("AZURE_CLIENT_SECRET", SECRET)]));
    assert!(printed.contains("AZURE_CLIENT_SECRET") && !printed.contains(SECRET));
}

#[test]
fn azure_variables_imply_the_credential_type() {
    let files = directory().display().to_string();
    let application = format!("{files}/../../fuzz/corpus/keystore/modern.p12");
    let token = format!("{files}/secrets/app");
    let path = ("AZURE_CLIENT_CERTIFICATE_PATH", application.as_str());
    let tenant = [TENANT, ("AZURE_CLIENT_ID", ID)];
    let with = |more: &[(&str, &str)]| {
        let pairs: Vec<_> = tenant.iter().chain(more).copied().collect();
        let found = find(&pairs).unwrap();
        found.config.tenants[0].credential.clone()
    };
    let certificate = with(&[path, ("AZURE_CLIENT_CERTIFICATE_PASSWORD", "sample")]);
    assert!(matches!(certificate, Credential::ClientCertificate { .. }));
    let federated = [("AZURE_FEDERATED_TOKEN_FILE", token.as_str())];
    assert!(matches!(
        with(&federated),
        Credential::WorkloadIdentity { .. }
    ));
    // Azure sets the token's variable in pods in any case.
    let secret = with(&[federated[0], ("AZURE_CLIENT_SECRET", SECRET)]);
    assert!(matches!(secret, Credential::ClientSecret { .. }));
    let identity = with(&[("SECURE_SCORE_CREDENTIAL_TYPE", "managed_identity")]);
    let assigned = Credential::ManagedIdentity(ManagedIdentity {
        client_id: Some(ID.to_owned()),
    });
    assert_eq!(identity, assigned);

    let errors = find(&[
        TENANT,
        ("AZURE_CLIENT_ID", ID),
        path,
        ("AZURE_CLIENT_CERTIFICATE_PASSWORD", "another"),
    ]);
    let output = errors.unwrap_err().to_string();
    assert!(
        output.contains("AZURE_CLIENT_CERTIFICATE_PATH") && output.contains("with this password"),
        "{output}"
    );
}

/// The hash covers the variables in the order of the table of keys.
#[test]
fn the_hash_of_the_environment_is_stable() {
    let loaded = find(&[
        AZURE_CLI,
        ("SECURE_SCORE_TENANT_ID", "contoso.com"),
        ("SECURE_SCORE_TENANT_NAME", "main"),
        ("SECURE_SCORE_TARGET", "80%"),
        ("SECURE_SCORE_REFRESH_MODE", "scrape"),
        ("SECURE_SCORE_WATCH", "AdminMFAV2"),
        ("SECURE_SCORE_LOOKBACK", "5"),
        ("SECURE_SCORE_LABELS_COMMENT", "plain"),
        ("SECURE_SCORE_EVENTS_WEBHOOK_URL", "https://hooks.example/x"),
        ("SECURE_SCORE_EVENTS_WEBHOOK_TIMEOUT", "5s"),
        ("SECURE_SCORE_CATEGORIES", "Identity"),
    ]);
    assert_eq!(loaded.unwrap().config.hash.to_string(), "8bed09055261");
}
