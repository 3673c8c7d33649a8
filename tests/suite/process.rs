//! Programs as child processes that end with the test.

use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// How long a program may take to start and to stop.
const TIMEOUT: Duration = Duration::from_secs(60);

/// A running program and its output.
pub(crate) struct Process {
    name: String,
    child: Child,
    output: Arc<Mutex<String>>,
}

impl Process {
    pub(crate) fn start(command: &mut Command) -> Self {
        let name = command.get_program().to_string_lossy().into_owned();
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{name} does not start: {error}"));
        let output = Arc::new(Mutex::new(String::new()));
        collect_output(child.stdout.take(), &output);
        collect_output(child.stderr.take(), &output);
        Self {
            name,
            child,
            output,
        }
    }

    /// The exporter under test, or the program that `SOAK_EXPORTER` names.
    pub(crate) fn exporter(arguments: &[&str]) -> Self {
        let built = || env!("CARGO_BIN_EXE_secure-score-exporter").into();
        let program = std::env::var_os("SOAK_EXPORTER").unwrap_or_else(built);
        Self::start(Command::new(program).args(arguments))
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn output(&self) -> String {
        self.output.lock().unwrap().clone()
    }

    /// Waits for a line that contains `marker` and returns the word after it.
    pub(crate) fn word_after(&self, marker: &str) -> String {
        self.word_after_unless(marker, None).expect("it is printed")
    }

    /// The same; `None` once a line contains `failure`.
    pub(crate) fn word_after_unless(&self, marker: &str, failure: Option<&str>) -> Option<String> {
        let deadline = Instant::now() + TIMEOUT;
        loop {
            let output = self.output();
            let complete = output.rfind('\n').map_or("", |end| &output[..=end]);
            if let Some((_, rest)) = complete.split_once(marker) {
                let word = rest.split_whitespace().next();
                return Some(word.unwrap_or_default().to_owned());
            }
            if failure.is_some_and(|it| complete.contains(it)) {
                return None;
            }
            assert!(
                Instant::now() < deadline,
                "{} never printed {marker:?}:\n{output}",
                self.name
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Kills it, like a crash.
    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("a child can be killed");
        self.child.wait().expect("a killed child ends");
    }

    /// Makes it read its configuration again (SIGHUP).
    pub(crate) fn hang_up(&self) {
        self.signal("-HUP");
    }

    fn signal(&self, name: &str) {
        let pid = self.id().to_string();
        let sent = Command::new("kill").args([name, &pid]).status();
        assert!(sent.expect("kill is there").success());
    }

    /// Sends SIGTERM and waits for the exit code.
    pub(crate) fn terminate(&mut self) -> Option<i32> {
        self.signal("-TERM");
        let deadline = Instant::now() + TIMEOUT;
        loop {
            if let Some(status) = self.child.try_wait().expect("a child can be asked") {
                return status.code();
            }
            assert!(
                Instant::now() < deadline,
                "{} does not stop:\n{}",
                self.name,
                self.output()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _may_have_ended = self.child.kill();
        let _may_be_reaped = self.child.wait();
    }
}

fn collect_output(pipe: Option<impl Read + Send + 'static>, output: &Arc<Mutex<String>>) {
    let output = Arc::clone(output);
    let pipe = BufReader::new(pipe.expect("the pipe was asked for"));
    std::thread::spawn(move || {
        for line in pipe.lines().map_while(Result::ok) {
            let mut output = output.lock().unwrap();
            output.push_str(&line);
            output.push('\n');
        }
    });
}

/// The path of a program of a Debian package, or how to get it. Servers are in
/// `/usr/sbin`, which is not in every user's `PATH`.
pub(crate) fn program(name: &str, package: &str) -> PathBuf {
    let paths = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&paths)
        .chain(["/usr/sbin".into()])
        .map(|folder| folder.join(name))
        .find(|path| path.is_file())
        .unwrap_or_else(|| panic!("{name} is missing; install it with: apt-get install -y --no-install-recommends {package}"))
}

/// A port that was free a moment ago.
pub(crate) fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .expect("loopback has free ports")
        .port()
}
