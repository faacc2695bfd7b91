//! Whole numbers of floats, by additions alone, so that every machine gives the same and computes
//! several at a time. Not here: numbers of more than 51 bits.

/// Added to this, a number is rounded to a whole one, which the low bits then hold; for numbers
/// up to 2^51.
const SHIFT: f64 = 6_755_399_441_055_744.0;

/// The nearest whole number, of two the even one.
#[inline]
pub(crate) fn round(value: f64) -> i64 {
    (value + SHIFT).to_bits() as i64 - SHIFT.to_bits() as i64
}

/// The whole number at or below, and the rest.
#[inline]
pub(crate) fn split(value: f64) -> (i64, f64) {
    let near = (value + SHIFT) - SHIFT;
    let above = near > value;
    (round(value) - i64::from(above), value - (near - if above { 1.0 } else { 0.0 }))
}
