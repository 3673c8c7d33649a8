//! The customers of a partner: their states, and those that are watched.

use crate::partner_world::{PARTNER, PartnerWorld};
use crate::process::Process;
use crate::simulated::Simulated;
use crate::world::value;
use graph_simulator::{
    Api, Consent, Customer, Fault, FaultKind, OddCustomer, PartnerOptions, PartnerPermission,
    Relationship as GraphRelationship, RetryAfter,
};
use secure_score_exporter::config::{CustomerSource, DisplayNames, NewCustomers, Pattern};
use secure_score_exporter::refresh::Shard;
use secure_score_model::CustomerState::{Excluded, Left, NotConsented, Unwatched, Watched};
use secure_score_model::{Reason, SkippedField, Timestamp};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::num::NonZeroU16;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

#[tokio::test(flavor = "multi_thread")]
async fn customers_are_watched_if_they_are_configured() {
    let world = PartnerWorld::start().await;
    let exporter = world.run();
    exporter
        .until("the list", |it| it.state().snapshot.customers.is_some())
        .await;
    let contoso = exporter.customer(&world.id("contoso")).unwrap();
    assert_eq!(contoso, (Watched, Some("contoso".to_owned())));
    assert_eq!(
        exporter.customer(&world.id("woodgrove")).unwrap(),
        (Unwatched, None)
    );
    let snapshot = &exporter.state().snapshot;
    assert_eq!(snapshot.coverage(), (5, 12));
    let text = exporter.metrics();
    for (state, count) in [("watched", 5.0), ("unwatched", 7.0), ("left", 0.0)] {
        let series =
            format!("secure_score_partner_customers{{partner=\"partner\",state=\"{state}\"}}");
        assert_eq!(value(&text, &series), Some(count), "{text}");
    }
    let info = format!(
        "secure_score_partner_customer_info{{partner=\"partner\",entra_tenant_id=\"{}\",display_name=\"Contoso Ltd\",tenant=\"contoso\"}} 1",
        world.id("contoso")
    );
    assert!(text.contains(&info), "{info}\n{text}");
    let ends = text
        .matches("secure_score_partner_relationship_end_timestamp_seconds{")
        .count();
    assert_eq!(ends, 12);
    let url = snapshot
        .find(&world.id("woodgrove"))
        .unwrap()
        .consent_url
        .clone()
        .unwrap();
    let client_id = world.partner().access().client_id;
    let path = format!(
        "/{}/adminconsent?client_id={client_id}",
        world.id("woodgrove")
    );
    assert!(url.ends_with(&path), "{url}");
    assert!(
        exporter
            .own_metrics()
            .contains("_refresh_duration_seconds_count{api=\"customers\"}")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_lists_are_requested_with_the_partners_token_only() {
    let world = PartnerWorld::start().await;
    let exporter = world.run();
    exporter
        .until("the list", |it| it.state().snapshot.customers.is_some())
        .await;
    let requests = world.list_requests();
    let paths: BTreeSet<_> = requests
        .iter()
        .map(|it| it.path_and_query.clone())
        .collect();
    let paths: Vec<_> = paths.iter().map(String::as_str).collect();
    assert_eq!(
        paths,
        [
            "/v1.0/tenantRelationships/delegatedAdminCustomers?$top=300",
            "/v1.0/tenantRelationships/delegatedAdminRelationships?$top=300",
        ]
    );
    assert!(
        requests
            .iter()
            .all(|it| it.tenant.as_deref() == Some(PARTNER))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_customers_are_one_list() {
    let world = PartnerWorld::start().await;
    world.partner().sign_up_many(988).unwrap();
    let exporter = world.run();
    exporter
        .until("the list", |it| it.count(Unwatched) == 995)
        .await;
    assert_eq!(exporter.count(Watched), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn patterns_exclude_customers_but_no_configured_tenant() {
    let world = PartnerWorld::start().await.configure(|partner| {
        partner.exclude = vec![
            Pattern::of_names("woodgrove*").unwrap(),
            Pattern::of_names("contoso*").unwrap(),
        ];
    });
    let exporter = world.run();
    exporter
        .until("the list", |it| it.state().snapshot.customers.is_some())
        .await;
    assert_eq!(
        exporter.customer(&world.id("woodgrove")).unwrap().0,
        Excluded
    );
    assert_eq!(exporter.customer(&world.id("contoso")).unwrap().0, Watched);
    assert_eq!(exporter.count(Unwatched), 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn names_are_in_labels_only_where_they_are_switched_on() {
    let world = PartnerWorld::start()
        .await
        .configure(|partner| partner.display_names = DisplayNames::Off);
    let exporter = world.run();
    exporter
        .until("the list", |it| it.state().snapshot.customers.is_some())
        .await;
    let text = exporter.metrics();
    assert!(
        !text.contains("Contoso") && !text.contains("Woodgrove"),
        "{text}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_configured_by_its_domain_is_found_by_its_learnt_id() {
    let mut world = PartnerWorld::start().await;
    let contoso = world
        .config
        .tenants
        .iter_mut()
        .find(|it| it.alias == "contoso");
    contoso.unwrap().tenant_id = "contoso.example".to_owned();
    let id = world.id("contoso");
    let exporter = world.run();
    let watched = (Watched, Some("contoso".to_owned()));
    exporter
        .until("its id is learnt", |it| {
            it.customer(&id) == Some(watched.clone())
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_without_consent_is_told_from_one_that_fails_later() {
    let mut world = PartnerWorld::start().await;
    world
        .handle()
        .set_consent("contoso", Consent::NotGranted)
        .unwrap();
    let folder = tempfile::tempdir().unwrap();
    // The second lacks consent, and was read before.
    let id = world.id("contoso");
    let fabrikam = world.id("fabrikam");
    let exporter = world.run_in(Some(folder.path()));
    exporter
        .until("no consent", |it| {
            it.customer(&id).is_some_and(|it| it.0 == NotConsented)
        })
        .await;
    exporter
        .until("fabrikam is read", |it| {
            let tenants = it.store.current();
            tenants
                .find("fabrikam")
                .is_some_and(|it| it.health.was_read())
        })
        .await;
    // The tenant's own health says what it always did.
    let tenants = exporter.store.current();
    let trouble = tenants
        .find("contoso")
        .unwrap()
        .health
        .profiles
        .trouble
        .clone()
        .unwrap();
    assert_eq!(trouble.reason, Reason::Consent);
    exporter.refreshed(1).await;
    exporter.stop().await;

    world
        .handle()
        .set_consent("fabrikam", Consent::NoServicePrincipal)
        .unwrap();
    world.handle().revoke_tokens("fabrikam").unwrap();
    // Even under another alias, of which the state directory knows nothing.
    let tenants = &mut world.config.tenants;
    let tenant = tenants
        .iter_mut()
        .find(|it| it.alias == "fabrikam")
        .unwrap();
    "fabrikam-2".clone_into(&mut tenant.alias);
    let exporter = world.run_in(Some(folder.path()));
    exporter
        .until("fabrikam fails", |it| {
            let tenants = it.store.current();
            let health = tenants.find("fabrikam-2").map(|it| it.health.clone());
            health.is_some_and(|it| it.profiles.trouble.is_some_and(|it| it.not_consented))
        })
        .await;
    exporter.refreshed(1).await;
    assert_eq!(exporter.customer(&fabrikam).unwrap().0, Watched);
    assert_eq!(exporter.customer(&id).unwrap().0, NotConsented);
}

/// The value of the series that says whether a customer lacks consent.
fn consent_missing(metrics: &str, id: &str) -> Option<char> {
    let mut lines = metrics.lines().filter(|line| {
        line.starts_with("secure_score_partner_customer_consent_missing{") && line.contains(id)
    });
    let value = lines.next()?.chars().last();
    assert_eq!(lines.next(), None, "one series");
    value
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_that_leaves_lacks_its_consent_still() {
    let world = PartnerWorld::start().await;
    world
        .handle()
        .set_consent("contoso", Consent::NotGranted)
        .unwrap();
    let id = world.id("contoso");
    let exporter = world.run();
    exporter
        .until("no consent", |it| {
            it.customer(&id).is_some_and(|it| it.0 == NotConsented)
        })
        .await;
    assert_eq!(consent_missing(&exporter.metrics(), &id), Some('1'));
    let fabrikam = world.id("fabrikam");
    exporter
        .until("fabrikam is read", |it| has_score(it, "fabrikam"))
        .await;
    assert_eq!(consent_missing(&exporter.metrics(), &fabrikam), Some('0'));
    world.partner().remove("contoso").unwrap();
    exporter
        .until("it left", |it| {
            it.customer(&id).is_some_and(|it| it.0 == Left)
        })
        .await;
    exporter.refreshed(2).await;
    assert_eq!(consent_missing(&exporter.metrics(), &id), Some('1'));
    world
        .handle()
        .set_consent("contoso", Consent::Granted)
        .unwrap();
    exporter.reload(&world.config).await;
    exporter
        .until("it is read", |it| {
            consent_missing(&it.metrics(), &id) == Some('0')
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relationship_that_ended_is_shown_while_the_customer_is_listed() {
    let world = PartnerWorld::start().await;
    let id = world.id("contoso");
    let ended = jiff::Timestamp::from_second(1_790_000_000).unwrap();
    let relationship = GraphRelationship::active("Managed security", ended).extending();
    let set = |status: &str| {
        let relationship = relationship.clone().with_status(status);
        let all = [relationship];
        world.partner().set_relationships("contoso", &all).unwrap();
    };
    let exporter = world.run();
    for (status, expected) in [
        ("active", Some((1_790_000_000.0, true))),
        ("expiring", Some((1_790_000_000.0, false))),
        ("expired", Some((1_790_000_000.0, false))),
        ("approvalPending", None),
    ] {
        set(status);
        exporter
            .until(status, |it| {
                let state = it.state();
                let customer = state.snapshot.find(&id);
                customer.is_some_and(|it| {
                    let relationship = it.customer.relationship;
                    relationship.map(|it| (it.ends.as_seconds(), it.extends)) == expected
                })
            })
            .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_list_changes_nothing() {
    let world = PartnerWorld::start().await;
    let exporter = world.run();
    exporter
        .until("the list", |it| it.count(Unwatched) == 7)
        .await;
    for (api, kind, reason) in [
        (Api::Customers, FaultKind::EmptyValue, Reason::Emptied),
        (Api::Customers, FaultKind::Partial206, Reason::Partial),
        (Api::Relationships, FaultKind::EmptyValue, Reason::Emptied),
        (Api::Relationships, FaultKind::Status(500), Reason::Server),
        (Api::Customers, FaultKind::NextLinkLoop, Reason::Paging),
        (Api::Relationships, FaultKind::Malformed, Reason::Malformed),
    ] {
        let failures = |reason| {
            let state = exporter.state();
            state
                .snapshot
                .health
                .failures
                .get(&reason)
                .copied()
                .unwrap_or(0)
        };
        let before = failures(reason);
        world
            .handle()
            .inject(Some(PARTNER), Fault::new(api, kind.clone()))
            .unwrap();
        exporter.reload(&world.config).await;
        exporter
            .until("a failure", |_| failures(reason) > before)
            .await;
        let snapshot = &exporter.state().snapshot;
        assert!(!snapshot.health.up, "{kind:?}");
        assert_eq!(snapshot.coverage(), (5, 12), "{kind:?}");
        world.handle().clear_faults();
        exporter.reload(&world.config).await;
        exporter
            .until("success", |it| it.state().snapshot.health.up)
            .await;
    }
    let text = exporter.metrics();
    assert!(
        text.contains("secure_score_partner_up{partner=\"partner\"} 1"),
        "{text}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn graph_decides_how_long_to_wait_for_the_list() {
    let world = PartnerWorld::start().await;
    let throttle = FaultKind::Throttle {
        retry_after: RetryAfter::Seconds(3_000),
    };
    world
        .handle()
        .inject(Some(PARTNER), Fault::new(Api::Customers, throttle))
        .unwrap();
    let exporter = world.run();
    exporter
        .until("a failure", |it| {
            it.state()
                .snapshot
                .health
                .failures
                .contains_key(&Reason::Throttled)
        })
        .await;
    let health = &exporter.state().snapshot.health;
    let now = Timestamp::from(std::time::SystemTime::now());
    assert!(health.next_refresh.unwrap().since(now).as_secs() > 2_000);
    // A reload ends no wait that Graph asked for.
    exporter.reload(&world.config).await;
    assert_eq!(world.list_requests().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_permission_the_remedy_names_it() {
    let world = PartnerWorld::start().await.configure(|partner| {
        partner
            .sources
            .push(CustomerSource::MultitenantOrganization);
    });
    let exporter = world.run();
    exporter
        .until("a failure", |it| {
            it.state().snapshot.health.trouble.is_some()
        })
        .await;
    let trouble = exporter.state().snapshot.health.trouble.clone().unwrap();
    assert_eq!(trouble.reason, Reason::Permission);
    let hint = trouble.hint.unwrap();
    assert!(hint.contains("MultiTenantOrganization.Read.All"), "{hint}");
    assert!(
        exporter.state().snapshot.customers.is_none(),
        "half a list is none"
    );

    world
        .partner()
        .grant(PartnerPermission::MultiTenantOrganization);
    world
        .partner()
        .revoke(PartnerPermission::DelegatedAdminRelationship);
    world.handle().revoke_tokens(PARTNER).unwrap();
    exporter.reload(&world.config).await;
    let names = |it: &str| it.contains("DelegatedAdminRelationship.Read.All");
    exporter
        .until("the other permission", |it| {
            let trouble = it.state().snapshot.health.trouble.clone();
            trouble.is_some_and(|it| it.hint.is_some_and(|it| names(&it)))
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn odd_customers_are_left_out_and_counted() {
    let world = PartnerWorld::start().await;
    let customer = |name: &str, id: Option<&str>| Customer {
        name: name.to_owned(),
        tenant_id: id.map(str::to_owned),
        display_name: name.to_owned(),
        relationships: Vec::new(),
    };
    let partner = world.partner();
    let own = partner.access().entra_id;
    partner.add(customer("without", None));
    partner.add(customer("invalid", Some("not-a-guid")));
    partner.add(customer("again", Some(&world.id("contoso"))));
    partner.add(customer("the partner", Some(&own)));
    let exporter = world.run();
    exporter
        .until("the list", |it| it.state().snapshot.customers.is_some())
        .await;
    let snapshot = &exporter.state().snapshot;
    assert_eq!(snapshot.coverage(), (5, 12));
    assert_eq!(snapshot.skipped.of(SkippedField::Id), 2);
    assert_eq!(snapshot.skipped.of(SkippedField::Duplicate), 1);
    assert!(snapshot.skipped.own_tenant && snapshot.find(&own).is_none());
}

/// The gauges of a tenant are there.
fn has_score(exporter: &crate::partner_world::Exporter, alias: &str) -> bool {
    let tenants = exporter.store.current();
    tenants
        .find(alias)
        .is_some_and(|it| it.snapshot.report.is_some())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_that_signs_up_is_watched_without_a_file() {
    let world = PartnerWorld::start()
        .await
        .configure(|partner| partner.new_customers = NewCustomers::Watch);
    let exporter = world.run();
    exporter
        .until("all are watched", |it| {
            it.count(Unwatched) == 0 && it.count(Watched) >= 10
        })
        .await;
    exporter
        .until("no consent", |it| it.count(NotConsented) == 2)
        .await;
    world
        .partner()
        .sign_up("relecloud", "Relecloud Handels GmbH")
        .unwrap();
    let id = world.id("relecloud");
    let alias = "relecloud-handels-gmbh";
    exporter
        .until("its gauges", |it| has_score(it, alias))
        .await;
    assert_eq!(
        exporter.customer(&id).unwrap(),
        (Watched, Some(alias.to_owned()))
    );
    let event = ("tenant_discovered".to_owned(), alias.to_owned());
    exporter
        .until("the event", |it| it.events().contains(&event))
        .await;

    // A reload keeps it, and so does another name.
    exporter.reload(&world.config).await;
    assert!(has_score(&exporter, alias));
    world.partner().rename("relecloud", "Datum").unwrap();
    exporter.until_named(&id, "Datum").await;
    assert_eq!(exporter.customer(&id).unwrap().1.as_deref(), Some(alias));
    let discovered = exporter.events().into_iter().filter(|it| *it == event);
    assert_eq!(discovered.count(), 1);

    let mut config = world.config.clone();
    config.partners[0].new_customers = NewCustomers::Report;
    exporter.reload(&config).await;
    exporter
        .until("it is reported", |it| it.count(Unwatched) == 8)
        .await;
    assert!(exporter.store.current().find(alias).is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_keeps_alias_and_data_over_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let world = PartnerWorld::start()
        .await
        .configure(|partner| partner.new_customers = NewCustomers::Watch);
    world.partner().sign_up("relecloud", "Relecloud").unwrap();
    let id = world.id("relecloud");
    let exporter = world.run_in(Some(folder.path()));
    exporter
        .until("its gauges", |it| has_score(it, "relecloud"))
        .await;
    let events = exporter.events().len();
    assert_eq!(events, 8, "{:?}", exporter.events());
    exporter.stop().await;

    world.partner().rename("relecloud", "Datum").unwrap();
    world
        .handle()
        .inject(
            Some(PARTNER),
            Fault::new(Api::Customers, FaultKind::Status(500)),
        )
        .unwrap();
    let exporter = world.run_in(Some(folder.path()));
    // At once: the list and the tenants are those of the state directory.
    assert!(has_score(&exporter, "relecloud"));
    assert_eq!(exporter.state().snapshot.coverage().1, 13);
    world.handle().clear_faults();
    exporter.refreshed(1).await;
    exporter.until_named(&id, "Datum").await;
    assert_eq!(
        exporter.customer(&id).unwrap().1.as_deref(),
        Some("relecloud")
    );
    assert!(exporter.events().is_empty(), "{:?}", exporter.events());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_that_left_stays_until_its_data_are_too_old() {
    let ahead = Arc::new(AtomicI64::new(0));
    let mut world = PartnerWorld::start()
        .await
        .configure(|partner| partner.new_customers = NewCustomers::Watch);
    let now = Timestamp::from(std::time::SystemTime::now());
    let clock_ahead = Arc::clone(&ahead);
    world.clock = Arc::new(move || {
        let ahead = clock_ahead.load(Ordering::SeqCst);
        Timestamp::from_nanos(now.nanos() + ahead * 1_000_000_000)
    });
    world.partner().sign_up("relecloud", "Relecloud").unwrap();
    let (relecloud, contoso) = (world.id("relecloud"), world.id("contoso"));
    let exporter = world.run();
    exporter
        .until("its gauges", |it| has_score(it, "relecloud"))
        .await;
    world.partner().remove("relecloud").unwrap();
    world.partner().remove("contoso").unwrap();
    let has_left = |id: &str| exporter.customer(id).is_some_and(|it| it.0 == Left);
    exporter
        .until("both left", |_| has_left(&relecloud) && has_left(&contoso))
        .await;
    assert!(has_score(&exporter, "relecloud") && has_score(&exporter, "contoso"));
    let left = |alias: &str| ("tenant_left".to_owned(), alias.to_owned());
    exporter
        .until("the events", |it| {
            it.events().contains(&left("relecloud")) && it.events().contains(&left("contoso"))
        })
        .await;

    let max_staleness = world.config.refresh.max_staleness.as_secs();
    ahead.store(i64::try_from(max_staleness).unwrap() + 1, Ordering::SeqCst);
    exporter
        .until("it is gone", |it| it.customer(&relecloud).is_none())
        .await;
    assert!(exporter.store.current().find("relecloud").is_none());
    // A configured tenant is never dropped.
    assert!(has_left(&contoso) && exporter.store.current().find("contoso").is_some());
    let events = exporter
        .events()
        .into_iter()
        .filter(|it| it.0 == "tenant_left");
    assert_eq!(events.count(), 2);

    // It returns under the alias that it had.
    world
        .partner()
        .sign_up("relecloud", "Relecloud again")
        .unwrap();
    exporter
        .until("it is back", |it| it.customer(&relecloud).is_some())
        .await;
    assert_eq!(
        exporter.customer(&relecloud).unwrap().1.as_deref(),
        Some("relecloud")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_whose_id_becomes_unreadable_has_not_left() {
    let world = PartnerWorld::start()
        .await
        .configure(|partner| partner.new_customers = NewCustomers::Watch);
    let mut world = world;
    // The simulator lists it first.
    world.config.tenants.retain(|it| it.alias != "contoso");
    let id = world.id("contoso");
    let exporter = world.run();
    exporter
        .until("its gauges", |it| {
            it.customer(&id)
                .and_then(|it| it.1)
                .is_some_and(|alias| has_score(it, &alias))
        })
        .await;
    let watched = exporter.customer(&id).unwrap();
    let fault = FaultKind::OddCustomer(OddCustomer::WithoutId);
    let fault = world
        .handle()
        .inject(Some(PARTNER), Fault::new(Api::Customers, fault))
        .unwrap();
    exporter
        .until("it is left out", |it| {
            it.state().snapshot.skipped.of(SkippedField::Id) == 1
        })
        .await;
    exporter.refreshed(2).await;
    assert_eq!(exporter.customer(&id), Some(watched.clone()));
    assert!(has_score(&exporter, watched.1.as_deref().unwrap()));
    let events = exporter.events();
    assert!(events.iter().all(|it| it.0 != "tenant_left"), "{events:?}");

    // It leaves in a list that can be read.
    world.partner().remove("contoso").unwrap();
    world.handle().remove_fault(fault).unwrap();
    exporter
        .until("it left", |it| {
            it.customer(&id).is_some_and(|it| it.0 == Left)
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_keeps_its_alias_when_another_partner_has_it_too() {
    let second = PartnerOptions {
        name: "reseller".to_owned(),
        lists_tenants: false,
        customers: 0,
    };
    let mut world = PartnerWorld::start_with(vec![second])
        .await
        .configure(|partner| partner.sources = vec![CustomerSource::MultitenantOrganization]);
    for partner in &mut world.config.partners {
        partner.new_customers = NewCustomers::Watch;
    }
    let reseller = world.handle().partner("reseller").unwrap();
    let signed = reseller.sign_up("relecloud", "Relecloud").unwrap();
    let id = signed.tenant_id.unwrap();
    let exporter = world.run();
    exporter
        .until("its gauges", |it| has_score(it, "relecloud"))
        .await;

    let organization = [("relecloud", "active")];
    world.partner().set_organization(&organization).unwrap();
    world
        .partner()
        .grant(PartnerPermission::MultiTenantOrganization);
    world.handle().revoke_tokens(PARTNER).unwrap();
    exporter.reload(&world.config).await;
    let watched = (Watched, Some("relecloud".to_owned()));
    exporter
        .until("both have it", |it| {
            it.customer(&id) == Some(watched.clone())
        })
        .await;

    // It moves to the first.
    let everything = Pattern::of_names("*").unwrap();
    world.config.partners[1].exclude = vec![everything];
    exporter.reload(&world.config).await;
    exporter.refreshed(1).await;
    assert_eq!(exporter.customer(&id), Some(watched));
    assert!(has_score(&exporter, "relecloud"));
    let tenants = exporter.store.current();
    let aliases: Vec<_> = tenants.states.iter().map(|it| &it.identity.alias).collect();
    assert_eq!(aliases.len(), 6, "{aliases:?}");
    let discovered = ("tenant_discovered".to_owned(), "relecloud".to_owned());
    assert_eq!(exporter.events(), [discovered]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partner_with_another_name_keeps_its_customers() {
    let folder = tempfile::tempdir().unwrap();
    let mut world = PartnerWorld::start()
        .await
        .configure(|partner| partner.new_customers = NewCustomers::Watch);
    world.partner().sign_up("relecloud", "Relecloud").unwrap();
    let id = world.id("relecloud");
    let exporter = world.run_in(Some(folder.path()));
    exporter
        .until("its gauges", |it| has_score(it, "relecloud"))
        .await;
    let events = exporter.events().len();
    world.partner().rename("relecloud", "Datum").unwrap();

    // By a reload, and then by a restart.
    let alias = |exporter: &crate::partner_world::Exporter, name: &str| {
        let state = exporter.state_of(name);
        let customer = state.snapshot.find(&id).expect("it is listed at once");
        customer.tenant.as_deref().map(str::to_owned)
    };
    "provider".clone_into(&mut world.config.partners[0].name);
    exporter.reload(&world.config).await;
    assert_eq!(alias(&exporter, "provider").as_deref(), Some("relecloud"));
    assert_eq!(exporter.events().len(), events);
    exporter.stop().await;
    assert!(folder.path().join("provider.partner").exists());

    "msp".clone_into(&mut world.config.partners[0].name);
    let exporter = world.run_in(Some(folder.path()));
    assert_eq!(alias(&exporter, "msp").as_deref(), Some("relecloud"));
    assert!(has_score(&exporter, "relecloud"));
    assert!(exporter.events().is_empty(), "{:?}", exporter.events());
}

#[tokio::test(flavor = "multi_thread")]
async fn one_tenant_is_no_second_partner_by_its_domain() {
    let mut world = PartnerWorld::start().await;
    let mut second = world.config.partners[0].clone();
    "again".clone_into(&mut second.name);
    second.tenant_id = format!("{PARTNER}.example");
    world.config.partners.push(second);
    let exporter = world.run();
    let failures = |name: &str| exporter.state_of(name).snapshot.health.failures.clone();
    exporter
        .until("the second fails", |_| {
            failures("again").contains_key(&Reason::DuplicateTenant)
        })
        .await;
    assert!(failures(PARTNER).is_empty());

    // Without the first it is a partner like any other.
    world.config.partners.remove(0);
    exporter.reload(&world.config).await;
    exporter
        .until("success", |it| it.state_of("again").snapshot.health.up)
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_list_without_customers_is_a_failure() {
    let world = PartnerWorld::start().await;
    let empty = Fault::new(Api::Customers, FaultKind::EmptyValue);
    world.handle().inject(Some(PARTNER), empty).unwrap();
    let exporter = world.run();
    exporter
        .until("a failure", |it| {
            let failures = &it.state().snapshot.health.failures;
            failures.contains_key(&Reason::Emptied)
        })
        .await;
    assert!(exporter.state().snapshot.customers.is_none());
    let text = exporter.metrics();
    let up = format!("secure_score_partner_up{{partner=\"{PARTNER}\"}} 0");
    assert!(text.contains(&up), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_configuration_takes_over_a_watched_customer() {
    let mut world = PartnerWorld::start()
        .await
        .configure(|partner| partner.new_customers = NewCustomers::Watch);
    world.partner().sign_up("relecloud", "Relecloud").unwrap();
    let id = world.id("relecloud");
    let exporter = world.run();
    exporter
        .until("its gauges", |it| has_score(it, "relecloud"))
        .await;
    let partner = &world.config.partners[0];
    let tenant = partner.tenant("n-1".to_owned(), &id, "Relecloud");
    world.config.tenants.push(tenant);
    exporter.reload(&world.config).await;
    exporter
        .until("its gauges", |it| has_score(it, "n-1"))
        .await;
    assert_eq!(
        exporter.customer(&id).unwrap(),
        (Watched, Some("n-1".to_owned()))
    );
    assert!(exporter.store.current().find("relecloud").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alias_of_the_configuration_is_not_given_to_a_customer() {
    let world = PartnerWorld::start()
        .await
        .configure(|partner| partner.new_customers = NewCustomers::Watch);
    world.partner().sign_up("other", "Contoso").unwrap();
    let id = world.id("other");
    let exporter = world.run();
    exporter
        .until("it is watched", |it| {
            it.customer(&id).is_some_and(|it| it.0 == Watched)
        })
        .await;
    let alias = exporter.customer(&id).unwrap().1.unwrap();
    assert!(alias.starts_with("contoso-"), "{alias}");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_customer_has_one_shard_and_one_shard_exports_the_partner() {
    let mut world = PartnerWorld::start()
        .await
        .configure(|partner| partner.new_customers = NewCustomers::Watch);
    let all = std::mem::take(&mut world.config.tenants);
    let mut watched = Vec::new();
    let mut exporting = 0;
    let mut consents = BTreeMap::new();
    for index in 0..3 {
        let shard = Shard::new(index, NonZeroU16::new(3).unwrap()).unwrap();
        world.shard = shard;
        let (own, elsewhere) = all.iter().cloned().partition(|it| shard.owns(&it.alias));
        (world.config.tenants, world.config.elsewhere) = (own, elsewhere);
        let exporter = world.run();
        exporter
            .until("every customer is watched", |it| {
                it.count(Unwatched) == 0 && it.state().snapshot.coverage().1 == 12
            })
            .await;
        let tenants = exporter.store.current();
        watched.extend(
            tenants
                .states
                .iter()
                .map(|it| it.identity.alias.to_string()),
        );
        // Each shard knows the consents of its own customers, all of which were tried.
        exporter
            .until("every tenant is read or lacks consent", |it| {
                let missing = it.metrics().matches("_consent_missing{").count();
                let tenants = it.store.current();
                missing == tenants.states.len()
                    && tenants.states.iter().all(|it| it.health.attempted())
            })
            .await;
        exporter.refreshed(1).await;
        let metrics = exporter.metrics();
        for line in metrics
            .lines()
            .filter(|it| it.contains("_consent_missing{"))
        {
            let (series, value) = line.rsplit_once(' ').unwrap();
            assert_eq!(consents.insert(series.to_owned(), value.to_owned()), None);
        }
        let is_exported = metrics.contains("secure_score_partner_up{");
        exporting += usize::from(is_exported);
        assert_eq!(is_exported, shard.owns(PARTNER));
        assert_eq!(metrics.contains("_customer_state{"), is_exported);
    }
    assert_eq!(exporting, 1);
    assert_eq!(consents.len(), 12);
    assert_eq!(consents.values().filter(|it| *it == "1").count(), 2);
    let distinct: BTreeSet<_> = watched.iter().collect();
    assert_eq!((watched.len(), distinct.len()), (12, 12), "{watched:?}");
}

/// The body of a path, decompressed where it is gzip.
async fn body(address: &str, path: &str, headers: &[(&str, &str)]) -> String {
    let http = reqwest::Client::builder()
        .no_proxy()
        .no_gzip()
        .build()
        .unwrap();
    let mut request = http.get(format!("http://{address}{path}"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let answer = request.send().await.unwrap();
    let is_gzip = answer.headers().contains_key("content-encoding");
    let bytes = answer.bytes().await.unwrap();
    let mut text = String::new();
    match is_gzip {
        true => flate2::read::GzDecoder::new(&bytes[..]).read_to_string(&mut text),
        false => (&bytes[..]).read_to_string(&mut text),
    }
    .unwrap();
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scrape_has_the_families_of_partners_in_every_form() {
    let simulated = Simulated::start();
    let config = simulated.config();
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().display().to_string();
    let flags = ["--web.listen-address=127.0.0.1:0", "--config.file", &config];
    let exporter = Process::exporter(&[&flags[..], &["--state.dir", &state]].concat());
    let address = exporter.word_after("address=");
    let series = "secure_score_partner_customers{partner=\"partner\",state=\"unwatched\"} ";
    for _ in 0..600 {
        if body(&address, "/metrics", &[]).await.contains(series) {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let openmetrics = "application/openmetrics-text;version=1.0.0";
    for (path, headers) in [
        ("/metrics", &[][..]),
        ("/metrics", &[("accept-encoding", "gzip")]),
        ("/metrics", &[("accept", openmetrics)]),
        (
            "/metrics",
            &[("accept", openmetrics), ("accept-encoding", "gzip")],
        ),
        ("/metrics?tenant[]=", &[]),
        ("/metrics?tenant[]=contoso", &[("accept-encoding", "gzip")]),
    ] {
        let text = body(&address, path, headers).await;
        assert_eq!(
            text.matches(series).count(),
            1,
            "{path} {headers:?}\n{text}"
        );
        assert!(text.contains("secure_score_exporter_build_info{"), "{path}");
    }
    let probe = body(&address, "/probe?tenant=contoso", &[]).await;
    assert!(!probe.contains("secure_score_partner_"), "{probe}");
    let file = folder.path().join("partner.partner");
    for _ in 0..600 {
        if file.exists() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let saved = std::fs::read_to_string(file).unwrap();
    assert!(saved.contains("Woodgrove"), "{saved}");
}
