//! The fix for each reason of a failed request.

use secure_score_model::Reason;
use std::time::Duration;

/// The fix in the exporter, which tries again.
pub(super) fn of(reason: Reason) -> &'static str {
    match reason {
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
            "check tenant_id: the credential belongs to another tenant than the configuration names"
        }
        Reason::DuplicateTenant => {
            "keep one of the two entries in the configuration: one names the tenant by its GUID, the other by a domain, or both by domains"
        }
        // A connection that is not made has a hint for its cause.
        Reason::Connection | Reason::Tls => "look for a proxy or firewall that cuts long answers",
        Reason::Timeout => {
            "nothing to do if it passes: after two in a row the exporter connects anew; otherwise look for a proxy or firewall that holds requests back, and raise refresh.timeout only if the network is known to be slow"
        }
        Reason::Throttled => {
            "nothing to do: the exporter waits as long as Microsoft asks, an hour at most"
        }
        Reason::Internal => "report it with the lines of the log around it",
        Reason::Malformed | Reason::TooLarge | Reason::Rejected => {
            "look for a proxy that answers in Microsoft's place; otherwise report it with the request ids"
        }
        Reason::Token => {
            "look for a proxy that answers in Entra's place, and check tenant_id and client_id"
        }
        Reason::Server => "nothing to do: Microsoft has a failure, and the exporter tries again",
        Reason::Paging => {
            "look for a proxy that rewrites answers; otherwise report it with the request ids"
        }
        Reason::Partial => "nothing to do: Graph itself reports that data are missing for now",
        Reason::Emptied => {
            "check in the portal whether the tenant still has Secure Score; the last data stay until max_staleness"
        }
    }
}

/// The fix in a command that requests once. `delay` is what Microsoft asked for.
pub(super) fn of_command(reason: Reason, delay: Option<Duration>) -> String {
    let (cause, otherwise) = match reason {
        Reason::Throttled => ("Microsoft limits the requests", ""),
        Reason::Server => ("Microsoft has a failure", ""),
        Reason::Partial => ("Graph itself reports that data are missing for now", ""),
        Reason::Timeout => (
            "the answer took too long",
            "; if it does again, look for a proxy or firewall that holds requests back, and raise refresh.timeout only if the network is known to be slow",
        ),
        _ => return of(reason).to_owned(),
    };
    let when = match delay.filter(|it| !it.is_zero()) {
        Some(delay) => {
            let delay = Duration::from_secs(delay.as_secs_f64().ceil() as u64);
            format!("in {}", humantime::format_duration(delay))
        }
        None => "later".to_owned(),
    };
    format!("run the command again {when}: {cause}{otherwise}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_run_again_after_the_delay_that_microsoft_asks_for() {
        let hint = of_command(Reason::Throttled, Some(Duration::from_millis(89_500)));
        assert_eq!(
            hint,
            "run the command again in 1m 30s: Microsoft limits the requests"
        );
        for reason in [Reason::Server, Reason::Partial, Reason::Timeout] {
            let hint = of_command(reason, None);
            assert!(hint.starts_with("run the command again later: "), "{hint}");
        }
        assert_eq!(of_command(Reason::Policy, None), of(Reason::Policy));
    }
}
