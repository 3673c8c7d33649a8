//! The installed programs that `demo --full` starts.

use crate::commands::Failure;
use crate::config::Environment;
use anyhow::anyhow;
use std::path::PathBuf;

/// The names of each program, and the Debian package that has it.
const PROMETHEUS: (&[&str], &str) = (&["prometheus"], "prometheus");
const ALERTMANAGER: (&[&str], &str) = (
    &["alertmanager", "prometheus-alertmanager"],
    "prometheus-alertmanager",
);

/// Where the programs are.
#[derive(Debug)]
pub(super) struct AlertPrograms {
    pub(super) prometheus: PathBuf,
    pub(super) alertmanager: PathBuf,
}

impl AlertPrograms {
    /// Finds the programs in `PATH`.
    pub(super) fn find(environment: &Environment) -> Result<Self, Failure> {
        let path = environment.get("PATH").unwrap_or_default();
        let found = |names: &[&str]| {
            let mut files = std::env::split_paths(path)
                .flat_map(|folder| names.iter().map(move |name| folder.join(name)));
            files.find(|file| file.is_file())
        };
        match (found(PROMETHEUS.0), found(ALERTMANAGER.0)) {
            (Some(prometheus), Some(alertmanager)) => Ok(Self {
                prometheus,
                alertmanager,
            }),
            (prometheus, alertmanager) => Err(missing(&[
                (prometheus, PROMETHEUS),
                (alertmanager, ALERTMANAGER),
            ])),
        }
    }
}

type Program = (&'static [&'static str], &'static str);

fn missing(programs: &[(Option<PathBuf>, Program)]) -> Failure {
    let missing = programs.iter().filter(|(file, _)| file.is_none());
    let (names, packages): (Vec<String>, Vec<&str>) = missing
        .map(|(_, (names, package))| (names.join(" or "), *package))
        .unzip();
    Failure::with_hint(
        anyhow!("not found in PATH: {}", names.join(", ")),
        format!(
            "on Debian run as root: apt-get update && apt-get install --no-install-recommends {}; or leave out --full",
            packages.join(" ")
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::path::Path;

    fn environment(folder: &Path) -> Environment {
        let path = folder.display().to_string();
        [("PATH".to_owned(), path)].into_iter().collect()
    }

    #[test]
    fn both_names_of_alertmanager_are_found() {
        for name in ["alertmanager", "prometheus-alertmanager"] {
            let folder = tempfile::tempdir().unwrap();
            for name in ["prometheus", name] {
                fs::write(folder.path().join(name), "").unwrap();
            }
            let found = AlertPrograms::find(&environment(folder.path())).unwrap();
            assert_eq!(found.alertmanager, folder.path().join(name));
            assert_eq!(found.prometheus, folder.path().join("prometheus"));
        }
    }

    #[test]
    fn only_what_is_missing_is_named_with_its_package() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("prometheus"), "").unwrap();
        let result = AlertPrograms::find(&environment(folder.path()));
        let Err(Failure::Other { error, hint }) = result else {
            panic!("{result:?}");
        };
        let text = error.to_string();
        assert_eq!(
            text,
            "not found in PATH: alertmanager or prometheus-alertmanager"
        );
        let hint = hint.unwrap();
        assert!(
            hint.contains("install --no-install-recommends prometheus-alertmanager;"),
            "{hint}"
        );
    }
}
