//! The handle over HTTP, for people with curl.

use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Method, Response, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::body::Body;
use super::control::{Control, ControlError};
use super::fault::{Fault, FaultId};
use super::query::decode;

const HELP: &str = "\
Control API of the simulated Microsoft Graph.

GET    /tenants                                   names, ids and credentials
POST   /tenants/NAME/controls/ID/accept           {\"by\": \"…\", \"comment\": \"…\"}
POST   /tenants/NAME/controls/ID/revert           {\"by\": \"…\"}
POST   /tenants/NAME/controls/ID/state            {\"state\": \"Reviewed\", \"by\": \"…\", \"comment\": \"…\", \"at\": \"2026-01-02T03:04:05Z\"}
POST   /tenants/NAME/controls/ID/score            {\"percentage\": 80}
POST   /tenants/NAME/revoke-tokens
POST   /tenants/NAME/rotate-secret
POST   /certificates                              a certificate in PEM, for the application of every tenant
POST   /federated-token                           {} or {\"issuer\": \"…\", \"subject\": \"…\", \"audience\": \"…\", \"lifetime_seconds\": 3600}
POST   /faults                                    {\"api\": \"profiles\", \"page\": 2, \"times\": 1, \"tenant\": \"contoso\", \"what\": {\"status\": 503}}
GET    /faults
DELETE /faults
DELETE /faults/NUMBER
GET    /requests

Faults (what):
  \"forbidden\" \"partial206\" \"stall\" \"truncated\" \"malformed\" \"wrong_content_type\" \"empty_body\" \"empty_value\"
  \"next_link_loop\" \"next_link_http\" \"endless_pages\" \"wrong_tenant\" \"unknown_values\" \"duplicate_element\"
  \"minus_one\" \"reset\" \"echo\" \"echo_page\" \"echo_answer\" \"unsorted_history\" \"bare_history\"
  {\"throttle\": {\"retry_after\": \"none\"}} or {\"seconds\": 30} or {\"http_date\": 30} in place of \"none\"
  {\"status\": 503} {\"aadsts\": 7000215} {\"roles\": []} {\"slow\": {\"millis\": 2000}} {\"huge_body\": 33554432}
  {\"gzip_bomb\": 67108864} {\"next_link_foreign\": \"evil.example\"} {\"select_unsupported\": 501}
  {\"odd_element\": \"not_an_object\"} or \"wrong_types\"; {\"redirect\": \"https://elsewhere.example/\"}
";

/// Why a request was not carried out.
struct Complaint(StatusCode, String);

type Result<T> = std::result::Result<T, Complaint>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Acceptance {
    by: String,
    #[serde(default)]
    comment: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Reversal {
    by: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StateChange {
    state: String,
    by: Option<String>,
    comment: Option<String>,
    at: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ScoreChange {
    percentage: f64,
}

/// Answers one request.
pub(super) fn answer(
    control: &Control,
    method: &Method,
    path: &str,
    body: &[u8],
) -> Response<Body> {
    let segments: Vec<String> = path
        .split('/')
        .filter(|part| !part.is_empty())
        .map(decode)
        .collect();
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    if segments.is_empty() && method == Method::GET {
        return respond(StatusCode::OK, "text/plain; charset=utf-8", HELP.to_owned());
    }
    match route(control, method, &segments, body) {
        Ok(value) => respond(StatusCode::OK, "application/json", value.to_string()),
        Err(Complaint(status, error)) => respond(
            status,
            "application/json",
            json!({"error": error}).to_string(),
        ),
    }
}

fn route(control: &Control, method: &Method, segments: &[&str], body: &[u8]) -> Result<Value> {
    match (method.as_str(), segments) {
        ("GET", ["tenants"]) => Ok(tenants(control)),
        ("POST", ["tenants", tenant, "controls", id, verb]) => {
            act(control, (tenant, id), verb, body)
        }
        ("POST", ["tenants", tenant, "revoke-tokens"]) => done(control.revoke_tokens(tenant)),
        ("POST", ["tenants", tenant, "rotate-secret"]) => {
            Ok(json!({"client_secret": control.rotate_secret(tenant)?}))
        }
        ("POST", ["certificates"]) => {
            done(control.trust_certificate(&String::from_utf8_lossy(body)))
        }
        ("POST", ["federated-token"]) => {
            Ok(json!({"token": control.federated_token(&read(body)?)?}))
        }
        ("POST", ["faults"]) => inject(control, body),
        ("GET", ["faults"]) => Ok(json!(control.faults())),
        ("DELETE", ["faults"]) => {
            control.clear();
            Ok(json!({"done": true}))
        }
        ("DELETE", ["faults", id]) => done(control.remove(fault_id(id)?)),
        ("GET", ["requests"]) => Ok(json!(control.requests())),
        _ => Err(nothing_there(method, segments)),
    }
}

fn act(control: &Control, (tenant, id): (&str, &str), verb: &str, body: &[u8]) -> Result<Value> {
    match verb {
        "accept" => {
            let Acceptance { by, comment } = read(body)?;
            done(control.accept(tenant, id, &by, &comment))
        }
        "revert" => {
            let Reversal { by } = read(body)?;
            done(control.revert(tenant, id, &by))
        }
        "state" => change_state(control, (tenant, id), read(body)?),
        "score" => {
            let ScoreChange { percentage } = read(body)?;
            done(control.set_score(tenant, id, percentage))
        }
        _ => Err(Complaint(
            StatusCode::NOT_FOUND,
            format!(
                "there is no {verb:?} for a control; possible are accept, revert, state, score"
            ),
        )),
    }
}

fn change_state(
    control: &Control,
    (tenant, id): (&str, &str),
    change: StateChange,
) -> Result<Value> {
    let at = change
        .at
        .map(|text| text.parse().map_err(|_| not_a_time(&text)))
        .transpose()?;
    let (by, comment) = (change.by.as_deref(), change.comment.as_deref());
    done(control.set_state(tenant, id, &change.state, by, comment, at))
}

fn inject(control: &Control, body: &[u8]) -> Result<Value> {
    let mut json: Value = read(body)?;
    let tenant = json
        .as_object_mut()
        .and_then(|fields| fields.remove("tenant"));
    let tenant = match tenant {
        None | Some(Value::Null) => None,
        Some(Value::String(name)) => Some(name),
        Some(other) => return Err(bad(format!("tenant: {other} is no name"))),
    };
    let fault: Fault = serde_json::from_value(json).map_err(|error| bad(error.to_string()))?;
    Ok(json!({"id": control.inject(tenant.as_deref(), fault)?}))
}

/// Credentials included: they open nothing but this simulator.
fn tenants(control: &Control) -> Value {
    let tenants = control.tenants().into_iter().map(|tenant| {
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

fn done(result: std::result::Result<(), ControlError>) -> Result<Value> {
    result?;
    Ok(json!({"done": true}))
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T> {
    serde_json::from_slice(body).map_err(|error| bad(format!("the body does not fit: {error}")))
}

fn fault_id(text: &str) -> Result<FaultId> {
    text.parse()
        .map(FaultId)
        .map_err(|_| bad(format!("{text:?} is no number of a fault")))
}

fn not_a_time(text: &str) -> Complaint {
    bad(format!(
        "at: {text:?} is no time; write it like 2026-01-02T03:04:05Z"
    ))
}

fn nothing_there(method: &Method, segments: &[&str]) -> Complaint {
    let path = segments.join("/");
    Complaint(
        StatusCode::NOT_FOUND,
        format!("there is no {method} /{path}; GET / lists what there is"),
    )
}

fn bad(complaint: String) -> Complaint {
    Complaint(StatusCode::BAD_REQUEST, complaint)
}

impl From<ControlError> for Complaint {
    fn from(error: ControlError) -> Self {
        let status = match error {
            ControlError::UnknownTenant { .. }
            | ControlError::UnknownControl { .. }
            | ControlError::UnknownFault(_) => StatusCode::NOT_FOUND,
            ControlError::NotScored { .. }
            | ControlError::NotAPercentage(_)
            | ControlError::Trust(_)
            | ControlError::Fault(_) => StatusCode::BAD_REQUEST,
        };
        Self(status, error.to_string())
    }
}

fn respond(status: StatusCode, content_type: &'static str, text: String) -> Response<Body> {
    let mut response = Response::new(Body::whole(text));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
