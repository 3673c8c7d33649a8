//! Entra's token endpoint for applications.

use std::time::Duration;

use hyper::{Method, StatusCode};
use jiff::Timestamp;
use serde_json::json;

use super::distort;
use super::fault::What;
use super::fault_board::Target;
use super::graph::Answer;
use super::mishap;
use super::query::Query;
use super::reply::{Content, Ids, Outcome, Reply, entra_error};
use super::request_log::Api;
use super::tenant::Tenant;
use super::token::{Claims, ROLE};
use super::world::World;

/// The roots of the real clouds, whose scopes are taken as well as our own.
const CLOUDS: [&str; 3] = [
    "https://graph.microsoft.com",
    "https://graph.microsoft.us",
    "https://dod-graph.microsoft.us",
];

const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// A request for a token.
pub(super) struct TokenRequest<'a> {
    pub(super) method: &'a Method,
    /// The tenant in the path: GUID or domain.
    pub(super) tenant: String,
    /// Scheme, host and port the client used.
    pub(super) base: String,
    pub(super) form: Query,
    /// Headers and body as they came.
    pub(super) asked: &'a str,
    pub(super) ids: &'a Ids,
}

/// Answers a request for a token.
pub(super) async fn answer(world: &World, request: &TokenRequest<'_>) -> Answer {
    let tenant = world.tenant_by_entra(&request.tenant);
    let asked = (request.ids, request.asked);
    struck(world, tenant, asked, |fault| {
        match check(world, tenant, request) {
            Ok(tenant) => {
                let scope = request.form.value("scope").unwrap_or_default();
                let audience = scope.trim_end_matches("/.default");
                Grant::new(world, tenant, (audience, &request.base), fault).reply(fault)
            }
            Err(number) => refusal(number, request.ids),
        }
    })
    .await
}

/// Answers, unless a fault strikes that answers instead.
pub(super) async fn struck(
    world: &World,
    tenant: Option<&Tenant>,
    (ids, asked): (&Ids, &str),
    reply: impl FnOnce(Option<&What>) -> Reply,
) -> Answer {
    let name = tenant.map(|tenant| tenant.name.as_str());
    let target = Target {
        api: Api::Token,
        tenant: name,
        page: 1,
        selects: false,
    };
    let fault = world.faults().strike(target);
    if let Some(What::Slow { millis }) = fault {
        tokio::time::sleep(Duration::from_millis(millis)).await;
    }
    let instead = fault
        .as_ref()
        .and_then(|what| mishap::instead(what, Api::Token, ids, asked));
    Answer {
        outcome: instead.unwrap_or_else(|| Outcome::Answered(reply(fault.as_ref()))),
        tenant: name.map(str::to_owned),
        page: 1,
    }
}

/// The tenant, or the number of the first thing that is wrong.
fn check<'w>(
    world: &World,
    tenant: Option<&'w Tenant>,
    request: &TokenRequest<'_>,
) -> Result<&'w Tenant, u32> {
    let form = &request.form;
    if request.method != Method::POST {
        return Err(900_561);
    }
    let tenant = tenant.ok_or(90_002_u32)?;
    match form.value("grant_type") {
        None => return Err(900_144),
        Some("client_credentials") => {}
        Some(_) => return Err(70_003),
    }
    match form.value("client_id") {
        None => return Err(900_144),
        Some(id) if id.eq_ignore_ascii_case(&tenant.client_id) => {}
        Some(_) => return Err(700_016),
    }
    check_scope(request)?;
    check_credential(world, tenant, request)?;
    Ok(tenant)
}

fn check_scope(request: &TokenRequest<'_>) -> Result<(), u32> {
    let scope = request.form.value("scope").ok_or(900_144_u32)?;
    let root = scope
        .strip_suffix("/.default")
        .ok_or(70_011_u32)?
        .trim_end_matches('/');
    let known = CLOUDS.contains(&root) || root == request.base;
    known.then_some(()).ok_or(500_011)
}

fn check_credential(world: &World, tenant: &Tenant, request: &TokenRequest<'_>) -> Result<(), u32> {
    let form = &request.form;
    if let Some(secret) = form.value("client_secret") {
        return (secret == tenant.secret()).then_some(()).ok_or(7_000_215);
    }
    let assertion = form.value("client_assertion").ok_or(7_000_218_u32)?;
    world.confidences().keep(assertion);
    if form.value("client_assertion_type") != Some(JWT_BEARER) {
        return Err(7_000_218);
    }
    let url = format!("{}/{}/oauth2/v2.0/token", request.base, request.tenant);
    let place = (url.as_str(), world.token_key());
    world
        .trust()
        .check(assertion, &tenant.client_id, place, Timestamp::now())
}

/// A token that is handed out.
pub(super) struct Grant {
    pub(super) token: String,
    pub(super) lifetime: Duration,
    pub(super) client_id: String,
}

impl Grant {
    /// Makes a token of a tenant, for an audience, as the client reached us.
    pub(super) fn new(
        world: &World,
        tenant: &Tenant,
        (audience, base): (&str, &str),
        fault: Option<&What>,
    ) -> Self {
        let lifetime = lifetime(world, fault);
        let claims = claims(tenant, (audience, base), lifetime, fault);
        let token = claims.to_token(world.token_key());
        world.confidences().keep(&token);
        Self {
            token,
            lifetime,
            client_id: tenant.client_id.clone(),
        }
    }

    fn reply(self, fault: Option<&What>) -> Reply {
        let lifetime = self.lifetime.as_secs();
        let body = json!({
            "token_type": "Bearer",
            "expires_in": lifetime,
            "ext_expires_in": lifetime,
            "access_token": self.token,
        });
        match fault {
            Some(What::Truncated) => Reply::of(Content::HalfJson(body)),
            _ => Reply::json(StatusCode::OK, body).in_plain_json(),
        }
    }
}

fn lifetime(world: &World, fault: Option<&What>) -> Duration {
    match fault {
        Some(What::ShortLived(seconds)) => Duration::from_secs(*seconds),
        _ => world.token_lifetime(),
    }
}

fn claims(
    tenant: &Tenant,
    (audience, base): (&str, &str),
    lifetime: Duration,
    fault: Option<&What>,
) -> Claims {
    let (start, end) = Claims::times(Timestamp::now(), lifetime);
    let tid = match fault {
        Some(What::WrongTenant) => distort::stranger(),
        _ => &tenant.entra_id,
    };
    let roles = match fault {
        Some(What::Roles(roles)) => roles.clone(),
        _ => vec![ROLE.to_owned()],
    };
    Claims {
        aud: audience.to_owned(),
        iss: format!("{base}/{tid}/"),
        iat: start,
        nbf: start,
        exp: end,
        appid: tenant.client_id.clone(),
        tid: tid.to_owned(),
        roles,
        ver: "1.0".to_owned(),
        idtyp: "app".to_owned(),
        sim_tenant: tenant.name.clone(),
        sim_generation: tenant.token_generation(),
    }
}

/// The refusal with an AADSTS number, with the status and word that go with it.
pub(super) fn refusal(number: u32, ids: &Ids) -> Reply {
    let (status, word, text) = meaning(number);
    let text = format!("AADSTS{number}: {text}.");
    Reply::json(status, entra_error((word, &text), number, ids)).in_plain_json()
}

fn meaning(number: u32) -> (StatusCode, &'static str, &'static str) {
    const BAD: StatusCode = StatusCode::BAD_REQUEST;
    const DENIED: StatusCode = StatusCode::UNAUTHORIZED;
    match number {
        7_000_215 => (
            DENIED,
            "invalid_client",
            "The client secret is wrong; send its value, not its id",
        ),
        7_000_222 => (DENIED, "invalid_client", "The client secret has expired"),
        7_000_218 => (
            DENIED,
            "invalid_client",
            "A client secret or assertion is needed",
        ),
        700_027 => (
            DENIED,
            "invalid_client",
            "The client assertion is not signed or made as it should be",
        ),
        700_021 => (
            DENIED,
            "invalid_client",
            "The client assertion is of another application",
        ),
        700_023 => (
            DENIED,
            "invalid_client",
            "The client assertion is meant for somebody else",
        ),
        1_000_502 => (DENIED, "invalid_client", "The certificate has expired"),
        50_013 => (
            DENIED,
            "invalid_client",
            "The assertion is not signed by its issuer",
        ),
        50_027 => (DENIED, "invalid_client", "The assertion is no JWT"),
        700_024 => (
            DENIED,
            "invalid_client",
            "The client assertion is outside its time range",
        ),
        70_021 | 700_211..=700_213 => (
            DENIED,
            "invalid_client",
            "No federated identity matches the assertion",
        ),
        700_016 => (
            BAD,
            "unauthorized_client",
            "The application was not found in the tenant",
        ),
        7_000_112 => (BAD, "unauthorized_client", "The application is disabled"),
        7_000_229 => (
            BAD,
            "unauthorized_client",
            "The application has no service principal in the tenant",
        ),
        650_052 | 500_011 => (
            BAD,
            "invalid_resource",
            "The resource was not found in the tenant",
        ),
        70_011 => (
            BAD,
            "invalid_scope",
            "The scope is not valid; it must end in /.default",
        ),
        70_003 => (
            BAD,
            "unsupported_grant_type",
            "The grant type is not supported",
        ),
        90_002 => (BAD, "invalid_request", "The tenant was not found"),
        900_023 => (
            BAD,
            "invalid_request",
            "The tenant is neither a GUID nor a domain",
        ),
        900_144 => (BAD, "invalid_request", "A parameter of the form is missing"),
        900_561 => (BAD, "invalid_request", "The endpoint takes POST only"),
        53_000 | 53_003 | 530_003 => (
            BAD,
            "invalid_grant",
            "A Conditional Access policy blocks the token",
        ),
        50_196 => (BAD, "invalid_grant", "The client asks in a loop"),
        90_006 | 90_033 => (
            StatusCode::SERVICE_UNAVAILABLE,
            "temporarily_unavailable",
            "A passing fault of the service",
        ),
        _ => (BAD, "invalid_request", "The request was refused"),
    }
}
