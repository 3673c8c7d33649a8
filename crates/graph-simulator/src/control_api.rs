//! The handle over HTTP.

use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Method, Response, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::api_request::{ApiError, Result, bad_request, done, not_found, parse, timestamp};
use crate::body::ResponseBody;
use crate::consent::Consent;
use crate::fault::{Fault, FaultId};
use crate::handle::SimulatorHandle;
use crate::partner_api;
use crate::query::decode_segment;
use crate::status_change::StatusChange;
use crate::tenant::TenantAccess;

const HELP: &str = "\
Control API of the simulated Microsoft Graph.

GET    /tenants                                   names, ids and credentials
POST   /tenants/NAME/controls/ID/accept           {\"by\": \"…\", \"comment\": \"…\"}
POST   /tenants/NAME/controls/ID/revert           {\"by\": \"…\"}
POST   /tenants/NAME/controls/ID/state            {\"state\": \"Reviewed\", \"by\": \"…\", \"comment\": \"…\", \"at\": \"2026-01-02T03:04:05Z\"}
POST   /tenants/NAME/controls/ID/score            {\"percentage\": 80}
POST   /tenants/NAME/recommendations/ID/status    {\"status\": \"dismissed\", \"by\": \"…\", \"postpone_until\": \"…\", \"at\": \"…\"}
POST   /tenants/NAME/recommendations/ID/resources/RESOURCE   the same, of one impacted resource
POST   /tenants/NAME/recommendations/ID/check     {} or {\"at\": \"…\"}: the service checks again
POST   /tenants/NAME/identity-score               {\"score\": 43, \"maximum\": 56}
POST   /tenants/NAME/grant-recommendations        the permission for both lists, for new tokens
POST   /tenants/NAME/revoke-recommendations
POST   /tenants/NAME/revoke-tokens
POST   /tenants/NAME/rotate-secret
POST   /tenants/NAME/consent                      {\"consent\": \"granted\"} or \"unknown_application\", \"not_granted\", \"no_service_principal\"
GET    /partners                                  names, ids and credentials
GET    /partners/NAME/customers
POST   /partners/NAME/sign-up                     {\"name\": \"margies\", \"display_name\": \"…\"}: a customer with a tenant of that name
POST   /partners/NAME/sign-up-many                {\"count\": 988}
POST   /partners/NAME/customers                   {\"name\": \"…\", \"tenant_id\": \"…\", \"display_name\": \"…\", \"relationships\": []}: an element as it is
DELETE /partners/NAME/customers/CUSTOMER
POST   /partners/NAME/customers/CUSTOMER/rename   {\"display_name\": \"…\"}
POST   /partners/NAME/customers/CUSTOMER/relationships   [{\"display_name\": \"…\", \"status\": \"active\", \"ends\": \"2026-01-02T03:04:05Z\", \"auto_extend\": \"P180D\"}]
POST   /partners/NAME/organization                [{\"name\": \"litware\", \"state\": \"active\"}]: its tenants besides the partner's own
POST   /partners/NAME/grant                       {\"permission\": \"delegated_admin_relationship\"} or \"multi_tenant_organization\", for new tokens
POST   /partners/NAME/revoke
POST   /certificates                              a certificate in PEM, for the applications of all tenants
POST   /federated-token                           {} or {\"issuer\": \"…\", \"subject\": \"…\", \"audience\": \"…\", \"lifetime_seconds\": 3600}
POST   /faults                                    {\"api\": \"profiles\", \"page\": 2, \"times\": 1, \"tenant\": \"contoso\", \"what\": {\"status\": 503}}
GET    /faults
DELETE /faults
DELETE /faults/NUMBER
GET    /requests

\"api\" is \"token\", \"scores\", \"profiles\", \"recommendations\", \"identity_scores\", \"customers\", \"relationships\",
\"organization\" or \"proxy\" (of a client that uses this port as its CONNECT proxy: \"status\", \"slow\", \"stall\" and \"reset\"). Without \"page\", \"times\" or \"tenant\" a fault
affects every page, every request or every tenant. \"what\" is one of:
  \"forbidden\" \"partial206\" \"stall\" \"truncated\" \"malformed\" \"wrong_content_type\" \"empty_body\" \"empty_value\"
  \"next_link_loop\" \"next_link_http\" \"endless_pages\" \"wrong_tenant\" \"upper_case_tenant\" \"unknown_values\" \"duplicate_element\"
  \"repeated_page\" \"bare_id\" \"duplicate_type\" \"not_scored\" \"future_report\" \"minus_one\" \"reset\" \"echo\" \"echo_page\" \"echo_answer\" \"unsorted_history\" \"bare_history\"
  {\"throttle\": {\"retry_after\": \"none\"}} or {\"seconds\": 30}, {\"http_date\": 30}, {\"http_date_ago\": 30} instead of \"none\"
  {\"unavailable\": {\"retry_after\": \"none\"}} {\"status\": 503} {\"body\": \"text\"} {\"error_text\": \"text\"} {\"slow\": {\"millis\": 2000}}
  {\"huge_body\": 33554432} {\"gzip_bomb\": 67108864} {\"redirect\": \"https://elsewhere.example/\"}
  {\"next_link_foreign\": \"evil.example\"} {\"select_unsupported\": 501} {\"odd_element\": \"not_an_object\"} or \"wrong_types\"
  {\"repeated_element\": \"older_first\"} or \"older_second\", {\"odd_field\": \"huge_number\"} or \"lone_surrogate\",
  \"text_number\", \"no_number\", {\"not_available\": 404} or 400 (not of \"scores\" and \"profiles\")
  {\"odd_customer\": \"without_id\"} or \"invalid_id\", \"without_name\", \"emoji_name\", \"right_to_left_name\", \"same_name\", \"own_tenant\"
  {\"odd_update\": \"lone_surrogate\"} or \"duplicate_key\", \"bare_string\", \"null\", \"undated\", \"unreadable_date\",
  \"future_date\", \"new_word\"
  {\"aadsts\": 7000215} {\"roles\": []} {\"scopes\": \"User.Read\"} {\"short_lived\": 60} {\"expires_in\": \"3599\"} with \"api\": \"token\" only
";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AcceptBody {
    by: String,
    #[serde(default)]
    comment: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RevertBody {
    by: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StateBody {
    state: String,
    by: Option<String>,
    comment: Option<String>,
    at: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ScoreBody {
    percentage: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StatusBody {
    status: String,
    by: Option<String>,
    postpone_until: Option<String>,
    at: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CheckBody {
    at: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct IdentityScoreBody {
    score: u64,
    maximum: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ConsentBody {
    consent: Consent,
}

/// Answers a request.
pub(crate) fn answer(
    handle: &SimulatorHandle,
    method: &Method,
    path: &str,
    body: &[u8],
) -> Response<ResponseBody> {
    let segments = path.split('/').filter(|segment| !segment.is_empty());
    let segments: Vec<String> = segments.map(decode_segment).collect();
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    if segments.is_empty() && method == Method::GET {
        return respond(StatusCode::OK, "text/plain; charset=utf-8", HELP.to_owned());
    }
    let (status, json) = match route(handle, method, &segments, body) {
        Ok(value) => (StatusCode::OK, value),
        Err(ApiError(status, text)) => (status, json!({"error": text})),
    };
    respond(status, "application/json", json.to_string())
}

fn route(
    handle: &SimulatorHandle,
    method: &Method,
    segments: &[&str],
    body: &[u8],
) -> Result<Value> {
    match (method.as_str(), segments) {
        ("GET", ["tenants"]) => Ok(tenants(handle.tenants())),
        ("GET", ["partners"]) => Ok(tenants(handle.partners())),
        (method, ["partners", partner, rest @ ..]) => {
            partner_api::route(handle, partner, (method, rest), body)
        }
        ("POST", ["tenants", tenant, "consent"]) => {
            let ConsentBody { consent } = parse(body)?;
            handle.set_consent(tenant, consent)?;
            Ok(done())
        }
        ("POST", ["tenants", tenant, "controls", id, action]) => {
            change_control(handle, tenant, id, action, body)?;
            Ok(done())
        }
        ("POST", ["tenants", tenant, "recommendations", id, action @ ..]) => {
            change_recommendation(handle, (tenant, id), action, body)?;
            Ok(done())
        }
        ("POST", ["tenants", tenant, "identity-score"]) => {
            let IdentityScoreBody { score, maximum } = parse(body)?;
            handle.set_identity_score(tenant, score, maximum)?;
            Ok(done())
        }
        ("POST", ["tenants", tenant, "grant-recommendations"]) => {
            handle.grant_recommendations(tenant)?;
            Ok(done())
        }
        ("POST", ["tenants", tenant, "revoke-recommendations"]) => {
            handle.revoke_recommendations(tenant)?;
            Ok(done())
        }
        ("POST", ["tenants", tenant, "revoke-tokens"]) => {
            handle.revoke_tokens(tenant)?;
            Ok(done())
        }
        ("POST", ["tenants", tenant, "rotate-secret"]) => {
            Ok(json!({"client_secret": handle.rotate_secret(tenant)?}))
        }
        ("POST", ["certificates"]) => {
            handle.trust_certificate(&String::from_utf8_lossy(body))?;
            Ok(done())
        }
        ("POST", ["federated-token"]) => {
            Ok(json!({"token": handle.federated_token(&parse(body)?)?}))
        }
        ("POST", ["faults"]) => inject(handle, body),
        ("GET", ["faults"]) => Ok(json!(handle.faults())),
        ("DELETE", ["faults"]) => {
            handle.clear_faults();
            Ok(done())
        }
        ("DELETE", ["faults", id]) => {
            handle.remove_fault(fault_id(id)?)?;
            Ok(done())
        }
        ("GET", ["requests"]) => Ok(json!(handle.requests())),
        _ => {
            let path = segments.join("/");
            Err(not_found(format!(
                "no {method} /{path}; GET / lists the requests"
            )))
        }
    }
}

fn change_control(
    handle: &SimulatorHandle,
    tenant: &str,
    id: &str,
    action: &str,
    body: &[u8],
) -> Result<()> {
    match action {
        "accept" => {
            let AcceptBody { by, comment } = parse(body)?;
            handle.accept(tenant, id, &by, &comment)?;
        }
        "revert" => {
            let RevertBody { by } = parse(body)?;
            handle.revert(tenant, id, &by)?;
        }
        "state" => {
            let body: StateBody = parse(body)?;
            let at = body.at.as_deref();
            let at = at.map(|at| timestamp("at", at)).transpose()?;
            let (by, comment) = (body.by.as_deref(), body.comment.as_deref());
            handle.set_state(tenant, id, &body.state, by, comment, at)?;
        }
        "score" => {
            let ScoreBody { percentage } = parse(body)?;
            handle.set_score(tenant, id, percentage)?;
        }
        _ => {
            return Err(not_found(format!(
                "unknown action {action:?} of a control; use accept, revert, state or score"
            )));
        }
    }
    Ok(())
}

fn change_recommendation(
    handle: &SimulatorHandle,
    (tenant, id): (&str, &str),
    action: &[&str],
    body: &[u8],
) -> Result<()> {
    match action {
        ["status"] => handle.set_recommendation_status(tenant, id, status_change(body)?)?,
        ["resources", resource] => {
            handle.set_resource_status(tenant, id, resource, status_change(body)?)?;
        }
        ["check"] => {
            let CheckBody { at } = parse(body)?;
            let at = at.as_deref().map(|at| timestamp("at", at)).transpose()?;
            handle.check_recommendation(tenant, id, at)?;
        }
        _ => {
            let action = action.join("/");
            return Err(not_found(format!(
                "unknown action {action:?} of a recommendation; use status, resources/ID or check"
            )));
        }
    }
    Ok(())
}

fn status_change(body: &[u8]) -> Result<StatusChange> {
    let body: StatusBody = parse(body)?;
    let time = |key, text: Option<String>| text.map(|text| timestamp(key, &text)).transpose();
    Ok(StatusChange {
        status: body.status,
        by: body.by,
        postpone_until: time("postpone_until", body.postpone_until)?,
        at: time("at", body.at)?,
    })
}

fn inject(handle: &SimulatorHandle, body: &[u8]) -> Result<Value> {
    let mut json: Value = parse(body)?;
    let fields = json.as_object_mut();
    let tenant = match fields.and_then(|fields| fields.remove("tenant")) {
        None | Some(Value::Null) => None,
        Some(Value::String(name)) => Some(name),
        Some(other) => {
            return Err(bad_request(format!(
                "tenant: {other} is not a name; use a string"
            )));
        }
    };
    let fault: Fault =
        serde_json::from_value(json).map_err(|error| bad_request(error.to_string()))?;
    Ok(json!({"id": handle.inject(tenant.as_deref(), fault)?}))
}

/// Includes the credentials: they are valid for this simulator only.
fn tenants(tenants: Vec<TenantAccess>) -> Value {
    let tenants = tenants.into_iter().map(|tenant| {
        json!({
            "name": tenant.name,
            "display_name": tenant.display_name,
            "entra_id": tenant.entra_id,
            "domain": tenant.domain,
            "client_id": tenant.client_id,
            "client_secret": tenant.client_secret,
        })
    });
    tenants.collect()
}

fn fault_id(text: &str) -> Result<FaultId> {
    let id = text.parse().map(FaultId);
    id.map_err(|_| bad_request(format!("{text:?} is not the number of a fault")))
}

fn respond(status: StatusCode, content_type: &'static str, text: String) -> Response<ResponseBody> {
    let mut response = Response::new(ResponseBody::complete(text));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
