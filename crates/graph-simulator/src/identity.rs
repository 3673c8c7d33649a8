//! Azure's endpoints for managed identities: of a virtual machine, and of App
//! Service.
//!
//! The machine's own identity is that of the first tenant; those of the others
//! are assigned to it beside, by the client ids of their applications.

use hyper::header::HeaderMap;
use hyper::{Method, StatusCode};
use jiff::Timestamp;
use serde_json::json;

use super::entra::{self, Grant};
use super::graph::Answer;
use super::query::Query;
use super::reply::{Ids, Reply};
use super::tenant::Tenant;
use super::world::World;

/// Which of the two was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flavour {
    /// A virtual machine's metadata service.
    Machine,
    /// App Service, and what is built like it.
    AppService,
}

impl Flavour {
    /// Which of them a path belongs to.
    pub(super) fn at(path: &str) -> Option<Self> {
        match path {
            "/metadata/identity/oauth2/token" => Some(Self::Machine),
            "/msi/token" => Some(Self::AppService),
            _ => None,
        }
    }
}

/// A request for the token of a managed identity.
pub(super) struct IdentityRequest<'a> {
    pub(super) flavour: Flavour,
    pub(super) method: &'a Method,
    pub(super) headers: &'a HeaderMap,
    pub(super) base: String,
    pub(super) query: Query,
    /// Headers as they came.
    pub(super) asked: &'a str,
    pub(super) ids: &'a Ids,
}

/// Answers a request for the token of a managed identity.
pub(super) async fn answer(world: &World, request: &IdentityRequest<'_>) -> Answer {
    let found = check(world, request);
    let tenant = found.as_ref().ok().copied();
    entra::struck(
        world,
        tenant,
        (request.ids, request.asked),
        |fault| match found {
            Ok(tenant) => {
                let resource = request.query.value("resource").unwrap_or_default();
                let grant = Grant::new(world, tenant, (resource, &request.base), fault);
                reply(request.flavour, &grant, resource)
            }
            Err(refusal) => refusal,
        },
    )
    .await
}

/// The tenant whose identity it is, or the refusal.
fn check<'w>(world: &'w World, request: &IdentityRequest<'_>) -> Result<&'w Tenant, Reply> {
    let header = |name: &str| {
        let value = request.headers.get(name);
        value.and_then(|value| value.to_str().ok())
    };
    let is_proven = match request.flavour {
        Flavour::Machine => header("metadata") == Some("true"),
        Flavour::AppService => header("x-identity-header") == Some(&world.identity_header()),
    };
    if !is_proven {
        let status = match request.flavour {
            Flavour::Machine => StatusCode::BAD_REQUEST,
            Flavour::AppService => StatusCode::FORBIDDEN,
        };
        return Err(refusal(
            request.flavour,
            status,
            "Required header is wrong or missing",
        ));
    }
    let has = |key: &str| {
        request
            .query
            .value(key)
            .is_some_and(|value| !value.is_empty())
    };
    if request.method != Method::GET || !has("api-version") || !has("resource") {
        let bad = StatusCode::BAD_REQUEST;
        return Err(refusal(request.flavour, bad, "A parameter is missing"));
    }
    let mut tenants = world.tenants().iter();
    let tenant = match request.query.value("client_id") {
        None => tenants.next(),
        Some(id) => tenants.find(|tenant| tenant.client_id.eq_ignore_ascii_case(id)),
    };
    let bad = StatusCode::BAD_REQUEST;
    tenant.ok_or_else(|| refusal(request.flavour, bad, "Identity not found"))
}

/// Numbers are texts here, unlike at Entra.
fn reply(flavour: Flavour, grant: &Grant, resource: &str) -> Reply {
    let lifetime = i64::try_from(grant.lifetime.as_secs()).unwrap_or(i64::MAX);
    let ends = Timestamp::now().as_second().saturating_add(lifetime);
    let mut body = json!({
        "access_token": grant.token,
        "client_id": grant.client_id,
        "expires_on": ends.to_string(),
        "resource": resource,
        "token_type": "Bearer",
    });
    if let (Flavour::Machine, Some(fields)) = (flavour, body.as_object_mut()) {
        fields.insert("expires_in".into(), lifetime.to_string().into());
        fields.insert("ext_expires_in".into(), lifetime.to_string().into());
    }
    Reply::json(StatusCode::OK, body).in_plain_json()
}

fn refusal(flavour: Flavour, status: StatusCode, text: &str) -> Reply {
    let body = match flavour {
        Flavour::Machine => json!({"error": "invalid_request", "error_description": text}),
        Flavour::AppService => json!({"statusCode": status.as_u16(), "message": text}),
    };
    Reply::json(status, body).in_plain_json()
}
