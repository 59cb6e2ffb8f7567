//! Quantiles of histograms, for people: as near as the buckets are.

use prometheus::Histogram;
use prometheus::core::Metric;

/// The value that a share `q` of all observations does not exceed, linear within its bucket as Prometheus'
/// `histogram_quantile` has it; beyond the last bucket, its bound. `None` before the first observation.
pub fn quantile(histogram: &Histogram, q: f64) -> Option<f64> {
    let metric = histogram.metric();
    let told = metric.get_histogram();
    let total = told.get_sample_count();
    if total == 0 {
        return None;
    }
    let rank = q.clamp(0.0, 1.0) * total as f64;
    let (mut below, mut count) = (0.0, 0.0);
    for bucket in told.get_bucket() {
        let (bound, up_to) = (bucket.upper_bound(), bucket.cumulative_count() as f64);
        if up_to >= rank && up_to > count && bound.is_finite() {
            return Some(below + (bound - below) * (rank - count) / (up_to - count));
        }
        if bound.is_finite() {
            (below, count) = (bound, up_to);
        }
    }
    Some(below)
}

#[cfg(test)]
mod tests {
    use prometheus::HistogramOpts;

    use super::*;

    #[test]
    fn quantiles_lie_within_their_buckets() {
        let opts = HistogramOpts::new("h", "h").buckets(vec![1.0, 2.0, 4.0]);
        let histogram = Histogram::with_opts(opts).unwrap();
        assert_eq!(quantile(&histogram, 0.5), None);
        for value in [0.5, 1.5, 1.5, 3.0] {
            histogram.observe(value);
        }
        assert_eq!(quantile(&histogram, 0.5), Some(1.5));
        assert_eq!(quantile(&histogram, 0.25), Some(1.0));
        assert_eq!(quantile(&histogram, 1.0), Some(4.0));
        histogram.observe(100.0);
        assert_eq!(quantile(&histogram, 0.99), Some(4.0), "beyond the last bucket nothing is known");
    }
}
