//! Finds the parameters that cost least, one at a time, each with a step of its own that grows
//! where it helps and shrinks where it does not. Not an optimiser's crate: the costs are rough, and
//! a descent that anyone can follow is enough.

/// The least step.
const STEP_MIN: f64 = 0.04;
const STEP_MAX: f64 = 1.5;
const GROWTH: f64 = 1.5;

/// Moves parameters to where `cost` is less, asking for it at most `count` times.
pub(super) fn search(
    start: Vec<f64>,
    step: f64,
    count: usize,
    mut cost: impl FnMut(&[f64]) -> f64,
) -> Vec<f64> {
    let mut best = start;
    let mut least = cost(&best);
    // The sign is the side that helped last, which is tried first.
    let mut steps = vec![step; best.len()];
    let mut left = count;
    while left > 0 && steps.iter().any(|step| step.abs() >= STEP_MIN) {
        for index in 0..best.len() {
            let step = steps[index];
            if step.abs() < STEP_MIN {
                continue;
            }
            steps[index] = -step / 2.0;
            for side in [step, -step] {
                let mut tried = best.clone();
                tried[index] += side;
                left = left.saturating_sub(1);
                let found = cost(&tried);
                if found < least {
                    (best, least) = (tried, found);
                    steps[index] = (GROWTH * side).clamp(-STEP_MAX, STEP_MAX);
                    break;
                }
            }
        }
    }
    best
}

/// Shares of octaves as free parameters.
pub(super) fn logits(shares: &[f64; 5]) -> Vec<f64> {
    shares.iter().map(|share| share.max(SHARE_MIN).ln()).collect()
}

/// Shares that sum to 1, with four digits.
pub(super) fn shares(logits: &[f64]) -> [f64; 5] {
    let parts: [f64; 5] = std::array::from_fn(|index| logits[index].clamp(-9.0, 9.0).exp());
    let sum: f64 = parts.iter().sum();
    let mut shares = parts.map(|part| (part / sum * 1e4).round() / 1e4);
    let rest = 1.0 - shares.iter().sum::<f64>();
    let most = (0..5).max_by(|a, b| shares[*a].total_cmp(&shares[*b])).unwrap_or(0);
    shares[most] = ((shares[most] + rest) * 1e4).round() / 1e4;
    shares
}

const SHARE_MIN: f64 = 0.01;
