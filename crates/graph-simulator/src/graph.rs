//! The two lists of Microsoft Graph.

use std::time::Duration;

use hyper::header::{ALLOW, AUTHORIZATION, WWW_AUTHENTICATE};
use hyper::{HeaderMap, Method, StatusCode};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::distort;
use super::fault::What;
use super::fault_board::Target;
use super::mishap;
use super::query::Query;
use super::reply::{Ids, Outcome, Reply};
use super::request_log::Api;
use super::skiptoken::Cursor;
use super::tenant::Tenant;
use super::token::Claims;
use super::world::World;

pub(super) const NEXT_LINK: &str = "@odata.nextLink";

/// The options of OData that are served.
///
/// Any other is refused: an ignored `$filter` would look like an answer.
const OPTIONS: [&str; 5] = ["$top", "$skip", "$skiptoken", "$select", "$count"];

/// The most elements Graph puts on a page, whatever `$top` says.
const LARGEST_PAGE: usize = 999;

/// A request for a list, before anything of it is believed.
pub(super) struct ListRequest<'a> {
    pub(super) api: Api,
    pub(super) method: &'a Method,
    pub(super) headers: &'a HeaderMap,
    /// Scheme, host and port the client used.
    pub(super) base: String,
    pub(super) query: &'a str,
    /// Headers as they came.
    pub(super) asked: &'a str,
    pub(super) ids: &'a Ids,
}

/// A request for a list of a known tenant.
pub(super) struct Call<'a> {
    pub(super) api: Api,
    tenant: &'a Tenant,
    base: &'a str,
    asked: &'a str,
    raw_query: &'a str,
    query: Query,
    cursor: Cursor,
    /// Where the page after this one starts.
    following: Option<usize>,
    now: Timestamp,
}

/// The answer, and for whom and which page it was.
pub(super) struct Answer {
    pub(super) outcome: Outcome,
    pub(super) tenant: Option<String>,
    pub(super) page: u32,
}

/// Answers a request for a list.
pub(super) async fn answer(world: &World, request: &ListRequest<'_>) -> Answer {
    match authorise(world, request) {
        Ok(tenant) => answer_tenant(world, tenant, request).await,
        Err(reply) => Answer {
            outcome: Outcome::Answered(*reply),
            tenant: None,
            page: 1,
        },
    }
}

async fn answer_tenant(world: &World, tenant: &Tenant, request: &ListRequest<'_>) -> Answer {
    let (outcome, page) = match Call::new(tenant, request) {
        Ok(call) => {
            let page = call.cursor.page;
            (call.run(world, request.ids).await, page)
        }
        Err(complaint) => (Outcome::Answered(bad_request(request, &complaint)), 1),
    };
    Answer {
        outcome,
        tenant: Some(tenant.name.clone()),
        page,
    }
}

/// The tenant a request's token is for.
fn authorise<'w>(world: &'w World, request: &ListRequest<'_>) -> Result<&'w Tenant, Box<Reply>> {
    if request.method != Method::GET {
        return Err(Box::new(read_only(request)));
    }
    let header = request
        .headers
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok());
    let token = header.and_then(|value| value.strip_prefix("Bearer "));
    let claims =
        token.and_then(|token| Claims::from_token(token, world.token_key(), Timestamp::now()));
    let claims = claims.ok_or_else(|| Box::new(unauthorised(request)))?;
    let tenant = world.tenant(&claims.sim_tenant);
    let tenant = tenant.filter(|tenant| tenant.token_generation() == claims.sim_generation);
    match tenant {
        None => Err(Box::new(unauthorised(request))),
        Some(_) if !claims.may_read() => Err(Box::new(mishap::forbidden(request.api, request.ids))),
        Some(tenant) => Ok(tenant),
    }
}

fn read_only(request: &ListRequest<'_>) -> Reply {
    let error = ("MethodNotAllowed", "Lists can be read and nothing else.");
    Reply::error(
        request.api,
        StatusCode::METHOD_NOT_ALLOWED,
        request.ids,
        error,
    )
    .with(ALLOW, "GET")
}

fn unauthorised(request: &ListRequest<'_>) -> Reply {
    let error = (
        "InvalidAuthenticationToken",
        "The token is missing, expired, revoked or of another service.",
    );
    Reply::error(request.api, StatusCode::UNAUTHORIZED, request.ids, error).with(
        WWW_AUTHENTICATE,
        "Bearer realm=\"\", error=\"invalid_token\"",
    )
}

fn bad_request(request: &ListRequest<'_>, complaint: &str) -> Reply {
    Reply::error(
        request.api,
        StatusCode::BAD_REQUEST,
        request.ids,
        ("BadRequest", complaint),
    )
}

impl<'a> Call<'a> {
    fn new(tenant: &'a Tenant, request: &'a ListRequest<'_>) -> Result<Self, String> {
        let query = Query::parse(request.query);
        if let Some(option) = query
            .keys()
            .find(|key| key.starts_with('$') && !OPTIONS.contains(key))
        {
            return Err(format!(
                "The option {option} is not served; possible are {}.",
                OPTIONS.join(", ")
            ));
        }
        let cursor = match query.value("$skiptoken") {
            None => Cursor {
                start: count(&query, "$skip")?.unwrap_or(0) as u32,
                ..Cursor::FIRST
            },
            Some(text) => Cursor::from_guid(tenant.marker_key(), text)
                .ok_or_else(|| format!("The skip token {text} is not known."))?,
        };
        if count(&query, "$top")? == Some(0) {
            return Err("The value of $top must be 1 or more.".to_owned());
        }
        Ok(Self {
            api: request.api,
            tenant,
            base: &request.base,
            asked: request.asked,
            raw_query: request.query,
            query,
            cursor,
            following: None,
            now: Timestamp::now(),
        })
    }

    async fn run(mut self, world: &World, ids: &Ids) -> Outcome {
        let fault = world.faults().strike(self.target());
        if let Some(outcome) = fault
            .as_ref()
            .and_then(|what| mishap::instead(what, self.api, ids, self.asked))
        {
            return outcome;
        }
        if let Some(What::Slow { millis }) = fault {
            tokio::time::sleep(Duration::from_millis(millis)).await;
        }
        let list = match self.api {
            Api::Profiles => self.profiles(world.page_size()),
            Api::Token | Api::Scores => self.scores(),
        };
        Outcome::Answered(match self.selected(list) {
            Ok(list) => distort::spoil(fault.as_ref(), list, &self),
            Err(complaint) => Reply::error(
                self.api,
                StatusCode::BAD_REQUEST,
                ids,
                ("BadRequest", &complaint),
            ),
        })
    }

    fn target(&self) -> Target<'a> {
        Target {
            api: self.api,
            tenant: Some(&self.tenant.name),
            page: self.cursor.page,
            selects: self.query.value("$select").is_some(),
        }
    }

    fn profiles(&mut self, page_size: usize) -> Map<String, Value> {
        let size = self.top().unwrap_or(page_size).clamp(1, LARGEST_PAGE);
        let page = self
            .tenant
            .records()
            .profiles(self.cursor.start as usize, size);
        self.following = page.next;
        self.list(page.rest, page.elements)
    }

    /// The reports asked for.
    ///
    /// One page of any size carries a link to the older ones, `$top=1` too:
    /// following it from the newest report walks through ninety days.
    fn scores(&mut self) -> Map<String, Value> {
        let records = self.tenant.records();
        let start = self.cursor.start as usize;
        let total = records.report_count();
        let end = start.saturating_add(self.top().unwrap_or(total)).min(total);
        let reports = (start..end)
            .filter_map(|place| records.report(place, self.now))
            .collect();
        drop(records);
        self.following = (end < total).then_some(end);
        self.list(Map::new(), reports)
    }

    fn top(&self) -> Option<usize> {
        count(&self.query, "$top").ok().flatten()
    }

    fn list(&self, mut rest: Map<String, Value>, elements: Vec<Value>) -> Map<String, Value> {
        let name = path(self.api).rsplit('/').next().unwrap_or_default();
        rest.entry("@odata.context")
            .or_insert_with(|| json!(format!("{}/v1.0/$metadata#security/{name}", self.base)));
        if self.following.is_some() {
            rest.insert(NEXT_LINK.to_owned(), json!(self.next_link()));
        }
        rest.insert("value".to_owned(), Value::Array(elements));
        rest
    }

    /// The list with the fields of `$select` only.
    fn selected(&self, mut list: Map<String, Value>) -> Result<Map<String, Value>, String> {
        let Some(names) = self.query.value("$select") else {
            return Ok(list);
        };
        let names: Vec<&str> = names.split(',').map(str::trim).collect();
        let Some(Value::Array(elements)) = list.get_mut("value") else {
            return Ok(list);
        };
        let known = |name: &str| elements.iter().any(|element| element.get(name).is_some());
        if let Some(name) = names
            .iter()
            .find(|name| !elements.is_empty() && !known(name))
        {
            return Err(format!("Could not find a property named '{name}'."));
        }
        for fields in elements.iter_mut().filter_map(Value::as_object_mut) {
            fields.retain(|key, _| names.contains(&key.as_str()));
        }
        Ok(list)
    }

    /// The address of this very page.
    pub(super) fn address(&self) -> String {
        let mark = if self.raw_query.is_empty() { "" } else { "?" };
        format!("{}{}{mark}{}", self.base, path(self.api), self.raw_query)
    }

    /// The address of the page after this one.
    pub(super) fn next_link(&self) -> String {
        format!("{}{}", self.base, self.next_path())
    }

    /// The same without the host; after the last page comes the first again.
    pub(super) fn next_path(&self) -> String {
        let start = u32::try_from(self.following.unwrap_or(0)).unwrap_or(0);
        let next = Cursor {
            page: self.cursor.page.saturating_add(1),
            start,
        };
        let marker = next.to_guid(self.tenant.marker_key());
        let kept: String = self
            .kept_options()
            .map(|option| format!("{option}&"))
            .collect();
        format!("{}?{kept}$skiptoken={marker}", path(self.api))
    }

    /// The options that hold for the next page too.
    fn kept_options(&self) -> impl Iterator<Item = &str> {
        let options = self
            .raw_query
            .split('&')
            .filter(|option| !option.is_empty());
        options.filter(|option| {
            let option = Query::parse(option);
            option.value("$skip").is_none() && option.value("$skiptoken").is_none()
        })
    }
}

/// The path of a list.
pub(super) fn path(api: Api) -> &'static str {
    match api {
        Api::Profiles => "/v1.0/security/secureScoreControlProfiles",
        Api::Token | Api::Scores => "/v1.0/security/secureScores",
    }
}

fn count(query: &Query, option: &str) -> Result<Option<usize>, String> {
    let value = query.value(option);
    value
        .map(|text| text.parse::<u32>().map(|number| number as usize))
        .transpose()
        .map_err(|_| format!("The value of {option} must be a whole number."))
}
