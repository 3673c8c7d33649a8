//! The pages of a list, and its elements.

use hyper::StatusCode;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::corrupt;
use crate::corrupt_customers;
use crate::corrupt_secure_score;
use crate::evolvable_enums::hide_newer_words;
use crate::fault::FaultKind;
use crate::filter::Filter;
use crate::incoming::IncomingRequest;
use crate::list::List;
use crate::list_query::ListQuery;
use crate::pagination::{NEXT_LINK, PageCursor, PageLinks};
use crate::reply::Reply;
use crate::tenant::{ListPage, Tenant};

/// A valid request for a page of a tenant's list, or for an element.
pub(crate) struct ListCall<'a> {
    pub(crate) tenant: &'a Tenant,
    pub(crate) request: &'a IncomingRequest,
    pub(crate) query: &'a ListQuery,
    /// The number of elements per page without `$top`.
    pub(crate) page_size: usize,
    pub(crate) now: Timestamp,
}

impl ListCall<'_> {
    fn list(&self) -> List {
        self.query.list
    }

    /// The URL of the metadata of the list.
    fn context(&self) -> String {
        format!("{}{}", self.request.base, self.list().context())
    }

    pub(crate) fn element_reply(&self, id: &str) -> Reply {
        let found = self.matching(Some(&Filter::id(id)));
        let Some(Value::Object(mut element)) = self.shown(found).into_iter().next() else {
            let text = format!("Resource '{id}' does not exist.");
            let ids = &self.request.ids;
            return Reply::graph_error(StatusCode::NOT_FOUND, ids, "ResourceNotFound", &text);
        };
        let context = format!("{}/$entity", self.context());
        element.insert("@odata.context".to_owned(), json!(context));
        Reply::json(StatusCode::OK, Value::Object(element))
    }

    pub(crate) fn list_reply(&self, fault: Option<&FaultKind>) -> Reply {
        let cursor = self.query.cursor;
        let mut page = self.page();
        if let Some(FaultKind::RepeatedElement(order)) = fault {
            let data = self.tenant.data();
            let first = data.page(self.list(), 0, self.page_size, self.now).elements;
            corrupt_secure_score::repeat(*order, cursor.page, &mut page.elements, &first);
        }
        if let Some(FaultKind::OddCustomer(odd)) = fault {
            let own = (&*self.tenant.entra_id, &*self.tenant.display_name);
            corrupt_customers::set_odd(*odd, &mut page.elements, own);
        }
        let repeats_page = matches!(fault, Some(FaultKind::RepeatedPage)) && cursor.page == 1;
        if repeats_page {
            page.next = Some(cursor.start as usize);
        }
        let links = PageLinks {
            base: &self.request.base,
            path: self.list().path(),
            skip_option: self.list().skip_option(),
            query: self.request.query(),
            next: PageCursor {
                page: cursor.page.saturating_add(1),
                // After the last page, an endless list starts again.
                start: u32::try_from(page.next.unwrap_or(0)).unwrap_or(0),
            },
            key: self.tenant.skiptoken_key(),
        };
        let mut list = page.envelope;
        list.entry("@odata.context")
            .or_insert_with(|| json!(self.context()));
        if self.query.counts {
            let count = self.matching(self.query.filter.as_ref()).len();
            list.insert("@odata.count".to_owned(), json!(count));
        }
        if page.next.is_some() {
            list.insert(NEXT_LINK.to_owned(), json!(links.next()));
        }
        let elements = self.shown(page.elements);
        list.insert("value".to_owned(), Value::Array(elements));
        corrupt::reply(fault, self.list(), list, &links)
    }

    /// The requested page.
    ///
    /// Any page of reports links to the older ones, one of `$top=1` too: a client that
    /// follows the links from the newest report reads all of them.
    fn page(&self) -> ListPage {
        let query = self.query;
        let is_daily = matches!(self.list(), List::Scores | List::IdentityScores);
        let is_sliced = !is_daily && (query.top.is_some() || query.skips);
        if query.filter.is_some() || is_sliced || self.list().is_of_partner() {
            return self.slice();
        }
        let size = match is_daily {
            true => query.top.unwrap_or(usize::MAX),
            false => self.size(),
        };
        let start = query.cursor.start as usize;
        self.tenant.data().page(self.list(), start, size, self.now)
    }

    fn size(&self) -> usize {
        let size = self.query.top.unwrap_or(self.page_size);
        size.clamp(1, self.list().max_page_size())
    }

    /// A page of the elements that match the filter. The cursor counts elements,
    /// whatever the pages of a capture.
    fn slice(&self) -> ListPage {
        let matching = self.matching(self.query.filter.as_ref());
        let start = self.query.cursor.start as usize;
        let end = start.saturating_add(self.size());
        ListPage {
            envelope: Map::new(),
            next: (end < matching.len()).then_some(end),
            elements: matching.into_iter().take(end).skip(start).collect(),
        }
    }

    /// Every element of the list that matches.
    fn matching(&self, filter: Option<&Filter>) -> Vec<Value> {
        let mut elements = self.tenant.elements(self.list(), self.now);
        elements.retain(|element| filter.is_none_or(|filter| filter.matches(element)));
        elements
    }

    /// The elements as the request wants to see them.
    fn shown(&self, mut elements: Vec<Value>) -> Vec<Value> {
        for fields in elements.iter_mut().filter_map(Value::as_object_mut) {
            fields.retain(|key, _| self.query.shows(key));
            if self.list() == List::Recommendations {
                hide_newer_words(self.request, fields);
            }
        }
        elements
    }
}
