//! Tests of the words for an error without an answer.

use std::error::Error as StdError;
use std::{fmt, io};

use aws_smithy_runtime_api::client::result::{ConnectorError, SdkError};

use super::*;

#[derive(Debug)]
struct Connecting(io::Error);

impl fmt::Display for Connecting {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("client error (Connect)")
    }
}

impl StdError for Connecting {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&self.0)
    }
}

fn not_connected(reason: io::Error) -> (Missing, String) {
    let reason = ConnectorError::io(Box::new(Connecting(reason)));
    missing(&SdkError::<io::Error, ()>::dispatch_failure(reason))
}

#[test]
fn the_last_cause_is_reported_whatever_the_others_say() {
    let (missing, text) = not_connected(io::Error::other("the certificate is unknown"));
    assert_eq!(missing, Missing::Answer);
    assert!(text.contains("client error (Connect): the certificate is unknown)"), "{text}");
}

#[test]
fn what_was_tried_is_left_out() {
    let reason = "no endpoint is set. Attempted:\none place\nanother";
    let (_, text) = not_connected(io::Error::other(reason));
    assert!(text.contains("no endpoint is set.)"), "{text}");
    assert!(!text.contains("another"), "{text}");
}

#[test]
fn a_refused_connection_means_that_nothing_was_sent() {
    let (missing, _) = not_connected(io::ErrorKind::ConnectionRefused.into());
    assert_eq!(missing, Missing::Connection);
}
