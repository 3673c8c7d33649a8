//! How much of names and comments is shown.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

/// Turns a person's name into a pseudonym.
pub type Naming = Arc<dyn Fn(&str) -> String + Send + Sync>;

/// How much of names and comments a reader may see.
#[derive(Clone, Default)]
pub enum Persons {
    /// Names and comments as Graph sends them.
    Plain,
    /// Each person under a pseudonym, the same everywhere. Comments are hidden,
    /// since people write names into them.
    Pseudonyms(Naming),
    /// Neither names nor comments.
    #[default]
    Hidden,
}

impl Persons {
    /// The name as shown.
    pub fn name<'a>(&self, person: Option<&'a str>) -> Option<Cow<'a, str>> {
        match self {
            Self::Plain => person.map(Cow::Borrowed),
            Self::Pseudonyms(naming) => person.map(|person| Cow::Owned(naming(person))),
            Self::Hidden => None,
        }
    }

    /// The comment as shown.
    pub fn comment<'a>(&self, comment: Option<&'a str>) -> Option<&'a str> {
        comment.filter(|_| matches!(self, Self::Plain))
    }

    /// Whether nothing is shown.
    pub const fn are_hidden(&self) -> bool {
        matches!(self, Self::Hidden)
    }
}

impl fmt::Debug for Persons {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Plain => "Plain",
            Self::Pseudonyms(_) => "Pseudonyms",
            Self::Hidden => "Hidden",
        })
    }
}

/// Whether a person in the configuration is one in Graph. Case and blanks do not
/// matter, and an address may stand beside the name: `Ann (ann@contoso.example)`.
pub fn is_same_person(configured: &str, in_graph: &str) -> bool {
    let normalised = |name: &str| {
        let words: Vec<String> = name.split_whitespace().map(str::to_lowercase).collect();
        words.join(" ")
    };
    let (configured, in_graph) = (normalised(configured), normalised(in_graph));
    let mut words = configured.split([' ', '<', '>', '(', ')', '[', ']', ',', ';']);
    configured == in_graph || in_graph.contains('@') && words.any(|word| word == in_graph)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_is_the_same_in_any_case_and_beside_a_name() {
        for configured in [
            "ann@contoso.example",
            " Ann@Contoso.example ",
            "Ann <ANN@contoso.example>",
            "Ann Miller (ann@contoso.example), security",
        ] {
            assert!(
                is_same_person(configured, "ann@contoso.EXAMPLE "),
                "{configured}"
            );
        }
        assert!(is_same_person("ann  miller", "Ann Miller"));
        for other in ["ann", "joann@contoso.example", "Risk committee", ""] {
            assert!(!is_same_person(other, "ann@contoso.example"), "{other}");
        }
        assert!(!is_same_person("Ann Miller", "Ann"));
    }

    #[test]
    fn pseudonyms_hide_comments() {
        let persons = Persons::Pseudonyms(Arc::new(|person| person.len().to_string()));
        assert_eq!(persons.name(Some("alex")).as_deref(), Some("4"));
        assert_eq!(persons.name(None), None);
        assert_eq!(persons.comment(Some("ask alex")), None);
        assert!(!persons.are_hidden());
        assert_eq!(format!("{persons:?}"), "Pseudonyms");
        assert_eq!(Persons::Plain.name(Some("alex")).as_deref(), Some("alex"));
        assert_eq!(Persons::Plain.comment(Some("why")), Some("why"));
        assert_eq!(Persons::Hidden.name(Some("alex")), None);
        assert!(Persons::default().are_hidden());
    }
}
