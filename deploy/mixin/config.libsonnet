{
  // Under a name of its own, because mixins share `_config`.
  _config+:: {
    secureScore+: {
      // Selects the exporters in Prometheus: matchers, without braces. With another
      // operator than `=` for `job`, SecureScoreExporterAbsent names no job.
      selector: 'job="secure-score"',

      // Replaces thresholds of the alerts, such as {tenant_drop_1d_ratio: 0.03}. The
      // names and defaults are on the exporter's page /runbooks/alerts; an unknown name
      // is an error.
      thresholds: {},

      // The `severity` that replaces each of the shipped ones.
      severities: {
        critical: 'critical',
        warning: 'warning',
        info: 'info',
      },

      // The address of Grafana, without a slash at its end. Without it alerts have
      // no link to a dashboard.
      grafanaUrl: '',

      // The address of a folder with a file ALERT.md for each alert, without a
      // slash at its end. Without it alerts link to the exporter's own pages.
      runbooksUrl: '',

      // The uid of a dashboard is this and fleet, tenant, risks, control or exporter.
      dashboardUidPrefix: 'secure-score-',

      // The dashboards list each other by these tags.
      dashboardTags: ['secure-score'],
    },
  },
}
