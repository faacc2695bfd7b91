//! Numbers on the command line that JSON, and so a request, can hold.

/// A number that is neither infinite nor undefined: JSON would have `null` in its place.
pub(crate) fn finite(text: &str) -> Result<f64, String> {
    let number = text.trim().parse::<f64>().ok().filter(|number| number.is_finite());
    number.ok_or_else(|| "expected a number such as 0.5".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_json_cannot_hold_is_no_number() {
        assert_eq!(finite("-0.5"), Ok(-0.5));
        for wrong in ["nan", "inf", "-inf", "1e400", "", "1,5"] {
            assert!(finite(wrong).unwrap_err().contains("expected a number"), "{wrong}");
        }
    }
}
