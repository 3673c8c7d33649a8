//! What the exporter knows about a tenant, free of Microsoft's and Prometheus' spelling.
