//! A unified diff of a file in which one place changes.

use std::fmt::Write as _;

/// Unchanged lines around the changed ones.
const CONTEXT: usize = 3;

/// What stands behind a last line without a line break.
const NO_NEWLINE: &str = "\\ No newline at end of file\n";

/// The unified diff from `before` to `after`, in one hunk; `file` is the name of both.
/// Empty if they are equal. Characters that a terminal would interpret are escaped.
pub fn changed_lines(file: &str, before: &str, after: &str) -> String {
    if before == after {
        return String::new();
    }
    let old: Vec<&str> = before.split_inclusive('\n').collect();
    let new: Vec<&str> = after.split_inclusive('\n').collect();
    let is_same = |(a, b): &(&&str, &&str)| a == b;
    let head = old.iter().zip(&new).take_while(is_same).count();
    let rest = old.len().min(new.len()) - head;
    let tail = old.iter().rev().zip(new.iter().rev());
    let tail = tail.take(rest).take_while(is_same).count();
    let start = head.saturating_sub(CONTEXT);
    let (old_end, new_end) = (old.len() - tail, new.len() - tail);
    let shown = tail.min(CONTEXT);
    let (from, to) = (range(start, old_end + shown), range(start, new_end + shown));
    let source = match before {
        "" => "/dev/null",
        _ => file,
    };
    let mut diff = format!("--- {source}\n+++ {file}\n@@ -{from} +{to} @@\n");
    let lines = [
        (' ', old.get(start..head)),
        ('-', old.get(head..old_end)),
        ('+', new.get(head..new_end)),
        (' ', old.get(old_end..old_end + shown)),
    ];
    for (mark, lines) in lines {
        for line in lines.unwrap_or_default() {
            let _ = write!(diff, "{mark}{}", escaped(line));
            if !line.ends_with('\n') {
                let _ = write!(diff, "\n{NO_NEWLINE}");
            }
        }
    }
    diff
}

/// The lines after `start` up to `end`, as a hunk's header writes them.
fn range(start: usize, end: usize) -> String {
    match end - start {
        0 => format!("{start},0"),
        1 => (start + 1).to_string(),
        count => format!("{},{count}", start + 1),
    }
}

/// A line with the escapes of Rust for characters that a terminal interprets; a line
/// break of Windows stays.
fn escaped(line: &str) -> String {
    let keeps = |c: char| matches!(c, '\n' | '\r' | '\t');
    let mut text = String::with_capacity(line.len());
    for c in line.chars() {
        match crate::text::is_printable(c.encode_utf8(&mut [0; 4])) || keeps(c) {
            true => text.push(c),
            false => text.extend(c.escape_unicode()),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_texts_have_no_diff() {
        assert_eq!(changed_lines("a.yml", "- a\n", "- a\n"), "");
    }

    #[test]
    fn a_new_file_is_all_added() {
        let expected = "--- /dev/null\n+++ a.yml\n@@ -0,0 +1,2 @@\n+- a\n+- b\n";
        assert_eq!(changed_lines("a.yml", "", "- a\n- b\n"), expected);
    }

    #[test]
    fn three_lines_stand_before_the_added_ones() {
        let diff = changed_lines("a.yml", "1\n2\n3\n4\n", "1\n2\n3\n4\n5\n");
        let expected = "--- a.yml\n+++ a.yml\n@@ -2,3 +2,4 @@\n 2\n 3\n 4\n+5\n";
        assert_eq!(diff, expected);
    }

    #[test]
    fn a_last_line_without_a_break_changes() {
        let diff = changed_lines("a.yml", "1\n2", "1\n2\n3\n");
        let expected =
            "--- a.yml\n+++ a.yml\n@@ -1,2 +1,3 @@\n 1\n-2\n\\ No newline at end of file\n+2\n+3\n";
        assert_eq!(diff, expected);
    }

    #[test]
    fn a_terminal_gets_no_control_characters() {
        let diff = changed_lines(
            "a.yml",
            "\u{1b}[31m\u{202e}\r\n",
            "\u{1b}[31m\u{202e}\r\n- é\n",
        );
        assert!(diff.contains(" \\u{1b}[31m\\u{202e}\r\n+- é\n"), "{diff}");
    }
}
