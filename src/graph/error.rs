//! Errors of requests to Microsoft, and the fix for each.

use super::date;
use super::remedy;
use super::subject::Subject;
use crate::credentials::{RECOMMENDATIONS_PERMISSION, TokenError};
use crate::http_client::TransportError;
use secure_score_model::{Reason, Timestamp, Trouble};
use std::fmt;
use std::time::Duration;

/// A failed refresh.
#[derive(Debug, Clone)]
pub struct GraphError {
    subject: Subject,
    kind: ErrorKind,
    /// The ids by which Microsoft's support finds the request.
    ids: Box<[String]>,
    retry_after: Option<Duration>,
    /// Whether the token has the permission for the lists of Entra.
    is_granted: bool,
}

/// What failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ErrorKind {
    /// There is no token.
    Token(TokenError),
    /// There is no complete response.
    Transport(TransportError),
    /// The status is not a success.
    Status {
        status: u16,
        code: String,
        message: String,
    },
    /// No request was made, because Graph asked for a delay.
    WaitingForRetryAfter,
    /// No request was made, because the token lacks the permission.
    NotGranted,
    /// The response is not as documented.
    Malformed(String),
    /// All controls of a page lack their states.
    NoStates,
    /// The links between the pages are wrong.
    Paging(String),
    /// The response is about another tenant.
    WrongTenant { expected: String, found: String },
    /// Another configured tenant is the same one in Entra.
    DuplicateTenant { alias: String },
    /// The report is dated in the future, by this machine's clock.
    FutureReport(Timestamp),
    /// The list is empty and was not before.
    Emptied,
    /// The first list of customers is empty.
    NoCustomers,
    /// A list of customers lacks many of those that it had before.
    Shrunk { missing: usize, before: usize },
    /// Graph marked the response as incomplete (206).
    Partial,
    /// A bug of the exporter.
    Internal,
}

/// When to try again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// After the delay that Microsoft asks for.
    After(Duration),
    /// With an exponential backoff.
    Backoff,
    /// Rarely, because an administrator must change something first.
    Rarely,
}

impl From<TokenError> for GraphError {
    fn from(error: TokenError) -> Self {
        let retry_after = error.retry_after();
        Self::new(Subject::Token, ErrorKind::Token(error)).with_retry_after(retry_after)
    }
}

impl GraphError {
    pub(super) fn new(subject: Subject, kind: ErrorKind) -> Self {
        Self {
            subject,
            kind,
            ids: Box::default(),
            retry_after: None,
            is_granted: false,
        }
    }

    pub(super) fn malformed(subject: Subject, what: impl Into<String>) -> Self {
        Self::new(subject, ErrorKind::Malformed(what.into()))
    }

    pub(super) fn with_ids(mut self, ids: Vec<String>) -> Self {
        self.ids = ids.into();
        self
    }

    pub(super) fn with_retry_after(mut self, delay: Option<Duration>) -> Self {
        self.retry_after = delay;
        self
    }

    /// A bug of the exporter ended the refresh.
    pub fn internal(subject: Subject) -> Self {
        Self::new(subject, ErrorKind::Internal)
    }

    /// A catalogue or report is empty and was not before.
    pub fn emptied(subject: Subject) -> Self {
        Self::new(subject, ErrorKind::Emptied)
    }

    /// A partner has no customers, as far as is known.
    pub fn no_customers() -> Self {
        Self::new(Subject::Customers, ErrorKind::NoCustomers)
    }

    /// So many customers of so many are missing at once.
    pub fn shrunk(missing: usize, before: usize) -> Self {
        Self::new(Subject::Customers, ErrorKind::Shrunk { missing, before })
    }

    /// A report is dated in the future, by this machine's clock.
    pub fn future_report(subject: Subject, day: Timestamp) -> Self {
        Self::new(subject, ErrorKind::FutureReport(day))
    }

    /// The token lacks the permission for a list of Entra.
    pub fn not_granted(subject: Subject) -> Self {
        Self::new(subject, ErrorKind::NotGranted)
    }

    /// The step of a check that failed.
    pub fn step(&self) -> &'static str {
        match (self.reason(), self.subject) {
            (Reason::Permission, _) => "permission",
            (Reason::WrongTenant | Reason::DuplicateTenant, _) => "tenant id",
            (_, Subject::Token) => "token",
            (_, Subject::Catalogue) => "catalogue",
            (_, Subject::Report) => "score",
            (_, Subject::Recommendations) => "recommendations",
            (_, Subject::IdentityScore) => "Identity Secure Score",
            (_, Subject::Customers | Subject::Relationships | Subject::OrganizationMembers) => {
                "customers"
            }
        }
    }

    /// Whether it is about the token, so that nothing was requested.
    pub fn is_of_token(&self) -> bool {
        self.subject == Subject::Token
    }

    /// The error of a request whose token has the permission, or has not.
    pub(super) fn with_grant(mut self, is_granted: bool) -> Self {
        self.is_granted = is_granted;
        self
    }

    /// Whether the tenant does not offer a list of Entra: without the permission,
    /// or in a cloud whose beta API lacks it. A 403 in spite of the permission is
    /// a failure.
    pub fn is_not_offered(&self) -> bool {
        let is_forbidden = matches!(self.kind, ErrorKind::Status { status: 403, .. });
        self.is_refusal_of_entra() && !(is_forbidden && self.is_granted)
    }

    fn is_refusal_of_entra(&self) -> bool {
        let is_refused = match &self.kind {
            ErrorKind::NotGranted => true,
            ErrorKind::Status { status, .. } => matches!(status, 400 | 403 | 404),
            _ => false,
        };
        is_refused && self.subject.is_of_entra()
    }

    /// Another configured tenant, by its alias, is the same one in Entra.
    pub fn duplicate_tenant(subject: Subject, alias: &str) -> Self {
        let alias = alias.to_owned();
        Self::new(subject, ErrorKind::DuplicateTenant { alias })
    }

    /// Graph marked the response as incomplete, and a complete one is known.
    pub fn partial(subject: Subject) -> Self {
        Self::new(subject, ErrorKind::Partial)
    }

    /// Whether it may be due to `$select` or `$expand`: Graph's services respond with 400 or
    /// 501 to an unsupported query option.
    pub(super) fn refuses_option(&self) -> bool {
        matches!(
            self.kind,
            ErrorKind::Status {
                status: 400 | 501,
                ..
            }
        )
    }

    /// The rest of a delay that Graph asked for before, because of which no
    /// request was made.
    pub fn waiting_for_retry_after(&self) -> Option<Duration> {
        self.retry_after
            .filter(|_| self.kind == ErrorKind::WaitingForRetryAfter)
    }

    /// Whether Entra refused the token because the tenant has not consented to the
    /// application.
    pub fn is_not_consented(&self) -> bool {
        matches!(&self.kind, ErrorKind::Token(error) if error.is_not_consented())
    }

    /// The reason for labels.
    pub fn reason(&self) -> Reason {
        match &self.kind {
            ErrorKind::Token(error) => error.reason(),
            ErrorKind::Transport(error) => error.reason(),
            ErrorKind::Status { status, .. } => status_reason(*status),
            ErrorKind::WaitingForRetryAfter => Reason::Throttled,
            ErrorKind::NotGranted => Reason::Permission,
            ErrorKind::Malformed(_) if self.subject == Subject::Token => Reason::Token,
            ErrorKind::Malformed(_) | ErrorKind::NoStates | ErrorKind::FutureReport(_) => {
                Reason::Malformed
            }
            ErrorKind::Paging(_) => Reason::Paging,
            ErrorKind::WrongTenant { .. } => Reason::WrongTenant,
            ErrorKind::DuplicateTenant { .. } => Reason::DuplicateTenant,
            ErrorKind::Emptied | ErrorKind::NoCustomers | ErrorKind::Shrunk { .. } => {
                Reason::Emptied
            }
            ErrorKind::Partial => Reason::Partial,
            ErrorKind::Internal => Reason::Internal,
        }
    }

    /// When to try again.
    pub fn retry(&self) -> Retry {
        let needs_administrator = match &self.kind {
            ErrorKind::Token(error) => error.needs_administrator(),
            _ => self.reason().needs_administrator(),
        };
        match needs_administrator {
            true => Retry::Rarely,
            false => self.retry_after.map_or(Retry::Backoff, Retry::After),
        }
    }

    /// The fix in one sentence.
    pub fn hint(&self) -> String {
        let own = self.own_hint();
        own.unwrap_or_else(|| remedy::of(self.reason())).to_owned()
    }

    /// The fix in a command that requests once, after which nothing tries again.
    pub fn command_hint(&self) -> String {
        match self.own_hint() {
            Some(own) => own.to_owned(),
            None => remedy::of_command(self.reason(), self.retry_after),
        }
    }

    /// A fix that the reason alone does not show.
    fn own_hint(&self) -> Option<&str> {
        match &self.kind {
            ErrorKind::Token(error) => error.hint(),
            ErrorKind::Transport(error) => error.hint(),
            ErrorKind::Emptied if self.subject.is_of_entra() => Some(
                "check in the Entra admin center whether the tenant still has recommendations; the last data stay until max_staleness",
            ),
            ErrorKind::Emptied if self.subject.is_of_partner() => Some(
                "check in the Partner Center or the Entra admin center whether the partner still has customers there, and leave a list that stays empty out of partner.source; the last list stays, and no tenant is dropped",
            ),
            ErrorKind::NoCustomers => Some(
                "check that tenant_id is the partner's own tenant, that its relationships with customers are active, and that `source` names the right list",
            ),
            ErrorKind::Shrunk { .. } => Some(
                "nothing to do if they left: the list is taken over once it has been the same for half an hour; otherwise compare it with the Partner Center",
            ),
            ErrorKind::Status { status: 403, .. } if self.subject.is_of_partner() => {
                self.subject.partner_permission()
            }
            _ if self.is_refusal_of_entra() => Some(match self.reason() {
                Reason::Permission if self.is_granted => {
                    "the token carries the permission, so look at the tenant's licence (Entra ID P1 or P2) and at Conditional Access for workload identities; a permission granted just now takes some minutes; or set recommendations.enabled to off"
                }
                Reason::Permission => {
                    "grant the application permission DirectoryRecommendations.Read.All and give admin consent, or set recommendations.enabled to off"
                }
                _ => "set recommendations.enabled to off where this cloud does not have the list",
            }),
            ErrorKind::FutureReport(_) => Some(
                "check this machine's clock; if it is right, look for a proxy that answers in Microsoft's place",
            ),
            _ => None,
        }
    }
}

fn status_reason(status: u16) -> Reason {
    match status {
        401 => Reason::Unauthorized,
        403 => Reason::Permission,
        408 => Reason::Timeout,
        429 => Reason::Throttled,
        500..=599 => Reason::Server,
        _ => Reason::Rejected,
    }
}

impl fmt::Display for GraphError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let subject = self.subject;
        match &self.kind {
            ErrorKind::Token(error) => write!(f, "{error}")?,
            ErrorKind::Transport(error) => write!(f, "no {subject}: {error}")?,
            ErrorKind::Status {
                status,
                code,
                message,
            } => {
                write!(f, "Graph refused the {subject} with status {status}")?;
                for (separator, text) in [(" ", code), (": ", message)] {
                    if !text.is_empty() {
                        write!(f, "{separator}{text}")?;
                    }
                }
            }
            ErrorKind::WaitingForRetryAfter => {
                write!(f, "the {subject} was not requested: Graph asked to wait")?;
            }
            ErrorKind::NotGranted => write!(
                f,
                "the {subject} was not requested: the token lacks {RECOMMENDATIONS_PERMISSION}"
            )?,
            ErrorKind::Malformed(what) => write!(f, "the {subject} is not as documented: {what}")?,
            ErrorKind::NoStates => write!(f, "the {subject} lacks the states of its controls")?,
            ErrorKind::Paging(what) => write!(f, "the pages of the {subject} {what}")?,
            ErrorKind::WrongTenant { expected, found } => {
                write!(
                    f,
                    "the {subject} is of tenant {found} instead of {expected}"
                )?;
            }
            ErrorKind::DuplicateTenant { alias } => {
                write!(
                    f,
                    "the {subject} is not used: {alias} is the same Entra tenant"
                )?;
            }
            ErrorKind::FutureReport(day) => write!(
                f,
                "the {subject} is of {}, which is in the future",
                date::day(*day)
            )?,
            ErrorKind::Emptied => write!(f, "the {subject} is empty, and was not before")?,
            ErrorKind::NoCustomers => write!(f, "the {subject} is empty")?,
            ErrorKind::Shrunk { missing, before } => {
                write!(f, "the {subject} lacks {missing} of {before} at once")?;
            }
            ErrorKind::Partial => write!(f, "Graph marked the {subject} as partial (206)")?,
            ErrorKind::Internal => write!(f, "no {subject}: internal error of the exporter")?,
        }
        match self.ids.is_empty() {
            true => Ok(()),
            false => write!(f, " ({})", self.ids.join(", ")),
        }
    }
}

impl std::error::Error for GraphError {}

impl From<&GraphError> for Trouble {
    fn from(error: &GraphError) -> Self {
        Self {
            hint: Some(error.hint()),
            command_hint: Some(error.command_hint()),
            not_consented: error.is_not_consented(),
            ..Self::new(error.reason(), error.to_string())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_in_spite_of_the_permission_is_not_answered_with_the_permission() {
        let forbidden = || {
            let kind = ErrorKind::Status {
                status: 403,
                code: String::new(),
                message: String::new(),
            };
            GraphError::new(Subject::Recommendations, kind)
        };
        let hint = |is_granted| forbidden().with_grant(is_granted).hint();
        assert!(hint(false).starts_with("grant the application permission"));
        assert!(hint(true).contains("licence"), "{}", hint(true));
    }
}
