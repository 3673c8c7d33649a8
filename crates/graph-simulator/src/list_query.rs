//! The OData options of a request for a list.

use crate::active_faults::FaultTarget;
use crate::filter::Filter;
use crate::incoming::IncomingRequest;
use crate::list::{List, Resource};
use crate::pagination::PageCursor;
use crate::query::Query;
use crate::tenant::Tenant;

/// The relation that `$expand` may name.
const RELATION: &str = "impactedResources";

/// Valid options.
pub(crate) struct ListQuery {
    pub(crate) list: List,
    pub(crate) cursor: PageCursor,
    /// The value of `$top`.
    pub(crate) top: Option<usize>,
    /// Whether the page starts where `$skip` says.
    pub(crate) skips: bool,
    pub(crate) counts: bool,
    pub(crate) filter: Option<Filter>,
    /// The properties of `$select`; `None` for all.
    selected: Option<Vec<String>>,
    /// Whether `$expand` names the relation.
    expands: bool,
}

impl ListQuery {
    /// Checks the options of a request; the error is the text of the response.
    pub(crate) fn new(
        tenant: &Tenant,
        resource: &Resource,
        request: &IncomingRequest,
    ) -> Result<Self, String> {
        let list = resource.list;
        let query = Query::parse(request.query());
        let options = match resource.id {
            Some(_) => list.element_options(),
            None => list.options(),
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
        let max = list.max_page_size();
        if list.is_of_partner() && top.is_some_and(|top| top as usize > max) {
            return Err(format!("The value of $top must be {max} or less."));
        }
        let this = Self {
            list,
            cursor,
            top: top.map(|top| top as usize),
            skips: query.value("$skip").is_some(),
            counts: query.value("$count") == Some("true"),
            filter: filter(list, &query)?,
            selected: query.value("$select").map(names),
            expands: expands(&query)?,
        };
        this.check_properties(tenant)?;
        Ok(this)
    }

    /// Checks the properties that `$select` and `$filter` name.
    fn check_properties(&self, tenant: &Tenant) -> Result<(), String> {
        let filtered = self.filter.iter().map(|filter| &filter.property);
        let mut names = self.selected.iter().flatten().chain(filtered);
        let data = tenant.data();
        let is_unknown = |name: &&String| {
            let is_documented = self.list.properties().contains(&name.as_str());
            !is_documented && !data.has_property(self.list, name)
        };
        match names.find(is_unknown) {
            Some(name) => Err(format!("Could not find a property named '{name}'.")),
            None => Ok(()),
        }
    }

    pub(crate) fn target<'a>(&self, tenant: &'a Tenant) -> FaultTarget<'a> {
        FaultTarget {
            api: self.list.api(),
            tenant: Some(&tenant.name),
            page: self.cursor.page,
            selects: self.selected.is_some(),
        }
    }

    /// Whether the response contains a property.
    ///
    /// An expanded relation is sent whatever `$select` names, and one that is not
    /// expanded is omitted.
    pub(crate) fn shows(&self, property: &str) -> bool {
        if self.list == List::Recommendations && property == RELATION {
            return self.expands;
        }
        let selected = self.selected.as_ref();
        selected.is_none_or(|names| names.iter().any(|name| name == property))
    }
}

fn filter(list: List, query: &Query) -> Result<Option<Filter>, String> {
    let Some(text) = query.value("$filter") else {
        return Ok(None);
    };
    let filter = Filter::parse(text)
        .ok_or_else(|| format!("Invalid filter clause: {text}; use PROPERTY eq 'TEXT'."))?;
    let property = filter.property.as_str();
    match list.filterable() {
        Some(known) if !known.contains(&property) => {
            let known = known.join(", ");
            Err(format!("{property} cannot be filtered; use {known}."))
        }
        _ => Ok(Some(filter)),
    }
}

fn expands(query: &Query) -> Result<bool, String> {
    match query.value("$expand") {
        None => Ok(false),
        Some(RELATION) => Ok(true),
        Some(other) => Err(format!("Could not find a relation named '{other}'.")),
    }
}

fn names(text: &str) -> Vec<String> {
    text.split(',').map(|name| name.trim().to_owned()).collect()
}

fn number(query: &Query, option: &str) -> Result<Option<u32>, String> {
    let number = query.value(option).map(str::parse).transpose();
    number.map_err(|_| format!("The value of {option} must be a whole number."))
}
