//! The progress of a command on standard error: a line that is replaced on a terminal,
//! otherwise a line now and then.

use crate::config::Environment;
use crate::diagnostics;
use crate::terminal::can_redraw_stderr;
use crate::text::count;
use crate::text::named;
use indicatif::{HumanBytes, ProgressBar, ProgressStyle};
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior};

/// A command that ends earlier shows no progress.
const FIRST: Duration = Duration::from_millis(300);

/// How often the line on a terminal is replaced.
const REDRAW: Duration = Duration::from_millis(200);

/// Without a terminal: the time before the first line, which doubles from line to
/// line up to the last one.
const FIRST_LINE: Duration = Duration::from_secs(5);
const MAX_PAUSE: Duration = Duration::from_secs(60);

/// The time left is estimated from this share of the steps on; before, it would jump.
const MIN_SHARE: f64 = 0.1;

/// The names that are shown of those that are waited for.
const MAX_NAMED: usize = 3;

/// Shows how many of a command's tenants are done until it is dropped.
pub(super) struct Progress {
    counts: Arc<Mutex<Counts>>,
    bar: ProgressBar,
    ticker: JoinHandle<()>,
}

impl Progress {
    /// Begins to show the progress of so many tenants with so many steps each. `noun`
    /// is `tenant`, or what is read in its place.
    pub(super) fn start(
        environment: &Environment,
        noun: &'static str,
        total: usize,
        steps: usize,
    ) -> Self {
        let counts = Arc::new(Mutex::new(Counts::new(noun, total, steps)));
        let redraws = can_redraw_stderr(environment);
        let bar = match redraws {
            true => ProgressBar::no_length(),
            false => ProgressBar::hidden(),
        };
        let ticker = tokio::spawn(tick(Arc::clone(&counts), bar.clone(), redraws));
        Self {
            counts,
            bar,
            ticker,
        }
    }

    /// Removes the line from the terminal, for good.
    pub(super) fn hide(&self) {
        self.ticker.abort();
        self.bar.finish_and_clear();
    }

    /// Prints a line above the progress.
    pub(super) fn note(&self, text: &str) {
        self.bar.suspend(|| diagnostics::note(text));
    }

    /// The handle with which tasks note their steps.
    pub(super) fn steps(&self) -> Steps {
        Steps(Arc::clone(&self.counts))
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.hide();
    }
}

/// Notes steps. Clones share the counts.
#[derive(Clone)]
pub(super) struct Steps(Arc<Mutex<Counts>>);

impl Steps {
    /// The requests about a tenant begin.
    pub(super) fn begin(&self, name: &str) {
        self.0.lock().in_work.entry(name.to_owned()).or_default();
    }

    /// One of its steps is done.
    pub(super) fn advance(&self, name: &str) {
        let mut counts = self.0.lock();
        let most = counts.steps;
        let done = counts.in_work.entry(name.to_owned()).or_default();
        *done = (*done + 1).min(most);
    }

    /// So many bytes of a file are written, of so many; `None` while none is.
    pub(super) fn writing(&self, bytes: Option<(u64, u64)>) {
        self.0.lock().writing = bytes;
    }

    /// Why the server of the command is asked again; `None` once it answered.
    pub(super) fn retrying(&self, trouble: Option<String>) {
        self.0.lock().retrying = trouble;
    }

    /// It is done, whichever steps were left.
    pub(super) fn end(&self, name: &str) {
        let mut counts = self.0.lock();
        counts.in_work.remove(name);
        counts.ended += 1;
    }
}

/// How far the tenants are.
struct Counts {
    noun: &'static str,
    total: usize,
    /// The steps of each.
    steps: usize,
    ended: usize,
    /// The steps that are done of those that are not.
    in_work: BTreeMap<String, usize>,
    /// The bytes of a file that are written, and all of them.
    writing: Option<(u64, u64)>,
    /// Why a server is asked again. Until it answers, no time left is known.
    retrying: Option<String>,
}

impl Counts {
    const fn new(noun: &'static str, total: usize, steps: usize) -> Self {
        Self {
            noun,
            total,
            steps,
            ended: 0,
            in_work: BTreeMap::new(),
            writing: None,
            retrying: None,
        }
    }

    /// All steps, and those that are done.
    fn steps(&self) -> (usize, usize) {
        let partial: usize = self.in_work.values().sum();
        (self.total * self.steps, self.ended * self.steps + partial)
    }

    /// The length of the bar, and how much of it is filled: steps, so that it moves
    /// while the first tenant is read, and at the end bytes.
    fn bar(&self) -> (u64, u64) {
        match self.writing {
            Some((done, all)) if self.ended == self.total => (all, done),
            _ => {
                let (all, done) = self.steps();
                (all as u64, done as u64)
            }
        }
    }

    /// The line behind the bar, which says that the bar does not count tenants.
    fn message(&self, elapsed: Duration) -> String {
        let (all, done) = self.bar();
        format!("{}% done, {}", done * 100 / all.max(1), self.line(elapsed))
    }

    /// The time left at the speed until now; none if too little is known.
    fn left(&self, elapsed: Duration) -> Option<Duration> {
        let (all, done) = self.steps();
        let share = done as f64 / all.max(1) as f64;
        let is_known = (MIN_SHARE..=1.0).contains(&share);
        is_known.then(|| elapsed.mul_f64((1.0 - share) / share))
    }

    fn line(&self, elapsed: Duration) -> String {
        let Self {
            noun, total, ended, ..
        } = self;
        let all = count(*total, noun);
        if let Some((done, bytes)) = self.writing {
            let (done, bytes) = (HumanBytes(done), HumanBytes(bytes));
            let elapsed = rounded(elapsed);
            return format!("writing {done} of {bytes}, {ended} of {all}, {elapsed}");
        }
        let mut line = format!("{ended} of {all}, {}", rounded(elapsed));
        if let Some(trouble) = &self.retrying {
            line.push_str(&format!("; {trouble}, trying again"));
            return line;
        }
        if ended < total
            && let Some(left) = self.left(elapsed)
        {
            line.push_str(&format!(", about {} left", rounded(left)));
        }
        if !self.in_work.is_empty() {
            let names = named(self.in_work.keys(), MAX_NAMED);
            line.push_str(&format!("; waiting for {names}"));
        }
        line
    }
}

/// Whole seconds.
fn rounded(duration: Duration) -> humantime::FormattedDuration {
    humantime::format_duration(Duration::from_secs(duration.as_secs_f64().round() as u64))
}

async fn tick(counts: Arc<Mutex<Counts>>, bar: ProgressBar, redraws: bool) {
    let started = Instant::now();
    let style = ProgressStyle::with_template("[{bar:10}] {wide_msg}");
    let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
    bar.set_style(style.progress_chars("=> "));
    let mut ticks = tokio::time::interval_at(started + FIRST, REDRAW);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut pace = LinePace::new();
    loop {
        ticks.tick().await;
        let elapsed = started.elapsed();
        if redraws {
            let (message, (all, done)) = {
                let counts = counts.lock();
                (counts.message(elapsed), counts.bar())
            };
            bar.set_length(all);
            bar.set_position(done);
            bar.set_message(message);
            bar.tick();
        } else if pace.is_due(elapsed) {
            diagnostics::note(&counts.lock().line(elapsed));
        }
    }
}

/// When a line is printed that none replaces.
struct LinePace {
    next: Duration,
    pause: Duration,
}

impl LinePace {
    const fn new() -> Self {
        Self {
            next: FIRST_LINE,
            pause: FIRST_LINE,
        }
    }

    fn is_due(&mut self, elapsed: Duration) -> bool {
        let is_due = elapsed >= self.next;
        if is_due {
            self.next += self.pause;
            self.pause = MAX_PAUSE.min(self.pause * 2);
        }
        is_due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn the_line_counts_estimates_and_names() {
        let counts = Arc::new(Mutex::new(Counts::new("tenant", 50, 4)));
        let steps = Steps(Arc::clone(&counts));
        for index in 0..8 {
            steps.begin(&format!("t{index}"));
        }
        let line = |seconds| counts.lock().line(second(seconds));
        assert_eq!(
            line(2),
            "0 of 50 tenants, 2s; waiting for t0, t1, t2 and 5 more"
        );
        for index in 0..8 {
            (0..4).for_each(|_| steps.advance(&format!("t{index}")));
            steps.end(&format!("t{index}"));
        }
        steps.begin("t8");
        (0..9).for_each(|_| steps.advance("t8"));
        assert!(
            counts
                .lock()
                .message(second(9))
                .starts_with("18% done, 8 of 50 tenants, ")
        );
        assert_eq!(
            line(9),
            "8 of 50 tenants, 9s, about 41s left; waiting for t8"
        );
    }

    #[test]
    fn without_a_terminal_lines_become_rare() {
        let mut pace = LinePace::new();
        let due: Vec<u64> = (0..210).filter(|it| pace.is_due(second(*it))).collect();
        assert_eq!(due, [5, 10, 20, 40, 80, 140, 200]);
    }

    #[test]
    fn a_tenant_that_fails_early_counts_as_done() {
        let counts = Arc::new(Mutex::new(Counts::new("tenant", 2, 4)));
        let steps = Steps(Arc::clone(&counts));
        steps.begin("a");
        steps.end("a");
        assert_eq!(counts.lock().left(second(3)), Some(second(3)));
        steps.begin("b");
        steps.end("b");
        assert_eq!(counts.lock().line(second(4)), "2 of 2 tenants, 4s");
        steps.writing(Some((1 << 20, 1 << 22)));
        assert_eq!(
            counts.lock().message(second(5)),
            "25% done, writing 1.00 MiB of 4.00 MiB, 2 of 2 tenants, 5s"
        );
        steps.writing(None);
        steps.retrying(Some("http://a answered 503: nothing".to_owned()));
        assert_eq!(
            counts.lock().line(second(6)),
            "2 of 2 tenants, 6s; http://a answered 503: nothing, trying again"
        );
        let one = Counts::new("partner", 1, 1);
        assert_eq!(one.line(second(4)), "0 of 1 partner, 4s");
    }
}
