//! What a reader has chosen at the top of a dashboard.

/// The end of the data, in seconds since the epoch.
pub(super) const END: i64 = 1_795_305_600;

/// The time shown: thirty days.
pub(super) const SHOWN: i64 = 30 * 24 * 60 * 60;

/// The values of the variables.
#[derive(Debug, Clone, Copy)]
pub(super) struct Choice {
    pub(super) tenant: &'static str,
}

impl Choice {
    /// *All*, as Grafana fills it in.
    pub(super) const ALL: Self = Self { tenant: ".+" };

    /// An expression as Prometheus gets it.
    pub(super) fn fill(self, expr: &str) -> String {
        let values = [
            ("$__rate_interval", "7200s".to_owned()),
            ("$__interval", "7200s".to_owned()),
            ("$__range", format!("{SHOWN}s")),
            ("$tenant", self.tenant.to_owned()),
            ("$control", "AdminMFAV2".to_owned()),
            ("$declared", ".+".to_owned()),
            ("$watched", ".+".to_owned()),
            ("$job", ".+".to_owned()),
            ("$instance", ".+".to_owned()),
        ];
        let mut filled = expr.to_owned();
        for (variable, value) in values {
            filled = filled.replace(variable, &value);
        }
        assert!(!filled.contains('$'), "unknown variable: {filled}");
        filled
    }
}
