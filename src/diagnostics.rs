//! What a person at a terminal reads: an error once, then what to do about it.

use std::error::Error;
use std::fmt;
use std::io::Write as _;

use secure_score_model::Trouble;
use strict_yaml::{ConfigErrors, ConfigWarning};

/// An error that knows what to do about it.
pub trait Hint {
    /// One sentence: a command to run, a permission to grant.
    fn hint(&self) -> Option<String>;
}

impl Hint for ConfigErrors {
    fn hint(&self) -> Option<String> {
        self.iter().find_map(|error| error.hint.clone())
    }
}

/// The error and its causes, joined by `: `, each once.
///
/// An error's own text must not repeat its source; a library that does so all
/// the same is not allowed to say everything twice.
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let words = cause.to_string();
        if !text.ends_with(&words) {
            text.push_str(": ");
            text.push_str(&words);
        }
        next = cause.source();
    }
    text
}

/// A line on standard error. Where that is closed or full there is nobody
/// left to tell, and that must not end the process.
fn say(line: fmt::Arguments<'_>) {
    let _unread = writeln!(std::io::stderr(), "{line}");
}

/// Prints `error: …` and, where there is one, `hint: …`.
pub fn error(error: &dyn Error, hint: Option<&str>) {
    say(format_args!("error: {}", chain(error)));
    if let Some(hint) = hint {
        say(format_args!("hint: {hint}"));
    }
}

/// Prints what keeps a tenant from being read, and what to do about it.
pub fn trouble(tenant: &str, trouble: &Trouble) {
    let reason = trouble.reason.as_str();
    say(format_args!(
        "error: {tenant}: {reason}: {}",
        trouble.message
    ));
    if let Some(hint) = &trouble.hint {
        say(format_args!("hint: {hint}"));
    }
}

/// Prints every error of a configuration and how many there were.
pub fn config_errors(errors: &ConfigErrors) {
    say(format_args!("{}", summary(errors)));
}

/// Prints what works but is probably not meant.
pub fn warnings(warnings: &[ConfigWarning]) {
    for warning in warnings {
        say(format_args!("warning: {warning}"));
    }
}

/// The warnings, all errors, their hints, and the count with the consequence.
pub fn summary(errors: &ConfigErrors) -> String {
    let mut text = String::new();
    for warning in errors.warnings() {
        text.push_str(&format!("warning: {warning}\n"));
    }
    for error in errors.iter() {
        text.push_str(&format!("error: {error}\n"));
        if let Some(hint) = &error.hint {
            text.push_str(&format!("hint: {hint}\n"));
        }
    }
    let noun = if errors.len() == 1 {
        "problem"
    } else {
        "problems"
    };
    text.push_str(&format!("{} {noun}, nothing was started", errors.len()));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("inner")]
    struct Inner;

    #[derive(Debug, thiserror::Error)]
    #[error("middle: inner")]
    struct Chatty(#[source] Inner);

    #[derive(Debug, thiserror::Error)]
    #[error("outer")]
    struct Outer(#[source] Chatty);

    #[test]
    fn a_cause_is_told_once_even_if_its_parent_told_it_already() {
        assert_eq!(chain(&Outer(Chatty(Inner))), "outer: middle: inner");
        assert_eq!(chain(&Inner), "inner");
    }
}
