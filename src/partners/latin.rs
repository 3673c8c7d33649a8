//! Latin letters with marks, written in ASCII.

/// What is written for a character of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ascii {
    /// These lower-case letters or this digit.
    Letters(&'static str),
    /// The ASCII letter or digit itself.
    Same(char),
    /// Nothing: the character belongs to the word around it.
    Joined,
    /// The character separates words, or is of another alphabet.
    Separator,
}

/// The ASCII form of one character. German umlauts become two letters, as Germans
/// write them; other marks are omitted.
pub(super) fn ascii(c: char) -> Ascii {
    match c {
        _ if c.is_ascii_alphanumeric() => Ascii::Same(c.to_ascii_lowercase()),
        // Full-width forms, as in Japanese names.
        '０'..='９' | 'Ａ'..='Ｚ' | 'ａ'..='ｚ' => full_width(c),
        // Apostrophes, the soft hyphen, and marks that follow their letter.
        '\'' | '’' | '‘' | 'ʼ' | '`' | '´' | '\u{ad}' | '\u{300}'..='\u{36f}' => {
            Ascii::Joined
        }
        _ => letters(c).map_or(Ascii::Separator, Ascii::Letters),
    }
}

fn full_width(c: char) -> Ascii {
    let first = u32::from('！') - u32::from('!');
    let narrow = u32::from(c).checked_sub(first).and_then(char::from_u32);
    narrow.map_or(Ascii::Separator, |it| Ascii::Same(it.to_ascii_lowercase()))
}

/// The letters of Latin-1, Latin Extended-A, and those of Romanian and Vietnamese
/// that are common in names.
fn letters(c: char) -> Option<&'static str> {
    Some(match c {
        'ä' | 'Ä' | 'æ' | 'Æ' => "ae",
        'ö' | 'Ö' | 'œ' | 'Œ' => "oe",
        'ü' | 'Ü' => "ue",
        'ß' | 'ẞ' => "ss",
        'þ' | 'Þ' => "th",
        'ĳ' | 'Ĳ' => "ij",
        'à'..='ã' | 'À'..='Ã' | 'å' | 'Å' | 'Ā'..='ą' => "a",
        'ç' | 'Ç' | 'Ć'..='č' => "c",
        'ð' | 'Ð' | 'Ď'..='đ' => "d",
        'è'..='ë' | 'È'..='Ë' | 'Ē'..='ě' => "e",
        'Ĝ'..='ģ' => "g",
        'Ĥ'..='ħ' => "h",
        'ì'..='ï' | 'Ì'..='Ï' | 'Ĩ'..='ı' => "i",
        'Ĵ' | 'ĵ' => "j",
        'Ķ'..='ĸ' => "k",
        'Ĺ'..='ł' => "l",
        'ñ' | 'Ñ' | 'Ń'..='ŋ' => "n",
        'ò'..='õ' | 'Ò'..='Õ' | 'ø' | 'Ø' | 'Ō'..='ő' | 'ơ' | 'Ơ' => "o",
        'Ŕ'..='ř' => "r",
        'Ś'..='š' | 'Ș' | 'ș' => "s",
        'Ţ'..='ŧ' | 'Ț' | 'ț' => "t",
        'ù'..='û' | 'Ù'..='Û' | 'Ũ'..='ų' | 'ư' | 'Ư' => "u",
        'Ŵ' | 'ŵ' => "w",
        'ý' | 'Ý' | 'ÿ' | 'Ŷ'..='Ÿ' => "y",
        'Ź'..='ž' => "z",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_with_marks_become_ascii() {
        for (c, expected) in [('Ł', "l"), ('ę', "e"), ('Ø', "o"), ('ș', "s"), ('Ä', "ae")] {
            assert_eq!(ascii(c), Ascii::Letters(expected), "{c}");
        }
        assert_eq!(ascii('Ｚ'), Ascii::Same('z'));
        assert_eq!(ascii('７'), Ascii::Same('7'));
        assert_eq!(ascii('\u{301}'), Ascii::Joined);
        for c in ['я', '株', 'ש', '🚀', ' ', '&', '\u{202e}'] {
            assert_eq!(ascii(c), Ascii::Separator, "{c}");
        }
    }
}
