//! Requests for Graph's lists and their elements.

use std::sync::Arc;

use hyper::header::{ALLOW, WWW_AUTHENTICATE};
use hyper::{Method, StatusCode};
use jiff::Timestamp;

use crate::fault::FaultKind;
use crate::fault_response;
use crate::incoming::IncomingRequest;
use crate::list::{List, Resource};
use crate::list_query::ListQuery;
use crate::list_reply::ListCall;
use crate::reply::{LoggedOutcome, Outcome, Reply};
use crate::state::SimulatorState;
use crate::tenant::Tenant;
use crate::token::Claims;

/// Answers a request for a list or an element.
pub(crate) async fn answer(
    state: &SimulatorState,
    resource: &Resource,
    request: &IncomingRequest,
) -> LoggedOutcome {
    let tenant = match authorise(state, resource.list, request) {
        Ok(tenant) => tenant,
        Err(Rejection { reply, tenant }) => {
            let name = tenant.as_ref().map(|tenant| tenant.name.as_str());
            return LoggedOutcome::new(Outcome::Replied(reply), name);
        }
    };
    let tenant = &*tenant;
    let query = match ListQuery::new(tenant, resource, request) {
        Ok(query) => query,
        Err(text) => {
            let reply = bad_request(request, &text);
            return LoggedOutcome::new(Outcome::Replied(reply), Some(&tenant.name));
        }
    };
    let page = query.cursor.page;
    let target = query.target(tenant);
    let call = ListCall {
        tenant,
        request,
        query: &query,
        page_size: state.page_size,
        now: Timestamp::now(),
    };
    let reply = |fault: Option<&FaultKind>| match &resource.id {
        Some(id) => call.element_reply(id),
        None => call.list_reply(fault),
    };
    let outcome = fault_response::respond(&state.faults, target, request, reply).await;
    LoggedOutcome {
        page,
        ..LoggedOutcome::new(outcome, Some(&tenant.name))
    }
}

/// The response to a request that may not read a list, and the tenant of its token.
struct Rejection {
    reply: Reply,
    tenant: Option<Arc<Tenant>>,
}

/// The tenant of a request's token.
fn authorise(
    state: &SimulatorState,
    list: List,
    request: &IncomingRequest,
) -> Result<Arc<Tenant>, Rejection> {
    let rejected = |reply, tenant| Err(Rejection { reply, tenant });
    if request.head.method != Method::GET {
        let text = "The simulator supports GET only.";
        let status = StatusCode::METHOD_NOT_ALLOWED;
        let reply = Reply::graph_error(status, &request.ids, "MethodNotAllowed", text);
        return rejected(reply.with(ALLOW, "GET"), None);
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
        (Some(tenant), Some(claims)) if claims.has_one_of(list.permissions()) => Ok(tenant),
        (Some(tenant), _) => rejected(
            fault_response::forbidden(list.api(), &request.ids),
            Some(tenant),
        ),
        (None, _) => rejected(unauthorised(request), None),
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
