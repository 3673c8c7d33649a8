//! Approved decisions, from the configuration to metrics and `check`.

use crate::process::Process;
use crate::simulated::{Simulated, run, text};
use crate::world::World;
use graph_simulator::{Options, RecommendationsAccess, StatusChange};
use secure_score_exporter::acceptances::{Filter, Kinds, acceptances};
use secure_score_exporter::config::{Environment, load};
use secure_score_model::{Api, Timestamp};
use serde_json::json;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

const APPROVED_UNTIL: &str = "secure_score_control_risk_approved_until_timestamp_seconds";

/// The end of 2099-12-31.
const END: i64 = 4_102_444_800;
const DAY: i64 = 24 * 60 * 60;

fn series(family: &str, tenant: &str, control: &str) -> String {
    format!("{family}{{tenant=\"{tenant}\",control=\"{control}\",category=\"Identity\"}}")
}

/// A world whose configuration holds these exceptions.
async fn world(exceptions: &str) -> World {
    configured(&format!("risk_accepted:\n  exceptions:\n{exceptions}")).await
}

#[tokio::test]
async fn an_acceptance_is_approved_until_the_last_second_of_its_last_day() {
    let decisions = "    - {control: adminmfav?, reference: SEC-1, expires: 2027-03-31}\n    \
                      - {control: AdminMFAV2, reference: SEC-1, expires: 2026-12-31}\n";
    let world = world(decisions).await;
    world
        .handle()
        .accept(
            "contoso",
            "AdminMFAV2",
            "alex@contoso.example",
            "break glass",
        )
        .unwrap();
    let world = world.watch();
    world.attempted().await;

    let end = Timestamp::from_seconds(1_806_537_600);
    let last = Timestamp::from_nanos(end.nanos() - 1);
    let approved = |now| {
        let filter = Filter {
            tenant: Some("contoso".to_owned()),
            control: Some("AdminMFAV2".to_owned()),
            approved: Some(true),
            ..Filter::default()
        };
        acceptances(&world.store.current(), &filter, now).len()
    };
    assert_eq!(approved(last), 1);
    assert_eq!(approved(end), 0, "expired");

    let until = world.value(&series(APPROVED_UNTIL, "contoso", "AdminMFAV2"));
    assert_eq!(until, Some(1_806_537_600.0));
    let info = "secure_score_control_risk_approval_info{tenant=\"contoso\",control=\"AdminMFAV2\",reference=\"SEC-1\"}";
    assert_eq!(world.value(info), Some(1.0));
}

#[tokio::test]
async fn an_approval_bound_to_a_person_ends_with_the_acceptance_of_another() {
    let decisions = "    - {control: AdminMFAV2, tenants: contoso, reference: SEC-1, \
                      accepted_by: ALEX@contoso.example, expires: 2099-12-31}\n";
    let world = world(decisions).await;
    let handle = world.handle();
    let accept = |by: &str| handle.accept("contoso", "AdminMFAV2", by, "why").unwrap();
    accept("alex@contoso.example");
    handle
        .accept("fabrikam", "AdminMFAV2", "alex@contoso.example", "why")
        .unwrap();
    let world = world.watch();
    world.attempted().await;
    let until = series(APPROVED_UNTIL, "contoso", "AdminMFAV2");
    assert!(world.value(&until).is_some());
    let elsewhere = series(APPROVED_UNTIL, "fabrikam", "AdminMFAV2");
    assert_eq!(world.value(&elsewhere), None, "it names one tenant");

    handle
        .revert("contoso", "AdminMFAV2", "alex@contoso.example")
        .unwrap();
    accept("eve@contoso.example");
    let times = series(
        "secure_score_control_risk_acceptances",
        "contoso",
        "AdminMFAV2",
    );
    world
        .until("the second acceptance", |tenants| {
            crate::world::value(&crate::world::render(tenants), &times) >= Some(2.0)
        })
        .await;
    assert_eq!(
        world.value(&until),
        None,
        "the approval does not cover Eve's acceptance"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn check_reports_decisions_that_need_attention() {
    let simulated = Simulated::start();
    let by = json!({"by": "alex@contoso.example", "comment": "why"});
    simulated.accept("contoso", "AdminMFAV2", by).await;
    simulated.configure(
        "risk_accepted:\n  exceptions:\n    \
         - {control: AdminMFAV2, tenants: contoso, reference: OLD-1, expires: 2026-01-31}\n    \
         - {control: NoSuchControl, reference: LOST-1, expires: 2099-01-31}\n    \
         - {control: OneAdmin, tenants: contoso, reference: IDLE-1, expires: 2099-01-31}\n",
    );
    let checked = run(&["check", "--config.file", &simulated.config()]);
    let said = text(&checked.stdout);
    assert!(checked.status.success(), "{said}");
    for line in [
        "warn  risk_accepted.exceptions[0] (OLD-1, AdminMFAV2) has expired, but a risk that it covered is still accepted",
        "warn  risk_accepted.exceptions[1] (LOST-1, NoSuchControl) matches no control of the catalogue",
        "warn  risk_accepted.exceptions[2] (IDLE-1, OneAdmin) covers no accepted risk on contoso",
        "      hint: remove the exception",
    ] {
        assert!(said.contains(line), "{line} is missing in\n{said}");
    }

    let one = run(&[
        "check",
        "--config.file",
        &simulated.config(),
        "--tenant=contoso",
    ]);
    let said = text(&one.stdout);
    assert!(
        !said.contains("LOST-1"),
        "one tenant proves nothing: {said}"
    );
    assert!(said.contains("in use on no tenant known here"), "{said}");
    assert!(said.contains("IDLE-1"), "{said}");
}

const CLAIM_APPROVED_UNTIL: &str = "secure_score_control_claim_approved_until_timestamp_seconds";
const SELF_APPROVED: &str = "secure_score_control_self_approved";

/// A world whose configuration has these sections beside its tenants.
async fn configured(sections: &str) -> World {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secure-score.yml");
    let tenants = ["contoso", "fabrikam", "adatum", "litware", "northwind"].map(|name| {
        format!(
            "  - {{name: {name}, tenant_id: {name}.example, credential: {{type: azure_cli}}}}\n"
        )
    });
    fs::write(&file, format!("tenants:\n{}{sections}", tenants.concat())).unwrap();
    let written = load(&file, &Environment::default()).unwrap().config;
    let options = Options {
        recommendations: RecommendationsAccess::Granted,
        ..Options::default()
    };
    let world = World::with(options).await;
    world.configure(|config| {
        config.decisions = written.decisions;
        config.minimum_reason = written.minimum_reason;
    })
}

fn of_tenant(family: &str, tenant: &str) -> String {
    format!("{family}{{tenant=\"{tenant}\"}}")
}

#[tokio::test]
async fn a_claim_counts_until_a_decision_with_its_state_covers_it() {
    let world = configured(
        "risk_accepted: {exceptions: [{control: UserRiskPolicy, reference: SEC-1, expires: 2099-12-31}]}\n\
         decisions:\n  \
         - {control: AdminMFAV2, states: third_party, reference: SEC-2, expires: 2099-12-31}\n  \
         - {control: MFARegistrationV2, states: third_party, reference: SEC-3, expires: 2020-12-31}\n  \
         - {control: SigninRiskPolicy, states: alternate_mitigation, reference: SEC-4, expires: 2099-12-31}\n",
    )
    .await;
    let claimed = [
        "AdminMFAV2",
        "MFARegistrationV2",
        "SigninRiskPolicy",
        "UserRiskPolicy",
    ];
    let (by, comment) = (
        Some("alex@contoso.example"),
        Some("another product does it"),
    );
    for control in claimed {
        let handle = world.handle();
        handle
            .set_state("contoso", control, "ThirdParty", by, comment, None)
            .unwrap();
    }
    let world = world.watch();
    world.attempted().await;
    let count = of_tenant("secure_score_tenant_unapproved_claims", "contoso");
    // An exception, a decision about another state and an expired one cover none; nor
    // is AATP_HoneyToken covered, which the simulated tenant claims from the start.
    assert_eq!(world.value(&count), Some(4.0));
    let until = |control| world.value(&series(CLAIM_APPROVED_UNTIL, "contoso", control));
    assert_eq!(until("AdminMFAV2"), Some(END as f64));
    assert_eq!(until("MFARegistrationV2"), Some(1_609_459_200.0), "expired");
    assert_eq!(
        (until("SigninRiskPolicy"), until("UserRiskPolicy")),
        (None, None)
    );

    let filter = Filter {
        tenant: Some("contoso".to_owned()),
        kinds: Kinds::Claims,
        ..Filter::default()
    };
    let tenants = world.store.current();
    let now = Timestamp::from_seconds(1_900_000_000);
    let claims = acceptances(&tenants, &filter, now);
    for (control, is_approved) in [("AdminMFAV2", true), ("UserRiskPolicy", false)] {
        let claim = claims.iter().find(|it| it.control == control).unwrap();
        assert_eq!(claim.approval(now).is_approved(), is_approved, "{control}");
        assert_eq!(
            claim.points_claimed,
            claim.scored_control().unwrap().max_score()
        );
        assert_eq!(claim.has_reason(), Some(true));
    }
    let only_acceptances = Filter {
        kinds: Kinds::Acceptances,
        ..filter
    };
    let mut accepted = acceptances(&tenants, &only_acceptances, now).into_iter();
    assert!(!accepted.any(|it| claimed.contains(&it.control)));
}

/// How often each list of a tenant was refreshed.
fn refreshes(world: &World) -> Vec<u64> {
    let health = &world.tenant("contoso").health;
    Api::ALL.map(|api| health.of(api).refreshes).into()
}

#[tokio::test]
async fn what_a_decision_approves_changes_when_it_ends_without_a_refresh() {
    let world = configured(
        "decisions:\n  \
         - {control: UserRiskPolicy, approver: alex@contoso.example, reference: SEC-1, expires: 2099-12-30}\n  \
         - {control: AdminMFAV2, states: third_party, reference: SEC-2, expires: 2099-12-31}\n  \
         - {recommendation: staleApps, states: third_party, reference: SEC-3, expires: 2099-12-31}\n",
    )
    .await;
    let handle = world.handle();
    let by = "alex@contoso.example";
    handle
        .accept("contoso", "UserRiskPolicy", by, "a reason of some length")
        .unwrap();
    handle
        .set_state("contoso", "AdminMFAV2", "ThirdParty", Some(by), None, None)
        .unwrap();
    let claimed = StatusChange::new("third_party").by(by);
    handle
        .set_recommendation_status("contoso", "staleApps", claimed)
        .unwrap();
    // A second before the first decision ends.
    let now = Arc::new(AtomicI64::new(END - DAY - 1));
    let clock = Arc::clone(&now);
    let hour = Duration::from_secs(60 * 60);
    let world = world
        .configure(|config| {
            config.refresh.profiles = hour;
            config.refresh.scores = hour;
            config.refresh.recommendations = hour;
            config.refresh.identity_scores = hour;
        })
        .clocked(Arc::new(move || {
            Timestamp::from_seconds(clock.load(Ordering::SeqCst))
        }))
        .watch();
    world.attempted().await;
    let claims = of_tenant("secure_score_tenant_unapproved_claims", "contoso");
    let claims_of_entra = of_tenant(
        "secure_score_tenant_unapproved_recommendation_claims",
        "contoso",
    );
    let self_approved = series(SELF_APPROVED, "contoso", "UserRiskPolicy");
    let values = || [&claims, &claims_of_entra, &self_approved].map(|it| world.value(it));
    world
        .until("the list of Entra", |_| values()[1].is_some())
        .await;
    let refreshed = refreshes(&world);
    let [Some(before), Some(before_in_entra), Some(1.0)] = values() else {
        panic!("{:?}", values());
    };
    // The first decision ends a day before the others.
    for (seconds, expected) in [
        (END - DAY, [before, before_in_entra]),
        (END, [before + 1.0, before_in_entra + 1.0]),
    ] {
        let [claims, claims_of_entra] = expected.map(Some);
        let expected = [claims, claims_of_entra, None];
        assert_ne!(values(), expected);
        now.store(seconds, Ordering::SeqCst);
        world
            .until("the end of a decision", |_| values() == expected)
            .await;
    }
    assert_eq!(refreshes(&world), refreshed, "nothing was read from Graph");
    let until = "secure_score_recommendation_claim_approved_until_timestamp_seconds{tenant=\"contoso\",recommendation=\"staleApps\"}";
    assert_eq!(world.value(until), Some(END as f64));
}

#[tokio::test]
async fn who_approves_the_own_acceptance_is_marked_or_refused() {
    let decisions = "decisions:\n  \
         - {control: AdminMFAV2, reference: SEC-1, approver: Alex Wilber <ALEX@contoso.example>, expires: 2099-12-31}\n  \
         - {control: OneAdmin, reference: SEC-2, approver: Risk committee, expires: 2099-12-31}\n  \
         - {control: UserRiskPolicy, reference: SEC-3, expires: 2099-12-31}\n";
    let separate = format!("{decisions}risk_accepted: {{require_separate_approver: true}}\n");
    for (sections, approved) in [
        (decisions.to_owned(), [true, true, true]),
        (separate, [false, true, false]),
    ] {
        let world = configured(&sections).await;
        for control in ["AdminMFAV2", "OneAdmin", "UserRiskPolicy"] {
            let handle = world.handle();
            handle
                .accept("contoso", control, "alex@contoso.example", "Risk accepted")
                .unwrap();
        }
        let world = world.watch();
        world.attempted().await;
        let is_self = |control| world.value(&series(SELF_APPROVED, "contoso", control));
        let found = ["AdminMFAV2", "OneAdmin", "UserRiskPolicy"].map(is_self);
        assert_eq!(found, [Some(1.0), Some(0.0), Some(0.0)]);
        let until = |control| world.value(&series(APPROVED_UNTIL, "contoso", control));
        let found = ["AdminMFAV2", "OneAdmin", "UserRiskPolicy"].map(until);
        assert_eq!(found.map(|it| it.is_some()), approved);
        let lacking = of_tenant("secure_score_tenant_acceptances_without_reason", "contoso");
        assert_eq!(
            world.value(&lacking),
            Some(3.0),
            "the name of the state is no reason"
        );
    }
}

const DECISION_FILE: &str = "\
# Decisions of the board. Keep the order.
- &first
  control: OneAdmin
  tenants: [contoso]   # not fabrikam
  reference: OLD-1
  expires: 2026-01-31  # renewed once
# the end
";

pub(crate) fn approve(simulated: &Simulated, arguments: &[&str]) -> (Option<i32>, String) {
    let config = simulated.config();
    let mut all = vec!["approve", "--config.file", &config, "contoso"];
    all.extend(arguments);
    let output = run(&all);
    let said = text(&output.stdout) + &text(&output.stderr);
    (output.status.code(), said)
}

#[tokio::test(flavor = "multi_thread")]
async fn approve_changes_only_the_lines_that_it_must_and_says_what_ends() {
    let simulated = Simulated::start();
    let file = simulated.folder().join("decisions.yml");
    fs::write(&file, DECISION_FILE).unwrap();
    simulated.configure("decision_files: [decisions.yml]\n");
    let by = json!({"by": "alex@contoso.example", "comment": "why"});
    simulated.accept("contoso", "AdminMFAV2", by.clone()).await;
    simulated.accept("contoso", "OneAdmin", by).await;
    let flags = [
        "AdminMFAV2",
        "--expires=2099-03-31",
        "--reference=SEC-1",
        "--approver=Risk committee",
    ];

    let (status, said) = approve(&simulated, &[&flags[..], &["--dry-run"]].concat());
    assert_eq!(status, Some(0), "{said}");
    for part in [
        "+- control: AdminMFAV2\n",
        " # the end\n",
        "AdminMFAV2 is risk_accepted on contoso: ends SecureScoreRiskAccepted",
        "not written (--dry-run)",
    ] {
        assert!(said.contains(part), "{part} is missing in\n{said}");
    }
    assert_eq!(fs::read_to_string(&file).unwrap(), DECISION_FILE);
    let (status, said) = approve(&simulated, &flags);
    assert_eq!(status, Some(1), "without a terminal: {said}");
    assert!(said.contains("add --yes"), "{said}");

    let with_yes = [&flags[..], &["--yes"]].concat();
    let (status, said) = approve(&simulated, &with_yes);
    assert_eq!(status, Some(0), "{said}");
    let written = fs::read_to_string(&file).unwrap();
    let added = written.strip_prefix(DECISION_FILE).expect("the rest stays");
    assert_eq!(
        added,
        "- control: AdminMFAV2\n  tenants: [contoso]\n  reference: SEC-1\n  \
         approver: \"Risk committee\"\n  expires: 2099-03-31\n"
    );
    let (status, said) = approve(&simulated, &with_yes);
    assert_eq!(status, Some(0), "{said}");
    assert!(said.contains("nothing changes"), "{said}");
    assert_eq!(fs::read_to_string(&file).unwrap(), written);

    let renewal = [
        "OneAdmin",
        "--expires=2099-01-31",
        "--reference=OLD-1",
        "--yes",
    ];
    let (status, said) = approve(&simulated, &renewal);
    assert_eq!(status, Some(0), "{said}");
    assert!(said.contains("ends SecureScoreApprovalExpired"), "{said}");
    let renewed = written.replace("expires: 2026-01-31", "expires: 2099-01-31");
    assert_eq!(fs::read_to_string(&file).unwrap(), renewed);

    let own = [
        "AdminMFAV2",
        "--states=third_party",
        "--expires=2099-03-31",
        "--reference=SEC-2",
        "--dry-run",
    ];
    let (_, said) = approve(&simulated, &own);
    assert!(said.contains("which this does not cover"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn approve_refuses_what_the_configuration_would() {
    let simulated = Simulated::start();
    let flags = [
        "AdminMFAV2",
        "--reference=SEC-1",
        "--expires=2099-03-31",
        "--yes",
    ];
    let (status, said) = approve(&simulated, &flags);
    assert_eq!(status, Some(1), "{said}");
    for part in [
        "has no key `decision_files`",
        "decision_files: [decisions.yml]",
        "--file",
        "SIGHUP",
    ] {
        assert!(said.contains(part), "{part} is missing in\n{said}");
    }
    let (status, said) = approve(&simulated, &["A", "--reference=S", "--expires=tomorrow"]);
    assert_eq!(status, Some(2), "{said}");
    assert!(said.contains("not a day"), "{said}");
    simulated.configure("decision_files: [decisions.yml]\n");
    let flags = [
        "A",
        "--states=dismissed",
        "--reference=S",
        "--expires=2099-03-31",
    ];
    let (status, said) = approve(&simulated, &flags);
    assert_eq!(status, Some(2), "{said}");
    assert!(said.contains("never dismissed"), "{said}");
    let flags = ["[A", "--reference=S", "--expires=2099-03-31"];
    let (status, said) = approve(&simulated, &flags);
    assert_eq!(status, Some(2), "{said}");
    assert!(said.contains("name the control by its id"), "{said}");
    let file = simulated.folder().join("decisions.yml");
    fs::write(&file, "decisions: []\n").unwrap();
    let (status, said) = approve(&simulated, &["A", "--reference=S", "--expires=2099-03-31"]);
    assert_eq!(status, Some(1), "{said}");
    assert!(said.contains("decisions.yml:1:1"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pattern_without_a_file_and_a_file_that_is_not_read_are_named_as_such() {
    let simulated = Simulated::start();
    let by = json!({"by": "alex@contoso.example", "comment": "why"});
    simulated.accept("contoso", "AdminMFAV2", by).await;
    fs::create_dir(simulated.folder().join("decisions.d")).unwrap();
    simulated.configure("decision_files: [decisions.d/*.yml]\n");
    let flags = ["AdminMFAV2", "--reference=SEC-1", "--expires=2099-03-31"];
    let with = |more: &[&str]| approve(&simulated, &[&flags[..], more].concat());
    let (status, said) = with(&["--yes"]);
    assert_eq!(status, Some(1), "{said}");
    let new = simulated.folder().join("decisions.d/decisions.yml");
    let file = format!("--file={}", new.display());
    assert!(
        said.contains("no file matches `decision_files` yet"),
        "{said}"
    );
    assert!(said.contains(&file), "{said}");
    let (status, said) = with(&["--yes", &file]);
    assert_eq!(status, Some(0), "{said}");
    assert!(said.contains("if it has loaded `decision_files`"), "{said}");
    let (status, said) = with(&["--yes", "--approver=Risk committee"]);
    assert_eq!(status, Some(0), "{said}");

    let other = format!("--file={}", simulated.folder().join("other.yml").display());
    let (status, said) = with(&["--yes", &other]);
    assert_eq!(status, Some(0), "{said}");
    assert!(
        said.contains("reload a running exporter (SIGHUP)"),
        "{said}"
    );
    assert!(said.contains("approves nothing yet"), "{said}");
    assert!(!said.contains("within seconds"), "{said}");
}

#[test]
fn the_placeholders_of_the_offered_command_are_refused() {
    let simulated = Simulated::start();
    simulated.configure("decision_files: [decisions.yml]\n");
    for [reference, approver, expires] in [
        ["TICKET", "Bob", "2099-03-31"],
        ["SEC-1", "person", "2099-03-31"],
        ["SEC-1", "Bob", "YYYY-MM-DD"],
    ] {
        let (reference, approver, expires) = (
            format!("--reference={reference}"),
            format!("--approver={approver}"),
            format!("--expires={expires}"),
        );
        let (status, said) = approve(
            &simulated,
            &["AdminMFAV2", &reference, &approver, &expires, "--yes"],
        );
        assert_eq!(status, Some(2), "{said}");
        assert!(
            said.contains("a placeholder of the offered command"),
            "{said}"
        );
    }
    assert!(!simulated.folder().join("decisions.yml").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn decisions_lists_what_each_covers_and_fails_for_an_expired_one_in_use() {
    let simulated = Simulated::start();
    let by = json!({"by": "alex@contoso.example", "comment": "why"});
    simulated.accept("contoso", "AdminMFAV2", by).await;
    let config = simulated.config();
    simulated.configure(
        "decisions:\n  \
         - {control: AdminMFAV2, tenants: contoso, reference: NEW-1, expires: 2099-01-31}\n  \
         - {control: AdminMFAV2, tenants: contoso, reference: OLD-1, expires: 2026-01-31}\n  \
         - {control: OneAdmin, states: planned, reference: IDLE-1, expires: 2098-01-31}\n",
    );
    let listed = run(&["decisions", "--config.file", &config]);
    let said = text(&listed.stdout);
    assert!(listed.status.success(), "renewed by the other: {said}");
    let place = |reference: &str| said.find(reference).unwrap_or_else(|| panic!("{said}"));
    assert!(place("OLD-1") < place("IDLE-1") && place("IDLE-1") < place("NEW-1"));
    assert!(
        said.contains("contoso AdminMFAV2 (risk_accepted)"),
        "{said}"
    );
    assert!(said.contains("nothing"), "{said}");

    let simulated = Simulated::start();
    let by = json!({"by": "alex@contoso.example", "comment": "why"});
    simulated.accept("contoso", "AdminMFAV2", by).await;
    let config = simulated.config();
    simulated.configure(
        "decisions: [{control: AdminMFAV2, tenants: contoso, reference: OLD-1, expires: 2026-01-31}]\n",
    );
    let listed = run(&["decisions", "--config.file", &config, "--output=json"]);
    assert_eq!(listed.status.code(), Some(3), "{}", text(&listed.stdout));
    let document: serde_json::Value = serde_json::from_slice(&listed.stdout).unwrap();
    let decision = &document["decisions"][0];
    assert_eq!(decision["lapsed"], true);
    assert_eq!(decision["covers"][0]["name"], "AdminMFAV2");
}

#[tokio::test(flavor = "multi_thread")]
async fn decisions_does_not_take_what_it_cannot_read_for_nothing() {
    let simulated = Simulated::start();
    let config = simulated.config();
    simulated.configure(
        "decisions: [{control: OneAdmin, tenants: contoso, reference: R-1, expires: 2099-01-31}]\n",
    );
    let decisions = |more: &[&str]| {
        let output = run(&[&["decisions", "--config.file", &config], more].concat());
        (output.status.code(), text(&output.stderr))
    };
    let (status, said) = decisions(&[]);
    assert_eq!(status, Some(0), "{said}");
    // Its tokens open no list of Entra.
    let written = fs::read_to_string(&config).unwrap();
    fs::write(
        &config,
        written.replace("{control: OneAdmin", "{recommendation: oneAdmin"),
    )
    .unwrap();
    let (status, said) = decisions(&[]);
    assert_eq!(status, Some(3), "{said}");
    assert!(
        said.contains("contoso: Entra's recommendations cannot be read"),
        "{said}"
    );

    let watching = written
        .replace("interval: 5m", "interval: 5m, new_customers: watch")
        .replace("tenants: contoso, reference", "reference");
    assert_ne!(written, watching);
    fs::write(&config, watching).unwrap();
    let (status, said) = decisions(&[]);
    assert_eq!(status, Some(3), "{said}");
    assert!(
        said.contains("the customers that it watches without an entry"),
        "{said}"
    );
    assert_eq!(decisions(&["--tenant=contoso"]).0, Some(0));
}

/// Scrapes an exporter until a series has a value.
async fn scrape_until(address: &str, series: &str, wanted: f64) {
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let answer = http.get(format!("http://{address}/metrics")).send().await;
        let scraped = answer.unwrap().text().await.unwrap();
        if crate::world::value(&scraped, series) == Some(wanted) {
            return;
        }
        assert!(Instant::now() < deadline, "{series} is never {wanted}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_exporter_takes_what_approve_writes_and_its_state_answers_both_commands() {
    let simulated = Simulated::start();
    fs::write(simulated.folder().join("decisions.yml"), DECISION_FILE).unwrap();
    simulated.configure("decision_files: [decisions.yml]\n");
    let by = json!({"by": "alex@contoso.example", "comment": "why"});
    simulated.accept("contoso", "AdminMFAV2", by).await;
    let config = simulated.config();
    let state = simulated.folder().join("state");
    let state = format!("--state.dir={}", state.display());
    let exporter = Process::exporter(&[
        "--web.listen-address=127.0.0.1:0",
        "--config.file",
        &config,
        &state,
    ]);
    let address = exporter.word_after("address=");
    let accepted = series(
        "secure_score_control_risk_accepted",
        "contoso",
        "AdminMFAV2",
    );
    scrape_until(&address, &accepted, 1.0).await;

    let flags = [
        "AdminMFAV2",
        "--expires=2099-03-31",
        "--reference=SEC-1",
        "--yes",
        &state,
    ];
    let (status, said) = approve(&simulated, &flags);
    assert_eq!(status, Some(0), "{said}");
    assert!(said.contains("ends SecureScoreRiskAccepted"), "{said}");
    let until = series(APPROVED_UNTIL, "contoso", "AdminMFAV2");
    scrape_until(&address, &until, 4_078_684_800.0).await;
    let listed = run(&["decisions", "--config.file", &config, &state]);
    let said = text(&listed.stdout) + &text(&listed.stderr);
    assert!(
        said.contains("contoso AdminMFAV2 (risk_accepted)"),
        "{said}"
    );
}

#[test]
fn the_example_of_the_guide_loads() {
    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/acceptances.md");
    let guide = fs::read_to_string(guide).unwrap();
    let (_, rest) = guide.split_once("```yaml\n").unwrap();
    let (example, _) = rest.split_once("```").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secure-score.yml");
    let tenants = ["contoso", "fabrikam"].map(|name| {
        format!(
            "  - {{name: {name}, tenant_id: {name}.example, credential: {{type: azure_cli}}}}\n"
        )
    });
    fs::write(&file, format!("{example}tenants:\n{}", tenants.concat())).unwrap();
    if let Err(faults) = load(&file, &Environment::default()) {
        panic!("{faults}");
    }
}
