//! The text of a gRPC status, cut: whoever made it put into it what a client had sent, and clients
//! refuse responses whose headers are too long, so that they would see neither text nor status.

use http::{HeaderMap, HeaderName, HeaderValue};

/// Bytes of the text of a gRPC status, as it is sent (percent-encoded).
pub const GRPC_MESSAGE_BYTES_MAX: usize = 2048;

const GRPC_MESSAGE: HeaderName = HeaderName::from_static("grpc-message");
const ELLIPSIS: &[u8] = b"...";

/// Cuts the text of a status in the headers or trailers of a response.
pub(super) fn cut(headers: &mut HeaderMap) {
    let Some(message) = headers.get(GRPC_MESSAGE) else { return };
    let bytes = message.as_bytes();
    if bytes.len() <= GRPC_MESSAGE_BYTES_MAX {
        return;
    }
    let mut end = GRPC_MESSAGE_BYTES_MAX - ELLIPSIS.len();
    while !is_boundary(bytes, end) {
        end -= 1;
    }
    let cut = [&bytes[..end], ELLIPSIS].concat();
    match HeaderValue::from_bytes(&cut) {
        Ok(cut) => _ = headers.insert(GRPC_MESSAGE, cut),
        Err(_) => _ = headers.remove(GRPC_MESSAGE),
    }
}

/// Whether no percent-encoded byte and no character of several bytes goes on at `at`.
fn is_boundary(bytes: &[u8], at: usize) -> bool {
    let before = &bytes[at.saturating_sub(2)..at];
    let continues =
        |rest: &[u8]| matches!(rest, [b'%', b'8' | b'9' | b'a' | b'b' | b'A' | b'B', ..]);
    at == 0 || !(before.contains(&b'%') || continues(&bytes[at..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut_of(message: String) -> String {
        let mut headers = HeaderMap::new();
        headers.insert(GRPC_MESSAGE, message.parse().unwrap());
        cut(&mut headers);
        headers[GRPC_MESSAGE].to_str().unwrap().to_owned()
    }

    #[test]
    fn long_message_is_cut_between_characters() {
        for character in ["x", "%25", "%C3%A9", "%e2%82%ac", "%F0%9F%98%80"] {
            for before in 0..12 {
                let message = "y".repeat(before) + &character.repeat(20_000);
                let cut = cut_of(message);
                assert!(cut.len() <= GRPC_MESSAGE_BYTES_MAX);
                assert!(cut.len() > GRPC_MESSAGE_BYTES_MAX - 3 - character.len());
                let text = cut.strip_suffix("...").unwrap();
                assert_eq!((text.len() - before) % character.len(), 0, "{character}: {text}");
            }
        }
    }

    #[test]
    fn short_message_is_left_as_it_is() {
        let message = "x".repeat(GRPC_MESSAGE_BYTES_MAX);
        assert_eq!(cut_of(message.clone()), message);
        let mut none = HeaderMap::new();
        cut(&mut none);
        assert!(none.is_empty());
    }
}
