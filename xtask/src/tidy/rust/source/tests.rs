//! Tests of the tokens.

use super::{shipped, tokens};

fn words(text: &str) -> Vec<&str> {
    tokens(text).iter().map(|token| token.text).collect()
}

#[test]
fn comments_strings_and_characters_are_left_out() {
    let text = "a // use b;\n/* c /* d */ e */ f \"g \\\" h\" r#\"i \" j\"# b\"k\" 'l' '\\'' m";
    assert_eq!(words(text), ["a", "f", "m"]);
}

#[test]
fn lifetimes_and_paths_are_kept() {
    assert_eq!(words("&'a crate::x"), ["&", "'", "a", "crate", "::", "x"]);
}

#[test]
fn what_is_for_tests_alone_is_left_out() {
    let text = "use a;\n#[cfg(test)]\nmod tests { use b; fn c() {} }\n#[cfg(test)]\nuse d::{e};\nf";
    let words: Vec<&str> = shipped(text).iter().map(|token| token.text).collect();
    assert_eq!(words, ["use", "a", ";", "f"]);
}
