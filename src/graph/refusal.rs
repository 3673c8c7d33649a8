//! What a request for a token came to, when it brought none.

use super::LONGEST_MESSAGE;
use super::entra;
use super::error::{Fault, GraphError, Subject};
use super::text::{printable, scrubbed};
use super::transport::{Ended, Ending, Peer};
use super::wire::{self, TokenFailure};

/// Our error for an exchange without a token.
pub(super) fn explain(ended: Ended) -> GraphError {
    let error = |fault| GraphError::new(Subject::Token, fault);
    match (ended.peer, ended.ending) {
        (Peer::Entra, Ending::Broken(broken)) => error(Fault::Broken(broken)),
        (Peer::Machine, Ending::Broken(broken)) => error(Fault::NoIdentity(broken)),
        (_, Ending::Answered { status, .. }) if (200..300).contains(&status) => {
            GraphError::malformed(Subject::Token, "the answer holds no token")
        }
        (
            peer,
            Ending::Answered {
                status,
                retry_after,
                refusal,
            },
        ) => {
            let secrets: Vec<&str> = ended.secrets.iter().map(|it| it.as_str()).collect();
            let fault = match peer {
                Peer::Entra => refused(status, &refusal, &secrets),
                Peer::Machine => Fault::Identity {
                    status,
                    description: description(&failure(&refusal), &secrets),
                },
            };
            error(fault).retry_after(retry_after)
        }
    }
}

/// What Entra's refusal says.
pub(super) fn refused(status: u16, body: &[u8], secrets: &[&str]) -> Fault {
    let failure = failure(body);
    let codes = match failure.error_codes.as_slice() {
        [] => entra::codes_in(said(&failure)),
        codes => codes.to_vec(),
    };
    Fault::Entra {
        status,
        codes,
        description: description(&failure, secrets),
    }
}

fn failure(body: &[u8]) -> TokenFailure {
    wire::object(body).unwrap_or_default()
}

fn said(failure: &TokenFailure) -> &str {
    let texts = [&failure.error_description, &failure.message, &failure.error];
    texts
        .into_iter()
        .find_map(Option::as_deref)
        .unwrap_or_default()
}

/// The first line says what happened; the rest repeats ids and the time.
fn description(failure: &TokenFailure, secrets: &[&str]) -> String {
    let first_line = said(failure).lines().next().unwrap_or_default();
    printable(&scrubbed(first_line, secrets), LONGEST_MESSAGE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_told_by_its_first_line_and_number() {
        let body = br#"{"error":"invalid_client","error_description":"AADSTS7000222: expired.\r\nTrace ID: x","error_codes":[7000222]}"#;
        assert_eq!(
            refused(401, body, &[]),
            Fault::Entra {
                status: 401,
                codes: vec![7_000_222],
                description: "AADSTS7000222: expired.".to_owned(),
            }
        );
    }

    #[test]
    fn a_refusal_that_is_no_json_keeps_its_status() {
        assert_eq!(
            refused(503, b"<html>", &[]),
            Fault::Entra {
                status: 503,
                codes: Vec::new(),
                description: String::new(),
            }
        );
    }
}
