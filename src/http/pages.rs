//! The pages for people: which one an address means, and what it asks of it.

use super::Options;
use super::asked::{AskedControls, AskedRegister, AskedStatus};
use super::reply::{self, Reply};
use super::views::{self, Address, Reader};
use crate::store::Tenants;
use hyper::StatusCode;
use hyper::http::request::Parts;
use maud::Markup;
use secure_score_model::Timestamp;

/// What a tenant's page begins with; its alias follows.
const TENANT: &str = "/tenants/";

/// A page for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PageRoute {
    /// How all tenants fare.
    Status,
    /// Every accepted risk.
    Register,
    /// One tenant.
    Tenant,
}

impl PageRoute {
    /// The page a path below the prefix means.
    pub(super) fn of(path: &str) -> Option<Self> {
        match path {
            "/" => Some(Self::Status),
            "/acceptances" => Some(Self::Register),
            _ => path.strip_prefix(TENANT).map(|_| Self::Tenant),
        }
    }
}

/// Why a page cannot be shown.
enum Refusal {
    /// The query is not understood.
    Query(String),
    /// There is no such tenant.
    NoTenant(String),
}

impl From<String> for Refusal {
    fn from(message: String) -> Self {
        Self::Query(message)
    }
}

/// Renders a page for whoever sent the request.
pub(super) fn show(
    route: PageRoute,
    parts: &Parts,
    tenants: &Tenants,
    options: &Options,
    now: Timestamp,
) -> Reply {
    let reader = Reader { options, now };
    let asked = parts.uri.path();
    let path = asked.strip_prefix(&options.route_prefix).unwrap_or(asked);
    let address = Address::new(
        format!("{}{path}", options.link_prefix()),
        parts.uri.query(),
    );
    match render(route, path, &address, tenants, &reader) {
        Ok(markup) => reply::page(StatusCode::OK, markup),
        Err(Refusal::Query(message)) => reply::page(
            StatusCode::BAD_REQUEST,
            views::refused(&message, address.path(), &reader),
        ),
        Err(Refusal::NoTenant(name)) => reply::page(
            StatusCode::NOT_FOUND,
            views::no_tenant(&name, tenants, &reader),
        ),
    }
}

fn render(
    route: PageRoute,
    path: &str,
    address: &Address,
    tenants: &Tenants,
    reader: &Reader<'_>,
) -> Result<Markup, Refusal> {
    match route {
        PageRoute::Status => {
            let asked = AskedStatus::read(address)?;
            Ok(views::status(tenants, &asked, address, reader))
        }
        PageRoute::Register => {
            let asked = AskedRegister::read(address, reader.now)?;
            Ok(views::register(tenants, &asked, address, reader))
        }
        PageRoute::Tenant => {
            let name = path.strip_prefix(TENANT).unwrap_or_default();
            let state = tenants.find(name);
            let state = state.ok_or_else(|| Refusal::NoTenant(name.to_owned()))?;
            let asked = AskedControls::read(address)?;
            Ok(views::tenant(state, &asked, address, reader))
        }
    }
}
