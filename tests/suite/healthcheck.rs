//! The commands `healthcheck`, `completions` and `man`.

use crate::process::{Process, free_port};
use crate::simulated::{run, text};

fn healthcheck(arguments: &[&str]) -> (Option<i32>, String) {
    let result = run(&[&["healthcheck"], arguments].concat());
    let output = format!("{}{}", text(&result.stdout), text(&result.stderr));
    (result.status.code(), output)
}

fn demo(port: u16, more: &[&str]) -> Process {
    let address = format!("--web.listen-address=127.0.0.1:{port}");
    let process = Process::exporter(&[&["demo", "--quiet", &address], more].concat());
    process.word_after("address=");
    process
}

#[test]
fn an_exporter_is_healthy_with_its_own_flags() {
    let port = free_port();
    let address = format!("--web.listen-address=127.0.0.1:{port}");
    let _demo = demo(port, &["--web.route-prefix=/score"]);
    let prefixed = healthcheck(&[&address, "--web.route-prefix=/score"]);
    assert_eq!(prefixed.0, Some(0), "{}", prefixed.1);
    let all = format!("--web.listen-address=:{port}");
    assert_eq!(healthcheck(&[&all, "--web.route-prefix=/score"]).0, Some(0));
    let (code, output) = healthcheck(&[&address]);
    assert_eq!(code, Some(1), "another path is not healthy: {output}");
    assert!(output.contains("404"), "{output}");
}

#[test]
fn a_closed_port_is_unhealthy() {
    let address = format!("--web.listen-address=127.0.0.1:{}", free_port());
    let (code, output) = healthcheck(&[&address]);
    assert_eq!(code, Some(1));
    assert!(output.contains("cannot connect to 127.0.0.1"), "{output}");
    assert!(output.contains("--web.*"), "the hint: {output}");
}

#[test]
fn an_exporter_that_does_not_answer_is_unhealthy_after_the_timeout() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("--web.listen-address={}", silent.local_addr().unwrap());
    let (code, output) = healthcheck(&[&address, "--timeout=1"]);
    assert_eq!(code, Some(1));
    assert!(output.contains("no answer within 1 s"), "{output}");
}

#[test]
fn completions_and_manual_contain_every_command() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let result = run(&["completions", shell]);
        assert!(result.status.success());
        let script = text(&result.stdout);
        for word in ["backfill", "healthcheck", "web.listen-address"] {
            assert!(script.contains(word), "{shell} lacks {word}");
        }
    }
    let result = run(&["man"]);
    let page = text(&result.stdout);
    assert!(page.contains(".TH secure-score-exporter 1"), "{page}");
    assert!(
        page.contains("backfill") && page.contains("web.max\\-requests"),
        "{page}"
    );
}
