//! Which clients see which tenants.

use std::collections::HashMap;
use strict_yaml::{Diagnostics, Span, Spanned, Text, suggest};

use super::decisions::Aliases;
use super::file::FileAccess;
use super::tenant::is_alias;
use crate::access::{AccessGrant, AccessRules, Grantee, grants_all};
use crate::config_values::pattern::Pattern;

const ONE_GRANTEE: &str = "name one of the two: user, a user of the web configuration, or certificate, a name in a client certificate";

const EMPTY: &str = "the list is empty, so no client sees a tenant; name users or certificates, or remove the key to show every tenant to every client";

/// Refuses the key without a value. As an absent key it would show every tenant to
/// every client, just when the last entry became a comment.
pub(super) fn refuse_empty(keys_without_value: &[Text], diagnostics: &mut Diagnostics) {
    let key = keys_without_value.iter().find(|key| key.value == "access");
    if let Some(key) = key {
        diagnostics.error(key.span, "access", EMPTY);
    }
}

/// Resolves the list. Whether the web configuration has the users is checked by
/// the commands that serve one.
pub(super) fn resolve(
    list: Spanned<Vec<Spanned<FileAccess>>>,
    aliases: &Aliases,
    diagnostics: &mut Diagnostics,
) -> AccessRules {
    if list.value.is_empty() {
        diagnostics.error(list.span, "access", EMPTY);
    }
    let mut first_paths = HashMap::new();
    let numbered = list.value.into_iter().enumerate();
    let grants = numbered.filter_map(|(index, file)| {
        let path = format!("access[{index}]");
        let Spanned { value: file, span } = file;
        file.report_unknown_keys(&path, diagnostics);
        let tenants = tenants(
            &format!("{path}.tenants"),
            &file,
            span,
            aliases,
            diagnostics,
        );
        let (grantee, path, span) = grantee(&path, file, span, diagnostics)?;
        let first = first_paths.entry(grantee.clone());
        let first: &String = first.or_insert_with(|| path.clone());
        if *first != path {
            let message = format!("{first} has the same name; write all tenants there");
            diagnostics.error(span, &path, message);
        }
        Some(AccessGrant {
            grantee,
            tenants: tenants?,
            path,
            span,
        })
    });
    AccessRules::new(grants.collect(), aliases.configured.iter().cloned())
}

/// The one whom an entry names, with the path and the place of that name.
fn grantee(
    path: &str,
    file: FileAccess,
    span: Span,
    diagnostics: &mut Diagnostics,
) -> Option<(Grantee, String, Span)> {
    let (key, text, grantee): (_, _, fn(String) -> Grantee) = match (file.user, file.certificate) {
        (Some(user), None) => ("user", user, Grantee::User),
        (None, Some(name)) => ("certificate", name, Grantee::Certificate),
        _ => {
            diagnostics.error(span, path, ONE_GRANTEE);
            return None;
        }
    };
    let path = format!("{path}.{key}");
    let name = diagnostics.check(&path, &text, name)?;
    Some((grantee(name), path, text.span))
}

fn name(text: &str) -> Result<String, &'static str> {
    match text.is_empty() {
        true => Err("the name is empty, so it matches no client; write the name"),
        false => Ok(text.to_owned()),
    }
}

/// `None` if one of the patterns is not valid.
fn tenants(
    path: &str,
    file: &FileAccess,
    span: Span,
    aliases: &Aliases,
    diagnostics: &mut Diagnostics,
) -> Option<Vec<Pattern>> {
    if file.tenants.as_ref().is_none_or(Vec::is_empty) {
        let message =
            "no tenant is named, so the client sees none; name aliases or patterns, or '*' for all";
        diagnostics.error(span, path, message);
    }
    let texts = file.tenants.iter().flatten().enumerate();
    let patterns = texts.map(|(index, text)| {
        let path = format!("{path}[{index}]");
        let pattern = diagnostics.check(&path, text, |text| pattern(text, aliases))?;
        warn_if_unmatched(&path, text, &pattern, aliases, diagnostics);
        Some(pattern)
    });
    // Every pattern is checked, also after one that is not valid.
    let patterns: Vec<_> = patterns.collect();
    patterns.into_iter().collect()
}

fn pattern(text: &str, aliases: &Aliases) -> Result<Pattern, String> {
    let pattern = Pattern::new(text)?;
    let matches = |alias: &String| pattern.matches(alias);
    let may_match = pattern.has_wildcard() || (aliases.may_grow && is_alias(text));
    if may_match || aliases.configured.iter().any(matches) {
        return Ok(pattern);
    }
    let known = aliases.configured.iter().map(String::as_str);
    Err(match suggest::nearest(text, known) {
        Some(near) => format!("no tenant has this name; did you mean `{near}`?"),
        None => "no tenant has this name; use the `name` of one, or a pattern".to_owned(),
    })
}

/// A pattern may be meant for tenants to come, so that it matches none is no error.
/// Customers of a partner, which may come too, are granted by `*` or by their alias.
fn warn_if_unmatched(
    path: &str,
    text: &Text,
    pattern: &Pattern,
    aliases: &Aliases,
    diagnostics: &mut Diagnostics,
) {
    let mut configured = aliases.configured.iter();
    let may_match = aliases.may_grow && (grants_all(pattern) || !pattern.has_wildcard());
    if may_match || configured.any(|alias| pattern.matches(alias)) {
        return;
    }
    let message = "no tenant of the configuration matches this pattern, so it grants nothing; correct it, or add the tenant";
    diagnostics.warn(text.span, path, message);
}
