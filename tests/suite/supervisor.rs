//! The notifications systemd receives, and the sockets it passes.

use crate::process::{Process, free_port, program};
use crate::simulated::{Simulated, run, text};
use std::os::unix::net::UnixDatagram;
use std::process::Command;
use std::time::{Duration, Instant};

/// How long a notification may take; far more than it needs.
const TIMEOUT: Duration = Duration::from_secs(60);

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
        socket.set_read_timeout(Some(TIMEOUT)).unwrap();
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

    fn notification(&self) -> String {
        let mut text = [0; 1_024];
        let length = self.socket.recv(&mut text).expect("a notification arrives");
        String::from_utf8(text[..length].to_vec()).unwrap()
    }

    /// The notifications up to the first that has a line.
    fn until(&self, wanted: &str) -> Vec<String> {
        let deadline = Instant::now() + TIMEOUT;
        let mut received = Vec::new();
        while Instant::now() < deadline {
            received.push(self.notification());
            if received
                .iter()
                .flat_map(|it| it.lines())
                .any(|line| line == wanted)
            {
                return received;
            }
        }
        panic!("{wanted} was not received, but {received:?}");
    }
}

#[test]
fn systemd_is_notified_of_start_reload_and_stop() {
    let mut unit = Unit::start(None);
    assert_eq!(
        unit.until("READY=1").len(),
        1,
        "it is the first notification"
    );
    unit.exporter.word_after("listening");
    unit.exporter.hang_up();
    let reloading = unit.notification();
    assert!(
        reloading.starts_with("RELOADING=1\nMONOTONIC_USEC="),
        "{reloading:?}"
    );
    assert_eq!(unit.notification().trim(), "READY=1");
    assert_eq!(unit.exporter.terminate(), Some(0));
    assert_eq!(unit.notification().trim(), "STOPPING=1");
}

#[test]
fn the_watchdog_is_notified_while_the_process_runs() {
    let mut unit = Unit::start(Some(Duration::from_millis(300)));
    unit.until("READY=1");
    for _ in 0..5 {
        assert_eq!(unit.until("WATCHDOG=1").len(), 1);
    }
    assert_eq!(unit.exporter.terminate(), Some(0));
}

/// Opens a socket and passes it as systemd does: as the third descriptor, to
/// this process.
const SOCKET_UNIT: &str = r"
import os, socket, sys
listening = socket.create_server(('127.0.0.1', int(sys.argv[1])))
os.dup2(listening.fileno(), 3)
os.set_inheritable(3, True)
os.environ.update(LISTEN_FDS='1', LISTEN_PID=str(os.getpid()))
os.execv(sys.argv[2], sys.argv[2:])
";

#[test]
fn only_the_socket_that_systemd_passes_is_served() {
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
fn without_a_socket_from_systemd_the_start_fails() {
    let simulated = Simulated::start();
    let config = format!("--config.file={}", simulated.config());
    let output = run(&["--web.systemd-socket", &config]);
    assert_eq!(output.status.code(), Some(1));
    let stderr = text(&output.stderr);
    assert!(stderr.contains("handed over no socket"), "{stderr}");
    assert!(stderr.contains("secure-score-exporter.socket"), "{stderr}");
}
