//! HTTP: page, cameras, alerts, live pictures, metrics.
