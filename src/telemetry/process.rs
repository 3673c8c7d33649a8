//! The `process_*` families.

use procfs::process::Process;
use prometheus::core::{Collector, Desc};
use prometheus::process_collector::ProcessCollector;
use prometheus::proto::{Counter, MetricFamily};

const CPU_SECONDS: &str = "process_cpu_seconds_total";

/// The families of the `prometheus` crate, with the fraction of the CPU time.
///
/// The crate counts whole seconds. An exporter uses less than one in an hour,
/// and `rate()` of such a counter is zero with a spike.
#[derive(Debug)]
pub(super) struct ProcessMetrics(ProcessCollector);

impl ProcessMetrics {
    pub(super) fn of_this_process() -> Self {
        Self(ProcessCollector::for_self())
    }
}

impl Collector for ProcessMetrics {
    fn desc(&self) -> Vec<&Desc> {
        self.0.desc()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let mut families = self.0.collect();
        let cpu = families.iter_mut().find(|it| it.name() == CPU_SECONDS);
        let metric = cpu.and_then(|family| family.mut_metric().first_mut());
        if let Some((metric, seconds)) = metric.zip(cpu_seconds()) {
            let mut counter = Counter::default();
            counter.set_value(seconds);
            metric.set_counter(counter);
        }
        families
    }
}

/// CPU time of the process, user and system.
fn cpu_seconds() -> Option<f64> {
    let stat = Process::myself().and_then(|it| it.stat()).ok()?;
    let ticks = stat.utime.saturating_add(stat.stime);
    Some(ticks as f64 / procfs::ticks_per_second() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::hint::black_box;

    fn exported() -> f64 {
        let families = ProcessMetrics::of_this_process().collect();
        let cpu = families.iter().find(|it| it.name() == CPU_SECONDS);
        cpu.unwrap().get_metric()[0].get_counter().get_value()
    }

    #[test]
    fn cpu_time_has_fractions() {
        // Each round takes less than a tick of the clock, all of them seconds.
        let mut seen = (0..1_000).map(|round| {
            (0..500_000_u64).for_each(|it| {
                black_box(it ^ round);
            });
            exported()
        });
        assert!(seen.any(|seconds| seconds.fract() > 0.0));
    }
}
