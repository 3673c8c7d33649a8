//! Entra's token endpoint for applications.

use std::sync::Arc;
use std::time::Duration;

use hyper::{Method, StatusCode};
use jiff::Timestamp;
use serde_json::json;

use crate::active_faults::FaultTarget;
use crate::entra_error;
use crate::fault::FaultKind;
use crate::fault_response;
use crate::incoming::IncomingRequest;
use crate::odd_values::FOREIGN_TENANT;
use crate::query::Query;
use crate::reply::{Content, LoggedOutcome, Reply};
use crate::state::SimulatorState;
use crate::tenant::Tenant;
use crate::token::Claims;

/// The real clouds, whose scopes are accepted like the simulator's own.
const CLOUDS: [&str; 3] = [
    "https://graph.microsoft.com",
    "https://graph.microsoft.us",
    "https://dod-graph.microsoft.us",
];

const OPENID_SCOPES: [&str; 4] = ["openid", "profile", "email", "offline_access"];

const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Answers a request for a token. `tenant_id` is the GUID or domain in the path.
pub(crate) async fn answer(
    state: &SimulatorState,
    tenant_id: &str,
    request: &IncomingRequest,
    form: &Query,
) -> LoggedOutcome {
    let tenant = state.tenant_by_entra_id(tenant_id);
    let tenant = tenant.as_ref();
    let name = tenant.map(|tenant| tenant.name.as_str());
    let reply = |fault: Option<&FaultKind>| match check(state, tenant, tenant_id, request, form) {
        Ok(SignIn { tenant, client_id }) => {
            let audience = resource(form.value("scope").unwrap_or_default());
            let audience = audience.unwrap_or_default();
            let to = (tenant, client_id);
            IssuedToken::new(state, to, audience, &request.base, fault).into_reply(fault)
        }
        Err(number) => entra_error::reply(number, &request.ids),
    };
    let target = FaultTarget::token(name);
    let outcome = fault_response::respond(&state.faults, target, request, reply).await;
    LoggedOutcome::new(outcome, name)
}

/// An application that may sign in to a tenant.
struct SignIn<'a> {
    tenant: &'a Tenant,
    /// The id of the application, which is registered in this tenant or a partner's.
    client_id: &'a str,
}

/// The application, or the AADSTS number of the first error.
fn check<'a>(
    state: &SimulatorState,
    tenant: Option<&'a Arc<Tenant>>,
    tenant_id: &str,
    request: &IncomingRequest,
    form: &'a Query,
) -> Result<SignIn<'a>, u32> {
    if request.head.method != Method::POST {
        return Err(900_561);
    }
    let tenant = tenant.ok_or(90_002_u32)?;
    if form.value("grant_type").ok_or(900_144_u32)? != "client_credentials" {
        return Err(70_003);
    }
    let client_id = form.value("client_id").ok_or(900_144_u32)?;
    let registration = state.registration(tenant, client_id).ok_or(700_016_u32)?;
    if let Some(number) = tenant.consent().aadsts() {
        return Err(number);
    }
    let scope = form.value("scope").ok_or(900_144_u32)?;
    let resource = resource(scope).ok_or(70_011_u32)?;
    if !CLOUDS.contains(&resource) && resource != request.base {
        return Err(500_011);
    }
    let token_url = format!("{}/{tenant_id}/oauth2/v2.0/token", request.base);
    check_credential(state, (&registration, client_id), form, &token_url)?;
    Ok(SignIn { tenant, client_id })
}

/// The resource of a scope's one `/.default`. Microsoft's libraries may add the
/// scopes of OpenID Connect.
fn resource(scope: &str) -> Option<&str> {
    let mut scopes = scope
        .split_ascii_whitespace()
        .filter(|scope| !OPENID_SCOPES.contains(scope));
    let resource = scopes.next()?.strip_suffix("/.default")?;
    let is_only = scopes.next().is_none();
    is_only.then(|| resource.trim_end_matches('/'))
}

fn check_credential(
    state: &SimulatorState,
    (registration, client_id): (&Tenant, &str),
    form: &Query,
    token_url: &str,
) -> Result<(), u32> {
    if let Some(secret) = form.value("client_secret") {
        return (secret == registration.secret())
            .then_some(())
            .ok_or(7_000_215);
    }
    let assertion = form.value("client_assertion").ok_or(7_000_218_u32)?;
    state.issued_secrets.record(assertion.to_owned());
    if form.value("client_assertion_type") != Some(JWT_BEARER) {
        return Err(7_000_218);
    }
    let keys = (token_url, state.token_key());
    state
        .credentials
        .check_assertion(assertion, client_id, keys, Timestamp::now())
}

/// An issued access token.
pub(crate) struct IssuedToken {
    pub(crate) token: String,
    pub(crate) lifetime: Duration,
    pub(crate) client_id: String,
}

impl IssuedToken {
    /// Issues a token of a tenant, to the application with a client id, for an audience.
    /// `base` is the URL the client used.
    pub(crate) fn new(
        state: &SimulatorState,
        (tenant, client_id): (&Tenant, &str),
        audience: &str,
        base: &str,
        fault: Option<&FaultKind>,
    ) -> Self {
        let lifetime = match fault {
            Some(FaultKind::ShortLived(seconds)) => Duration::from_secs(*seconds),
            _ => state.token_lifetime,
        };
        let claims = claims((tenant, client_id), audience, base, lifetime, fault);
        let token = claims.to_token(state.token_key());
        state.issued_secrets.record(token.clone());
        Self {
            token,
            lifetime,
            client_id: client_id.to_owned(),
        }
    }

    fn into_reply(self, fault: Option<&FaultKind>) -> Reply {
        let lifetime = self.lifetime.as_secs();
        let expires_in = match fault {
            Some(FaultKind::ExpiresIn(value)) => value.clone(),
            _ => json!(lifetime),
        };
        let body = json!({
            "token_type": "Bearer",
            "expires_in": expires_in,
            "ext_expires_in": lifetime,
            "access_token": self.token,
        });
        match fault {
            Some(FaultKind::Truncated) => Reply::ok(Content::HalfJson(body)),
            _ => Reply::entra_json(StatusCode::OK, body),
        }
    }
}

fn claims(
    (tenant, client_id): (&Tenant, &str),
    audience: &str,
    base: &str,
    lifetime: Duration,
    fault: Option<&FaultKind>,
) -> Claims {
    let (start, end) = Claims::times(Timestamp::now(), lifetime);
    let tid = match fault {
        Some(FaultKind::WrongTenant) => FOREIGN_TENANT.to_owned(),
        Some(FaultKind::UpperCaseTenant) => tenant.entra_id.to_ascii_uppercase(),
        _ => tenant.entra_id.clone(),
    };
    let (roles, scp) = match fault {
        Some(FaultKind::Roles(roles)) => (Some(roles.clone()), None),
        Some(FaultKind::Scopes(scopes)) => (None, Some(scopes.clone())),
        _ => (Some(tenant.roles()), None),
    };
    let idtyp = if scp.is_some() { "user" } else { "app" };
    Claims {
        aud: audience.to_owned(),
        iss: format!("{base}/{tid}/"),
        iat: start,
        nbf: start,
        exp: end,
        appid: client_id.to_owned(),
        tid,
        roles,
        scp,
        ver: "1.0".to_owned(),
        idtyp: idtyp.to_owned(),
        sim_tenant: tenant.name.clone(),
        sim_generation: tenant.token_generation(),
    }
}
