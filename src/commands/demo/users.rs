//! The users of the demo, of which one sees one tenant.

use crate::access::{AccessGrant, AccessRules, Grantee};
use crate::config::Pattern;
use exporter_web_config::{ConfigErrors, WebConfig, load_text};
use strict_yaml::Span;

/// The user that sees every tenant, and the one that sees the tenant of its name.
pub(super) const USERS: [(&str, &str); 2] = [("provider", "*"), ("contoso", "contoso")];

/// The password of both.
pub(super) const PASSWORD: &str = "demo";

/// The bcrypt hash of [`PASSWORD`].
const HASH: &str = "$2b$10$wVZ1o3rQxk8mT5yGd2LfOe2UdZbhCrMFtTI7ua9NEjD/c7G2.xV.u";

/// The web configuration with the users.
pub(super) fn web_config() -> Result<WebConfig, ConfigErrors> {
    let users = USERS.map(|(user, _)| format!("  {user}: {HASH}\n"));
    let text = format!("basic_auth_users:\n{}", users.concat());
    // The only warning is that passwords are sent without TLS: the demo is on
    // this machine, and they are no secret.
    load_text("demo", &text).map(|(config, _)| config)
}

/// The line of a scrape configuration with the user that sees every tenant.
pub(super) fn scrape_authentication() -> String {
    let [(user, _), _] = USERS;
    format!("      basic_auth: {{username: {user}, password: {PASSWORD}}}\n")
}

/// What each user sees.
pub(super) fn access() -> AccessRules {
    let grants = USERS.iter().map(|(user, pattern)| AccessGrant {
        grantee: Grantee::User((*user).to_owned()),
        tenants: Pattern::new(pattern).into_iter().collect(),
        path: String::new(),
        span: Span::Nowhere,
    });
    // No pattern but `*` has a wildcard, so the configured aliases are not needed.
    AccessRules::new(grants.collect(), [])
}
