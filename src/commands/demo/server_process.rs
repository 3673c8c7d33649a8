//! A server in a process of its own, which ends with this process.

use crate::commands::Failure;
use anyhow::{Context as _, anyhow};
use std::fs;
use std::io;
use std::net::SocketAddr;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;
use tokio::net::TcpStream;

/// Runs the server in its directory. At the end of its standard input, which is a pipe from
/// this process, it ends the server and removes the directory. The kernel closes the pipe
/// when this process ends, even by SIGKILL.
const SCRIPT: &str = r#"
exec 3<&0 </dev/null
"$@" 3<&- >output.log 2>&1 &
server=$!
{
    read -r line <&3
    trap '' TERM
    kill "$server"
    tries=0
    while kill -0 "$server"; do
        tries=$((tries + 1))
        [ "$tries" -ne 50 ] || kill -9 "$server"
        sleep 0.1
    done
    rm -rf -- "$0"
} >/dev/null 2>&1 &
watcher=$!
wait "$server"
status=$?
kill "$watcher" 2>/dev/null
wait "$watcher"
exit "$status"
"#;

/// The file of [`SCRIPT`] that the server writes to.
const OUTPUT: &str = "output.log";

/// The number of its last lines that an error contains.
const SHOWN_LINES: usize = 5;

/// The interval between two looks at the server, and how often it is looked at.
const POLL: Duration = Duration::from_millis(100);
const POLLS_TO_START: u32 = 600;
const POLLS_TO_STOP: u32 = 100;

/// A running server. Dropping it ends the server and removes its directory.
#[derive(Debug)]
pub(super) struct ServerProcess {
    name: &'static str,
    child: Child,
    directory: TempDir,
}

impl ServerProcess {
    /// Starts a program in a directory that holds its files.
    pub(super) fn start(
        name: &'static str,
        program: &Path,
        arguments: &[String],
        directory: TempDir,
    ) -> Result<Self, Failure> {
        let child = Command::new("/bin/sh")
            .args(["-c", SCRIPT])
            .arg(directory.path())
            .arg(program)
            .args(arguments)
            .current_dir(directory.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // Ctrl-C reaches this process only, which ends the server in order.
            .process_group(0)
            .spawn()
            .with_context(|| format!("{name} cannot be started"))?;
        Ok(Self {
            name,
            child,
            directory,
        })
    }

    /// Waits until the server accepts connections.
    pub(super) async fn listening(&mut self, address: SocketAddr) -> Result<(), Failure> {
        for _ in 0..POLLS_TO_START {
            if TcpStream::connect(address).await.is_ok() {
                return Ok(());
            }
            if self.has_ended() {
                break;
            }
            tokio::time::sleep(POLL).await;
        }
        let error = anyhow!("{} does not start:\n{}", self.name, self.last_output());
        let hint = "the demo needs Prometheus 2.42 and Alertmanager 0.25 or later";
        Err(Failure::with_hint(error, hint))
    }

    pub(super) const fn name(&self) -> &'static str {
        self.name
    }

    /// Whether the server has ended by itself.
    pub(super) fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }

    /// The last lines that the server wrote.
    pub(super) fn last_output(&self) -> String {
        let output = fs::read(self.directory.path().join(OUTPUT)).unwrap_or_default();
        let output = String::from_utf8_lossy(&output);
        let lines: Vec<&str> = output.lines().collect();
        let first = lines.len().saturating_sub(SHOWN_LINES);
        lines.get(first..).unwrap_or_default().join("\n")
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        for _ in 0..POLLS_TO_STOP {
            if self.has_ended() {
                return;
            }
            std::thread::sleep(POLL);
        }
        let _it_may_have_ended: io::Result<()> = self.child.kill();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(script: &str) -> ServerProcess {
        let arguments = ["-c".to_owned(), script.to_owned()];
        let directory = tempfile::tempdir().unwrap();
        ServerProcess::start("server", Path::new("/bin/sh"), &arguments, directory).unwrap()
    }

    /// The process id that the script writes.
    fn written_id(server: &ServerProcess) -> String {
        for _ in 0..600 {
            let output = server.last_output();
            if !output.is_empty() {
                return output;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("no output");
    }

    #[test]
    fn dropping_it_ends_the_server_and_removes_its_directory() {
        let server = run("echo $$; exec sleep 600");
        let directory = server.directory.path().to_owned();
        let process = Path::new("/proc").join(written_id(&server));
        assert!(process.exists() && directory.exists());
        drop(server);
        assert!(!process.exists() && !directory.exists());
    }

    #[test]
    fn a_server_that_ignores_the_signal_is_killed() {
        let server =
            run("trap '' TERM; echo $$; sleep 600 & wait; wait; while :; do sleep 1; done");
        let process = Path::new("/proc").join(written_id(&server));
        drop(server);
        assert!(!process.exists());
    }

    #[tokio::test]
    async fn a_server_that_ends_is_an_error_with_its_output() {
        let mut server = run("echo the reason; exit 3");
        let nowhere = SocketAddr::from(([127, 0, 0, 1], 1));
        let Err(Failure::Other { error, .. }) = server.listening(nowhere).await else {
            panic!("it listens");
        };
        assert_eq!(error.to_string(), "server does not start:\nthe reason");
    }
}
