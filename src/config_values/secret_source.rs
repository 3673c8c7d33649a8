//! Reads secrets from the files and variables that the configuration names.

use std::path::Path;
use strict_yaml::{Diagnostics, Span, Text, is_world_readable};

use super::environment::Environment;
use super::secret::{Secret, SecretError};

/// The secret in a file.
pub(crate) fn from_file(path: &str, file: &Text, diagnostics: &mut Diagnostics) -> Option<Secret> {
    let location = diagnostics.base().join(file.value.trim());
    match Secret::read(&location) {
        Ok(secret) => {
            warn_of_mode(path, file.span, &location, diagnostics);
            Some(secret)
        }
        Err(error) => {
            let place = match error {
                SecretError::Unreadable(_) => diagnostics.looked_for_in(&location),
                _ => String::new(),
            };
            let message = format!("the file named here {error}{place}");
            diagnostics.error(file.span, path, message);
            None
        }
    }
}

/// The secret in an environment variable.
pub(crate) fn from_variable(
    path: &str,
    variable: &Text,
    environment: &Environment,
    diagnostics: &mut Diagnostics,
) -> Option<Secret> {
    let Some(text) = environment.get(variable.value.trim()) else {
        diagnostics.error(
            variable.span,
            path,
            "the variable named here is not set or empty; set it to the secret's value",
        );
        return None;
    };
    match Secret::parse(text) {
        Ok(secret) => Some(secret),
        Err(error) => {
            diagnostics.error(variable.span, path, format!("the variable's value {error}"));
            None
        }
    }
}

fn warn_of_mode(path: &str, span: Span, file: &Path, diagnostics: &mut Diagnostics) {
    if is_world_readable(file) {
        diagnostics.warn(
            span,
            path,
            "every user of this machine can read the secret; chmod 600 the file",
        );
    }
}

/// Warns of a client secret that is probably the secret's id.
pub(crate) fn warn_of_id(path: &str, span: Span, secret: &Secret, diagnostics: &mut Diagnostics) {
    if secret.looks_like_guid() {
        diagnostics.warn(
            span,
            path,
            "this looks like the secret's ID, not its value; copy the column \"Value\"",
        );
    }
}
