//! What the real promtool makes of the files.

use super::captured::Captured;
use super::samples::Samples;
use super::{backfill, stdout_of};
use crate::process::program;
use crate::simulated::Simulated;
use std::fs;
use std::path::Path;
use std::process::Command;

/// The commands the summary prints, run as they stand.
pub(super) fn make(printed: &str, folder: &Path) {
    let block_line = printed
        .lines()
        .find(|line| line.contains("promtool tsdb create-blocks-from openmetrics"))
        .unwrap_or_else(|| panic!("no command in {printed}"));
    assert!(program("promtool", "prometheus").is_file());
    let made = Command::new("sh")
        .args(["-c", block_line])
        .current_dir(folder)
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&made.stderr);
    assert!(made.status.success(), "{block_line}: {errors}");
}

/// All samples of the blocks in a folder.
pub(super) fn dump(blocks: &Path) -> Samples {
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

/// All samples of the files in a folder.
pub(super) fn read(directory: &Path) -> Samples {
    let mut samples = Samples::default();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|it| it == "om") {
            samples.extend(Samples::of_openmetrics(&fs::read_to_string(path).unwrap()));
        }
    }
    samples
}

#[test]
fn five_tenants_come_out_of_the_blocks_as_they_went_in() {
    let simulated = Simulated::start();
    let output = simulated.folder().join("past");
    let printed = stdout_of(&backfill(
        &simulated.config(),
        &output,
        &[
            "--step=6h",
            "--label=job=secure-score",
            "--label=instance=x:1",
        ],
    ));
    make(&printed, simulated.folder());
    let source = read(&output);
    assert!(source.len() > 500_000, "{}", source.len());
    dump(&simulated.folder().join("blocks")).assert_same(&source);
}

#[test]
fn one_day_ninety_and_half_a_year_come_out_as_they_went_in_at_five_minutes() {
    let captured = Captured::of_days(185);
    for days in [1, 90, 180] {
        let flag = format!("--days={days}");
        let output = captured.folder().join(format!("past-{days}"));
        let printed = stdout_of(&backfill(
            &captured.config(),
            &output,
            &[&flag, "--label=job=a"],
        ));
        make(&printed, captured.folder());
        let source = read(&output);
        assert!(source.len() > days * 288, "{days}: {}", source.len());
        let blocks = captured.folder().join("blocks");
        dump(&blocks).assert_same(&source);
        fs::remove_dir_all(blocks).unwrap();
    }
}
