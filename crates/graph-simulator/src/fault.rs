//! Faults that tests and the control API inject.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::recorded_request::Api;

/// A fault: which requests it affects, how often, and how.
///
/// As JSON: `{"api": "profiles", "page": 2, "times": 1, "what": {"status": 503}}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// The interface.
    pub api: Api,
    /// The page, from 1; `None` for every page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<u32>,
    /// The number of requests; `None` for all until the fault is removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u32>,
    /// The effect.
    #[serde(rename = "what")]
    pub kind: FaultKind,
}

/// The effect of a fault.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// 429.
    Throttle {
        /// The `Retry-After` header.
        retry_after: RetryAfter,
    },
    /// 503.
    Unavailable {
        /// The `Retry-After` header.
        retry_after: RetryAfter,
    },
    /// This status, with an error body in the interface's format.
    Status(u16),
    /// 403 for a missing permission.
    Forbidden,
    /// 400 or 404, as where a cloud lacks the list (not for scores and profiles).
    NotAvailable(u16),
    /// An Entra error by its AADSTS number (token only).
    Aadsts(u32),
    /// A token with these roles instead of the right one (token only).
    Roles(Vec<String>),
    /// A token of a user with these delegated permissions, separated by blanks, and
    /// without roles (token only).
    Scopes(String),
    /// A token that is valid for this many seconds (token only).
    ShortLived(u64),
    /// This JSON as `expires_in`, such as a text or a fraction (token only).
    ExpiresIn(Value),
    /// A complete response with status 206.
    Partial206,
    /// A complete response after a delay.
    Slow {
        /// The delay.
        millis: u64,
    },
    /// Status and headers without a body, on a connection that stays open.
    Stall,
    /// Half the body, then a connection reset.
    Truncated,
    /// A body that is not JSON.
    Malformed,
    /// 200 and this body, declared as JSON.
    Body(String),
    /// 200 and an HTML page.
    WrongContentType,
    /// 200 and an empty body.
    EmptyBody,
    /// `{"value": []}`.
    EmptyValue,
    /// A body of this many bytes without `Content-Length`.
    HugeBody(usize),
    /// A small body that decompresses to this many bytes.
    GzipBomb(usize),
    /// A next link to the same page.
    NextLinkLoop,
    /// A next link to this host.
    NextLinkForeign(String),
    /// A next link over plain HTTP.
    NextLinkHttp,
    /// A next link on every page.
    EndlessPages,
    /// Page 2 has the elements of page 1, as when the list shifts between them.
    RepeatedPage,
    /// Elements, or a token, of another tenant.
    WrongTenant,
    /// Elements, or a token, with the tenant's GUID in upper case.
    UpperCaseTenant,
    /// Ids without the tenant's GUID (recommendations only).
    BareId,
    /// This status for requests with `$select`; others succeed.
    SelectUnsupported(u16),
    /// An unknown state, category, tier, impact and basis; of a recommendation an unknown
    /// status, category, type, priority, impact and licence.
    UnknownValues,
    /// An additional element of a wrong type.
    OddElement(OddElement),
    /// One element twice.
    DuplicateElement,
    /// Two recommendations of one type (recommendations only).
    DuplicateType,
    /// A control on page 1 and again on page 2, one of them without its newest
    /// change (profiles only).
    RepeatedElement(RepeatedElement),
    /// The newest change of each history in an odd form (profiles only).
    OddUpdate(OddUpdate),
    /// One field of the first element in an odd form.
    OddField(OddField),
    /// A customer in an odd form (customers only).
    OddCustomer(OddCustomer),
    /// `NotScored` on the first two scores: true, and as text (scores only).
    NotScored,
    /// Reports of a day next month, as from a server whose clock differs
    /// (scores only).
    FutureReport,
    /// -1 for numbers, as where Microsoft could not compute them.
    MinusOne,
    /// 302 to this URL.
    Redirect(String),
    /// A dropped connection without a response.
    Reset,
    /// An error with this text.
    ErrorText(String),
    /// An error that repeats the request, secrets included.
    Echo,
    /// The same as the HTML page of a proxy.
    EchoPage,
    /// 200 and a list whose strings repeat the request.
    EchoAnswer,
    /// Histories in reverse order (profiles only).
    UnsortedHistory,
    /// Empty and null histories instead of the placeholder (profiles only).
    BareHistory,
}

/// The `Retry-After` header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RetryAfter {
    /// No header.
    None,
    /// This many seconds.
    Seconds(u64),
    /// A date this many seconds ahead.
    HttpDate(u64),
    /// A date this many seconds ago, as from a server whose clock differs.
    HttpDateAgo(u64),
}

/// The type of an odd element.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OddElement {
    /// A number instead of an object.
    NotAnObject,
    /// An object whose fields have wrong types.
    WrongTypes,
}

/// The stale copy of an element on two pages, as when the list shifts between them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RepeatedElement {
    /// The one on page 1.
    OlderFirst,
    /// The one on page 2.
    OlderSecond,
}

/// The form of an odd change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OddUpdate {
    /// Half of a surrogate pair in the comment.
    LoneSurrogate,
    /// A key written twice.
    DuplicateKey,
    /// A string instead of an object.
    BareString,
    /// Null instead of an object.
    Null,
    /// No date.
    Undated,
    /// A date that is none.
    UnreadableDate,
    /// A date 30 days ahead.
    FutureDate,
    /// An unknown state.
    NewWord,
}

/// The form of an odd field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OddField {
    /// 1e400 as the maximum or the score.
    HugeNumber,
    /// Half of a surrogate pair in the title, the implementation status or the day.
    LoneSurrogate,
    /// A text as the maximum or the score.
    TextNumber,
    /// No maximum or score.
    NoNumber,
}

/// The form of an odd customer. Each changes the first customer of a page, unless it says
/// otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OddCustomer {
    /// No `id` and no `tenantId`.
    WithoutId,
    /// Ids that are no GUID.
    InvalidId,
    /// No display name.
    WithoutName,
    /// A display name of emoji.
    EmojiName,
    /// A right-to-left display name with the character that reverses the text behind it.
    RightToLeftName,
    /// The second customer with the display name of the first.
    SameName,
    /// The partner's own tenant as an additional customer.
    OwnTenant,
}

/// A fault that could affect no request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct FaultError(String);

impl Fault {
    /// A fault of all pages, until it is removed.
    pub fn new(api: Api, kind: FaultKind) -> Self {
        Self {
            api,
            page: None,
            times: None,
            kind,
        }
    }

    /// Limits the fault to one page, from 1.
    #[must_use]
    pub fn on_page(mut self, page: u32) -> Self {
        self.page = Some(page);
        self
    }

    /// Limits the number of affected requests.
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.times = Some(times);
        self
    }

    /// Rejects a fault that could affect no request: its test would prove nothing.
    pub(crate) fn check(&self, tenant: Option<&str>) -> Result<(), FaultError> {
        let error = match (&self.kind, self.kind.scope()) {
            (kind, Some((scope, apis))) if !apis.contains(&self.api) => {
                format!("the fault {kind:?} applies to {scope} only; change `api`")
            }
            (kind, _) if self.api == Api::Proxy && !kind.applies_to_proxy() => {
                "the proxy knows the faults status, slow, stall and reset only; change `api` or `what`"
                    .to_owned()
            }
            _ if self.api == Api::Proxy && tenant.is_some() => {
                "the proxy does not know the tenant; leave out `tenant`".to_owned()
            }
            (FaultKind::Status(status) | FaultKind::SelectUnsupported(status), _)
                if !(200..=599).contains(status) =>
            {
                format!("{status} is not a valid status; use 200 to 599")
            }
            (FaultKind::NotAvailable(status), _) if !matches!(status, 400 | 404) => {
                format!("{status} is not the status of a missing list; use 400 or 404")
            }
            _ if self.times == Some(0) => {
                "`times` is 0, so the fault would never apply; use 1 or more".to_owned()
            }
            _ if self.page == Some(0) => "`page` is 0, but pages count from 1".to_owned(),
            _ => return Ok(()),
        };
        Err(FaultError(error))
    }
}

impl FaultKind {
    /// A complete response after a delay.
    pub fn slow(delay: Duration) -> Self {
        Self::Slow {
            millis: u64::try_from(delay.as_millis()).unwrap_or(u64::MAX),
        }
    }

    fn applies_to_proxy(&self) -> bool {
        matches!(
            self,
            Self::Status(_) | Self::Slow { .. } | Self::Stall | Self::Reset
        )
    }

    /// The interfaces of a fault that does not apply to all of them.
    fn scope(&self) -> Option<(&'static str, &'static [Api])> {
        match self {
            Self::Aadsts(_)
            | Self::Roles(_)
            | Self::Scopes(_)
            | Self::ShortLived(_)
            | Self::ExpiresIn(_) => Some(("the token endpoint", &[Api::Token])),
            Self::UnsortedHistory
            | Self::BareHistory
            | Self::RepeatedElement(_)
            | Self::OddUpdate(_) => Some(("profiles", &[Api::Profiles])),
            Self::NotScored | Self::FutureReport => Some(("scores", &[Api::Scores])),
            Self::BareId | Self::DuplicateType => {
                Some(("recommendations", &[Api::Recommendations]))
            }
            Self::OddCustomer(_) => Some(("customers", &[Api::Customers])),
            Self::NotAvailable(_) => Some((
                "recommendations, identity_scores, customers, relationships and organization",
                &[
                    Api::Recommendations,
                    Api::IdentityScores,
                    Api::Customers,
                    Api::Relationships,
                    Api::Organization,
                ],
            )),
            Self::UnknownValues => Some((
                "scores, profiles and recommendations",
                &[Api::Scores, Api::Profiles, Api::Recommendations],
            )),
            Self::WrongTenant | Self::UpperCaseTenant => Some((
                "the token endpoint, scores, profiles and recommendations",
                &[Api::Token, Api::Scores, Api::Profiles, Api::Recommendations],
            )),
            Self::Partial206
            | Self::EmptyValue
            | Self::NextLinkLoop
            | Self::NextLinkForeign(_)
            | Self::NextLinkHttp
            | Self::EndlessPages
            | Self::RepeatedPage
            | Self::SelectUnsupported(_)
            | Self::OddElement(_)
            | Self::DuplicateElement => Some(("the lists", LISTS)),
            Self::OddField(_) | Self::MinusOne => {
                Some(("the lists without those of partners", TENANT_LISTS))
            }
            _ => None,
        }
    }
}

/// The interfaces that return lists of a tenant with numbers.
const TENANT_LISTS: &[Api] = &[
    Api::Scores,
    Api::Profiles,
    Api::Recommendations,
    Api::IdentityScores,
];

/// The interfaces that return lists.
const LISTS: &[Api] = &[
    Api::Scores,
    Api::Profiles,
    Api::Recommendations,
    Api::IdentityScores,
    Api::Customers,
    Api::Relationships,
    Api::Organization,
];

/// The number of an injected fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct FaultId(pub u64);

/// An injected fault.
#[derive(Debug, Clone, Serialize)]
pub struct InjectedFault {
    /// Its number.
    pub id: FaultId,
    /// The name of the affected tenant; `None` for all tenants.
    pub tenant: Option<String>,
    /// The fault; `times` counts down.
    pub fault: Fault,
    /// The number of affected requests so far.
    #[serde(rename = "struck")]
    pub applied: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_survives_a_round_trip_through_json() {
        let retry_after = RetryAfter::Seconds(3);
        let fault = Fault::new(Api::Token, FaultKind::Throttle { retry_after }).times(2);
        let text = serde_json::to_string(&fault).unwrap();
        assert_eq!(
            text,
            r#"{"api":"token","times":2,"what":{"throttle":{"retry_after":{"seconds":3}}}}"#
        );
        assert_eq!(serde_json::from_str::<Fault>(&text).unwrap(), fault);
    }

    #[test]
    fn the_error_of_an_unknown_kind_lists_the_known_ones() {
        let text = r#"{"api":"scores","what":"explode"}"#;
        let error = serde_json::from_str::<Fault>(text).unwrap_err().to_string();
        assert!(error.contains("explode") && error.contains("next_link_loop"));
    }

    #[test]
    fn a_fault_that_could_affect_no_request_is_rejected() {
        let error = |fault: Fault| fault.check(None).unwrap_err().to_string();
        let aadsts = Fault::new(Api::Scores, FaultKind::Aadsts(7_000_215));
        assert!(error(aadsts).contains("the token endpoint only"));
        assert!(error(Fault::new(Api::Token, FaultKind::EmptyValue)).contains("the lists only"));
        let minus = Fault::new(Api::Customers, FaultKind::MinusOne);
        assert!(error(minus).contains("without those of partners"));
        let odd = FaultKind::OddCustomer(OddCustomer::OwnTenant);
        assert!(error(Fault::new(Api::Relationships, odd)).contains("customers only"));
        let bare = Fault::new(Api::IdentityScores, FaultKind::BareId);
        assert!(error(bare).contains("recommendations only"));
        let missing = Fault::new(Api::Recommendations, FaultKind::NotAvailable(500));
        assert!(error(missing).contains("400 or 404"));
        assert!(error(Fault::new(Api::Scores, FaultKind::BareHistory)).contains("profiles only"));
        assert!(error(Fault::new(Api::Token, FaultKind::Reset).times(0)).contains("`times`"));
        assert!(error(Fault::new(Api::Scores, FaultKind::Status(99))).contains("99"));
        assert_eq!(
            Fault::new(Api::Profiles, FaultKind::BareHistory).check(None),
            Ok(())
        );
        assert!(error(Fault::new(Api::Proxy, FaultKind::Forbidden)).contains("the proxy knows"));
        let proxy = Fault::new(Api::Proxy, FaultKind::Status(407));
        assert_eq!(proxy.check(None), Ok(()));
        assert!(proxy.check(Some("contoso")).is_err());
    }
}
