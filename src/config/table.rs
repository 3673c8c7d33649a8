//! What the table of configuration keys consists of.

use crate::config_values::Environment;
use std::ops::RangeInclusive;
use strict_yaml::{Diagnostics, Entries, Span, Spanned, Text};

/// A mapping of the file.
pub(super) struct Section {
    /// How its keys are reached, such as `tenants[]`; empty for the top level.
    pub(super) path: &'static str,
    pub(super) about: &'static str,
    pub(super) keys: &'static [Key],
}

/// A key of a section.
pub(super) struct Key {
    pub(super) name: &'static str,
    pub(super) form: Form,
    /// What applies if the key is absent.
    pub(super) default: &'static str,
    pub(super) meaning: &'static str,
    /// The environment variables that set it, the preferred one first.
    pub(super) variables: &'static [&'static str],
}

/// The default of a key that must be given.
pub(super) const REQUIRED: &str = "required";

/// The values that a key takes.
pub(super) enum Form {
    /// A scalar, described in words.
    Text(&'static str),
    OneOf(&'static [&'static str]),
    Integer(RangeInclusive<usize>),
    /// The shortest and the longest duration, in words.
    Duration(&'static str, &'static str),
    Day(&'static str),
    Ratio,
    ListOf(&'static Form),
    /// What the entries' keys are, and the form of their values.
    MappingOf(&'static str, &'static Form),
    /// The section of this path.
    Section(&'static str),
    /// One such section, or a list of them.
    SectionOrList(&'static str),
    /// A list of such sections.
    SectionList(&'static str),
    /// A mapping from names chosen by the user to such sections.
    NamedSections(&'static str),
    /// A scalar or one of the alternative form, described in words.
    TextOr(&'static Form, &'static str),
    /// Recognised only to report a better error.
    Refused,
}

/// Declares a section: the struct that the YAML file is read into, its part of
/// the table, and how environment variables set its keys.
///
/// Each line is `key: type, form, default, meaning`. The environment sets keys
/// that end in `env VARIABLE`; `env` alone stands for a section with such keys.
macro_rules! section {
    (
        $(#[$doc:meta])*
        $name:ident $path:literal $about:literal {
            $($field:ident: $kind:ty, $form:expr, $default:expr, $meaning:expr
                $(, $source:ident $($variable:literal)*)?;)*
        }
    ) => {
        strict_yaml::section! { $(#[$doc])* $name { $($field: $kind),* } }

        impl $name {
            pub(super) const SECTION: $crate::config::table::Section =
                $crate::config::table::Section {
                    path: $path,
                    about: $about,
                    keys: &[$($crate::config::table::Key {
                        name: strict_yaml::yaml_name(stringify!($field)),
                        form: $form,
                        default: $default,
                        meaning: $meaning,
                        variables: &[$($($variable),*)?],
                    }),*],
                };

            /// Reports each key that the section does not have; `path` is
            /// where the section is.
            pub(super) fn report_unknown_keys(
                &self,
                path: &str,
                diagnostics: &mut strict_yaml::Diagnostics,
            ) {
                strict_yaml::unknown_keys(path, &self.unknown, Self::KEYS, diagnostics);
            }
        }

        impl $crate::config::table::FromEnvironment for $name {
            #[allow(unused_variables, reason = "not every section has variables")]
            fn from_environment(
                reader: &mut $crate::config::table::Reader<'_>,
                _: &[&'static str],
            ) -> Option<Self> {
                let (section, span) = reader.with_span(|reader| Self {
                    $($field: $crate::config::table::section!(
                        @read reader $($source $($variable)*)?
                    ),)*
                    unknown: Vec::new(),
                    without_value: Vec::new(),
                });
                span.map(|_| section)
            }
        }
    };
    (@read $reader:ident) => { None };
    (@read $reader:ident $source:ident $($variable:literal)*) => {
        $crate::config::table::FromEnvironment::from_environment($reader, &[$($variable),*])
    };
}
pub(super) use section;

/// A value of the file that environment variables can set.
pub(super) trait FromEnvironment: Sized {
    /// The value of the first of these variables that is set.
    fn from_environment(reader: &mut Reader<'_>, variables: &[&'static str]) -> Option<Self>;
}

/// Reads keys from the environment.
pub(super) struct Reader<'a> {
    environment: &'a Environment,
    pub(super) diagnostics: &'a mut Diagnostics,
    /// The first variable that was found.
    first: Option<Span>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(environment: &'a Environment, diagnostics: &'a mut Diagnostics) -> Self {
        Self {
            environment,
            diagnostics,
            first: None,
        }
    }

    /// What `read` returns, and the first variable that it found.
    pub(super) fn with_span<T>(&mut self, read: impl FnOnce(&mut Self) -> T) -> (T, Option<Span>) {
        let outer = self.first.take();
        let value = read(self);
        let span = self.first;
        self.first = outer.or(span);
        (value, span)
    }
}

impl FromEnvironment for String {
    fn from_environment(reader: &mut Reader<'_>, variables: &[&'static str]) -> Option<Self> {
        let (name, value) = variables
            .iter()
            .find_map(|name| Some((*name, reader.environment.get(name)?)))?;
        reader.first.get_or_insert(Span::Variable(name));
        Some(value.to_owned())
    }
}

impl<T: FromEnvironment> FromEnvironment for Spanned<T> {
    fn from_environment(reader: &mut Reader<'_>, variables: &[&'static str]) -> Option<Self> {
        let (value, span) = reader.with_span(|reader| T::from_environment(reader, variables));
        Some(Self::new(value?, span?))
    }
}

/// A list, separated by commas.
impl FromEnvironment for Vec<Text> {
    fn from_environment(reader: &mut Reader<'_>, variables: &[&'static str]) -> Option<Self> {
        let text = Text::from_environment(reader, variables)?;
        let members = text.value.split(',').map(str::trim);
        let members = members.filter(|member| !member.is_empty());
        Some(
            members
                .map(|member| Text::new(member.to_owned(), text.span))
                .collect(),
        )
    }
}

/// `KEY=value` pairs, separated by commas.
impl FromEnvironment for Entries<Text> {
    fn from_environment(reader: &mut Reader<'_>, variables: &[&'static str]) -> Option<Self> {
        let mut entries = Vec::new();
        for pair in Vec::<Text>::from_environment(reader, variables)? {
            let text = |text: &str| Text::new(text.trim().to_owned(), pair.span);
            match pair.value.split_once('=') {
                Some((key, value)) => entries.push((text(key), text(value))),
                None => reader.diagnostics.error(
                    pair.span,
                    "",
                    "a pair without `=`; write CONTROL=Category,CONTROL=Category",
                ),
            }
        }
        Some(Self(entries))
    }
}
