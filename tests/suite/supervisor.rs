//! What systemd hears of us on its socket.

use crate::process::{Process, free_port, program};
use crate::simulated::{Simulated, run, text};
use std::os::unix::net::UnixDatagram;
use std::process::Command;
use std::time::{Duration, Instant};

/// How long a word may take; far more than it needs.
const PATIENCE: Duration = Duration::from_secs(60);

/// systemd's end of the socket, and the exporter it started.
struct Unit {
    socket: UnixDatagram,
    exporter: Process,
    _simulated: Simulated,
}

impl Unit {
    fn start(watchdog: Option<Duration>) -> Self {
        let simulated = Simulated::start();
        let path = simulated.folder().join("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_secure-score-exporter"));
        command
            .args(["--web.listen-address=127.0.0.1:0", "--config.file"])
            .arg(simulated.config())
            .env("NOTIFY_SOCKET", &path);
        if let Some(watchdog) = watchdog {
            command.env("WATCHDOG_USEC", watchdog.as_micros().to_string());
        }
        Self {
            exporter: Process::start(&mut command),
            socket,
            _simulated: simulated,
        }
    }

    fn hear(&self) -> String {
        let mut word = [0; 1_024];
        let length = self.socket.recv(&mut word).expect("a word comes");
        String::from_utf8(word[..length].to_vec()).unwrap()
    }

    /// What is said until a word comes, that word included.
    fn until(&self, wanted: &str) -> Vec<String> {
        let patience = Instant::now() + PATIENCE;
        let mut said = Vec::new();
        while Instant::now() < patience {
            let word = self.hear();
            let is_it = word.lines().any(|line| line == wanted);
            said.push(word);
            if is_it {
                return said;
            }
        }
        panic!("{wanted} was never said, but {said:?}");
    }
}

#[test]
fn systemd_hears_when_we_listen_reload_and_stop() {
    let mut unit = Unit::start(None);
    assert_eq!(unit.until("READY=1").len(), 1, "nothing is said before");
    unit.exporter.word_after("listening");
    unit.exporter.hang_up();
    let reloading = unit.hear();
    assert!(
        reloading.starts_with("RELOADING=1\nMONOTONIC_USEC="),
        "{reloading:?}"
    );
    assert_eq!(unit.hear().trim(), "READY=1");
    assert_eq!(unit.exporter.terminate(), Some(0));
    assert_eq!(unit.hear().trim(), "STOPPING=1");
}

#[test]
fn a_watchdog_hears_signs_of_life_for_as_long_as_we_live() {
    let mut unit = Unit::start(Some(Duration::from_millis(300)));
    unit.until("READY=1");
    for _ in 0..5 {
        assert_eq!(unit.until("WATCHDOG=1").len(), 1);
    }
    assert_eq!(unit.exporter.terminate(), Some(0));
}

/// Opens a socket, and hands it over as systemd does: as the third descriptor,
/// addressed to this process.
const SOCKET_UNIT: &str = r"
import os, socket, sys
listening = socket.create_server(('127.0.0.1', int(sys.argv[1])))
os.dup2(listening.fileno(), 3)
os.set_inheritable(3, True)
os.environ.update(LISTEN_FDS='1', LISTEN_PID=str(os.getpid()))
os.execv(sys.argv[2], sys.argv[2:])
";

#[test]
fn a_socket_that_systemd_opened_is_served_and_none_of_our_own() {
    let simulated = Simulated::start();
    let port = free_port();
    let config = format!("--config.file={}", simulated.config());
    let mut exporter = Process::start(
        Command::new(program("python3", "python3"))
            .args(["-c", SOCKET_UNIT, &port.to_string()])
            .args([env!("CARGO_BIN_EXE_secure-score-exporter"), &config])
            .arg("--web.systemd-socket"),
    );
    assert_eq!(
        exporter.word_after("address="),
        format!("127.0.0.1:{port}"),
        "{}",
        exporter.output()
    );
    let healthy = format!("--web.listen-address=127.0.0.1:{port}");
    assert!(run(&["healthcheck", &healthy]).status.success());
    assert!(!exporter.output().contains("127.0.0.1:10365"));
    assert_eq!(exporter.terminate(), Some(0));
}

#[test]
fn without_a_socket_from_systemd_nothing_is_started() {
    let simulated = Simulated::start();
    let config = format!("--config.file={}", simulated.config());
    let said = run(&["--web.systemd-socket", &config]);
    assert_eq!(said.status.code(), Some(1));
    let told = text(&said.stderr);
    assert!(told.contains("handed over no socket"), "{told}");
    assert!(told.contains("secure-score-exporter.socket"), "{told}");
}
