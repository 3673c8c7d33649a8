//! The state directory, through crashes and other people's files.

use crate::rendering::arbitrary;
use proptest::prelude::*;
use secure_score_exporter::events::{Remembered, RememberedControl};
use secure_score_exporter::store::disk::{
    Confirmed, Directory, DirectoryError, ListStanding, Saved,
};
use secure_score_model::{Api, Catalogue, PreviousScore, Report, Timestamp};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

/// Tells the child of the crash test where to write.
const CRASH_DIRECTORY: &str = "TEST_CRASH_DIRECTORY";

fn confirmed<T>(value: T) -> Option<Confirmed<Arc<T>>> {
    Some(Confirmed {
        value: Arc::new(value),
        at: Timestamp::from_nanos(1_795_421_700_123_456_700),
        whole: true,
    })
}

fn standing(number: i64) -> ListStanding {
    ListStanding {
        up: number % 2 == 0,
        last_success: (number % 3 == 0).then_some(Timestamp::from_nanos(number)),
        next_refresh: Timestamp::from_nanos(number),
    }
}

/// Long enough that a writing takes its time.
fn seen(number: i64) -> Remembered {
    let control = |place: i64| RememberedControl {
        id: format!("{number}/{place}"),
        title: String::new(),
        category: "Identity".to_owned(),
        listed: true,
        deprecated: false,
        history: None,
        earlier: Vec::new(),
        acceptance: None,
    };
    Remembered {
        since: Some(number),
        controls: (0..2_000).map(control).collect(),
    }
}

/// A tenant whose every part carries the same number.
fn numbered(number: i64) -> Saved {
    Saved {
        directory: format!("global/tenant-{number}"),
        entra_tenant_id: Some(format!("tenant-{number}").into()),
        catalogue: confirmed(Catalogue {
            entra_tenant_id: Some(format!("tenant-{number}").into()),
            ..Catalogue::default()
        }),
        lists: BTreeMap::from([(Api::Profiles, standing(number))]),
        seen: seen(number),
        ..Saved::default()
    }
}

/// A report without numbers that are none, which Graph cannot send either.
fn sane(mut report: Report) -> Report {
    for comparison in &mut report.comparisons {
        comparison.ratio = comparison.ratio.filter(|ratio| ratio.is_finite());
    }
    for score in &mut report.scores {
        let score = Arc::make_mut(score);
        score.percentage = score.percentage.filter(|share| share.is_finite());
    }
    report
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_is_saved_comes_back(
        catalogue in arbitrary::catalogue(),
        report in arbitrary::report(),
        since in any::<Option<i64>>(),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let mut saved = Saved {
            catalogue: confirmed(catalogue),
            earlier: PreviousScore::of(&report),
            report: confirmed(sane(report)),
            seen: Remembered {
                since,
                controls: Vec::new(),
            },
            lists: BTreeMap::from([(Api::Scores, standing(-5))]),
            ..Saved::default()
        };
        saved.pins.learn(&saved.catalogue.as_ref().unwrap().value);
        let directory = Directory::open(folder.path()).unwrap();
        directory.save("contoso", &saved).unwrap();
        prop_assert_eq!(directory.load("contoso"), Some(saved));
        prop_assert_eq!(directory.load("fabrikam"), None);
    }
}

#[test]
fn nobody_else_may_read_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new/state");
    let directory = Directory::open(&path).unwrap();
    directory.save("contoso", &numbered(1)).unwrap();
    assert_eq!(mode(&path), 0o700);
    assert_eq!(mode(&path.join("contoso.state")), 0o600);
}

#[test]
fn a_second_process_is_refused_until_the_first_has_gone() {
    let folder = tempfile::tempdir().unwrap();
    let first = Directory::open(folder.path()).unwrap();
    let second = Directory::open(folder.path());
    assert!(matches!(second, Err(DirectoryError::Taken { .. })));
    drop(first);
    assert!(Directory::open(folder.path()).is_ok());
}

#[test]
fn what_cannot_be_used_is_set_aside_and_not_lost() {
    let folder = tempfile::tempdir().unwrap();
    let directory = Directory::open(folder.path()).unwrap();
    directory.save("good", &numbered(1)).unwrap();
    let good = fs::read(folder.path().join("good.state")).unwrap();
    let renamed = good.clone();
    let mut flipped = good.clone();
    let last = flipped.len() - 10;
    flipped[last] ^= 1;
    let older = String::from_utf8(good.clone())
        .unwrap()
        .replacen("state 1 ", "state 0 ", 1);
    for (alias, contents) in [
        ("empty", Vec::new()),
        ("foreign", b"[Unit]\nDescription=mine\n".to_vec()),
        ("cut", good[..good.len() / 2].to_vec()),
        ("flipped", flipped),
        ("older", older.into_bytes()),
        ("renamed", renamed),
    ] {
        let file = folder.path().join(format!("{alias}.state"));
        fs::write(&file, &contents).unwrap();
        assert_eq!(directory.load(alias), None, "{alias}");
        assert!(!file.exists(), "{alias} is still in the way");
        let aside = folder.path().join(format!("{alias}.state.unusable"));
        assert_eq!(fs::read(aside).unwrap(), contents, "{alias}");
        directory.save(alias, &numbered(2)).unwrap();
        assert_eq!(directory.load(alias), Some(numbered(2)), "{alias}");
    }
}

#[test]
fn a_full_disk_leaves_the_old_file() {
    let folder = tempfile::tempdir().unwrap();
    let directory = Directory::open(folder.path()).unwrap();
    directory.save("contoso", &numbered(1)).unwrap();
    // A directory where the new file would be written: it fails, whoever asks.
    fs::create_dir(folder.path().join("contoso.state.unfinished")).unwrap();
    assert!(directory.save("contoso", &numbered(2)).is_err());
    assert_eq!(directory.load("contoso"), Some(numbered(1)));
}

/// The child of the crash test: it writes until it is killed.
#[test]
#[ignore = "run by the crash test, in a process of its own"]
fn write_until_killed() {
    let folder = std::env::var(CRASH_DIRECTORY).expect("the crash test runs this");
    let directory = opened(Path::new(&folder));
    for number in 0.. {
        for alias in ["contoso", "fabrikam"] {
            directory.save(alias, &numbered(number)).unwrap();
        }
    }
}

/// Opens a directory that may be locked for a moment yet: a program that
/// another test starts holds what was open here until it runs.
fn opened(path: &Path) -> Directory {
    for _ in 0..5_000 {
        match Directory::open(path) {
            Err(DirectoryError::Taken { .. }) => std::thread::sleep(Duration::from_millis(2)),
            other => return other.unwrap(),
        }
    }
    panic!("{} stays locked", path.display());
}

/// Waits until somebody has put another file in the place of this one.
fn until_replaced(file: &Path) {
    let before = fs::metadata(file).unwrap().ino();
    for _ in 0..60_000 {
        if fs::metadata(file).unwrap().ino() != before {
            return;
        }
        std::thread::sleep(Duration::from_micros(500));
    }
    panic!("the child never writes");
}

/// Whether all parts of a tenant are of one writing.
fn is_of_one_writing(saved: &Saved) -> bool {
    let number = saved.lists[&Api::Profiles].next_refresh.nanos();
    *saved == numbered(number)
}

#[test]
fn two_hundred_crashes_lose_no_tenant_and_mix_none() {
    let folder = tempfile::tempdir().unwrap();
    let program = std::env::current_exe().unwrap();
    let mut random = fastrand::Rng::with_seed(7);
    for alias in ["contoso", "fabrikam"] {
        let directory = opened(folder.path());
        directory.save(alias, &numbered(0)).unwrap();
    }
    for round in 0..200 {
        let mut child = Command::new(&program)
            .args(["--exact", "--ignored", "state::write_until_killed"])
            .env(CRASH_DIRECTORY, folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        until_replaced(&folder.path().join("contoso.state"));
        std::thread::sleep(Duration::from_micros(random.u64(..15_000)));
        child.kill().unwrap();
        child.wait().unwrap();
        let directory = opened(folder.path());
        for alias in ["contoso", "fabrikam"] {
            let saved = directory.load(alias);
            let saved = saved.unwrap_or_else(|| panic!("{alias} is lost in round {round}"));
            assert!(
                is_of_one_writing(&saved),
                "{alias} is mixed in round {round}"
            );
        }
    }
}
