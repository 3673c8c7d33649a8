//! What the real promtool reads in the blocks, and makes of the text.

use super::captured::Captured;
use super::samples::Samples;
use super::{DAY, backfill, now, stdout_of};
use crate::process::program;
use crate::simulated::Simulated;
use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::{MetadataExt as _, chown};
use std::path::Path;
use std::process::Command;

/// Runs the command that the summary of a text prints.
fn make(printed: &str, folder: &Path) {
    let command = printed
        .lines()
        .find(|line| line.contains("promtool tsdb create-blocks-from openmetrics"))
        .unwrap_or_else(|| panic!("no command in {printed}"));
    assert!(program("promtool", "prometheus").is_file());
    let made = Command::new("sh")
        .args(["-c", command])
        .current_dir(folder)
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&made.stderr);
    assert!(made.status.success(), "{command}: {errors}");
}

/// All samples of the blocks in a folder.
fn dump(blocks: &Path) -> Samples {
    // promtool wants a whole data directory.
    fs::create_dir_all(blocks.join("wal")).unwrap();
    let dumped = Command::new(program("promtool", "prometheus"))
        .args(["tsdb", "dump"])
        .arg(blocks)
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&dumped.stderr);
    assert!(dumped.status.success(), "{errors}");
    Samples::of_dump(std::str::from_utf8(&dumped.stdout).unwrap()).sorted()
}

/// The samples of a text.
fn read(file: &Path) -> Samples {
    Samples::of_openmetrics(&fs::read_to_string(file).unwrap())
}

/// Before the hours that Prometheus may not have written, which a text never has.
fn until_yesterday() -> String {
    let midnight = now() - now().rem_euclid(DAY);
    let at = jiff::Timestamp::from_second(midnight - DAY / 2).unwrap();
    format!("--until={at}")
}

#[test]
fn five_tenants_come_out_of_the_blocks_as_they_went_in() {
    let simulated = Simulated::start();
    let until = until_yesterday();
    let flags = [
        "--step=6h",
        "--label=job=secure-score",
        "--label=instance=x:1",
        &until,
    ];
    let text = simulated.folder().join("past.om");
    let printed = stdout_of(&backfill(&simulated.config(), &text, &flags));
    let source = read(&text);
    assert!(source.len() > 500_000, "{}", source.len());
    let output = simulated.folder().join("past");
    stdout_of(&backfill(&simulated.config(), &output, &flags));
    dump(&output).assert_same(&source);
    make(&printed, simulated.folder());
    dump(&simulated.folder().join("blocks")).assert_same(&source);
}

#[test]
fn one_day_ninety_and_half_a_year_come_out_as_they_went_in_at_five_minutes() {
    let captured = Captured::of_days(185);
    let until = until_yesterday();
    for days in [1, 90, 180] {
        let flags = [&*format!("--days={days}"), "--label=job=a", &until];
        let text = captured.folder().join(format!("past-{days}.om"));
        let printed = stdout_of(&backfill(&captured.config(), &text, &flags));
        let source = read(&text);
        assert!(source.len() > days * 144, "{days}: {}", source.len());
        let output = captured.folder().join(format!("past-{days}"));
        stdout_of(&backfill(&captured.config(), &output, &flags));
        dump(&output).assert_same(&source);
        make(&printed, captured.folder());
        let blocks = captured.folder().join("blocks");
        dump(&blocks).assert_same(&source);
        fs::remove_dir_all(blocks).unwrap();
    }
}

#[test]
fn blocks_reach_to_the_present_and_belong_to_the_owner_of_their_directory() {
    let captured = Captured::of_days(30);
    let output = captured.folder().join("past");
    fs::create_dir(&output).unwrap();
    // Only root can; of another user all files have one owner anyway.
    let _only_root_can = chown(&output, Some(65_534), Some(65_534));
    let owner = fs::metadata(&output).unwrap().uid();
    let before = now();
    stdout_of(&backfill(&captured.config(), &output, &["--days=9"]));
    let mut recent = 0;
    for entry in fs::read_dir(&output).unwrap() {
        let block = entry.unwrap().path();
        if !block.is_dir() {
            continue;
        }
        for file in ["", "meta.json", "index", "chunks", "chunks/000001"] {
            let found = fs::metadata(block.join(file)).unwrap();
            assert_eq!(found.uid(), owner, "{}/{file}", block.display());
        }
        let meta = fs::read(block.join("meta.json")).unwrap();
        let meta: Value = serde_json::from_slice(&meta).unwrap();
        let [from, to] = ["minTime", "maxTime"].map(|it| meta[it].as_i64().unwrap() / 1_000);
        // Prometheus may hold these hours in memory only: two at a time.
        let kept = before - 3 * 3_600;
        let is_recent = to > kept - kept.rem_euclid(7_200);
        let hints = meta["compaction"]["hints"].as_array();
        let hinted = hints.is_some_and(|it| it.contains(&json!("from-out-of-order")));
        assert_eq!(hinted, is_recent, "{meta}");
        assert!(!is_recent || from / 7_200 == to / 7_200, "{meta}");
        recent += usize::from(is_recent);
    }
    assert!((2..=3).contains(&recent), "{recent}");
    let samples = dump(&output);
    let newest = samples.iter().map(|(_, values)| values.last().unwrap().0);
    assert!((before - 300..=now()).contains(&newest.max().unwrap()));
}
