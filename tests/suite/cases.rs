//! Files that begin with what is said of them, as comments. With
//! UPDATE_GOLDEN=1 it is written instead; run it twice, since the comments move
//! the lines.

use std::fs;
use std::path::Path;

/// The comment lines at the head of a case.
fn expectation(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap();
    let comments = text.lines().map_while(|line| line.strip_prefix("# "));
    comments.map(str::to_owned).collect()
}

/// Whether what was said is what the file begins with.
pub(crate) fn compare(path: &Path, said: &[String]) -> Result<(), String> {
    let expected = expectation(path);
    if expected == said {
        return Ok(());
    }
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        rewrite(path, said);
        return Ok(());
    }
    let name = path.file_name().unwrap().display();
    Err(format!(
        "{name}\n  expected:\n# {}\n  said:\n# {}\n",
        expected.join("\n# "),
        said.join("\n# ")
    ))
}

fn rewrite(path: &Path, said: &[String]) {
    let text = fs::read_to_string(path).unwrap();
    let body = text
        .lines()
        .skip_while(|line| line.starts_with("# "))
        .map(str::to_owned);
    let head = said.iter().map(|line| format!("# {line}"));
    let lines: String = head.chain(body).map(|line| line + "\n").collect();
    fs::write(path, lines).unwrap();
}

/// Fails with everything that was wrong.
pub(crate) fn verdict(results: impl Iterator<Item = Result<(), String>>) {
    let wrong: Vec<_> = results.filter_map(Result::err).collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}
