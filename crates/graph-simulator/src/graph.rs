//! Graph's two lists, `secureScores` and `secureScoreControlProfiles`.

use hyper::header::{ALLOW, WWW_AUTHENTICATE};
use hyper::{Method, StatusCode};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::active_faults::FaultTarget;
use crate::corrupt;
use crate::fault_response;
use crate::incoming::IncomingRequest;
use crate::pagination::{NEXT_LINK, PageCursor, PageLinks};
use crate::query::Query;
use crate::recorded_request::Api;
use crate::reply::{LoggedOutcome, Outcome, Reply};
use crate::state::SimulatorState;
use crate::tenant::{ListPage, Tenant};
use crate::token::Claims;

/// The supported options of OData.
///
/// Others are rejected: a response that ignores `$filter` would look correct.
const OPTIONS: [&str; 5] = ["$top", "$skip", "$skiptoken", "$select", "$count"];

/// Graph's maximum number of elements per page, whatever `$top` says.
const MAX_PAGE_SIZE: usize = 999;

const SCORES_PATH: &str = "/v1.0/security/secureScores";
const PROFILES_PATH: &str = "/v1.0/security/secureScoreControlProfiles";

/// The list at a path.
pub(crate) fn api_at(path: &str) -> Option<Api> {
    match path {
        SCORES_PATH => Some(Api::Scores),
        PROFILES_PATH => Some(Api::Profiles),
        _ => None,
    }
}

/// Answers a request for a list.
pub(crate) async fn answer(
    state: &SimulatorState,
    api: Api,
    request: &IncomingRequest,
) -> LoggedOutcome {
    let tenant = match authorise(state, api, request) {
        Ok(tenant) => tenant,
        Err(reply) => return LoggedOutcome::new(Outcome::Replied(*reply), None),
    };
    let call = match ListCall::new(tenant, api, request) {
        Ok(call) => call,
        Err(text) => {
            let reply = bad_request(request, &text);
            return LoggedOutcome::new(Outcome::Replied(reply), Some(&tenant.name));
        }
    };
    let reply = |fault: Option<&_>| match call.list(state.page_size) {
        Ok((list, links)) => corrupt::reply(fault, api, list, &links),
        Err(text) => bad_request(request, &text),
    };
    let outcome = fault_response::respond(&state.faults, call.target(), request, reply).await;
    LoggedOutcome {
        page: call.cursor.page,
        ..LoggedOutcome::new(outcome, Some(&tenant.name))
    }
}

/// The tenant of a request's token.
fn authorise<'s>(
    state: &'s SimulatorState,
    api: Api,
    request: &IncomingRequest,
) -> Result<&'s Tenant, Box<Reply>> {
    if request.head.method != Method::GET {
        let text = "The simulator supports GET only.";
        let status = StatusCode::METHOD_NOT_ALLOWED;
        let reply = Reply::graph_error(status, &request.ids, "MethodNotAllowed", text);
        return Err(Box::new(reply.with(ALLOW, "GET")));
    }
    let token = request.header("authorization");
    let token = token.and_then(|value| value.strip_prefix("Bearer "));
    let claims =
        token.and_then(|token| Claims::from_token(token, state.token_key(), Timestamp::now()));
    let tenant = claims.as_ref().and_then(|claims| {
        let tenant = state.tenant(&claims.sim_tenant)?;
        (tenant.token_generation() == claims.sim_generation).then_some(tenant)
    });
    match (tenant, claims) {
        (Some(tenant), Some(claims)) if claims.may_read() => Ok(tenant),
        (Some(_), _) => Err(Box::new(fault_response::forbidden(api, &request.ids))),
        (None, _) => Err(Box::new(unauthorised(request))),
    }
}

fn unauthorised(request: &IncomingRequest) -> Reply {
    let text = "The token is missing, expired, revoked or of another service.";
    let status = StatusCode::UNAUTHORIZED;
    Reply::graph_error(status, &request.ids, "InvalidAuthenticationToken", text).with(
        WWW_AUTHENTICATE,
        "Bearer realm=\"\", error=\"invalid_token\"",
    )
}

fn bad_request(request: &IncomingRequest, text: &str) -> Reply {
    Reply::graph_error(StatusCode::BAD_REQUEST, &request.ids, "BadRequest", text)
}

/// A valid request for a page of a tenant's list.
struct ListCall<'a> {
    api: Api,
    tenant: &'a Tenant,
    request: &'a IncomingRequest,
    query: Query,
    cursor: PageCursor,
    /// The value of `$top`.
    top: Option<usize>,
    now: Timestamp,
}

impl<'a> ListCall<'a> {
    fn new(tenant: &'a Tenant, api: Api, request: &'a IncomingRequest) -> Result<Self, String> {
        let query = Query::parse(request.query());
        let is_unsupported = |key: &&str| key.starts_with('$') && !OPTIONS.contains(key);
        if let Some(option) = query.keys().find(is_unsupported) {
            let supported = OPTIONS.join(", ");
            return Err(format!(
                "The option {option} is not supported; use {supported}."
            ));
        }
        let cursor = match query.value("$skiptoken") {
            None => PageCursor::first(number(&query, "$skip")?.unwrap_or(0)),
            Some(text) => PageCursor::from_skiptoken(tenant.skiptoken_key(), text)
                .ok_or_else(|| format!("The skip token {text} is not known."))?,
        };
        let top = number(&query, "$top")?;
        if top == Some(0) {
            return Err("The value of $top must be 1 or more.".to_owned());
        }
        Ok(Self {
            api,
            tenant,
            request,
            query,
            cursor,
            top: top.map(|top| top as usize),
            now: Timestamp::now(),
        })
    }

    fn target(&self) -> FaultTarget<'a> {
        FaultTarget {
            api: self.api,
            tenant: Some(&self.tenant.name),
            page: self.cursor.page,
            selects: self.query.value("$select").is_some(),
        }
    }

    fn list(&self, page_size: usize) -> Result<(Map<String, Value>, PageLinks<'a>), String> {
        let (path, page) = match self.api {
            Api::Profiles => (PROFILES_PATH, self.profiles(page_size)),
            Api::Token | Api::Scores => (SCORES_PATH, self.scores()),
        };
        let links = PageLinks {
            base: &self.request.base,
            path,
            query: self.request.query(),
            next: PageCursor {
                page: self.cursor.page.saturating_add(1),
                // After the last page, an endless list starts again.
                start: u32::try_from(page.next.unwrap_or(0)).unwrap_or(0),
            },
            key: self.tenant.skiptoken_key(),
        };
        let mut list = page.envelope;
        let name = path.rsplit('/').next().unwrap_or_default();
        list.entry("@odata.context")
            .or_insert_with(|| json!(format!("{}/v1.0/$metadata#security/{name}", links.base)));
        if page.next.is_some() {
            list.insert(NEXT_LINK.to_owned(), json!(links.next()));
        }
        let elements = self.selected(page.elements)?;
        list.insert("value".to_owned(), Value::Array(elements));
        Ok((list, links))
    }

    fn profiles(&self, page_size: usize) -> ListPage {
        let size = self.top.unwrap_or(page_size).clamp(1, MAX_PAGE_SIZE);
        let start = self.cursor.start as usize;
        self.tenant.data().profiles(start, size)
    }

    /// The requested reports.
    ///
    /// Any page links to the older reports, one of `$top=1` too: a client that
    /// follows the links from the newest report reads all of them.
    fn scores(&self) -> ListPage {
        let data = self.tenant.data();
        let start = self.cursor.start as usize;
        let total = data.report_count();
        let end = start.saturating_add(self.top.unwrap_or(total)).min(total);
        ListPage {
            envelope: Map::new(),
            elements: (start..end)
                .filter_map(|index| data.report(index, self.now))
                .collect(),
            next: (end < total).then_some(end),
        }
    }

    /// The elements with the fields of `$select` only.
    fn selected(&self, mut elements: Vec<Value>) -> Result<Vec<Value>, String> {
        let Some(names) = self.query.value("$select") else {
            return Ok(elements);
        };
        let names: Vec<&str> = names.split(',').map(str::trim).collect();
        let is_unknown =
            |name: &&&str| !elements.iter().any(|element| element.get(**name).is_some());
        if let Some(name) = names
            .iter()
            .find(is_unknown)
            .filter(|_| !elements.is_empty())
        {
            return Err(format!("Could not find a property named '{name}'."));
        }
        for fields in elements.iter_mut().filter_map(Value::as_object_mut) {
            fields.retain(|key, _| names.contains(&key.as_str()));
        }
        Ok(elements)
    }
}

fn number(query: &Query, option: &str) -> Result<Option<u32>, String> {
    let number = query.value(option).map(str::parse).transpose();
    number.map_err(|_| format!("The value of {option} must be a whole number."))
}
