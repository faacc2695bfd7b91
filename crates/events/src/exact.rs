//! Numbers of ids that come from outside as text, in the one spelling that we write.
//!
//! Not `str::parse`, which takes `+7` and `007` for 7: an id with several spellings is found under
//! one and missed under another.

use std::fmt::Display;
use std::str::FromStr;

/// The number that is written like this; `None` for any other spelling of it.
pub fn exact<T: FromStr + Display>(text: &str) -> Option<T> {
    text.parse::<T>().ok().filter(|number| number.to_string() == text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_spelling_that_we_write_is_taken() {
        assert_eq!((exact("0"), exact("18446744073709551615")), (Some(0), Some(u64::MAX)));
        assert_eq!(exact("-7"), Some(-7i64));
        for text in ["", "+0", "-0", "00", "007", " 7", "7 ", "7.0", "0x7", "18446744073709551616"]
        {
            assert_eq!(exact::<u64>(text), None, "{text:?}");
        }
    }
}
