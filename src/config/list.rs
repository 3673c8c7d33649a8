//! Lists in a configuration.

use std::fmt;
use strict_yaml::{Diagnostics, Text};

/// The valid members of a list.
pub(super) fn members<T, E: fmt::Display>(
    path: &str,
    texts: Option<Vec<Text>>,
    parse: fn(&str) -> Result<T, E>,
    diagnostics: &mut Diagnostics,
) -> Vec<T> {
    let texts = texts.unwrap_or_default();
    let members = texts
        .iter()
        .enumerate()
        .filter_map(|(i, text)| diagnostics.check(format_args!("{path}[{i}]"), text, parse));
    members.collect()
}
