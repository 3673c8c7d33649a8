//! The page on which an administrator of a tenant consents to an application.

use hyper::header::CONTENT_SECURITY_POLICY;

use crate::entra_error;
use crate::incoming::IncomingRequest;
use crate::reply::{Content, LoggedOutcome, Outcome, Reply};
use crate::state::SimulatorState;

/// What Microsoft shows there, in words: the simulator has no accounts.
const PAGE: &str = "<!DOCTYPE html>
<html lang=\"en\">
<head><meta charset=\"utf-8\"><title>Consent, simulated</title></head>
<body>
<h1>Consent, simulated</h1>
<p>At this address Microsoft asks an administrator of the tenant to sign in. It then lists the
permissions of the application, which is read access to the security events of the organization,
with <em>Accept</em> and <em>Cancel</em>.</p>
<p>The tenants here are simulated, so there is nothing to accept.</p>
</body>
</html>
";

/// Answers with the page. `tenant_id` is the GUID or domain in the path.
pub(crate) fn answer(
    state: &SimulatorState,
    tenant_id: &str,
    request: &IncomingRequest,
) -> LoggedOutcome {
    let tenant = state.tenant_by_entra_id(tenant_id);
    let reply = match &tenant {
        Some(_) => Reply::ok(Content::Text {
            content_type: "text/html; charset=utf-8",
            text: PAGE,
        })
        .with(CONTENT_SECURITY_POLICY, "default-src 'none'"),
        None => entra_error::reply(90_002, &request.ids),
    };
    LoggedOutcome::new(
        Outcome::Replied(reply),
        tenant.as_ref().map(|it| it.name.as_str()),
    )
}
