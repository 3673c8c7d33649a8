//! `backfill`: what Graph keeps, against what the real tools then hold.

mod blocks;
mod captured;
mod joined;
mod remote;
mod samples;

use crate::process::Process;
use crate::simulated::{Simulated, run, text};
use regex::Regex;
use samples::Samples;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;
use std::io::Read as _;
use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const DAY: i64 = 86_400;

fn now() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(now.as_secs()).unwrap()
}

fn backfill(config: &str, output: &Path, flags: &[&str]) -> Output {
    let output = output.display().to_string();
    let mut arguments = vec!["backfill", "--config.file", config, "--output", &output];
    arguments.extend(flags);
    run(&arguments)
}

fn stdout_of(output: &Output) -> String {
    assert!(output.status.success(), "{}", text(&output.stderr));
    text(&output.stdout)
}

/// The tenants that the directory's blocks have.
fn tenants(directory: &Path) -> BTreeSet<String> {
    let manifest = fs::read(directory.join("backfill.json")).unwrap();
    let manifest: Value = serde_json::from_slice(&manifest).unwrap();
    let sets = manifest["sets"].as_array().unwrap();
    let names = sets
        .iter()
        .flat_map(|set| set["tenants"].as_array().unwrap());
    names.map(|it| it.as_str().unwrap().to_owned()).collect()
}

/// The bytes of a file, or of all files below a directory.
fn bytes(path: &Path) -> u64 {
    let found = fs::metadata(path).unwrap();
    match found.is_dir() {
        true => fs::read_dir(path)
            .unwrap()
            .map(|it| bytes(&it.unwrap().path()))
            .sum(),
        false => found.len(),
    }
}

fn files(directory: &Path) -> BTreeSet<String> {
    fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect()
}

#[test]
fn the_text_is_a_whole_exposition_of_the_past_and_of_nothing_else() {
    let simulated = Simulated::start();
    let output = simulated.folder().join("past.om");
    let before = now();
    let printed = stdout_of(&backfill(
        &simulated.config(),
        &output,
        &[
            "--step=6h",
            "--label=job=secure-score",
            "--label=instance=localhost:10365",
        ],
    ));
    assert!(printed.contains("5 tenants read: 44"), "{printed}");
    assert!(printed.contains("--max-block-duration="), "{printed}");
    assert!(
        printed.contains("last_over_time"),
        "a sparse step has its advice: {printed}"
    );
    let exposition = fs::read_to_string(output).unwrap();
    assert!(exposition.ends_with("\n# EOF\n"));
    let families: Vec<&str> = exposition
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE "))
        .collect();
    let distinct: BTreeSet<&&str> = families.iter().collect();
    assert_eq!(distinct.len(), families.len(), "each family stands once");
    assert!(families.iter().all(|family| family.ends_with(" gauge")));
    for never in ["_info", "secure_score_up", "last_synced", "_total"] {
        assert!(!exposition.contains(never), "{never}");
    }
    for line in exposition.lines().filter(|line| !line.starts_with('#')) {
        assert!(
            line.contains(",job=\"secure-score\",instance=\"localhost:10365\"} "),
            "{line}"
        );
    }
    let samples = Samples::of_openmetrics(&exposition);
    for (series, values) in samples.iter() {
        assert!(
            values.windows(2).all(|pair| pair[0].0 < pair[1].0),
            "{series}"
        );
        let newest = values.last().unwrap().0;
        assert!(newest <= before - 3 * 3_600 + 60, "{series}: {newest}");
        assert!(values[0].0 >= before - 92 * DAY, "{series}");
    }
    for tenant in ["contoso", "fabrikam", "adatum", "litware", "northwind"] {
        let tenant = format!("tenant=\"{tenant}\"");
        let all = samples
            .iter()
            .filter(|(series, _)| series.contains(&tenant));
        assert!(all.count() > 100, "{tenant}");
    }
}

#[test]
fn the_size_is_printed_before_anything_is_written() {
    let simulated = Simulated::start();
    let file = simulated.folder().join("past.om");
    let flags = ["--step=6h", "--label=job=secure-score"];
    let written = backfill(&simulated.config(), &file, &flags);
    let printed = stdout_of(&written).replace('\n', " ");
    let (_, counts) = printed.split_once("without one; ").unwrap();
    let counts = counts.split(" written").next().unwrap();
    let announced = format!("writing {counts}, into {}\n", file.display());
    let said = text(&written.stderr);
    assert!(said.contains(&announced), "{announced}{said}");

    let directory = simulated.folder().join("past");
    let flags = ["--step=1d", "--no-controls"];
    let written = backfill(&simulated.config(), &directory, &flags);
    let said = text(&written.stderr);
    let announced = format!(" for 5 tenants into {}\n", directory.display());
    assert!(said.contains("writing about "), "{said}");
    assert!(said.contains(&announced), "{said}");
}

/// The default of a tenant: a hundred of them are less than a gigabyte.
#[test]
fn ninety_days_of_a_tenant_are_some_megabytes_as_announced() {
    let simulated = Simulated::start();
    let directory = simulated.folder().join("past");
    let written = backfill(&simulated.config(), &directory, &["--tenant=contoso"]);
    let printed = stdout_of(&written).replace('\n', " ");
    let size = Regex::new(r"([\d,]+) samples?, (?:about )?([\d.]+) ([KM])iB").unwrap();
    let counts = |text: &str| {
        let found = size.captures(text).unwrap_or_else(|| panic!("{text}"));
        let unit = if &found[3] == "M" {
            1_048_576.0
        } else {
            1_024.0
        };
        (found[1].to_owned(), found[2].parse::<f64>().unwrap() * unit)
    };
    let (announced, about) = counts(&text(&written.stderr));
    let (samples, size) = counts(&printed);
    assert_eq!(announced, samples);
    assert!(
        samples.len() >= "10,000,000".len(),
        "every five minutes: {samples}"
    );
    assert!(
        (about / size - 1.0).abs() < 0.25,
        "{about} announced of {size}"
    );
    let all = bytes(&directory);
    assert!((2_000_000..10_000_000).contains(&all), "{all}");
    assert!((all as f64 / size - 1.0).abs() < 0.01, "{all} of {size}");
}

#[test]
fn no_state_is_written_before_the_first_change_of_the_history() {
    let simulated = Simulated::start();
    let output = simulated.folder().join("past.om");
    stdout_of(&backfill(
        &simulated.config(),
        &output,
        &["--step=1h", "--tenant=contoso"],
    ));
    let exposition = fs::read_to_string(output).unwrap();
    let samples = Samples::of_openmetrics(&exposition);
    // Accepted, and withdrawn a week later (crates/graph-simulator/src/initial_changes.rs).
    let of = |family: &str, more: &str| {
        let series = format!(
            "{family}{{category=\"Apps\",control=\"aad_admin_consent_workflow\",{more}tenant=\"contoso\"}}"
        );
        samples.of(&series).to_vec()
    };
    let accepted = of("secure_score_control_risk_accepted", "");
    let days = |seconds: i64| seconds as f64 / DAY as f64;
    let (first, last) = (accepted[0].0, accepted.last().unwrap().0);
    assert!(
        (63.0..69.0).contains(&days(now() - first)),
        "{}",
        days(now() - first)
    );
    assert!(days(now() - last) < 0.2);
    let withdrawn = accepted.iter().find(|(_, value)| *value == 0.0).unwrap().0;
    let since_withdrawn = days(now() - withdrawn);
    // The newest change is three days before the newest report, which is of a midnight 6
    // to 30 hours ago.
    assert!((60.0..62.0).contains(&since_withdrawn), "{since_withdrawn}");
    assert!(
        accepted
            .iter()
            .all(|(at, value)| (*value == 1.0) == (*at < withdrawn))
    );
    let state = of("secure_score_control_state", "state=\"risk_accepted\",");
    assert_eq!(state.last().unwrap().0, withdrawn - 3_600);
    let state = of("secure_score_control_state", "state=\"to_address\",");
    assert_eq!(state[0].0, withdrawn);
    let times = of("secure_score_control_risk_acceptances", "");
    assert!(times.iter().all(|(_, value)| *value == 1.0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_was_cut_off_goes_on_with_the_rest() {
    let simulated = Simulated::start();
    let output = simulated.folder().join("past");
    let config = simulated.config();
    let flags = ["--step=1d", "--days=20", "--tenants-per-block=2"];
    let fault = json!({"tenant": "adatum", "api": "token", "what": {"aadsts": 7_000_222}});
    simulated.inject(fault).await;
    let first = backfill(&config, &output, &flags);
    assert_eq!(first.status.code(), Some(3), "{}", text(&first.stdout));
    assert!(
        text(&first.stderr).contains("error: adatum: Entra refused"),
        "{}",
        text(&first.stderr)
    );
    let read = ["contoso", "fabrikam", "litware", "northwind"];
    assert_eq!(tenants(&output), read.map(str::to_owned).into());
    let written = files(&output);
    // Each pair of tenants has a block or two, and none of the last hours.
    assert!((3..=5).contains(&written.len()), "{written:?}");
    fs::create_dir_all(output.join(".unfinished-abc/chunks")).unwrap();

    let control = simulated.requests().await;
    let again = backfill(&config, &output, &flags);
    assert_eq!(again.status.code(), Some(3));
    assert!(text(&again.stdout).contains("4 tenants had blocks already"));
    let only_one = simulated.requests().await - control;
    assert!(
        only_one < 4,
        "only the tenant in trouble is asked for: {only_one}"
    );
    assert_eq!(files(&output), written);

    let manifest = fs::read(output.join("backfill.json")).unwrap();
    let manifest: Value = serde_json::from_slice(&manifest).unwrap();
    let set = &manifest["sets"][1];
    assert_eq!(set["tenants"], json!(["litware", "northwind"]));
    let lost = set["blocks"][0].as_str().unwrap();
    // Prometheus merged it: another directory has its name as a source.
    let merged = output.join("01ZZZZZZZZZZZZZZZZZZZZZZZZ");
    fs::rename(output.join(lost), &merged).unwrap();
    let again = backfill(&config, &output, &flags);
    assert!(text(&again.stdout).contains("4 tenants had blocks already"));
    fs::rename(merged, output.join(lost)).unwrap();
    fs::remove_dir_all(output.join(lost)).unwrap();
    let lost = backfill(&config, &output, &flags);
    assert_eq!(lost.status.code(), Some(3));
    assert!(text(&lost.stdout).contains("2 tenants had blocks already"));
    // The same samples make the same block.
    assert_eq!(files(&output), written);

    let other = backfill(&config, &output, &["--step=1d", "--days=30"]);
    assert_eq!(other.status.code(), Some(1));
    assert!(
        text(&other.stderr).contains("other flags"),
        "{}",
        text(&other.stderr)
    );
}

#[test]
fn one_entra_tenant_under_two_aliases_has_one_past() {
    let simulated = Simulated::start();
    simulated.name_contoso_twice();
    let output = simulated.folder().join("past");
    let flags = ["--step=1d", "--days=5", "--no-controls"];
    let partly = backfill(&simulated.config(), &output, &flags);
    assert_eq!(partly.status.code(), Some(3), "{}", text(&partly.stdout));
    let warned = text(&partly.stderr);
    assert!(
        warned.contains("again: ") && warned.contains("contoso is the same Entra tenant"),
        "{warned}"
    );
    assert_eq!(
        tenants(&output),
        [
            "contoso".to_owned(),
            "fabrikam".to_owned(),
            "adatum".to_owned(),
            "litware".to_owned(),
            "northwind".to_owned()
        ]
        .into()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn trouble_on_a_later_page_is_overcome_or_costs_that_tenant_alone() {
    let simulated = Simulated::start();
    let output = simulated.folder().join("past");
    let faults = [
        ("contoso", 3, json!({"status": 503}), Some(1)),
        ("fabrikam", 2, json!("malformed"), None),
        ("adatum", 4, json!("empty_body"), None),
        (
            "northwind",
            2,
            json!({"odd_element": "not_an_object"}),
            None,
        ),
        (
            "litware",
            2,
            json!({"throttle": {"retry_after": {"seconds": 1}}}),
            Some(1),
        ),
    ];
    for (tenant, page, what, times) in faults {
        let mut fault = json!({"tenant": tenant, "api": "scores", "page": page, "what": what});
        if let Some(times) = times {
            fault["times"] = json!(times);
        }
        simulated.inject(fault).await;
    }
    let flags = ["--step=1d", "--no-controls"];
    let partly = backfill(&simulated.config(), &output, &flags);
    assert_eq!(partly.status.code(), Some(3), "{}", text(&partly.stderr));
    let printed = text(&partly.stdout);
    assert!(printed.contains("3 tenants read: 2"), "{printed}");
    let warned = text(&partly.stderr);
    let odd = warned
        .lines()
        .find(|line| line.contains("could not be read or believed"));
    assert!(odd.unwrap().contains("tenant=northwind"), "{warned}");
    let whole = ["contoso", "litware", "northwind"];
    assert_eq!(tenants(&output), whole.map(str::to_owned).into());
}

#[test]
fn the_demo_needs_no_configuration_and_one_file_holds_all() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("all.om");
    let path = file.display().to_string();
    let printed = stdout_of(&run(&[
        "backfill",
        "--demo",
        "--days=10",
        "--step=1d",
        "--no-controls",
        "--output",
        &path,
    ]));
    assert!(
        printed.contains("job and instance"),
        "labels are recommended: {printed}"
    );
    assert!(printed.contains(&path), "{printed}");
    let exposition = fs::read_to_string(&file).unwrap();
    assert!(!exposition.contains("control="));
    for tenant in ["contoso", "northwind"] {
        assert!(exposition.contains(&format!(
            "secure_score_tenant_score{{tenant=\"{tenant}\"}} "
        )));
    }
    assert_eq!(files(folder.path()).len(), 1);
}

/// A reader that ends early is neither a tenant that could not be read nor a full disk.
#[test]
fn a_pipe_of_which_the_reader_ends_is_reported_as_such() {
    let simulated = Simulated::start();
    let pipe = simulated.folder().join("past.om");
    let made = Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(made.success());
    let reader = std::thread::spawn({
        let pipe = pipe.clone();
        move || fs::File::open(pipe).unwrap().read_exact(&mut [0; 100])
    });
    let ended = backfill(&simulated.config(), &pipe, &["--step=1h"]);
    reader.join().unwrap().unwrap();
    assert_eq!(ended.status.code(), Some(1));
    let said = text(&ended.stderr);
    let reported = format!(
        "error: {}: the program that reads it ended before everything was written\nhint: let it read to the end",
        pipe.display()
    );
    assert!(said.contains(&reported), "{said}");
    for wrong in ["could not be read", "free space"] {
        assert!(!said.contains(wrong), "{said}");
    }
}

/// A signal leaves neither a part of the text under its name nor under another.
#[test]
fn an_interrupted_text_leaves_no_file() {
    let simulated = Simulated::start();
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("past.om").display().to_string();
    let config = simulated.config();
    let mut process = Process::exporter(&[
        "backfill",
        "--config.file",
        &config,
        "--tenant=contoso",
        "--output",
        &output,
    ]);
    // The whole text has gigabytes.
    for _ in 0..3_000 {
        if !files(folder.path()).is_empty() {
            break;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    let unfinished = files(folder.path());
    assert!(
        unfinished.iter().all(|it| it.starts_with(".unfinished-")) && unfinished.len() == 1,
        "{unfinished:?}"
    );
    assert_eq!(process.terminate(), Some(143), "{}", process.output());
    assert_eq!(files(folder.path()).len(), 0);
}

#[test]
fn a_slash_at_the_end_of_the_output_makes_it_a_directory() {
    let simulated = Simulated::start();
    let output = simulated.folder().join("past.om");
    let flags = ["--step=1d", "--days=5", "--no-controls", "--tenant=contoso"];
    let directory = format!("{}/", output.display());
    let said = stdout_of(&backfill(
        &simulated.config(),
        Path::new(&directory),
        &flags,
    ));
    let blocks = format!("mv {}/0* ", output.display());
    assert!(said.contains(&blocks), "{said}");
    assert_eq!(tenants(&output), ["contoso".to_owned()].into());
}

#[test]
fn what_cannot_be_written_is_refused_with_the_remedy() {
    let simulated = Simulated::start();
    let output = simulated.folder().join("past");
    let early = backfill(&simulated.config(), &output, &["--until=2020-01-01"]);
    assert_eq!(early.status.code(), Some(2));
    let said = text(&early.stderr);
    assert!(said.contains("--until leaves nothing to write"), "{said}");
    assert!(said.contains("name a time after 20"), "{said}");
    assert!(!output.exists());
    fs::write(&output, "a file").unwrap();
    let file = backfill(&simulated.config(), &output, &[]);
    assert_eq!(file.status.code(), Some(1));
    let said = text(&file.stderr);
    assert!(said.contains("past cannot be made"), "{said}");
    assert!(said.contains("whose name ends in .om"), "{said}");
    let nowhere = simulated.folder().join("nowhere/past.om");
    let missing = backfill(&simulated.config(), &nowhere, &[]);
    assert_eq!(missing.status.code(), Some(1));
    let said = text(&missing.stderr);
    assert!(said.contains("past.om cannot be written"), "{said}");
    assert!(said.contains("a file in an existing directory"), "{said}");
    assert!(!said.contains("free space"), "{said}");
}

#[test]
fn nothing_is_written_from_the_moment_on_that_scraping_began() {
    let simulated = Simulated::start();
    let output = simulated.folder().join("past.om");
    let began = now() - now().rem_euclid(DAY) - 5 * DAY;
    let date = jiff::Timestamp::from_second(began).unwrap();
    let until = format!("--until={}", date.strftime("%Y-%m-%d"));
    stdout_of(&backfill(
        &simulated.config(),
        &output,
        &["--step=1h", "--days=9", "--tenant=contoso", &until],
    ));
    let exposition = fs::read_to_string(output).unwrap();
    let samples = Samples::of_openmetrics(&exposition);
    let scores = samples.of("secure_score_tenant_score{tenant=\"contoso\"}");
    assert_eq!(scores.len(), 4 * 24);
    let values = samples.iter().flat_map(|(_, values)| values);
    let newest = values.map(|it| it.0).max();
    assert_eq!(newest, Some(began - 3_600));
}

#[test]
fn flags_that_make_no_sense_are_refused_with_the_remedy() {
    for (flags, remedy) in [
        (
            &["--label=tenant=x"][..],
            "the exporter already sets tenant",
        ),
        (
            &["--label=job=a", "--label=job=b"],
            "--label job is given twice",
        ),
        (&["--step=2d"], "10s to 1d, such as 5m"),
        (&["--days=0"], "from 1 to 180, such as 90"),
        (
            &["--output=a/past.txt"],
            "write --output=a/past.om for a text file, or --output=a/past.txt/ for a directory of blocks",
        ),
        (&["--output=past.OM"], "write --output=past.om for a text"),
        (&["--output=-"], "--output=- is not standard output"),
        (&["--header-file=x"], "--check or --remote-write"),
        (&["--check=http://me:pw@localhost/"], "--header-file"),
        (&["--check=http://a", "--output=b"], "cannot be used with"),
        (
            &["--demo", "--config.file=a.yml"],
            "--config.file has no effect",
        ),
    ] {
        let mut arguments = vec!["backfill"];
        arguments.extend(flags);
        let refused = run(&arguments);
        assert_eq!(refused.status.code(), Some(2), "{flags:?}");
        let message = text(&refused.stderr);
        assert!(message.contains(remedy), "{flags:?}: {message}");
        assert!(!message.contains("me:pw"), "{message}");
    }
}

/// The number at a place of JSON.
fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value}"))
}
