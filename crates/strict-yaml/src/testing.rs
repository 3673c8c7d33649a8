//! Test cases for the readers of configuration files: files whose first
//! comment lines are the expected errors or warnings.
//!
//! With `UPDATE_GOLDEN=1` the comments are rewritten; run the tests twice, since
//! new comments move the lines that the errors name.

use std::fs;
use std::io;
use std::path::Path;

/// Compares the comments at the head of a case with what was reported.
pub fn check_case(path: &Path, reported: &[String]) -> Result<(), String> {
    let name = path.display();
    let text = fs::read_to_string(path).map_err(|error| format!("{name}: {error}\n"))?;
    let comments = text.lines().map_while(|line| line.strip_prefix("# "));
    let expected: Vec<&str> = comments.collect();
    if expected == reported {
        return Ok(());
    }
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        return rewrite(path, &text, reported).map_err(|error| format!("{name}: {error}\n"));
    }
    Err(format!(
        "{name}\n  expected:\n# {}\n  reported:\n# {}\n",
        expected.join("\n# "),
        reported.join("\n# ")
    ))
}

fn rewrite(path: &Path, text: &str, reported: &[String]) -> io::Result<()> {
    let head = reported.iter().map(|line| format!("# {line}\n"));
    let body = text.lines().skip_while(|line| line.starts_with("# "));
    let body = body.map(|line| format!("{line}\n"));
    fs::write(path, head.chain(body).collect::<String>())
}

/// Panics with every difference that [`check_case`] found.
pub fn assert_cases(results: impl IntoIterator<Item = Result<(), String>>) {
    let differences: Vec<_> = results.into_iter().filter_map(Result::err).collect();
    assert!(differences.is_empty(), "\n{}", differences.join("\n"));
}
