//! The state directory: crashes, damaged files and files of older versions.

use crate::arbitrary;
use proptest::prelude::*;
use secure_score_exporter::config::TenantRules;
use secure_score_exporter::events::{Coverage, Seen, detect};
use secure_score_exporter::store::saved_tenant::{SavedList, SavedRefresh, SavedTenant};
use secure_score_exporter::store::state_directory::{DirectoryError, Owner, StateDirectory};
use secure_score_model::{
    Api, Catalogue, CatalogueEntry, Control, ControlState, DailyScore, History, MinimumReason,
    Reason, Report, ScoreHistory, StateUpdate, TenantIdentity, TenantSnapshot, Timestamp, Trouble,
};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// The variable with the directory for the child of the crash test.
const CRASH_DIRECTORY: &str = "TEST_CRASH_DIRECTORY";

fn confirmed<T>(value: T) -> Option<SavedList<Arc<T>>> {
    Some(SavedList {
        value: Arc::new(value),
        at: Timestamp::from_nanos(1_795_421_700_123_456_700),
        complete: true,
        has_evidence: false,
    })
}

fn refreshed(number: i64) -> SavedRefresh {
    SavedRefresh {
        up: number % 2 == 0,
        last_success: (number % 3 == 0).then_some(Timestamp::from_nanos(number)),
        next_refresh: Timestamp::from_nanos(number),
        decided_at: (number % 2 == 0).then_some(Timestamp::from_nanos(number - 1)),
        requested_until: (number % 5 == 0).then_some(Timestamp::from_nanos(number)),
        refreshes: number.unsigned_abs(),
        failures: BTreeMap::from([(Reason::Token, 1)]),
        trouble: Some(Trouble {
            hint: Some("fix it".to_owned()),
            ..Trouble::new(Reason::Token, "no token")
        }),
        not_offered: false,
    }
}

/// So many controls that writing them takes a while.
fn seen(number: i64) -> Seen {
    let controls = (0..2_000).map(|index| format!("{number}/{index}"));
    let controls = controls.map(|id| Control::listed(CatalogueEntry::new(&id)));
    let controls: Vec<Control> = controls.collect();
    let mut seen = Seen::default();
    let now = Timestamp::from_seconds(number);
    detect(
        &mut seen,
        &TenantIdentity::new("a"),
        (&controls, MinimumReason::default()),
        Coverage::Complete { unread: 0 },
        now,
    );
    seen
}

fn seen_since(since: Option<i64>) -> Seen {
    serde_json::from_value(json!({"since": since, "controls": []})).unwrap()
}

/// A tenant whose parts all have the same number.
fn numbered(alias: &str, number: i64) -> SavedTenant {
    SavedTenant {
        alias: alias.into(),
        directory: format!("global/tenant-{number}"),
        entra_tenant_id: Some(format!("tenant-{number}").into()),
        catalogue: confirmed(Catalogue {
            entra_tenant_id: Some(format!("tenant-{number}").into()),
            ..Catalogue::default()
        }),
        lists: BTreeMap::from([(Api::Profiles, refreshed(number))]),
        seen: seen(number).into(),
        ..SavedTenant::default()
    }
}

/// The report without NaN and infinite numbers, which Graph cannot send.
fn finite(mut report: Report) -> Report {
    for comparison in &mut report.comparisons {
        comparison.ratio = comparison.ratio.filter(|ratio| ratio.is_finite());
    }
    for score in &mut report.scores {
        let score = Arc::make_mut(score);
        score.percentage = score.percentage.filter(|share| share.is_finite());
    }
    report
}

/// The scores of a report and of the day before it.
fn days_until(report: &Report) -> ScoreHistory {
    let mut history = ScoreHistory::default();
    if let Some(score) = DailyScore::of(report) {
        history.add_newest(score);
        let as_of = Timestamp::from_nanos(score.as_of.nanos().saturating_sub(86_400_000_000_000));
        history.add_past([DailyScore { as_of, ..score }], true);
    }
    history
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn saved_state_is_loaded_unchanged(
        catalogue in arbitrary::catalogue(),
        report in arbitrary::report(),
        since in any::<Option<i64>>(),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let mut saved = SavedTenant {
            alias: "contoso".into(),
            catalogue: confirmed(catalogue),
            score_history: days_until(&report).into(),
            report: confirmed(finite(report)),
            seen: seen_since(since).into(),
            older_since: since.map(Timestamp::from_nanos),
            lists: BTreeMap::from([(Api::Scores, refreshed(-5))]),
            ..SavedTenant::default()
        };
        Arc::make_mut(&mut saved.pins).learn(&saved.catalogue.as_ref().unwrap().value);
        let directory = StateDirectory::open(folder.path()).unwrap();
        directory.save(&saved).unwrap();
        prop_assert_eq!(directory.load("contoso"), Some(saved));
        prop_assert_eq!(directory.load("fabrikam"), None);
    }
}

/// A state file of version 0.1.0, with every field; its data are invented.
const VERSION_0_1: &str = include_str!("../state/version-0.1.0.state");

fn json_of(file: &str) -> Value {
    let (_, json) = file.split_once('\n').unwrap();
    serde_json::from_str(json).unwrap()
}

#[test]
fn a_file_of_version_0_1_is_read_and_its_earlier_score_becomes_a_day() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("contoso.state");
    fs::write(&file, VERSION_0_1).unwrap();
    let directory = StateDirectory::open(folder.path()).unwrap();
    let saved = directory.load("contoso").expect("the file is read");
    assert_eq!(saved.score_history.days()[0].score.get(), 377.5);
    assert_eq!(saved.pins.iter().count(), 4);
    assert!(saved.lists[&Api::Profiles].up);
    directory.save(&saved).unwrap();
    let written = fs::read_to_string(&file).unwrap();
    let mut expected = json_of(VERSION_0_1);
    let fields = expected.as_object_mut().unwrap();
    let earlier = fields.remove("earlier").unwrap();
    fields.insert("days".to_owned(), json!({"days": [earlier], "read": false}));
    assert_eq!(json_of(&written), expected);
}

#[test]
fn a_file_of_version_0_1_repeats_no_event_and_hides_none() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("contoso.state"), VERSION_0_1).unwrap();
    let directory = StateDirectory::open(folder.path()).unwrap();
    let mut saved = directory.load("contoso").expect("the file is read");
    let catalogue = saved.catalogue.unwrap();
    let rules = TenantRules::default();
    let identity = TenantIdentity::new("contoso");
    let now = catalogue.at;
    let mut events = |catalogue: &Catalogue| {
        let snapshot = TenantSnapshot::join(Some(catalogue), None, &saved.pins, &rules);
        let controls = &snapshot.controls;
        let events = detect(
            Arc::make_mut(&mut saved.seen),
            &identity,
            (controls, MinimumReason::default()),
            Coverage::Complete { unread: 0 },
            now,
        );
        let kinds = events
            .iter()
            .map(|event| (event.kind.as_str(), event.control.to_string()));
        kinds.collect::<Vec<_>>()
    };
    let mut catalogue = (*catalogue.value).clone();
    assert_eq!(events(&catalogue), []);
    let entry = Arc::make_mut(&mut catalogue.entries[0]);
    let mut changes = entry.history.changes().to_vec();
    changes.push(StateUpdate {
        at: Some(now),
        comment: Some("why".into()),
        ..StateUpdate::new(ControlState::Planned)
    });
    entry.history = History::from_updates(changes);
    let changed = ("state_changed", entry.id.to_string());
    let left = catalogue.entries.pop().unwrap();
    let left = ("accepted_control_left", left.id.to_string());
    assert_eq!(events(&catalogue), [changed, left]);
}

#[test]
fn only_the_owner_may_read_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new/state");
    let directory = StateDirectory::open(&path).unwrap();
    directory.save(&numbered("contoso", 1)).unwrap();
    assert_eq!(mode(&path), 0o700);
    assert_eq!(mode(&path.join("contoso.state")), 0o600);
}

#[test]
fn a_second_process_is_refused_until_the_first_stops() {
    let folder = tempfile::tempdir().unwrap();
    let first = StateDirectory::open(folder.path()).unwrap();
    let second = StateDirectory::open(folder.path());
    assert!(matches!(second, Err(DirectoryError::Locked { .. })));
    drop(first);
    assert!(StateDirectory::open(folder.path()).is_ok());
}

#[test]
fn a_removed_lock_file_lets_no_second_process_in() {
    let folder = tempfile::tempdir().unwrap();
    let first = StateDirectory::open(folder.path()).unwrap();
    for _ in 0..2 {
        fs::remove_file(folder.path().join("lock")).unwrap();
        let second = StateDirectory::open(folder.path());
        assert!(matches!(second, Err(DirectoryError::Locked { .. })));
        fs::write(folder.path().join("lock"), "").unwrap();
    }
    drop(first);
    opened(folder.path());
}

#[test]
fn a_directory_that_took_the_place_of_the_locked_one_is_not_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    let first = StateDirectory::open(&path).unwrap();
    first.save(&numbered("contoso", 1)).unwrap();
    fs::rename(&path, folder.path().join("before")).unwrap();
    let second = StateDirectory::open(&path).unwrap();
    let error = first.save(&numbered("contoso", 1)).unwrap_err();
    assert!(
        error.to_string().contains("restart the exporter"),
        "{error}"
    );
    assert_eq!(second.load("contoso"), None);
}

#[test]
fn files_of_a_tenant_that_left_are_deleted_and_no_others() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let directory = StateDirectory::open(folder.path()).unwrap();
    for alias in ["contoso", "fabrikam"] {
        directory.save(&numbered(alias, 1)).unwrap();
    }
    for name in [
        "contoso.state.unusable",
        "fabrikam.state.unusable",
        "fabrikam.state.unfinished",
        "other.state",
        "notes.txt",
    ] {
        fs::write(path(name), "text").unwrap();
    }
    // It cannot be deleted, and keeps no other file.
    fs::create_dir(path("broken.state.unusable")).unwrap();
    let now = SystemTime::now();
    let ahead = now + Duration::from_secs(20 * 365 * 24 * 60 * 60);
    let file = fs::OpenOptions::new()
        .write(true)
        .open(path("fabrikam.state"));
    file.unwrap().set_modified(ahead).unwrap();
    let names_after = |minutes: u64| {
        let configured = ["contoso".into()].into();
        let now = now + Duration::from_secs(minutes * 60);
        let _broken = directory.delete_unneeded(Owner::Tenant, &configured, now);
        let names = fs::read_dir(folder.path()).unwrap();
        let names = names.map(|it| it.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.collect();
        names.sort();
        names.join(" ")
    };
    let all = "broken.state.unusable contoso.state contoso.state.unusable fabrikam.state fabrikam.state.unfinished fabrikam.state.unusable lock notes.txt other.state";
    assert_eq!(names_after(0), all);
    assert_eq!(names_after(29), all);
    let marked = now + Duration::from_secs(20 * 60);
    directory.mark_removed(Owner::Tenant, "fabrikam", marked);
    assert_eq!(names_after(49), all);
    let rest =
        "broken.state.unusable contoso.state contoso.state.unusable lock notes.txt other.state";
    assert_eq!(names_after(51), rest);
    let rest = "broken.state.unusable contoso.state lock notes.txt other.state";
    assert_eq!(names_after(31 * 24 * 60), rest);
}

#[test]
fn an_unusable_file_is_set_aside_and_kept() {
    let folder = tempfile::tempdir().unwrap();
    let directory = StateDirectory::open(folder.path()).unwrap();
    directory.save(&numbered("good", 1)).unwrap();
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
        assert!(!file.exists(), "{alias} is still in its place");
        let aside = folder.path().join(format!("{alias}.state.unusable"));
        assert_eq!(fs::read(aside).unwrap(), contents, "{alias}");
        directory.save(&numbered(alias, 2)).unwrap();
        let saved = directory.load(alias);
        assert_eq!(saved, Some(numbered(alias, 2)), "{alias}");
    }
}

/// Reading such a device would not end.
#[test]
fn a_device_in_the_place_of_a_file_is_not_read() {
    let folder = tempfile::tempdir().unwrap();
    let directory = StateDirectory::open(folder.path()).unwrap();
    std::os::unix::fs::symlink("/dev/zero", folder.path().join("contoso.state")).unwrap();
    assert_eq!(directory.load("contoso"), None);
    directory.save(&numbered("contoso", 2)).unwrap();
    assert_eq!(directory.load("contoso"), Some(numbered("contoso", 2)));
}

#[test]
fn a_full_disk_leaves_the_old_file() {
    let folder = tempfile::tempdir().unwrap();
    let directory = StateDirectory::open(folder.path()).unwrap();
    directory.save(&numbered("contoso", 1)).unwrap();
    // A directory in the place of the new file makes the write fail, even for root.
    fs::create_dir(folder.path().join("contoso.state.unfinished")).unwrap();
    assert!(directory.save(&numbered("contoso", 2)).is_err());
    assert_eq!(directory.load("contoso"), Some(numbered("contoso", 1)));
}

/// The child of the crash test: it writes until it is killed.
#[test]
#[ignore = "run by the crash test, in a process of its own"]
fn write_until_killed() {
    let folder = std::env::var(CRASH_DIRECTORY).expect("the crash test runs this");
    let directory = opened(Path::new(&folder));
    for number in 0.. {
        for alias in ["contoso", "fabrikam"] {
            directory.save(&numbered(alias, number)).unwrap();
        }
    }
}

/// Opens a directory whose lock may last a moment longer: a process that
/// another test forks holds it until it calls exec.
fn opened(path: &Path) -> StateDirectory {
    for _ in 0..5_000 {
        match StateDirectory::open(path) {
            Err(DirectoryError::Locked { .. }) => std::thread::sleep(Duration::from_millis(2)),
            other => return other.unwrap(),
        }
    }
    panic!("{} stays locked", path.display());
}

/// Waits until another file has replaced this one.
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

/// Whether all parts of a tenant were written together.
fn is_consistent(saved: &SavedTenant) -> bool {
    let number = saved.lists[&Api::Profiles].next_refresh.nanos();
    *saved == numbered(&saved.alias, number)
}

#[test]
fn no_crash_loses_a_tenant_or_mixes_two_states() {
    let folder = tempfile::tempdir().unwrap();
    let program = std::env::current_exe().unwrap();
    let mut random = fastrand::Rng::with_seed(7);
    for alias in ["contoso", "fabrikam"] {
        let directory = opened(folder.path());
        directory.save(&numbered(alias, 0)).unwrap();
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
            assert!(is_consistent(&saved), "{alias} is mixed in round {round}");
        }
    }
}
