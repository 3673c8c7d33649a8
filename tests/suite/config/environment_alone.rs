//! A single tenant described by environment variables, without a file.

use super::*;
use secure_score_exporter::config::{AcceptedBy, Cloud, Credential};
use secure_score_model::Category;

const ID: &str = "11111111-2222-3333-4444-555555555555";

/// The default file does not exist where the tests run.
fn find(pairs: &[(&str, &str)]) -> Result<Loaded, strict_yaml::ConfigErrors> {
    config::find(None, &variables(pairs))
}

#[test]
fn three_variables_are_enough() {
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
    let Credential::ClientSecret {
        client_id,
        secret,
        expires,
    } = &tenant.credential
    else {
        panic!("not a secret");
    };
    assert_eq!((client_id.as_str(), secret.expose()), (ID, SECRET));
    assert_eq!(*expires, None);
}

#[test]
fn every_other_variable_arrives_too() {
    let salt = directory().join("secrets/salt");
    let roots = directory().join("secrets/ca.pem");
    let webhook = directory().join("secrets/webhook");
    let token = directory().join("secrets/app");
    let config = find(&[
        ("AZURE_TENANT_ID", ID),
        ("SECURE_SCORE_CREDENTIAL_TYPE", "azure_cli"),
        ("SECURE_SCORE_TENANT_NAME", "main"),
        ("SECURE_SCORE_DISPLAY_NAME", "Main Ltd"),
        ("SECURE_SCORE_CLOUD", "gcc-high"),
        ("SECURE_SCORE_TARGET", "80%"),
        ("SECURE_SCORE_REFRESH_PROFILES", "10m"),
        ("SECURE_SCORE_REFRESH_SCORES", "2h"),
        ("SECURE_SCORE_REFRESH_MAX_STALENESS", "2d"),
        ("SECURE_SCORE_REFRESH_TIMEOUT", "10s"),
        ("SECURE_SCORE_REFRESH_CONCURRENCY", "4"),
        ("SECURE_SCORE_CATEGORIES", "Identity, Apps"),
        ("SECURE_SCORE_CONTROLS_INCLUDE", "*mfa*,one?dmin"),
        ("SECURE_SCORE_CONTROLS_EXCLUDE", "scid_*"),
        ("SECURE_SCORE_CATEGORY_OVERRIDES", "OneAdmin=Identity"),
        ("SECURE_SCORE_LOOKBACK", "5"),
        ("SECURE_SCORE_LABELS_ACCEPTED_BY", "hash"),
        ("SECURE_SCORE_LABELS_COMMENT", "plain"),
        ("SECURE_SCORE_SALT_FILE", salt.to_str().unwrap()),
        ("SECURE_SCORE_PRIVACY_EVENTS", "off"),
        (
            "SECURE_SCORE_EVENTS_WEBHOOK_URL_FILE",
            webhook.to_str().unwrap(),
        ),
        (
            "SECURE_SCORE_EVENTS_WEBHOOK_AUTHORIZATION_FILE",
            token.to_str().unwrap(),
        ),
        ("SECURE_SCORE_EVENTS_WEBHOOK_TIMEOUT", "3s"),
        ("SECURE_SCORE_GRAPH_CA_FILE", roots.to_str().unwrap()),
    ])
    .unwrap()
    .config;
    let tenant = &config.tenants[0];
    assert_eq!(
        (tenant.alias.as_str(), tenant.display_name.as_str()),
        ("main", "Main Ltd")
    );
    assert_eq!((tenant.cloud, tenant.target), (Cloud::GccHigh, Some(0.8)));
    assert!(matches!(tenant.credential, Credential::AzureCli));
    let refresh = &config.refresh;
    assert_eq!(
        (refresh.profiles.as_secs(), refresh.scores.as_secs()),
        (600, 7200)
    );
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
fn the_url_of_a_webhook_may_stand_in_the_open_where_it_is_no_secret() {
    let tenant = [
        ("SECURE_SCORE_TENANT_ID", ID),
        ("SECURE_SCORE_CREDENTIAL_TYPE", "azure_cli"),
    ];
    let url = ("SECURE_SCORE_EVENTS_WEBHOOK_URL", "https://hooks.example/x");
    let config = find(&[tenant[0], tenant[1], url]).unwrap().config;
    let webhook = config.webhook.unwrap();
    assert_eq!(webhook.url.expose(), "https://hooks.example/x");
    assert_eq!(webhook.timeout.as_secs(), 10);

    let timeout = ("SECURE_SCORE_EVENTS_WEBHOOK_TIMEOUT", "5s");
    let faults = find(&[tenant[0], tenant[1], timeout]).unwrap_err();
    let remedy = "no receiver; set SECURE_SCORE_EVENTS_WEBHOOK_URL_FILE";
    assert!(faults.to_string().contains(remedy), "{faults}");
}

#[test]
fn a_fault_names_its_variable() {
    let faults = find(&[
        ("SECURE_SCORE_TENANT_ID", ID),
        ("AZURE_CLIENT_ID", "mine"),
        ("SECURE_SCORE_TARGET", "much"),
    ])
    .unwrap_err()
    .to_string();
    assert!(
        faults.contains("environment: SECURE_SCORE_TARGET: not a share; write 80% or 0.8"),
        "{faults}"
    );
    assert!(
        faults.contains("environment: AZURE_CLIENT_ID: not a GUID"),
        "{faults}"
    );
    assert!(
        faults.contains("set AZURE_CLIENT_SECRET_FILE or AZURE_CLIENT_SECRET"),
        "{faults}"
    );
}

#[test]
fn a_warning_is_shown_beside_faults_too() {
    let misspelt = [("SECURE_SCORE_TENNANT_ID", ID)];
    let report = secure_score_exporter::diagnostics::summary(&find(&misspelt).unwrap_err());
    let near = "SECURE_SCORE_TENNANT_ID; did you mean SECURE_SCORE_TENANT_ID?";
    assert!(report.contains(near), "{report}");
}

#[test]
fn what_is_missing_is_named_as_a_variable_and_once() {
    let azure_cli = ("SECURE_SCORE_CREDENTIAL_TYPE", "azure_cli");
    let tenant = ("SECURE_SCORE_TENANT_ID", ID);
    let cases: [(&[(&str, &str)], &str); 3] = [
        (
            &[
                tenant,
                azure_cli,
                ("SECURE_SCORE_LABELS_ACCEPTED_BY", "hash"),
            ],
            "set SECURE_SCORE_SALT_FILE",
        ),
        (
            &[tenant, ("AZURE_CLIENT_ID", ID)],
            "AZURE_CLIENT_SECRET_FILE",
        ),
        (&[azure_cli], "SECURE_SCORE_TENANT_ID is missing"),
    ];
    for (pairs, named) in cases {
        let faults = find(pairs).unwrap_err();
        assert_eq!(faults.len(), 1, "{faults}");
        assert!(faults.to_string().contains(named), "{faults}");
    }
}

#[test]
fn a_tenant_without_a_credential_is_told_the_ways() {
    let faults = find(&[("SECURE_SCORE_TENANT_ID", ID)]).unwrap_err();
    assert_eq!(faults.len(), 1, "{faults}");
    assert!(
        faults
            .to_string()
            .contains("SECURE_SCORE_CREDENTIAL_TYPE=azure_cli")
    );
}

#[test]
fn a_misspelt_variable_is_pointed_out_and_those_of_kubernetes_are_not() {
    let loaded = find(&[
        ("SECURE_SCORE_TENANT_ID", ID),
        ("SECURE_SCORE_CREDENTIAL_TYPE", "azure_cli"),
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
fn without_anything_it_says_what_to_do_and_how_to_try() {
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
    let both = variables(&[("SECURE_SCORE_TENANT_ID", ID)]);
    let faults = config::load(&file, &both).unwrap_err().to_string();
    assert!(
        faults.contains("unset the SECURE_SCORE_* variables"),
        "{faults}"
    );
}

#[test]
fn the_tenant_that_azure_injects_does_not_disturb_a_file() {
    let file = directory().join("smallest.good.yml");
    let injected = variables(&[("AZURE_TENANT_ID", ID)]);
    assert!(config::load(&file, &injected).unwrap().warnings.is_empty());
}

#[test]
fn the_environment_prints_names_and_no_values() {
    let printed = format!("{:?}", variables(&[("AZURE_CLIENT_SECRET", SECRET)]));
    assert!(printed.contains("AZURE_CLIENT_SECRET") && !printed.contains(SECRET));
}

#[test]
fn a_variable_of_azures_gives_the_kind_of_credential_away() {
    let application = directory().join("../../fuzz/corpus/keystore/modern.p12");
    let token = directory().join("secrets/app");
    let tenant = [("SECURE_SCORE_TENANT_ID", ID), ("AZURE_CLIENT_ID", ID)];
    let with = |more: &[(&str, &str)]| {
        let pairs: Vec<_> = tenant.iter().chain(more).copied().collect();
        let found = find(&pairs).unwrap();
        found.config.tenants[0].credential.clone()
    };
    let certificate = with(&[
        (
            "AZURE_CLIENT_CERTIFICATE_PATH",
            application.to_str().unwrap(),
        ),
        ("AZURE_CLIENT_CERTIFICATE_PASSWORD", "sample"),
    ]);
    assert!(matches!(certificate, Credential::ClientCertificate { .. }));
    let federated = [("AZURE_FEDERATED_TOKEN_FILE", token.to_str().unwrap())];
    assert!(matches!(
        with(&federated),
        Credential::WorkloadIdentity { .. }
    ));
    // A pod has the token's variable whether it is to be used or not.
    let secret = with(&[federated[0], ("AZURE_CLIENT_SECRET", SECRET)]);
    assert!(matches!(secret, Credential::ClientSecret { .. }));
    let identity = with(&[("SECURE_SCORE_CREDENTIAL_TYPE", "managed_identity")]);
    let assigned = Credential::ManagedIdentity {
        client_id: Some(ID.to_owned()),
    };
    assert_eq!(identity, assigned);

    let faults = find(&[
        ("SECURE_SCORE_TENANT_ID", ID),
        ("AZURE_CLIENT_ID", ID),
        (
            "AZURE_CLIENT_CERTIFICATE_PATH",
            application.to_str().unwrap(),
        ),
        ("AZURE_CLIENT_CERTIFICATE_PASSWORD", "another"),
    ]);
    let said = faults.unwrap_err().to_string();
    assert!(
        said.contains("AZURE_CLIENT_CERTIFICATE_PATH") && said.contains("with this password"),
        "{said}"
    );
}
