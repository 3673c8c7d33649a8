//! What can go wrong between Microsoft and us, and what to do about it.

use super::entra;
use super::http::Broken;
use secure_score_model::Reason;
use std::fmt;
use std::time::Duration;

/// What was being asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// An access token, from Entra.
    Token,
    /// The catalogue of controls.
    Catalogue,
    /// The daily score.
    Report,
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Token => "access token",
            Self::Catalogue => "catalogue of controls",
            Self::Report => "score report",
        })
    }
}

/// A failed refresh: what was asked for, what happened, and who can trace it.
#[derive(Debug, Clone)]
pub struct GraphError {
    subject: Subject,
    fault: Fault,
    trace: Box<Trace>,
    retry_after: Option<Duration>,
}

/// The ids by which Microsoft's support finds a request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trace {
    /// Microsoft's id of the request, from its answer.
    pub request_id: Option<String>,
    /// The id we gave the request.
    pub client_request_id: Option<String>,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fault {
    /// No whole answer came.
    Broken(Broken),
    /// Graph answered with a status that is no success.
    Status {
        status: u16,
        code: String,
        message: String,
    },
    /// Entra refused to give a token.
    Entra {
        status: u16,
        codes: Vec<u32>,
        description: String,
    },
    /// No endpoint for managed identities answered.
    NoIdentity(Broken),
    /// That endpoint gave no token.
    Identity { status: u16, description: String },
    /// A credential that could not even be used.
    Credential(String),
    /// We did not ask, since we were told to wait.
    Held,
    /// The answer is not what Graph documents.
    Malformed(String),
    /// No control of a page says its states.
    Stateless,
    /// The list's pages do not lead to its end.
    Paging(String),
    /// The answer speaks of another tenant.
    WrongTenant { expected: String, found: String },
    /// A list that had elements has none.
    Emptied,
    /// Graph says itself that the answer is not whole (206).
    Partial,
    /// A fault of ours.
    Internal,
}

/// When it makes sense to try again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// As Microsoft said.
    After(Duration),
    /// Soon, then less and less often.
    Backoff,
    /// Only a person can mend it: rarely.
    Rarely,
}

impl GraphError {
    pub(super) fn new(subject: Subject, fault: Fault) -> Self {
        Self {
            subject,
            fault,
            trace: Box::default(),
            retry_after: None,
        }
    }

    pub(super) fn traced(mut self, trace: Trace) -> Self {
        self.trace = Box::new(trace);
        self
    }

    pub(super) fn retry_after(mut self, wait: Option<Duration>) -> Self {
        self.retry_after = wait;
        self
    }

    /// How long Microsoft asked to wait, if it did.
    pub(super) fn told_wait(&self) -> Option<Duration> {
        self.retry_after
    }

    /// The same error, not to be followed by another try before a time.
    pub(super) fn wait_at_least(self, wait: Duration) -> Self {
        let told = self.retry_after.map_or(wait, |told| told.max(wait));
        self.retry_after(Some(told))
    }

    pub(super) fn status(&self) -> Option<u16> {
        match self.fault {
            Fault::Status { status, .. } => Some(status),
            _ => None,
        }
    }

    pub(super) fn is_stateless(&self) -> bool {
        self.fault == Fault::Stateless
    }

    pub(super) fn malformed(subject: Subject, what: impl Into<String>) -> Self {
        Self::new(subject, Fault::Malformed(what.into()))
    }

    /// A fault of ours ended the refresh.
    pub fn internal(subject: Subject) -> Self {
        Self::new(subject, Fault::Internal)
    }

    /// A catalogue or report that had content has none now.
    pub fn emptied(subject: Subject) -> Self {
        Self::new(subject, Fault::Emptied)
    }

    /// The answer was marked as partial, and a whole one is known.
    pub fn partial(subject: Subject) -> Self {
        Self::new(subject, Fault::Partial)
    }

    /// The closed word for labels.
    pub fn reason(&self) -> Reason {
        match &self.fault {
            Fault::Broken(broken) => broken.reason(),
            Fault::Status { status, .. } => status_reason(*status),
            Fault::Entra { status, codes, .. } => entra::reason(*status, codes),
            Fault::NoIdentity(broken) => broken.reason(),
            Fault::Identity { status, .. } => identity_reason(*status),
            Fault::Credential(_) => Reason::Credential,
            Fault::Held => Reason::Throttled,
            Fault::Malformed(_) if self.subject == Subject::Token => Reason::Token,
            Fault::Malformed(_) | Fault::Stateless => Reason::Malformed,
            Fault::Paging(_) => Reason::Paging,
            Fault::WrongTenant { .. } => Reason::WrongTenant,
            Fault::Emptied => Reason::Emptied,
            Fault::Partial => Reason::Partial,
            Fault::Internal => Reason::Internal,
        }
    }

    /// When to try again.
    pub fn retry(&self) -> Retry {
        if self.needs_a_person() {
            return Retry::Rarely;
        }
        self.retry_after.map_or(Retry::Backoff, Retry::After)
    }

    /// Whether trying again can only help after somebody has changed something.
    fn needs_a_person(&self) -> bool {
        // A refusal of Entra's that is in no list of ours: a fault of the
        // configuration more likely than a bad moment.
        if let Fault::Entra { status, .. } = self.fault
            && self.reason() == Reason::Token
        {
            return (400..500).contains(&status);
        }
        self.reason().needs_administrator()
    }

    /// We did not ask, since we were told to wait.
    pub fn is_held(&self) -> bool {
        self.fault == Fault::Held
    }

    /// One sentence that says what to do, where something can be done.
    pub fn hint(&self) -> Option<String> {
        let told = match &self.fault {
            Fault::Entra { codes, .. } => entra::hint(codes),
            Fault::NoIdentity(_) => Some(
                "managed identities exist on Azure only (virtual machine, App Service, Container Apps, AKS): give this tenant another type of credential elsewhere",
            ),
            Fault::Identity {
                status: 400..=403, ..
            } => Some(
                "assign the identity to this machine or app, or correct its client id in the configuration; a new assignment takes some minutes",
            ),
            _ => None,
        };
        told.or_else(|| hint(self.reason())).map(str::to_owned)
    }

    /// The ids by which Microsoft's support finds the request.
    pub fn trace(&self) -> &Trace {
        &self.trace
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

/// By "How to use managed identities to acquire an access token", error
/// handling: 404 and 410 mean that the endpoint is being renewed.
fn identity_reason(status: u16) -> Reason {
    match status {
        404 | 410 | 500..=599 => Reason::Server,
        429 => Reason::Throttled,
        400..=499 => Reason::Credential,
        _ => Reason::Token,
    }
}

fn hint(reason: Reason) -> Option<&'static str> {
    Some(match reason {
        Reason::Permission => {
            "grant the application permission SecurityEvents.Read.All and give admin consent; a signed-in person also needs a role such as Security Reader"
        }
        Reason::Unauthorized => {
            "check that the tenant and its cloud belong together, and that this machine's clock is right"
        }
        Reason::Credential => "check the credential of this tenant in the configuration",
        Reason::Consent => "have an administrator of the tenant consent to the application",
        Reason::Policy => {
            "let the application pass the tenant's Conditional Access policies for workload identities"
        }
        Reason::UnknownTenant => "check tenant_id and cloud of this tenant in the configuration",
        Reason::WrongTenant => {
            "check tenant_id: the credential reaches another tenant than the configuration names"
        }
        Reason::Tls => {
            "see whether this machine's clock is right; if a proxy inspects TLS, name its certificate authority in graph.ca_file"
        }
        Reason::Connection => {
            "check name resolution, firewall and proxy (HTTPS_PROXY) towards the cloud's login and Graph hosts; for the simulator, see whether it runs"
        }
        Reason::Timeout => "raise refresh.timeout if the network is known to be slow",
        Reason::Throttled => {
            "nothing to do: the exporter waits as long as it was told to, an hour at most"
        }
        Reason::Internal => "report it with the lines of the log around it",
        Reason::Malformed | Reason::TooLarge => {
            "look for a proxy that answers in Microsoft's place; otherwise report it with the request ids"
        }
        Reason::Token => {
            "look for a proxy that answers in Entra's place, and check tenant_id and client_id; the AADSTS number, where there is one, is explained in Microsoft's list of error codes"
        }
        Reason::Server => "nothing to do: Microsoft is in trouble, and the exporter tries again",
        Reason::Rejected => {
            "look for a proxy that answers in Microsoft's place; otherwise report it with the request ids"
        }
        Reason::Paging => {
            "look for a proxy that rewrites answers; otherwise report it with the request ids"
        }
        Reason::Partial => "nothing to do: Graph says itself that something is missing for now",
        Reason::Emptied => {
            "see in the portal whether the tenant still has Secure Score; what was known stays until max_staleness"
        }
    })
}

impl fmt::Display for GraphError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let subject = self.subject;
        match &self.fault {
            Fault::Broken(broken) => write!(f, "no {subject}: {broken}")?,
            Fault::Status {
                status,
                code,
                message,
            } => {
                write!(f, "Graph refused the {subject} with status {status}")?;
                clause(f, " ", code)?;
                clause(f, ": ", message)?;
            }
            Fault::Entra {
                status,
                description,
                ..
            } => {
                write!(f, "Entra refused an {subject} with status {status}")?;
                clause(f, ": ", description)?;
            }
            Fault::NoIdentity(broken) => {
                write!(
                    f,
                    "no {subject}: no managed identity answers on this machine: {broken}"
                )?;
            }
            Fault::Identity {
                status,
                description,
            } => {
                write!(
                    f,
                    "Azure gave no {subject} for the managed identity: status {status}"
                )?;
                clause(f, ": ", description)?;
            }
            Fault::Credential(what) => write!(f, "the credential cannot be used: {what}")?,
            Fault::Held => write!(f, "did not ask for the {subject}: told to wait")?,
            Fault::Malformed(what) => write!(f, "the {subject} is not as documented: {what}")?,
            Fault::Stateless => write!(f, "the {subject} lacks the states of its controls")?,
            Fault::Paging(what) => write!(f, "the pages of the {subject} {what}")?,
            Fault::WrongTenant { expected, found } => write!(
                f,
                "the {subject} is of tenant {found}, not of {expected} as asked for"
            )?,
            Fault::Emptied => write!(f, "the {subject} is empty, and was not before")?,
            Fault::Partial => write!(f, "Graph marked the {subject} as partial (206)")?,
            Fault::Internal => write!(f, "no {subject}: a fault of the exporter itself")?,
        }
        write_trace(f, &self.trace)
    }
}

fn clause(f: &mut fmt::Formatter<'_>, separator: &str, text: &str) -> fmt::Result {
    if text.is_empty() {
        return Ok(());
    }
    write!(f, "{separator}{text}")
}

fn write_trace(f: &mut fmt::Formatter<'_>, trace: &Trace) -> fmt::Result {
    match (&trace.request_id, &trace.client_request_id) {
        (Some(theirs), Some(ours)) => {
            write!(f, " (request-id {theirs}, client-request-id {ours})")
        }
        (Some(theirs), None) => write!(f, " (request-id {theirs})"),
        (None, Some(ours)) => write!(f, " (client-request-id {ours})"),
        (None, None) => Ok(()),
    }
}

impl std::error::Error for GraphError {}
