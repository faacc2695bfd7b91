//! How fast a world runs: real seconds in a game hour as an exact decimal fraction.
//! Not here: the rate of a segment that another program made (`segment`).

use std::fmt;
use std::str::FromStr;

/// Decimals that are kept; a number with more is rounded down to these.
const DECIMAL_COUNT_MAX: usize = 14;
const SECONDS_MIN: f64 = 0.01;
const SECONDS_MAX: u64 = 86_400;
const SECONDS_PER_HOUR: u64 = 3600;

/// Real seconds per game hour, from 0.01 to 86,400, exact: 59.94 is 5994/100.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Scale {
    num: u64,
    den: u64,
}

/// Why a text or number is no [`Scale`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected real seconds per game hour from 0.01 to 86400, such as 25 or 59.94, found {found}"
)]
pub struct ScaleError {
    /// What was found.
    pub found: String,
}

impl Scale {
    /// The scale of a number as its shortest decimal text: 59.94 means 5994/100 and nothing else.
    ///
    /// # Errors
    /// Not finite, or outside of 0.01 to 86,400.
    pub fn from_f64(seconds: f64) -> Result<Self, ScaleError> {
        // `Display` of an f64 is its shortest text that reads back the same, without exponent.
        seconds.to_string().parse()
    }

    /// Real seconds per game hour.
    pub fn seconds(self) -> f64 {
        self.num as f64 / self.den as f64
    }

    /// Game microseconds per wall microsecond as (numerator, denominator), reduced.
    pub(super) fn rate(self) -> (u64, u64) {
        // `num` may hold all 64 bits, 3600 * `den` not more than 3.6e17: see DECIMAL_COUNT_MAX.
        reduce(SECONDS_PER_HOUR * self.den, self.num)
    }

    pub(super) fn from_rate(num: u64, den: u64) -> Option<Self> {
        let (den_part, hour_part) = (den, SECONDS_PER_HOUR);
        let common = gcd(num, hour_part);
        let scaled = den_part.checked_mul(hour_part / common)?;
        let (num, den) = reduce(scaled, num / common);
        let scale = Self { num, den };
        let decimal = 10u64.pow(DECIMAL_COUNT_MAX as u32).is_multiple_of(den);
        (decimal && scale.in_range()).then_some(scale)
    }

    fn in_range(self) -> bool {
        u128::from(self.num) <= u128::from(SECONDS_MAX) * u128::from(self.den)
            && self.seconds() >= SECONDS_MIN
    }
}

impl FromStr for Scale {
    type Err = ScaleError;

    fn from_str(text: &str) -> Result<Self, ScaleError> {
        let refused = || ScaleError { found: text.chars().take(40).collect() };
        let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
        if !digits(whole) || !digits(decimals) {
            return Err(refused());
        }
        let decimals = decimals.trim_end_matches('0');
        let decimals = &decimals[..decimals.len().min(DECIMAL_COUNT_MAX)];
        let den = 10u64.pow(decimals.len() as u32);
        let whole: u64 = whole.parse().map_err(|_| refused())?;
        let decimals: u64 = if decimals.is_empty() { 0 } else { decimals.parse().unwrap_or(0) };
        if whole > SECONDS_MAX {
            return Err(refused());
        }
        // At most 86,401 * 10^14, which 63 bits hold.
        let (num, den) = reduce(whole * den + decimals, den);
        let scale = Self { num, den };
        if num > 0 && scale.in_range() { Ok(scale) } else { Err(refused()) }
    }
}

impl fmt::Display for Scale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.num / self.den)?;
        let mut rest = self.num % self.den;
        if rest > 0 {
            f.write_str(".")?;
        }
        while rest > 0 {
            let digit = u128::from(rest) * 10;
            write!(f, "{}", digit / u128::from(self.den))?;
            rest = (digit % u128::from(self.den)) as u64;
        }
        Ok(())
    }
}

fn reduce(num: u64, den: u64) -> (u64, u64) {
    let common = gcd(num, den).max(1);
    (num / common, den / common)
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}
