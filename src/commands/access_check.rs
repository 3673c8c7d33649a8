//! Whether the web configuration can authenticate those whom `access` names.

use super::config_diagnostics::config_diagnostics;
use crate::access::{AccessGrant, Grantee};
use crate::cli::Cli;
use crate::config::Config;
use exporter_web_config::{VerifiedCertificates, WebConfig};
use parking_lot::Mutex;
use std::path::Path;
use std::sync::Arc;
use strict_yaml::{ConfigErrors, Span, read_file};

const NO_WEB_CONFIG: &str = "no client is authenticated, since there is no web configuration; give one with --web.config.file, or remove access";

const UNKNOWN_USER: &str = "the web configuration has no such user; add the user to basic_auth_users, or remove this entry";

const NOT_VERIFIED: &str = "the web configuration verifies no client certificate; set client_ca_file, and client_auth_type to RequireAndVerifyClientCert or VerifyClientCertIfGiven";

const USERS_DECIDE: &str = "the web configuration has basic_auth_users, so every client sends a user, and certificates grant nothing; name the users instead";

const ENDS: &str = "the key is missing, so every client would see every tenant; write it again, or restart the exporter to end access by customer";

/// Refuses a reload that would end the rules in effect. A file that is incomplete for
/// a moment, or the wrong one, must not show every tenant to every client.
pub(super) fn check_access_stays(
    cli: &Cli,
    before: &Config,
    after: &Config,
) -> Result<(), ConfigErrors> {
    let mut diagnostics = config_diagnostics(cli);
    if before.access.is_some() && after.access.is_none() {
        diagnostics.error(Span::Nowhere, "access", ENDS);
    }
    diagnostics.finish(()).map(|_| ())
}

/// The web configuration as the check loaded it last. Loading reads certificates and
/// keys too, and the configuration is checked at every poll.
#[derive(Default)]
pub(super) struct WebConfigCache(Mutex<Option<CachedWebConfig>>);

struct CachedWebConfig {
    contents: Vec<u8>,
    config: Arc<WebConfig>,
}

impl WebConfigCache {
    /// The file, loaded again if its contents changed; `None` where it is invalid.
    fn load(&self, file: &Path) -> Option<Arc<WebConfig>> {
        // Before it is loaded: a later change then shows at the next poll.
        let contents = read_file(file).ok()?;
        let mut cached = self.0.lock();
        let unchanged = cached.as_ref().filter(|it| it.contents == contents);
        if let Some(it) = unchanged {
            return Some(Arc::clone(&it.config));
        }
        let (config, _) = exporter_web_config::load(file).ok()?;
        let config = Arc::new(config);
        *cached = Some(CachedWebConfig {
            contents,
            config: Arc::clone(&config),
        });
        Some(config)
    }
}

/// Refuses rules for clients that the web configuration cannot authenticate.
///
/// The file is read here, and not only the configuration in effect: a reload may
/// follow at once an edit of both files. Errors of the file are reported where it
/// is applied.
pub(super) fn check_access(
    cli: &Cli,
    config: &Config,
    cache: &WebConfigCache,
) -> Result<(), ConfigErrors> {
    let Some(rules) = &config.access else {
        return Ok(());
    };
    let mut diagnostics = config_diagnostics(cli);
    let Some(web_config) = &cli.web.config_file else {
        let first = rules.grants().first();
        let span = first.map_or(Span::Nowhere, |grant| grant.span);
        diagnostics.error(span, "access", NO_WEB_CONFIG);
        return Err(diagnostics.into_errors());
    };
    let Some(web_config) = cache.load(web_config) else {
        return Ok(());
    };
    for grant in rules.grants() {
        if let Some(message) = problem(grant, &web_config) {
            diagnostics.error(grant.span, &grant.path, message);
        }
    }
    diagnostics.finish(()).map(|_| ())
}

/// Why the web configuration never authenticates the one whom an entry names.
fn problem(grant: &AccessGrant, web_config: &WebConfig) -> Option<&'static str> {
    let users = web_config.users.as_ref();
    match &grant.grantee {
        Grantee::User(user) => {
            let is_known = users.is_some_and(|users| users.contains(user));
            (!is_known).then_some(UNKNOWN_USER)
        }
        Grantee::Certificate(_) if users.is_some() => Some(USERS_DECIDE),
        Grantee::Certificate(_) => {
            let verifies = web_config.verified_certificates != VerifiedCertificates::None;
            (!verifies).then_some(NOT_VERIFIED)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn an_unchanged_file_is_loaded_once() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("web.yml");
        let cache = WebConfigCache::default();
        assert!(cache.load(&file).is_none());
        fs::write(&file, "http_server_config: {http2: true}\n").unwrap();
        let first = cache.load(&file).unwrap();
        assert!(Arc::ptr_eq(&first, &cache.load(&file).unwrap()));
        fs::write(&file, "http_server_config: {http2: false}\n").unwrap();
        let second = cache.load(&file).unwrap();
        assert!(!Arc::ptr_eq(&first, &second));
        fs::write(&file, "basic_auth_users: [\n").unwrap();
        assert!(
            cache.load(&file).is_none(),
            "an invalid file is not in effect"
        );
        fs::write(&file, "http_server_config: {http2: false}\n").unwrap();
        assert!(cache.load(&file).is_some());
    }
}
