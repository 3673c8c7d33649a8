//! Graph's two lists, `secureScores` and `secureScoreControlProfiles`, and their elements.

use hyper::header::{ALLOW, WWW_AUTHENTICATE};
use hyper::{Method, StatusCode};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::active_faults::FaultTarget;
use crate::corrupt;
use crate::fault::FaultKind;
use crate::fault_response;
use crate::filter::{Filter, unquote};
use crate::incoming::IncomingRequest;
use crate::pagination::{NEXT_LINK, PageCursor, PageLinks};
use crate::query::{Query, decode_segment};
use crate::recorded_request::Api;
use crate::reply::{LoggedOutcome, Outcome, Reply};
use crate::state::SimulatorState;
use crate::tenant::{ListPage, Tenant};
use crate::token::Claims;

/// The supported options of OData.
///
/// Others are rejected: a response that ignores `$orderby` would look correct.
const LIST_OPTIONS: &[&str] = &[
    "$top",
    "$skip",
    "$skiptoken",
    "$select",
    "$count",
    "$filter",
];
const ELEMENT_OPTIONS: &[&str] = &["$select"];

/// Graph's maximum number of elements per page, whatever `$top` says.
const MAX_PAGE_SIZE: usize = 999;

const SCORES_PATH: &str = "/v1.0/security/secureScores";
const PROFILES_PATH: &str = "/v1.0/security/secureScoreControlProfiles";

/// The properties of Graph's metadata, which `$select` and `$filter` may name even
/// where a captured response lacks them.
const SCORE_PROPERTIES: &[&str] = &[
    "id",
    "activeUserCount",
    "averageComparativeScores",
    "azureTenantId",
    "controlScores",
    "createdDateTime",
    "currentScore",
    "enabledServices",
    "licensedUserCount",
    "maxScore",
    "vendorInformation",
];
const PROFILE_PROPERTIES: &[&str] = &[
    "id",
    "actionType",
    "actionUrl",
    "azureTenantId",
    "complianceInformation",
    "controlCategory",
    "controlStateUpdates",
    "deprecated",
    "implementationCost",
    "lastModifiedDateTime",
    "maxScore",
    "rank",
    "remediation",
    "remediationImpact",
    "service",
    "threats",
    "tier",
    "title",
    "userImpact",
    "vendorInformation",
];

/// A list, or one of its elements.
pub(crate) struct Resource {
    pub(crate) api: Api,
    id: Option<String>,
}

impl Resource {
    /// The resource at a path. An element is `/LIST/ID` or `/LIST('ID')`; repeated
    /// slashes count once, as at Microsoft.
    pub(crate) fn at(path: &str) -> Option<Self> {
        let segments: Vec<&str> = path.split('/').filter(|it| !it.is_empty()).collect();
        let (list, id) = match segments.as_slice() {
            ["v1.0", "security", list] => match list.split_once('(') {
                Some((list, key)) => {
                    let key = decode_segment(key);
                    (list, Some(unquote(key.strip_suffix(')')?)?))
                }
                None => (*list, None),
            },
            ["v1.0", "security", list, id] => (*list, Some(decode_segment(id))),
            _ => return None,
        };
        let api = match list {
            "secureScores" => Api::Scores,
            "secureScoreControlProfiles" => Api::Profiles,
            _ => return None,
        };
        Some(Self { api, id })
    }
}

/// Answers a request for a list or an element.
pub(crate) async fn answer(
    state: &SimulatorState,
    resource: &Resource,
    request: &IncomingRequest,
) -> LoggedOutcome {
    let api = resource.api;
    let tenant = match authorise(state, api, request) {
        Ok(tenant) => tenant,
        Err(reply) => return LoggedOutcome::new(Outcome::Replied(*reply), None),
    };
    let call = match GraphCall::new(tenant, resource, request) {
        Ok(call) => call,
        Err(text) => {
            let reply = bad_request(request, &text);
            return LoggedOutcome::new(Outcome::Replied(reply), Some(&tenant.name));
        }
    };
    let reply = |fault: Option<&FaultKind>| match &resource.id {
        Some(id) => call.element_reply(id),
        None => call.list_reply(state.page_size, fault),
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

/// A valid request for a page of a tenant's list, or for an element.
struct GraphCall<'a> {
    api: Api,
    tenant: &'a Tenant,
    request: &'a IncomingRequest,
    query: Query,
    cursor: PageCursor,
    /// The value of `$top`.
    top: Option<usize>,
    filter: Option<Filter>,
    now: Timestamp,
}

impl<'a> GraphCall<'a> {
    fn new(
        tenant: &'a Tenant,
        resource: &Resource,
        request: &'a IncomingRequest,
    ) -> Result<Self, String> {
        let query = Query::parse(request.query());
        let options = match resource.id {
            Some(_) => ELEMENT_OPTIONS,
            None => LIST_OPTIONS,
        };
        let is_unsupported = |key: &&str| key.starts_with('$') && !options.contains(key);
        if let Some(option) = query.keys().find(is_unsupported) {
            let supported = options.join(", ");
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
        let filter = query.value("$filter").map(|text| {
            Filter::parse(text)
                .ok_or_else(|| format!("Invalid filter clause: {text}; use PROPERTY eq 'TEXT'."))
        });
        let call = Self {
            api: resource.api,
            tenant,
            request,
            cursor,
            top: top.map(|top| top as usize),
            filter: filter.transpose()?,
            query,
            now: Timestamp::now(),
        };
        call.check_properties()?;
        Ok(call)
    }

    /// Checks the properties that `$select` and `$filter` name.
    fn check_properties(&self) -> Result<(), String> {
        let documented = match self.api {
            Api::Profiles => PROFILE_PROPERTIES,
            _ => SCORE_PROPERTIES,
        };
        let filtered = self.filter.iter().map(|filter| filter.property.as_str());
        let mut names = self.selected().into_iter().flatten().chain(filtered);
        let data = self.tenant.data();
        let is_unknown =
            |name: &&str| !documented.contains(name) && !data.has_property(self.api, name);
        match names.find(is_unknown) {
            Some(name) => Err(format!("Could not find a property named '{name}'.")),
            None => Ok(()),
        }
    }

    /// The names of `$select`.
    fn selected(&self) -> Option<Vec<&str>> {
        let names = self.query.value("$select")?;
        Some(names.split(',').map(str::trim).collect())
    }

    fn target(&self) -> FaultTarget<'a> {
        FaultTarget {
            api: self.api,
            tenant: Some(&self.tenant.name),
            page: self.cursor.page,
            selects: self.query.value("$select").is_some(),
        }
    }

    fn path(&self) -> &'static str {
        match self.api {
            Api::Profiles => PROFILES_PATH,
            Api::Token | Api::Scores | Api::Proxy => SCORES_PATH,
        }
    }

    /// The URL of the metadata of the list.
    fn context(&self) -> String {
        let name = self.path().rsplit('/').next().unwrap_or_default();
        format!("{}/v1.0/$metadata#security/{name}", self.request.base)
    }

    fn element_reply(&self, id: &str) -> Reply {
        let found = self.matching(Some(&Filter::id(id)));
        let Some(Value::Object(mut element)) = self.select(found).into_iter().next() else {
            let text = format!("Resource '{id}' does not exist.");
            let ids = &self.request.ids;
            return Reply::graph_error(StatusCode::NOT_FOUND, ids, "ResourceNotFound", &text);
        };
        let context = format!("{}/$entity", self.context());
        element.insert("@odata.context".to_owned(), json!(context));
        Reply::json(StatusCode::OK, Value::Object(element))
    }

    fn list_reply(&self, page_size: usize, fault: Option<&FaultKind>) -> Reply {
        let mut page = self.page(page_size);
        if let Some(FaultKind::RepeatedElement(order)) = fault {
            let first = self.tenant.data().profiles(0, page_size).elements;
            corrupt::repeat(*order, self.cursor.page, &mut page.elements, &first);
        }
        let links = PageLinks {
            base: &self.request.base,
            path: self.path(),
            query: self.request.query(),
            next: PageCursor {
                page: self.cursor.page.saturating_add(1),
                // After the last page, an endless list starts again.
                start: u32::try_from(page.next.unwrap_or(0)).unwrap_or(0),
            },
            key: self.tenant.skiptoken_key(),
        };
        let mut list = page.envelope;
        list.entry("@odata.context")
            .or_insert_with(|| json!(self.context()));
        if self.query.value("$count") == Some("true") {
            let count = self.matching(self.filter.as_ref()).len();
            list.insert("@odata.count".to_owned(), json!(count));
        }
        if page.next.is_some() {
            list.insert(NEXT_LINK.to_owned(), json!(links.next()));
        }
        let elements = self.select(page.elements);
        list.insert("value".to_owned(), Value::Array(elements));
        corrupt::reply(fault, self.api, list, &links)
    }

    fn page(&self, page_size: usize) -> ListPage {
        let is_sliced = self.top.is_some() || self.query.value("$skip").is_some();
        match self.api {
            _ if self.filter.is_some() => self.slice(page_size),
            Api::Profiles if is_sliced => self.slice(page_size),
            Api::Profiles => {
                let start = self.cursor.start as usize;
                self.tenant.data().profiles(start, self.size(page_size))
            }
            _ => self.scores(),
        }
    }

    fn size(&self, page_size: usize) -> usize {
        self.top.unwrap_or(page_size).clamp(1, MAX_PAGE_SIZE)
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

    /// A page of the elements that match the filter. The cursor counts elements,
    /// whatever the pages of a capture.
    fn slice(&self, page_size: usize) -> ListPage {
        let matching = self.matching(self.filter.as_ref());
        let start = self.cursor.start as usize;
        let end = start.saturating_add(self.size(page_size));
        ListPage {
            envelope: Map::new(),
            next: (end < matching.len()).then_some(end),
            elements: matching.into_iter().take(end).skip(start).collect(),
        }
    }

    /// Every element of the list that matches.
    fn matching(&self, filter: Option<&Filter>) -> Vec<Value> {
        let data = self.tenant.data();
        let mut elements = Vec::new();
        if self.api == Api::Profiles {
            let mut next = Some(0);
            while let Some(start) = next {
                let page = data.profiles(start, MAX_PAGE_SIZE);
                elements.extend(page.elements);
                next = page.next;
            }
        } else {
            let reports = 0..data.report_count();
            elements.extend(reports.filter_map(|index| data.report(index, self.now)));
        }
        elements.retain(|element| filter.is_none_or(|filter| filter.matches(element)));
        elements
    }

    /// The elements with the fields of `$select` only.
    fn select(&self, mut elements: Vec<Value>) -> Vec<Value> {
        if let Some(names) = self.selected() {
            for fields in elements.iter_mut().filter_map(Value::as_object_mut) {
                fields.retain(|key, _| names.contains(&key.as_str()));
            }
        }
        elements
    }
}

fn number(query: &Query, option: &str) -> Result<Option<u32>, String> {
    let number = query.value(option).map(str::parse).transpose();
    number.map_err(|_| format!("The value of {option} must be a whole number."))
}
