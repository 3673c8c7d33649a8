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

    /// How much is shown, in documents.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Plain => "full",
            Self::Pseudonyms(_) => "hash",
            Self::Hidden => "hidden",
        }
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

/// Whether a text of the configuration names a person of Graph. Case, blanks and
/// characters without a width do not matter. A sign-in name, an object id and a name of
/// several words may stand anywhere in the text: `Ann (ann@contoso.example), board`.
pub fn names_person(text: &str, person: &str) -> bool {
    let (text, person) = (normalised(text), normalised(person));
    let is_distinct = person.contains(['@', ' ']) || is_object_id(&person);
    text == person
        || is_distinct
            && text.match_indices(&*person).any(|(start, found)| {
                let before = text.get(..start).unwrap_or_default();
                let after = text.get(start + found.len()..).unwrap_or_default();
                !before.ends_with(is_of_name) && !goes_on(after)
            })
}

fn normalised(name: &str) -> String {
    let visible = name.chars().filter(|c| !is_without_width(*c));
    let visible: String = visible.flat_map(char::to_lowercase).collect();
    let words: Vec<&str> = visible.split_whitespace().collect();
    words.join(" ")
}

const fn is_without_width(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// Whether a character before a name would belong to it.
fn is_of_name(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '.' | '_' | '%' | '+' | '-')
}

/// Whether a name goes on with this text. A dot at its end is that of a sentence.
fn goes_on(after: &str) -> bool {
    let mut rest = after.chars();
    match rest.next() {
        Some('.') => rest.next().is_some_and(char::is_alphanumeric),
        next => next.is_some_and(is_of_name),
    }
}

fn is_object_id(text: &str) -> bool {
    let is_digit = |c: char| c.is_ascii_hexdigit() || c == '-';
    text.len() == 36 && text.chars().all(is_digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_is_named_in_any_case_and_anywhere_in_a_text() {
        for text in [
            "ann@contoso.example",
            " Ann@Contoso.example ",
            "Ann <ANN@contoso.example>",
            "Ann Miller (ann@contoso.example), security",
            "ann@contoso.example.",
            "mailto:ann@contoso.example",
            "'ann@contoso.example'",
            "\"ann@contoso.example\"",
            "ann@contoso.example/board",
            "ann@contoso.example|bob@contoso.example",
            "upn=ann@contoso.example",
            "«ann@contoso.example»",
            "ann\u{200b}@contoso.example",
        ] {
            assert!(names_person(text, "ann@contoso.EXAMPLE "), "{text}");
        }
        assert!(names_person("ann  miller", "Ann Miller"));
        assert!(names_person("Ann Miller (CISO)", "Ann Miller"));
        let id = "1B4E28BA-2fa1-11d2-883f-0016d3cca427";
        assert!(names_person(&format!("Ann ({id})"), id));
        for other in [
            "ann",
            "joann@contoso.example",
            "jo.ann@contoso.example",
            "x+ann@contoso.example",
            "ann@contoso.example.org",
            "ann@contoso.examples",
            "Risk committee",
            "",
        ] {
            assert!(!names_person(other, "ann@contoso.example"), "{other}");
        }
        assert!(!names_person("Ann Miller", "Ann"));
        assert!(!names_person("Joann Miller", "Ann Miller"));
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
