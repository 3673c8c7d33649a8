//! The `process_*` families, from the files of Linux in `/proc`.

use prometheus::Error;
use prometheus::core::{Collector, Desc};
use prometheus::proto::{Counter, Gauge, Metric, MetricFamily, MetricType};
use std::collections::HashMap;
use std::fs;

/// The ticks of a second in `/proc` (`USER_HZ`): 100 on every architecture for
/// which the exporter is built.
const TICKS_PER_SECOND: f64 = 100.0;

/// Name, help and type of each family.
const FAMILIES: [(&str, &str, MetricType); 7] = [
    (
        "process_cpu_seconds_total",
        "Total user and system CPU time spent in seconds.",
        MetricType::COUNTER,
    ),
    (
        "process_open_fds",
        "Number of open file descriptors.",
        MetricType::GAUGE,
    ),
    (
        "process_max_fds",
        "Maximum number of open file descriptors.",
        MetricType::GAUGE,
    ),
    (
        "process_virtual_memory_bytes",
        "Virtual memory size in bytes.",
        MetricType::GAUGE,
    ),
    (
        "process_resident_memory_bytes",
        "Resident memory size in bytes.",
        MetricType::GAUGE,
    ),
    (
        "process_start_time_seconds",
        "Start time of the process since unix epoch in seconds.",
        MetricType::GAUGE,
    ),
    (
        "process_threads",
        "Number of OS threads in the process.",
        MetricType::GAUGE,
    ),
];

/// The families that every Prometheus client has. A value that cannot be read has no
/// series.
///
/// CPU time keeps its fraction: an exporter uses less than a second of it in an
/// hour, and `rate()` of whole seconds is zero with a spike.
#[derive(Debug)]
pub(super) struct ProcessMetrics {
    descriptions: Vec<Desc>,
    /// Read once: the boot time that Linux reports moves when the clock is set.
    start_time: Option<f64>,
}

impl ProcessMetrics {
    pub(super) fn of_this_process() -> Result<Self, Error> {
        let describe = |(name, help, _): (&str, &str, MetricType)| {
            Desc::new(name.to_owned(), help.to_owned(), Vec::new(), HashMap::new())
        };
        let started = Stat::read().map(|it| it.started);
        Ok(Self {
            descriptions: FAMILIES
                .into_iter()
                .map(describe)
                .collect::<Result<_, _>>()?,
            start_time: started.zip(boot_time()).map(|(after, boot)| boot + after),
        })
    }
}

impl Collector for ProcessMetrics {
    fn desc(&self) -> Vec<&Desc> {
        self.descriptions.iter().collect()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let stat = Stat::read();
        let stat = stat.as_ref();
        let values = [
            stat.map(|it| it.cpu_seconds),
            open_files(),
            most_open_files(),
            stat.map(|it| it.virtual_memory),
            resident_memory(),
            self.start_time,
            stat.map(|it| it.threads),
        ];
        let families = FAMILIES.into_iter().zip(values);
        families
            .filter_map(|((name, help, kind), value)| Some(family(name, help, kind, value?)))
            .collect()
    }
}

fn family(name: &str, help: &str, kind: MetricType, value: f64) -> MetricFamily {
    let mut metric = Metric::default();
    match kind {
        MetricType::COUNTER => {
            let mut counter = Counter::default();
            counter.set_value(value);
            metric.set_counter(counter);
        }
        _ => {
            let mut gauge = Gauge::default();
            gauge.set_value(value);
            metric.set_gauge(gauge);
        }
    }
    let mut family = MetricFamily::default();
    family.set_name(name.to_owned());
    family.set_help(help.to_owned());
    family.set_field_type(kind);
    family.set_metric(vec![metric]);
    family
}

/// What `/proc/self/stat` says: times in seconds, memory in bytes.
#[derive(Debug, PartialEq)]
struct Stat {
    /// User and system time.
    cpu_seconds: f64,
    threads: f64,
    /// Since the machine was booted.
    started: f64,
    virtual_memory: f64,
}

impl Stat {
    fn read() -> Option<Self> {
        Self::parse(&fs::read_to_string("/proc/self/stat").ok()?)
    }

    fn parse(text: &str) -> Option<Self> {
        // The second field is the program's name, with any characters in brackets.
        let (_, fields) = text.rsplit_once(") ")?;
        let fields: Vec<&str> = fields.split_whitespace().collect();
        // By their numbers in proc_pid_stat(5).
        let field = |number: usize| fields.get(number.checked_sub(3)?)?.parse::<f64>().ok();
        Some(Self {
            cpu_seconds: (field(14)? + field(15)?) / TICKS_PER_SECOND,
            threads: field(20)?,
            started: field(22)? / TICKS_PER_SECOND,
            virtual_memory: field(23)?,
        })
    }
}

/// When the machine was booted.
fn boot_time() -> Option<f64> {
    value("/proc/stat", "btime ")?.parse().ok()
}

fn open_files() -> Option<f64> {
    let open = fs::read_dir("/proc/self/fd").ok()?.count();
    // Without the directory itself.
    Some(open.saturating_sub(1) as f64)
}

/// The soft limit; none if there is no limit.
fn most_open_files() -> Option<f64> {
    let limits = value("/proc/self/limits", "Max open files ")?;
    limits.split_whitespace().next()?.parse().ok()
}

fn resident_memory() -> Option<f64> {
    let kibibytes = value("/proc/self/status", "VmRSS:")?;
    let kibibytes: f64 = kibibytes.strip_suffix(" kB")?.parse().ok()?;
    Some(kibibytes * 1024.0)
}

/// The rest of the line of a file that starts with a key.
fn value(path: &str, key: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let rest = text.lines().find_map(|line| line.strip_prefix(key))?;
    Some(rest.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::hint::black_box;
    use std::time::{SystemTime, UNIX_EPOCH};

    fn exported() -> HashMap<String, f64> {
        let families = ProcessMetrics::of_this_process().unwrap().collect();
        let value = |family: &MetricFamily| {
            let metric = &family.get_metric()[0];
            match family.get_field_type() {
                MetricType::COUNTER => metric.get_counter().get_value(),
                _ => metric.get_gauge().get_value(),
            }
        };
        let values = families.iter().map(|it| (it.name().to_owned(), value(it)));
        values.collect()
    }

    #[test]
    fn cpu_time_has_fractions() {
        // Each round takes less than a tick of the clock, all of them seconds.
        let mut seen = (0..1_000).map(|round| {
            (0..500_000_u64).for_each(|it| {
                black_box(it ^ round);
            });
            exported()["process_cpu_seconds_total"]
        });
        assert!(seen.any(|seconds| seconds.fract() > 0.0));
    }

    #[test]
    fn every_family_has_a_plausible_value() {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let before = exported();
        assert_eq!(before.len(), FAMILIES.len(), "{before:?}");
        let day = 24.0 * 60.0 * 60.0;
        let age = now.as_secs_f64() - before["process_start_time_seconds"];
        assert!((-2.0..day).contains(&age), "{age}");
        let resident = before["process_resident_memory_bytes"];
        assert!(resident > 1e6 && resident < before["process_virtual_memory_bytes"]);
        assert!(before["process_threads"] >= 1.0);
        assert!(before["process_open_fds"] < before["process_max_fds"]);

        let files: Vec<_> = (0..50).map(|_| fs::File::open("/proc/self/stat")).collect();
        let open = exported()["process_open_fds"];
        assert!(open >= 50.0 && files.iter().all(Result::is_ok), "{open}");
    }

    #[test]
    fn a_programs_name_may_have_brackets_and_blanks() {
        let numbers: Vec<String> = (4..=52).map(|it| (it * 100).to_string()).collect();
        let text = format!("42 (a) b) R {}", numbers.join(" "));
        let expected = Stat {
            cpu_seconds: 29.0,
            threads: 2_000.0,
            started: 22.0,
            virtual_memory: 2_300.0,
        };
        assert_eq!(Stat::parse(&text), Some(expected));
        assert_eq!(Stat::parse("42 (a) R 1 2"), None);
    }
}
