//! English: articles, plurals, numbers in words, ordinals, lists. Not here: the words of a world.

/// Numbers up to this are words.
const WORDS_MAX: usize = 12;
const NUMBERS: [&str; WORDS_MAX + 1] = [
    "no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven",
    "twelve",
];
const ORDINALS: [&str; WORDS_MAX] = [
    "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth",
    "eleventh", "twelfth",
];
/// Written with a vowel and spoken without, so `a`.
const SPOKEN_WITH_CONSONANT: [&str; 7] = ["eu", "ewe", "one", "once", "uni", "use", "usu"];
/// Written with an h that is not spoken, so `an`.
const SILENT_H: [&str; 4] = ["heir", "honest", "honour", "hour"];
const IRREGULAR: [(&str, &str); 6] = [
    ("child", "children"),
    ("foot", "feet"),
    ("man", "men"),
    ("person", "people"),
    ("wife", "wives"),
    ("woman", "women"),
];

/// A number in words up to twelve, in digits beyond, with commas between thousands: `three`,
/// `1,200`. 0 is `no`, as before a noun.
pub(crate) fn words(number: i64) -> String {
    match usize::try_from(number).ok().and_then(|index| NUMBERS.get(index)) {
        Some(word) => (*word).to_owned(),
        None => digits(number),
    }
}

/// `1,200`.
pub(crate) fn digits(number: i64) -> String {
    let plain = number.unsigned_abs().to_string();
    let mut text = String::new();
    for (index, digit) in plain.chars().enumerate() {
        if index > 0 && (plain.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if number < 0 { format!("minus {text}") } else { text }
}

/// `1st`, `22nd`, `113th`.
pub(crate) fn ordinal(number: i64) -> String {
    let last = number.unsigned_abs() % 100;
    let ending = match (last, last % 10) {
        (11..=13, _) => "th",
        (_, 1) => "st",
        (_, 2) => "nd",
        (_, 3) => "rd",
        _ => "th",
    };
    format!("{}{ending}", digits(number))
}

/// `first` up to `twelfth`, then `13th`.
pub(crate) fn ordinal_words(number: i64) -> String {
    let index = usize::try_from(number).ok().and_then(|number| number.checked_sub(1));
    match index.and_then(|index| ORDINALS.get(index)) {
        Some(word) => (*word).to_owned(),
        None => ordinal(number),
    }
}

/// A noun phrase with its article: `a storm`, `an hour`, `an 8`.
pub(crate) fn article(phrase: &str) -> String {
    format!("{} {phrase}", if is_spoken_with_vowel(phrase) { "an" } else { "a" })
}

fn is_spoken_with_vowel(phrase: &str) -> bool {
    let word: String = phrase.chars().take(12).flat_map(char::to_lowercase).collect();
    let begins = |list: &[&str]| list.iter().any(|start| word.starts_with(start));
    let number: String = word.chars().take_while(|c| c.is_ascii_digit() || *c == ',').collect();
    match word.chars().next() {
        Some('8') => true,
        // Eleven and eighteen, also of thousands.
        Some('1') => matches!(number.split(',').next(), Some("11" | "18")),
        Some('h') => begins(&SILENT_H),
        Some('a' | 'e' | 'i' | 'o' | 'u') => !begins(&SPOKEN_WITH_CONSONANT),
        _ => false,
    }
}

/// A noun for so many: `day`, `days`, `cities`.
pub(crate) fn plural(noun: &str, count: i64) -> String {
    if count == 1 {
        return noun.to_owned();
    }
    if let Some((_, many)) = IRREGULAR.iter().find(|(one, _)| *one == noun) {
        return (*many).to_owned();
    }
    let ends = |endings: &[&str]| endings.iter().any(|ending| noun.ends_with(ending));
    if ends(&["s", "x", "z", "ch", "sh"]) {
        return format!("{noun}es");
    }
    match noun.strip_suffix('y') {
        Some(stem) if !stem.ends_with(['a', 'e', 'i', 'o', 'u']) => format!("{stem}ies"),
        _ => format!("{noun}s"),
    }
}

/// `a`, `a and b`, `a, b and c`.
pub(crate) fn list(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// The text with its first letter as a capital.
pub(crate) fn capitalise(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first.to_uppercase().chain(chars).collect(),
        None => String::new(),
    }
}
