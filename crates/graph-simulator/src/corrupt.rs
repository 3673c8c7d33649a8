//! Faults that corrupt a complete list.

use hyper::StatusCode;
use serde_json::{Map, Value};

use crate::corrupt_customers;
use crate::corrupt_recommendations;
use crate::corrupt_secure_score;
use crate::fault::FaultKind;
use crate::list::List;
use crate::pagination::{NEXT_LINK, PageLinks};
use crate::reply::{Content, Reply};

/// The reply with a list, corrupted if the fault does so.
pub(crate) fn reply(
    fault: Option<&FaultKind>,
    of: List,
    mut list: Map<String, Value>,
    links: &PageLinks<'_>,
) -> Reply {
    let Some(kind) = fault else {
        return Reply::json(StatusCode::OK, Value::Object(list));
    };
    let link = match kind {
        FaultKind::NextLinkLoop => Some(links.this()),
        FaultKind::NextLinkForeign(host) => Some(format!("https://{host}{}", links.next_path())),
        FaultKind::NextLinkHttp => Some(links.next().replacen("https://", "http://", 1)),
        FaultKind::EndlessPages => Some(links.next()),
        _ => None,
    };
    if let Some(link) = link {
        list.insert(NEXT_LINK.to_owned(), Value::String(link));
    }
    if let Some(Value::Array(elements)) = list.get_mut("value") {
        match of {
            List::Scores | List::Profiles => {
                corrupt_secure_score::corrupt(elements, of == List::Profiles, kind);
            }
            List::Recommendations => corrupt_recommendations::corrupt(elements, kind),
            List::IdentityScores => corrupt_recommendations::corrupt_days(elements, kind),
            List::Customers | List::Relationships | List::Organization => {
                corrupt_customers::corrupt(elements, kind);
            }
        }
    }
    let list = Value::Object(list);
    match kind {
        FaultKind::Truncated => Reply::ok(Content::HalfJson(list)),
        FaultKind::Partial206 => Reply::json(StatusCode::PARTIAL_CONTENT, list),
        _ => Reply::json(StatusCode::OK, list),
    }
}
