//! The sections on Entra's recommendations.

use super::*;
use config::{Config, Enabled};
use secure_score_model::{ControlRules as _, RecommendationCategory};
use std::time::Duration;

/// The configuration with this text beside two tenants.
fn load(text: &str) -> Config {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("case.yml");
    fs::write(&path, text).unwrap();
    config::load(&path, &environment()).unwrap().config
}

/// A configuration with this value of `key` under `recommendations`, once for
/// all tenants and once for the tenant `b`.
fn with(key: &str, value: &str) -> [Config; 2] {
    let tenant = "credential: {type: azure_cli}";
    let tenants = format!("tenants:\n- {{name: a, tenant_id: a.com, {tenant}}}\n");
    [
        format!("recommendations: {{{key}: {value}}}\n{tenants}"),
        format!(
            "{tenants}- name: b\n  tenant_id: b.com\n  {tenant}\n  recommendations:\n    {key}: {value}\n"
        ),
    ]
    .map(|text| load(&text))
}

/// Helm and other tools that follow YAML 1.1 turn a bare `on` into `true`, and
/// `no` into `false`.
#[test]
fn the_booleans_of_every_yaml_switch_recommendations_on_and_off() {
    let on = "on On ON true True TRUE yes Yes y \"on\" 'true'";
    let off = "off Off OFF false False FALSE no No n \"off\" 'false'";
    let auto = "auto \"auto\"";
    for (values, expected) in [
        (on, Enabled::On),
        (off, Enabled::Off),
        (auto, Enabled::Auto),
    ] {
        for value in values.split(' ') {
            let [all, own] = with("enabled", value);
            assert_eq!(all.tenants[0].recommendations.enabled, expected, "{value}");
            assert_eq!(own.tenants[0].recommendations.enabled, Enabled::Auto);
            assert_eq!(own.tenants[1].recommendations.enabled, expected, "{value}");
        }
    }
    for (values, expected) in [(on, true), (off, false)] {
        for value in values.split(' ') {
            let [all, own] = with("impacted_resources", value);
            for tenant in [&all.tenants[0], &own.tenants[1]] {
                assert_eq!(tenant.recommendations.impacted_resources, expected);
            }
        }
    }
}

#[test]
fn a_tenant_replaces_single_keys() {
    let path = directory().join("recommendations.good.yml");
    let config = config::load(&path, &environment()).unwrap().config;
    let read = config.tenants.iter().map(|tenant| {
        let read = tenant.recommendations;
        (&*tenant.alias, read.enabled, read.impacted_resources)
    });
    assert_eq!(
        read.collect::<Vec<_>>(),
        [
            ("a", Enabled::On, true),
            ("b", Enabled::Off, true),
            ("c", Enabled::Auto, false),
            ("d", Enabled::Off, true),
        ]
    );
    let scored = RecommendationCategory::IdentitySecureScore;
    let selects = |alias, name| config.rules(alias).selects_recommendation(&[name], scored);
    for alias in ["a", "b", "c", "d"] {
        assert!(selects(alias, "adminMFAV2"), "{alias}");
        assert!(!selects(alias, "AdminMFAV1"), "{alias}: excluded for all");
        let includes_all = alias == "b";
        assert_eq!(selects(alias, "staleApps"), includes_all, "{alias}");
    }
}

#[test]
fn only_the_named_categories_are_selected() {
    let categories = "[mdi_secure_score, Unknown]";
    let [all, own] = with("categories", categories);
    for (config, alias) in [(all, "a"), (own, "b")] {
        let selected = RecommendationCategory::ALL.into_iter().filter(|category| {
            config
                .rules(alias)
                .selects_recommendation(&["x"], *category)
        });
        let selected: Vec<_> = selected.map(RecommendationCategory::as_str).collect();
        assert_eq!(selected, ["mdi_secure_score", "unknown"]);
    }
}

/// A tenant that shortened `max_staleness` before there were recommendations
/// keeps a valid configuration.
#[test]
fn intervals_that_are_not_set_fit_into_the_staleness() {
    let path = directory().join("recommendations-staleness.good.yml");
    let refresh = config::load(&path, &environment()).unwrap().config.refresh;
    let third = Duration::from_secs(600);
    assert_eq!(
        (refresh.recommendations, refresh.identity_scores),
        (third, third)
    );
}

#[test]
fn a_decision_names_a_control_a_recommendation_or_both() {
    let path = directory().join("recommendations.good.yml");
    let config = config::load(&path, &environment()).unwrap().config;
    let references = |decisions: Vec<std::sync::Arc<secure_score_model::Decision>>| {
        let references = decisions.iter().map(|it| it.reference.to_string());
        references.collect::<Vec<_>>().join(" ")
    };
    for (alias, of_control, of_recommendation) in
        [("a", "", "SEC-1"), ("b", "SEC-2", "SEC-1 SEC-2")]
    {
        let rules = config.rules(alias);
        let found = references(rules.decisions_of("UserRiskPolicy"));
        assert_eq!(found, of_control, "{alias}");
        let found = references(rules.decisions_of_recommendation("UserRiskPolicy"));
        assert_eq!(found, of_recommendation, "{alias}");
        let other = references(rules.decisions_of_recommendation("oneAdmin"));
        assert_eq!(other, "", "{alias}");
    }
    let decisions = config.rules("b").decisions();
    let subjects: Vec<_> = decisions.iter().map(|it| it.subject()).collect();
    assert_eq!(subjects, ["userRiskPolicy", "*RiskPolicy, *RiskPolicy"]);
}

#[test]
fn the_watch_list_names_recommendations_in_any_case() {
    let path = directory().join("recommendations.good.yml");
    let rules = config::load(&path, &environment())
        .unwrap()
        .config
        .rules("a");
    assert!(rules.watches("adminMFAV2") && rules.watches("StaleApps"));
    assert!(!rules.watches("userRiskPolicy"));
}
