//! Managed identities: of a virtual machine, and of App Service.

use super::stage::Stage;
use graph_simulator::{Api, Fault, FaultKind, RetryAfter};

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_signs_in_to_its_own_tenant() {
    let stage = Stage::new().await;
    let checked = stage.check("type: managed_identity").await;
    checked.expect(true, &["ok    contoso: token"]);
    let assigned = stage.tenant("contoso").client_id;
    let checked = stage
        .check(&format!("type: managed_identity, client_id: {assigned}"))
        .await;
    checked.expect(true, &["ok    contoso: token"]);
    let requests = stage.handle().requests();
    let asked = requests.iter().filter(|it| it.api == Some(Api::Token));
    let paths: Vec<_> = asked.map(|it| it.path_and_query.as_str()).collect();
    assert_eq!(paths.len(), 2, "{paths:?}");
    assert!(
        paths
            .iter()
            .all(|path| path.starts_with("/metadata/identity/oauth2/token?")),
        "{paths:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_identity_that_was_not_assigned_is_reported() {
    let stage = Stage::new().await;
    let checked = stage
        .check("type: managed_identity, client_id: 0a1b2c3d-1111-2222-3333-444444444444")
        .await;
    checked.expect(
        false,
        &[
            "status 400: Identity not found",
            "hint: assign the identity to this machine",
        ],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_identity_of_another_tenant_is_not_used() {
    let stage = Stage::new().await;
    stage.configure("fabrikam", "type: managed_identity");
    let checked = stage.run(&["check"], &[]).await;
    checked.expect(false, &["is of tenant", "hint: check tenant_id"]);
    let lists = stage.handle().requests();
    let is_list = |api: Api| api != Api::Token;
    let lists = lists
        .iter()
        .filter(|it| it.api.is_some_and(is_list))
        .count();
    assert_eq!(lists, 0, "the token must not be sent");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_signs_in_with_the_variables_of_app_service() {
    let stage = Stage::new().await;
    stage.configure("contoso", "type: managed_identity");
    let endpoint = format!("{}/msi/token", stage.simulator.url());
    let header = stage.handle().identity_header();
    let of = |header| {
        [
            ("IDENTITY_ENDPOINT", endpoint.as_str()),
            ("IDENTITY_HEADER", header),
        ]
    };
    let checked = stage.run(&["check"], &of(&header)).await;
    checked.expect(true, &["ok    contoso: token"]);
    let checked = stage.run(&["check"], &of("some-other-header")).await;
    checked.expect(false, &["status 403", "hint: assign the identity"]);
    assert!(
        !checked.output.contains("some-other-header"),
        "{}",
        checked.output
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_of_the_endpoint_differs_from_a_missing_identity() {
    let stage = Stage::new().await;
    for (kind, message) in [
        (FaultKind::Status(500), "status 500"),
        (FaultKind::Status(410), "status 410"),
        (
            FaultKind::Throttle {
                retry_after: RetryAfter::Seconds(30),
            },
            "status 429",
        ),
        (FaultKind::EmptyBody, "holds no token"),
    ] {
        let fault = Fault::new(Api::Token, kind.clone()).times(1);
        stage.handle().inject(None, fault).unwrap();
        let requests = || {
            let requests = stage.handle().requests();
            requests.iter().filter(|it| it.api.is_some()).count()
        };
        let before = requests();
        let checked = stage.check("type: managed_identity").await;
        checked.expect(false, &[message]);
        assert!(
            !checked.output.contains("assign the identity"),
            "{}",
            checked.output
        );
        let asked = requests() - before;
        assert_eq!(asked, 1, "{kind:?}: asked again at once");
        stage.handle().clear_faults();
    }
}
