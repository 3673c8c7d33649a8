//! Faults that can be injected.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::request_log::Api;

/// A fault: where it strikes, how often, and what happens.
///
/// As JSON: `{"api": "profiles", "page": 2, "times": 1, "what": {"status": 503}}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// The interface it strikes.
    pub api: Api,
    /// The page it strikes, from 1; every page when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<u32>,
    /// How often it strikes; for ever when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u32>,
    /// What happens.
    pub what: What,
}

/// What happens instead of, or to, a good answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// 429, with or without a word on when to come back.
    Throttle {
        /// What `Retry-After` says.
        retry_after: RetryAfter,
    },
    /// 503 with a word on when to come back.
    Unavailable {
        /// What `Retry-After` says.
        retry_after: RetryAfter,
    },
    /// Any status, with an error body of the interface's shape.
    Status(u16),
    /// 403: the permission was not granted.
    Forbidden,
    /// An error of Entra, by its AADSTS number (token only).
    Aadsts(u32),
    /// The token carries these roles instead of the right one (token only).
    Roles(Vec<String>),
    /// The token is good for so many seconds only (token only).
    ShortLived(u64),
    /// A good answer marked 206.
    Partial206,
    /// A good answer, late.
    Slow {
        /// By how much.
        millis: u64,
    },
    /// A status and headers, then nothing.
    Stall,
    /// Half the body, then the connection breaks.
    Truncated,
    /// A body that is not JSON.
    Malformed,
    /// 200 and this body, called JSON.
    Body(String),
    /// 200 and a web page.
    WrongContentType,
    /// 200 and no body.
    EmptyBody,
    /// `{"value": []}`.
    EmptyValue,
    /// A body of so many bytes, its length not told beforehand.
    HugeBody(usize),
    /// A small body that unpacks to so many bytes.
    GzipBomb(usize),
    /// The next page is this page.
    NextLinkLoop,
    /// The next page is on that host.
    NextLinkForeign(String),
    /// The next page is on plain HTTP.
    NextLinkHttp,
    /// There is always a next page.
    EndlessPages,
    /// The answer, or the token, is another tenant's.
    WrongTenant,
    /// `$select` is refused with 400 or 501; without it all is well.
    SelectUnsupported(u16),
    /// State, category, tier, impact and basis words nobody knows.
    UnknownValues,
    /// One element more than there should be, of a wrong kind.
    OddElement(Oddity),
    /// An element comes twice.
    DuplicateElement,
    /// -1 for numbers Microsoft could not compute.
    MinusOne,
    /// 302 to another address.
    Redirect(String),
    /// The connection is dropped without an answer.
    Reset,
    /// A refusal that repeats what was asked, secrets and all, in the words of
    /// the interface.
    Echo,
    /// The same as a web page, as a proxy has it.
    EchoPage,
    /// A good status, and an answer made of what was asked.
    EchoAnswer,
    /// Histories in the opposite order (profiles only).
    UnsortedHistory,
    /// Empty and null histories in place of the placeholder (profiles only).
    BareHistory,
}

/// What `Retry-After` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RetryAfter {
    /// The header is missing.
    None,
    /// So many seconds.
    Seconds(u64),
    /// A date so many seconds from now.
    HttpDate(u64),
    /// A date so many seconds ago: the clocks differ.
    HttpDateAgo(u64),
}

/// The kinds of an odd element.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Oddity {
    /// A number where an object should be.
    NotAnObject,
    /// An object whose fields have wrong types.
    WrongTypes,
}

/// The fault makes no sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct FaultError(String);

impl Fault {
    /// A fault on every page, for ever.
    pub fn new(api: Api, what: What) -> Self {
        Self {
            api,
            page: None,
            times: None,
            what,
        }
    }

    /// On one page only, from 1.
    #[must_use]
    pub fn on_page(self, page: u32) -> Self {
        Self {
            page: Some(page),
            ..self
        }
    }

    /// So many times only.
    #[must_use]
    pub fn times(self, times: u32) -> Self {
        Self {
            times: Some(times),
            ..self
        }
    }

    /// Refuses what could never strike: a test with such a fault proves nothing.
    pub(super) fn check(&self) -> Result<(), FaultError> {
        let token_only = matches!(
            self.what,
            What::Aadsts(_) | What::Roles(_) | What::ShortLived(_)
        );
        match (self.api, &self.what) {
            (Api::Scores | Api::Profiles, _) if token_only => {
                Err(self.misplaced("the token endpoint"))
            }
            (Api::Token, what) if what.concerns_lists() => Err(self.misplaced("a list")),
            (Api::Token | Api::Scores, What::UnsortedHistory | What::BareHistory) => {
                Err(self.misplaced("profiles"))
            }
            (_, What::Status(status) | What::SelectUnsupported(status))
                if !(200..=599).contains(status) =>
            {
                Err(FaultError(format!(
                    "{status} is no status; possible are 200 to 599"
                )))
            }
            _ if self.times == Some(0) => Err(FaultError(
                "0 times is never; possible are 1 and more".into(),
            )),
            _ if self.page == Some(0) => Err(FaultError("pages are counted from 1".into())),
            _ => Ok(()),
        }
    }

    fn misplaced(&self, place: &str) -> FaultError {
        FaultError(format!("{:?} is possible on {place} only", self.what))
    }
}

impl What {
    /// A good answer, late.
    pub fn slow(by: Duration) -> Self {
        Self::Slow {
            millis: u64::try_from(by.as_millis()).unwrap_or(u64::MAX),
        }
    }

    fn concerns_lists(&self) -> bool {
        matches!(
            self,
            Self::Partial206
                | Self::EmptyValue
                | Self::NextLinkLoop
                | Self::NextLinkForeign(_)
                | Self::NextLinkHttp
                | Self::EndlessPages
                | Self::SelectUnsupported(_)
                | Self::UnknownValues
                | Self::OddElement(_)
                | Self::DuplicateElement
                | Self::MinusOne
                | Self::UnsortedHistory
                | Self::BareHistory
        )
    }
}

/// The number of an injected fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct FaultId(pub u64);

/// A fault that waits for its request.
#[derive(Debug, Clone, Serialize)]
pub struct Injection {
    /// Its number.
    pub id: FaultId,
    /// The tenant it strikes, by name; `None` strikes all.
    pub tenant: Option<String>,
    /// The fault; its `times` counts down.
    pub fault: Fault,
    /// How often it has struck.
    pub struck: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_read_as_they_are_written() {
        let fault = Fault::new(
            Api::Token,
            What::Throttle {
                retry_after: RetryAfter::Seconds(3),
            },
        )
        .times(2);
        let text = serde_json::to_string(&fault).unwrap();
        assert_eq!(
            text,
            r#"{"api":"token","times":2,"what":{"throttle":{"retry_after":{"seconds":3}}}}"#
        );
        assert_eq!(serde_json::from_str::<Fault>(&text).unwrap(), fault);
    }

    #[test]
    fn an_unknown_word_is_answered_with_the_possible_ones() {
        let error =
            serde_json::from_str::<Fault>(r#"{"api":"scores","what":"explode"}"#).unwrap_err();
        assert!(
            error.to_string().contains("explode") && error.to_string().contains("next_link_loop")
        );
    }

    #[test]
    fn a_fault_that_could_never_strike_is_refused() {
        assert!(
            Fault::new(Api::Scores, What::Aadsts(7_000_215))
                .check()
                .is_err()
        );
        assert!(Fault::new(Api::Token, What::MinusOne).check().is_err());
        assert!(
            Fault::new(Api::Token, What::Reset)
                .times(0)
                .check()
                .is_err()
        );
        assert!(Fault::new(Api::Profiles, What::BareHistory).check().is_ok());
    }
}
