//! Azure's token endpoints for managed identities.
//!
//! The system-assigned identity belongs to the first tenant. The identities of
//! the other tenants are user-assigned, by the client ids of their applications.

use std::sync::Arc;

use hyper::{Method, StatusCode};
use jiff::Timestamp;
use serde_json::json;

use crate::active_faults::FaultTarget;
use crate::entra::IssuedToken;
use crate::fault_response;
use crate::incoming::IncomingRequest;
use crate::query::Query;
use crate::reply::{LoggedOutcome, Reply};
use crate::state::SimulatorState;
use crate::tenant::Tenant;

/// The endpoint of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IdentityEndpoint {
    /// The metadata service of virtual machines.
    VirtualMachine,
    /// App Service and compatible platforms.
    AppService,
}

impl IdentityEndpoint {
    /// The endpoint at a path.
    pub(crate) fn at(path: &str) -> Option<Self> {
        match path {
            "/metadata/identity/oauth2/token" => Some(Self::VirtualMachine),
            "/msi/token" => Some(Self::AppService),
            _ => None,
        }
    }
}

/// Answers a request for the token of a managed identity.
pub(crate) async fn answer(
    state: &SimulatorState,
    endpoint: IdentityEndpoint,
    request: &IncomingRequest,
) -> LoggedOutcome {
    let query = Query::parse(request.query());
    let checked = check(state, endpoint, request, &query);
    let tenant = checked.as_ref().ok();
    let name = tenant.map(|tenant| tenant.name.as_str());
    let reply = |fault: Option<&_>| match &checked {
        Ok(tenant) => {
            let resource = query.value("resource").unwrap_or_default();
            let to = (&**tenant, tenant.client_id.as_str());
            let token = IssuedToken::new(state, to, resource, &request.base, fault);
            token_reply(endpoint, &token, resource)
        }
        Err((status, text)) => error_reply(endpoint, *status, text),
    };
    let target = FaultTarget::token(name);
    let outcome = fault_response::respond(&state.faults, target, request, reply).await;
    LoggedOutcome::new(outcome, name)
}

/// The tenant of the identity, or status and text of the error.
fn check(
    state: &SimulatorState,
    endpoint: IdentityEndpoint,
    request: &IncomingRequest,
    query: &Query,
) -> Result<Arc<Tenant>, (StatusCode, &'static str)> {
    let (has_header, status) = match endpoint {
        IdentityEndpoint::VirtualMachine => (
            request.header("metadata") == Some("true"),
            StatusCode::BAD_REQUEST,
        ),
        IdentityEndpoint::AppService => (
            request.header("x-identity-header") == Some(&state.identity_header()),
            StatusCode::FORBIDDEN,
        ),
    };
    if !has_header {
        return Err((status, "Required header is wrong or missing"));
    }
    let has = |key| query.value(key).is_some_and(|value| !value.is_empty());
    if request.head.method != Method::GET || !has("api-version") || !has("resource") {
        return Err((StatusCode::BAD_REQUEST, "A parameter is missing"));
    }
    let mut tenants = state.own_tenants.iter();
    let tenant = match query.value("client_id") {
        None => tenants.next(),
        Some(id) => tenants.find(|tenant| tenant.client_id.eq_ignore_ascii_case(id)),
    };
    tenant
        .cloned()
        .ok_or((StatusCode::BAD_REQUEST, "Identity not found"))
}

/// Unlike Entra, these endpoints write numbers as strings.
fn token_reply(endpoint: IdentityEndpoint, token: &IssuedToken, resource: &str) -> Reply {
    let lifetime = i64::try_from(token.lifetime.as_secs()).unwrap_or(i64::MAX);
    let expires_on = Timestamp::now().as_second().saturating_add(lifetime);
    let mut body = json!({
        "access_token": token.token,
        "client_id": token.client_id,
        "expires_on": expires_on.to_string(),
        "resource": resource,
        "token_type": "Bearer",
    });
    if let (IdentityEndpoint::VirtualMachine, Some(fields)) = (endpoint, body.as_object_mut()) {
        fields.insert("expires_in".into(), lifetime.to_string().into());
        fields.insert("ext_expires_in".into(), lifetime.to_string().into());
    }
    Reply::entra_json(StatusCode::OK, body)
}

fn error_reply(endpoint: IdentityEndpoint, status: StatusCode, text: &str) -> Reply {
    let body = match endpoint {
        IdentityEndpoint::VirtualMachine => {
            json!({"error": "invalid_request", "error_description": text})
        }
        IdentityEndpoint::AppService => json!({"statusCode": status.as_u16(), "message": text}),
    };
    Reply::entra_json(status, body)
}
