// The alerts and dashboards as a Jsonnet mixin: README.md. It imports files of its
// own folder only, so jsonnet-bundler can install it. The rules and dashboards there
// are copies of those in alerts and dashboards.
//
// Needs go-jsonnet 0.18 or later for std.parseYaml.
(import 'config.libsonnet') +
(import 'alerts.libsonnet') +
(import 'rules.libsonnet') +
(import 'dashboards.libsonnet')
