//! Each fault of the fault matrix, at all tenants at once, before each command
//! that talks to Microsoft, with everything logged.

use super::net::Net;
use super::people::{secrets, stage};
use crate::credentials::stage::Stage;
use crate::faults::rows::{Place, rows};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use graph_simulator::{Api, Fault, FaultKind};
use std::fs;

/// Runs a command with everything logged, and searches its output.
async fn run(stage: &Stage, words: &[&str], fault: &str) {
    let outcome = stage.run(words, &[]).await;
    let output = format!("{words:?} while there is {fault}");
    assert!(
        outcome.output.contains("contoso"),
        "{output}: {}",
        outcome.output
    );
    secrets(stage).must_be_empty(&output, outcome.output.as_bytes());
}

/// A share of the matrix, in a world of its own.
async fn play(share: usize, shares: usize) {
    let stage = stage().await;
    // Some faults last as long as the client waits.
    let path = stage.folder().join("secure-score.yml");
    let config = fs::read_to_string(&path).unwrap();
    let hasty = config.replace("scores: 10s", "scores: 10s, timeout: 1s");
    assert_ne!(hasty, config);
    fs::write(&path, hasty).unwrap();
    let faults: Vec<(&str, Fault)> = rows("elsewhere.example")
        .into_iter()
        .filter_map(|row| match row.place {
            Place::Answer(fault) => Some((row.name, fault)),
            Place::Network(_) => None,
        })
        .collect();
    assert!(faults.len() > 50, "only {} faults", faults.len());
    let commands = [
        ["check", "--log.level=trace", "--log.format=logfmt"],
        ["collect", "--log.level=trace", "--log.format=json"],
    ];
    for (number, (name, fault)) in faults.iter().enumerate().skip(share).step_by(shares) {
        stage.handle().inject(None, fault.clone()).unwrap();
        let command = &commands[number / shares % commands.len()];
        run(&stage, command, name).await;
        stage.handle().clear_faults();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_half_of_all_faults_reveals_no_secret() {
    play(0, 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_second_half_of_all_faults_reveals_no_secret() {
    play(1, 2).await;
}

/// Where the faults above could be blind: that an answer repeats a secret is
/// really so.
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_repeats_the_request_is_logged_without_the_secret() {
    let stage = stage().await;
    stage
        .handle()
        .inject(None, Fault::new(Api::Token, FaultKind::Echo))
        .unwrap();
    let outcome = stage.run(&["check"], &[]).await;
    outcome.expect(false, &["This was not understood: …"]);
    secrets(&stage).must_be_empty("check", outcome.output.as_bytes());
    stage.handle().clear_faults();
    stage
        .handle()
        .inject(None, Fault::new(Api::Scores, FaultKind::Echo))
        .unwrap();
    let outcome = stage.run(&["check"], &[]).await;
    outcome.expect(false, &["This was not understood: authorization: Bearer …"]);
    secrets(&stage).must_be_empty("check", outcome.output.as_bytes());
}

/// A secret in each encoding that an error message may use.
fn encodings(secret: &str, client_id: &str) -> Vec<String> {
    let base64 = |text: &str| BASE64_STANDARD.encode(text);
    let each = |encode: &dyn Fn(u8) -> String| secret.bytes().map(encode).collect::<String>();
    vec![
        base64(secret),
        base64(&format!(".{secret}")),
        base64(&format!("..{secret}")),
        base64(&format!(
            "grant_type=client_credentials&client_secret={secret}"
        )),
        format!("Basic {}", base64(&format!("{client_id}:{secret}"))),
        each(&|byte| format!("{byte:02x}")),
        each(&|byte| format!("%{byte:02X}")),
        each(&|byte| format!("&#{byte};")),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn an_echoed_secret_is_withheld_in_every_encoding() {
    let stage = Stage::new().await;
    let contoso = stage.tenant("contoso");
    stage.write("secret", &contoso.client_secret);
    stage.configure(
        "contoso",
        "type: client_secret, client_id: {client_id}, client_secret_file: secret",
    );
    let mut net = Net::default();
    net.hide("the client secret", &contoso.client_secret);
    for encoded in encodings(&contoso.client_secret, &contoso.client_id) {
        assert!(!net.search(encoded.as_bytes()).is_empty(), "{encoded}");
        let text = format!("AADSTS900144: This was not understood: {encoded}.");
        let echo = Fault::new(Api::Token, FaultKind::ErrorText(text));
        stage.handle().inject(None, echo).unwrap();
        let outcome = stage.run(&["check", "--log.level=trace"], &[]).await;
        outcome.expect(false, &["AADSTS900144: This was not understood: "]);
        net.must_be_empty(&encoded, outcome.output.as_bytes());
        stage.handle().clear_faults();
    }
}
