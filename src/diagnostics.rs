//! Errors, hints and warnings on standard error.

use std::error::Error;
use std::fmt;
use std::io::Write as _;

use crate::terminal::Screen;
use crate::text::count;
use secure_score_model::Trouble;
use strict_yaml::{ConfigErrors, ConfigWarning};

/// The error and its causes, joined by `: `, each once.
///
/// Some libraries repeat the source in the error's own text; the repetition is
/// left out.
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let cause_text = cause.to_string();
        if !text.ends_with(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        next = cause.source();
    }
    text
}

/// Prints a line on standard error, which a terminal gets in lines that fit. If it is
/// closed or full, the line is lost; the process goes on.
fn print_line(line: fmt::Arguments<'_>) {
    let screen = Screen::stderr();
    for line in line.to_string().lines() {
        // Below the text behind `error: ` and the like.
        let first = line.split(' ').next().filter(|word| word.ends_with(':'));
        let indent = first.map_or(0, |word| word.len() + 1);
        let _lost = writeln!(std::io::stderr(), "{}", screen.wrap(line, indent));
    }
}

/// Prints `error: …` and, where there is one, `hint: …`.
pub fn error(error: &dyn Error, hint: Option<&str>) {
    print_line(format_args!("error: {}", chain(error)));
    if let Some(hint) = hint {
        print_line(format_args!("hint: {hint}"));
    }
}

/// Prints why a command cannot read a tenant, and the fix.
pub fn trouble(tenant: &str, trouble: &Trouble) {
    with_trouble(format_args!("error: {tenant}"), trouble);
}

/// Prints `warning: …` about what is not known, with the failure that it comes from, if
/// there is one, and the fix.
pub fn warning_of_unknown(text: fmt::Arguments<'_>, trouble: Option<&Trouble>) {
    match trouble {
        Some(trouble) => with_trouble(format_args!("warning: {text}"), trouble),
        None => warning(text),
    }
}

fn with_trouble(text: fmt::Arguments<'_>, trouble: &Trouble) {
    let reason = trouble.reason.as_str();
    print_line(format_args!("{text}: {reason}: {}", trouble.message));
    if let Some(hint) = &trouble.command_hint {
        print_line(format_args!("hint: {hint}"));
    }
}

/// Prints `warning: …`.
pub fn warning(text: fmt::Arguments<'_>) {
    print_line(format_args!("warning: {text}"));
}

/// Prints what a command reports beside its result.
pub fn note(text: &str) {
    print_line(format_args!("{text}"));
}

/// Prints every error of a configuration and their number.
pub fn config_errors(errors: &ConfigErrors) {
    print_line(format_args!("{}", summary(errors)));
}

/// Prints the warnings of a configuration.
pub fn warnings(warnings: &[ConfigWarning]) {
    for warning in warnings {
        print_line(format_args!("warning: {warning}"));
    }
}

/// The warnings, the errors with their hints, and the number of errors.
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
    let problems = count(errors.len(), "problem");
    text.push_str(&format!("{problems}, nothing was started"));
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
    struct Repeating(#[source] Inner);

    #[derive(Debug, thiserror::Error)]
    #[error("outer")]
    struct Outer(#[source] Repeating);

    #[test]
    fn a_cause_that_its_parent_repeats_is_printed_once() {
        assert_eq!(chain(&Outer(Repeating(Inner))), "outer: middle: inner");
        assert_eq!(chain(&Inner), "inner");
    }
}
