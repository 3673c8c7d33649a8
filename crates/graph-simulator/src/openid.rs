//! OpenID Connect discovery, with which Microsoft's libraries find the token
//! endpoint.

use hyper::StatusCode;
use serde_json::{Value, json};

use crate::entra_error;
use crate::incoming::IncomingRequest;
use crate::reply::{LoggedOutcome, Outcome, Reply};
use crate::state::SimulatorState;
use crate::tenant::Tenant;

/// Answers with the endpoints of a tenant. `tenant_id` is the GUID or domain in the path.
pub(crate) fn answer(
    state: &SimulatorState,
    tenant_id: &str,
    request: &IncomingRequest,
) -> LoggedOutcome {
    let tenant = state.tenant_by_entra_id(tenant_id);
    let reply = match &tenant {
        Some(tenant) => Reply::entra_json(StatusCode::OK, configuration(tenant, &request.base)),
        None => entra_error::reply(90_002, &request.ids),
    };
    LoggedOutcome::new(
        Outcome::Replied(reply),
        tenant.as_ref().map(|it| it.name.as_str()),
    )
}

/// As at Microsoft, the endpoints contain the GUID even where the request names a domain.
fn configuration(tenant: &Tenant, base: &str) -> Value {
    let root = format!("{base}/{}", tenant.entra_id);
    json!({
        "authorization_endpoint": format!("{root}/oauth2/v2.0/authorize"),
        "device_authorization_endpoint": format!("{root}/oauth2/v2.0/devicecode"),
        "id_token_signing_alg_values_supported": ["RS256"],
        "issuer": format!("{root}/v2.0"),
        "jwks_uri": format!("{root}/discovery/v2.0/keys"),
        "response_types_supported": ["code"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "subject_types_supported": ["pairwise"],
        "tenant_region_scope": "EU",
        "token_endpoint": format!("{root}/oauth2/v2.0/token"),
        "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt"],
    })
}
