//! Sums, quantiles, correlations. Not a statistics crate: these dozen lines are all we need of one.

pub(super) fn mean(values: impl IntoIterator<Item = f64>) -> Option<f64> {
    let (mut sum, mut count) = (0.0, 0_u32);
    for value in values {
        sum += value;
        count += 1;
    }
    (count > 0).then(|| sum / f64::from(count))
}

/// Standard deviation, as of a whole population.
pub(super) fn deviation(values: &[f64]) -> Option<f64> {
    let middle = mean(values.iter().copied())?;
    mean(values.iter().map(|v| (v - middle) * (v - middle))).map(f64::sqrt)
}

/// A quantile between the two nearest values.
pub(super) fn quantile(sorted: &[f64], part: f64) -> Option<f64> {
    let at = sorted.len().checked_sub(1)? as f64 * part;
    let (low, high) = (sorted[at as usize], sorted[(at.ceil()) as usize]);
    Some(low + (high - low) * at.fract())
}

pub(super) fn sorted(mut values: Vec<f64>) -> Vec<f64> {
    values.sort_by(f64::total_cmp);
    values
}

/// The share of those that are true.
pub(super) fn share(values: impl IntoIterator<Item = bool>) -> Option<f64> {
    mean(values.into_iter().map(|value| f64::from(u8::from(value))))
}

/// Correlation of values of mean 0 with those `lag` steps later. `at` numbers the steps in rising
/// order; steps that are missing are left out.
pub(super) fn autocorrelation(at: &[i64], values: &[f64], lag: i64) -> Option<f64> {
    let variance = mean(values.iter().map(|v| v * v))?;
    let mut later = 0;
    let products = at.iter().enumerate().filter_map(|(now, step)| {
        while later < at.len() && at[later] < step + lag {
            later += 1;
        }
        (at.get(later) == Some(&(step + lag))).then(|| values[now] * values[later])
    });
    Some(mean(products)? / variance)
}

/// Which of the runs of equal flags are those of `wanted`, by length. A missing step ends a run.
pub(super) fn runs<T: PartialEq>(steps: &[(i64, T)], wanted: &T) -> Vec<f64> {
    let runs = steps.chunk_by(|a, b| a.1 == b.1 && b.0 == a.0 + 1);
    runs.filter(|run| run[0].1 == *wanted).map(|run| run.len() as f64).collect()
}

/// P(later | before) over steps that follow each other.
pub(super) fn transition(steps: &[(i64, bool)], before: bool) -> Option<f64> {
    let pairs = steps.windows(2).filter(|w| w[1].0 == w[0].0 + 1 && w[0].1 == before);
    share(pairs.map(|w| w[1].1))
}
