//! Cursors as text: opaque, and good for the search alone that gave them.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use worldbus_service::Problem;

/// Characters of a cursor.
const TEXT_CHARS_MAX: usize = 400;
/// The form of a cursor; another one is refused.
const VERSION: &str = "1";

/// A place behind a result, for a search that `of` names.
pub(super) fn encode(of: &str, place: &str) -> String {
    URL_SAFE_NO_PAD.encode(format!("{VERSION} {:x} {place}", hash(of)))
}

/// The place of a cursor.
///
/// # Errors
/// 400: it is not one of this search.
pub(super) fn decode(of: &str, text: &str) -> Result<String, Problem> {
    let bytes = (text.len() <= TEXT_CHARS_MAX).then(|| URL_SAFE_NO_PAD.decode(text).ok()).flatten();
    let plain = bytes.and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default();
    let place = plain.strip_prefix(&format!("{VERSION} {:x} ", hash(of)));
    place.map(str::to_owned).ok_or_else(|| {
        let text = "query parameter `cursor`: expected `next` of an answer to the same search";
        Problem::bad_request(text).with_field("cursor")
    })
}

/// FNV-1a.
fn hash(text: &str) -> u64 {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    text.bytes().fold(0xcbf2_9ce4_8422_2325, step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursor_is_good_for_its_search_alone() {
        let cursor = encode("rain", "7 8");
        assert_eq!(decode("rain", &cursor).unwrap(), "7 8");
        for (of, text) in [("snow", cursor.as_str()), ("rain", "x"), ("rain", ""), ("rain", "é")] {
            assert_eq!(decode(of, text).unwrap_err().status, 400);
        }
        assert!(decode("rain", &"A".repeat(1000)).is_err());
    }
}
