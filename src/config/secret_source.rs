//! Fetching a secret from where the configuration says it is.

use std::path::Path;

use super::environment::Environment;
use super::fault::Ledger;
use super::secret::{self, Secret, SecretFault};
use super::written::{Mark, Text};

/// Reads the secret that a file holds.
pub(super) fn from_file(path: &str, file: &Text, ledger: &mut Ledger) -> Option<Secret> {
    let location = ledger.base.join(file.value.trim());
    match Secret::read(&location) {
        Ok(secret) => {
            warn_of_mode(path, file.mark, &location, ledger);
            Some(secret)
        }
        Err(fault) => {
            let place = match fault {
                SecretFault::Unreadable(_) => ledger.looked_for(&location),
                _ => String::new(),
            };
            let message = format!("the file named here {fault}{place}");
            ledger.fault(file.mark, path, message);
            None
        }
    }
}

/// Takes the secret that a variable holds.
pub(super) fn from_variable(
    path: &str,
    variable: &Text,
    environment: &Environment,
    ledger: &mut Ledger,
) -> Option<Secret> {
    let Some(text) = environment.get(variable.value.trim()) else {
        ledger.fault(
            variable.mark,
            path,
            "the variable named here is not set or empty; set it to the secret's value",
        );
        return None;
    };
    match Secret::checked(text) {
        Ok(secret) => Some(secret),
        Err(fault) => {
            ledger.fault(variable.mark, path, format!("the variable's value {fault}"));
            None
        }
    }
}

fn warn_of_mode(path: &str, mark: Mark, file: &Path, ledger: &mut Ledger) {
    if secret::is_readable_by_others(file) {
        ledger.warn(
            mark,
            path,
            "everybody on this machine can read the secret; chmod 600 the file",
        );
    }
}

/// Warns of a client secret that is the id of one.
pub(super) fn warn_of_id(path: &str, mark: Mark, secret: &Secret, ledger: &mut Ledger) {
    if secret.looks_like_guid() {
        ledger.warn(
            mark,
            path,
            "this looks like the secret's ID, not its value; copy the column \"Value\"",
        );
    }
}
