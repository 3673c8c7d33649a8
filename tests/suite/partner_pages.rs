//! The customers of partners on the status page.

use crate::partner_world::{Exporter, PARTNER, PartnerWorld};
use crate::test_server::{HOSTILE, has, options, options_with, section, start, start_with};
use graph_simulator::{Api, Consent, Customer, Fault, FaultKind, PartnerPermission};
use secure_score_exporter::config::Pattern;
use secure_score_exporter::http::SiteOptions;
use secure_score_exporter::store::{PartnerState, Partners};
use secure_score_model::CustomerState::{Left, NotConsented, Unwatched};
use secure_score_model::{
    self as model, CustomerState, CustomerStatus, PartnerSnapshot, Persons, Reason, Relationship,
    Timestamp, Trouble,
};
use std::sync::Arc;
use std::time::Duration;

/// A partner with a customer in each state, all of its texts long, and a failure.
pub(crate) fn partners() -> Partners {
    let now = Timestamp::from(std::time::SystemTime::now());
    let relationship = Relationship {
        ends: now.plus(Duration::from_secs(86_400)),
        extends: false,
    };
    let states = CustomerState::ALL.into_iter().enumerate();
    let customers = states.map(|(number, state)| CustomerStatus {
        customer: model::Customer {
            tenant_id: format!("00000000-0000-4000-8000-00000000000{number}").into(),
            display_name: format!("{HOSTILE}{}", "W".repeat(400)).into(),
            relationship: Some(relationship).filter(|_| state != Left),
        },
        state,
        tenant: state.is_watched().then(|| "contoso".into()),
        consent_url: Some(format!("https://login.example/{}", "w".repeat(120)).into()),
        left_at: Some(now).filter(|_| state == Left),
        consent_missing: state.is_watched().then_some(state == NotConsented),
    });
    let mut partner = PartnerSnapshot {
        customers: Some(customers.collect()),
        ..PartnerSnapshot::new(&"w".repeat(64))
    };
    partner.skipped.without_id.push("W".repeat(400).into());
    partner.health.trouble = Some(Trouble {
        hint: Some("w".repeat(400)),
        ..Trouble::new(Reason::Emptied, "W".repeat(400))
    });
    let state = PartnerState::new(partner, true);
    Partners::new(vec![Arc::new(state)])
}

/// The section of the partner on the status page, as one client sees it.
async fn customers(exporter: &Exporter, options: SiteOptions) -> String {
    let server = start_with(Arc::clone(&exporter.store), options).await;
    section(&server, "/", "customers-partner").await
}

/// The row of a customer.
#[track_caller]
fn row<'a>(section: &'a str, id: &str) -> &'a str {
    let mut rows = section.split("<tr>");
    rows.find(|row| row.contains(&format!("<code>{id}</code>")))
        .unwrap_or_else(|| panic!("no {id}\n{section}"))
}

/// The name of a customer of the simulator as a page has it.
fn escaped(customer: &model::Customer) -> String {
    customer.display_name.replace('&', "&amp;")
}

/// Contoso has not consented, Fabrikam left, and Woodgrove is excluded.
async fn world() -> (PartnerWorld, Exporter, [String; 3]) {
    let world = PartnerWorld::start().await.configure(|partner| {
        partner.exclude = vec![Pattern::of_names("woodgrove*").unwrap()];
    });
    world
        .handle()
        .set_consent("contoso", Consent::NotGranted)
        .unwrap();
    let ids = ["contoso", "fabrikam", "woodgrove"].map(|name| world.id(name));
    let exporter = world.run();
    exporter
        .until("the list", |it| it.count(NotConsented) == 1)
        .await;
    world.partner().remove("fabrikam").unwrap();
    exporter.until("one left", |it| it.count(Left) == 1).await;
    (world, exporter, ids)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_customers_that_are_not_watched_are_listed() {
    let (_world, exporter, [contoso, fabrikam, woodgrove]) = world().await;
    let section = customers(&exporter, options()).await;
    has(
        &section,
        &[
            "Customers of partner</h2>",
            "<strong>3 of 10 customers watched</strong>, 6 not watched, 1 without consent, 1 left the list, 1 excluded. ",
            "List last read: <time",
            "8 customers to act on",
        ],
    );
    assert_eq!(section.matches("<tr>").count(), 9, "a heading and the rest");
    assert!(!section.contains(&woodgrove), "excluded ones are a number");

    let snapshot = &exporter.state().snapshot;
    let url = |id: &str| {
        let url = snapshot.find(id).unwrap().consent_url.clone();
        url.unwrap().to_string()
    };
    let pending = row(&section, &contoso);
    let link = url(&contoso);
    has(
        pending,
        &[
            "<bdi>Contoso Ltd</bdi>",
            "without consent",
            "tenant <a href=\"/tenants/contoso\">",
            &format!("<a href=\"{link}\"><code>{link}</code></a>"),
        ],
    );
    has(&link, &["/adminconsent?client_id=", &contoso]);
    let left = row(&section, &fabrikam);
    has(
        left,
        &[
            "left the list",
            "noticed <time",
            "tenant <a href=\"/tenants/fabrikam\">",
        ],
    );
    assert!(!left.contains("adminconsent"), "{left}");
    for it in snapshot
        .customers()
        .iter()
        .filter(|it| it.state == Unwatched)
    {
        let row = row(&section, &it.customer.tenant_id);
        let link = url(&it.customer.tenant_id);
        has(row, &[&escaped(&it.customer), "not watched", &link]);
        assert!(!row.contains("tenant <a"), "{row}");
    }
    let places = [&fabrikam, &contoso].map(|id| section.find(id.as_str()));
    assert!(places[0] < places[1], "those that left come first");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_persons_there_is_neither_a_name_nor_a_link() {
    let (_world, exporter, [contoso, fabrikam, _]) = world().await;
    let is_rest = [Unwatched, NotConsented, Left];
    let snapshot = &exporter.state().snapshot;
    let rest = snapshot.customers().iter();
    let rest: Vec<_> = rest.filter(|it| is_rest.contains(&it.state)).collect();
    for options in [
        options_with(Persons::Plain, false),
        options_with(Persons::Hidden, true),
    ] {
        let section = customers(&exporter, options).await;
        has(
            &section,
            &[
                "3 of 10 customers watched",
                "Names of customers and consent links are hidden",
                "href=\"#accepted\"",
            ],
        );
        assert!(!section.contains("adminconsent"), "{section}");
        assert!(!section.contains("/tenants/"), "{section}");
        for it in &rest {
            assert!(!section.contains(&escaped(&it.customer)), "{section}");
            row(&section, &it.customer.tenant_id);
        }
        has(row(&section, &contoso), &["without consent"]);
        has(row(&section, &fabrikam), &["left the list"]);
        let ids = rest.iter().filter(|it| it.state == Unwatched);
        let places: Vec<_> = ids
            .map(|it| section.find(&*it.customer.tenant_id))
            .collect();
        assert!(places.is_sorted(), "the order says nothing about names");
    }
    let naming = Persons::Pseudonyms(Arc::new(|_| "someone".to_owned()));
    let section = customers(&exporter, options_with(naming, true)).await;
    has(&section, &["Names of customers are hidden", "adminconsent"]);
    assert!(!section.contains("Contoso"), "{section}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hostile_name_is_one_escaped_line() {
    let world = PartnerWorld::start().await;
    let name = format!("{HOSTILE}\r\n\u{202e}dtL\u{2066} osotnoC");
    let evil = world.partner().sign_up("evil", &name).unwrap();
    world.partner().add(Customer {
        name: "nameless".to_owned(),
        tenant_id: None,
        display_name: name,
        relationships: Vec::new(),
    });
    let exporter = world.run();
    exporter
        .until("the list", |it| it.count(Unwatched) == 8)
        .await;
    let section = customers(&exporter, options()).await;
    let shown = "&lt;script&gt;alert('x')&lt;/script&gt;&quot;&gt;&lt;img src=x onerror=alert(1)&gt;&amp; dtL osotnoC</bdi>";
    has(row(&section, &evil.tenant_id.unwrap()), &[shown]);
    has(
        &section,
        &[
            "Left out, since the list has no GUID for them: 1 customer (<bdi>&lt;script",
            "Hint: add the tenant",
        ],
    );
    for dangerous in ["<script", "<img", "\u{202e}", "\u{2066}", "\n", "\r"] {
        assert!(!section.contains(dangerous), "{dangerous:?}\n{section}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_list_stays_and_the_remedy_is_named() {
    let world = PartnerWorld::start().await;
    let grant = PartnerPermission::DelegatedAdminRelationship;
    world.partner().revoke(grant);
    let exporter = world.run();
    exporter
        .until("a failure", |it| {
            it.state().snapshot.health.trouble.is_some()
        })
        .await;
    let unknown = customers(&exporter, options()).await;
    has(
        &unknown,
        &[
            "The list of customers is not known. Last read: <span class=\"bad\">never</span>.",
            "<strong class=\"bad\">permission</strong>: ",
            "DelegatedAdminRelationship.Read.All",
        ],
    );
    assert!(!unknown.contains("The last list stays"), "{unknown}");
    assert!(!unknown.contains("<table"), "{unknown}");

    world.partner().grant(grant);
    exporter.reload(&world.config).await;
    exporter
        .until("the list", |it| it.count(Unwatched) == 7)
        .await;
    let known = customers(&exporter, options()).await;
    assert!(!known.contains("Hint: "), "{known}");
    world
        .handle()
        .inject(
            Some(PARTNER),
            Fault::new(Api::Customers, FaultKind::EmptyValue),
        )
        .unwrap();
    exporter
        .until("a failure", |it| {
            it.state().snapshot.health.trouble.is_some()
        })
        .await;
    let failed = customers(&exporter, options()).await;
    has(
        &failed,
        &[
            "5 of 12 customers watched",
            "<strong class=\"bad\">emptied</strong>: ",
            "<br>Hint: ",
            "The last list stays",
        ],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_list_is_cut() {
    let world = PartnerWorld::start().await;
    world.partner().sign_up_many(150).unwrap();
    let exporter = world.run();
    exporter
        .until("the list", |it| it.count(Unwatched) == 157)
        .await;
    let section = customers(&exporter, options()).await;
    has(
        &section,
        &[
            "157 customers to act on",
            "… and 57 more; <code>secure-score-exporter discover</code> lists all.",
        ],
    );
    assert_eq!(section.matches("<tr>").count(), 101);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_a_relationship_is_shown() {
    let world = PartnerWorld::start().await;
    let exporter = world.run();
    exporter
        .until("the list", |it| it.count(Unwatched) == 7)
        .await;
    let section = customers(&exporter, options()).await;
    let snapshot = &exporter.state().snapshot;
    let rest = snapshot.customers().iter();
    for it in rest.filter(|it| it.state == Unwatched) {
        let row = row(&section, &it.customer.tenant_id);
        let Relationship { ends, extends } = it.customer.relationship.unwrap();
        let now = Timestamp::from(std::time::SystemTime::now());
        let is_soon = !extends && ends.since(now).as_secs() < 30 * 24 * 60 * 60;
        let what = match extends {
            true => ", extends itself</p>",
            false => ", does not extend</p>",
        };
        has(row, &["<time datetime=\"20", what]);
        assert_eq!(row.contains("<p class=\"bad\">"), is_soon, "{row}");
    }
}

#[tokio::test]
async fn without_a_partner_there_is_no_section() {
    let server = start(options()).await;
    let page = server.get("/").await;
    assert!(page.text().contains("No tenant is configured here."));
    assert!(!page.text().contains("ustomer"), "{}", page.text());
}
