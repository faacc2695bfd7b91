//! A number of things in a sentence for people. Not here: other languages.

use std::fmt::Display;

/// `1 consumer`, `2 consumers`; `1 batch`, `2 batches` of `counted(count, "batch", "batches")`.
pub fn counted(count: impl Display + PartialEq + From<u8>, one: &str, many: &str) -> String {
    let noun = if count == 1.into() { one } else { many };
    format!("{count} {noun}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn singular_is_used_for_one_alone() {
        let texts = [0, 1, 2].map(|count: usize| counted(count, "batch", "batches"));
        assert_eq!(texts, ["0 batches", "1 batch", "2 batches"]);
    }
}
