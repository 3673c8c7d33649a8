//! Whether the exporter on this machine answers.

use crate::process::{Process, free_port};
use crate::simulated::{run, text};

fn asked(arguments: &[&str]) -> (Option<i32>, String) {
    let said = run(&[&["healthcheck"], arguments].concat());
    let told = format!("{}{}", text(&said.stdout), text(&said.stderr));
    (said.status.code(), told)
}

fn demo(port: u16, more: &[&str]) -> Process {
    let address = format!("--web.listen-address=127.0.0.1:{port}");
    let process = Process::exporter(&[&["demo", "--quiet", &address], more].concat());
    process.word_after("address=");
    process
}

#[test]
fn an_exporter_that_answers_is_healthy_under_its_own_flags() {
    let port = free_port();
    let address = format!("--web.listen-address=127.0.0.1:{port}");
    let _demo = demo(port, &["--web.route-prefix=/score"]);
    let prefixed = asked(&[&address, "--web.route-prefix=/score"]);
    assert_eq!(prefixed.0, Some(0), "{}", prefixed.1);
    let all = format!("--web.listen-address=:{port}");
    assert_eq!(asked(&[&all, "--web.route-prefix=/score"]).0, Some(0));
    let (code, told) = asked(&[&address]);
    assert_eq!(code, Some(1), "another path is not healthy: {told}");
    assert!(told.contains("404"), "{told}");
}

#[test]
fn one_that_is_not_there_is_not() {
    let address = format!("--web.listen-address=127.0.0.1:{}", free_port());
    let (code, told) = asked(&[&address]);
    assert_eq!(code, Some(1));
    assert!(told.contains("cannot connect to 127.0.0.1"), "{told}");
    assert!(told.contains("--web.*"), "the remedy: {told}");
}

#[test]
fn one_that_never_answers_is_given_up() {
    let deaf = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("--web.listen-address={}", deaf.local_addr().unwrap());
    let (code, told) = asked(&[&address, "--timeout=1"]);
    assert_eq!(code, Some(1));
    assert!(told.contains("no answer within 1 s"), "{told}");
}

#[test]
fn every_shell_and_the_manual_know_every_command() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let said = run(&["completions", shell]);
        assert!(said.status.success());
        let script = text(&said.stdout);
        for word in ["backfill", "healthcheck", "web.listen-address"] {
            assert!(script.contains(word), "{shell} lacks {word}");
        }
    }
    let said = run(&["man"]);
    let page = text(&said.stdout);
    assert!(page.contains(".TH secure-score-exporter 1"), "{page}");
    assert!(
        page.contains("backfill") && page.contains("web.max\\-requests"),
        "{page}"
    );
}
