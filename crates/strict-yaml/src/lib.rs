//! Reads YAML configuration files strictly, for programs that report every
//! error of a file at once, each with its line and column.
//!
//! 1. [`section!`] declares a mapping of the file. Every key is optional, every
//!    value keeps its [`Span`], and unknown keys are collected.
//! 2. [`read_file`] and [`parse`] turn the file into these sections.
//! 3. The program checks the values and reports to [`Diagnostics`].
//! 4. [`Diagnostics::finish`] returns the result, or every error.
//!
//! No message repeats a value of the file unless it resembles a known word:
//! secrets get pasted on the wrong line, and errors end up in logs.
//!
//! ```
//! use strict_yaml::{Diagnostics, Text, parse, section, unknown_keys};
//!
//! section! {
//!     Server {
//!         address: Text,
//!         workers: Text,
//!     }
//! }
//!
//! let server: Server = parse("address: localhost\nworker: 4\n").unwrap();
//! let mut diagnostics = Diagnostics::new("server.yml", "");
//! unknown_keys("", &server.unknown, Server::KEYS, &mut diagnostics);
//! let errors = diagnostics.finish(()).unwrap_err();
//! assert_eq!(
//!     errors.to_string(),
//!     "server.yml:2:1: unknown key `worker`; did you mean `workers`?",
//! );
//! ```
#![forbid(unsafe_code)]

mod diagnostics;
mod file;
mod node;
mod parse;
mod section;
mod spanned;
pub mod suggest;
#[cfg(feature = "testing")]
pub mod testing;

pub use diagnostics::{ConfigError, ConfigErrors, ConfigWarning, Diagnostics};
pub use file::{io_reason, is_world_readable, read_at_most, read_file};
pub use parse::{ParseError, parse};
pub use section::{Entries, unknown_keys, yaml_name};
#[doc(hidden)]
pub use serde;
pub use spanned::{Span, Spanned, Text};
