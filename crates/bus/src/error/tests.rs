//! What people read of an error, and what programs find behind it.

use std::error::Error as _;
use std::io;

use super::*;

/// An error of another crate.
#[derive(Debug)]
struct Outer(&'static str, io::Error);

impl fmt::Display for Outer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for Outer {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.1.get_ref().map(|error| error as _)
    }
}

fn full() -> Error {
    let disk = io::Error::from(io::ErrorKind::StorageFull);
    Error::retry(Kind::Full, format!("cannot write lock ({disk})")).with_source(disk)
}

#[test]
fn error_that_ends_main_reads_as_a_sentence() {
    let error = Error::retry(Kind::Unavailable, "http://127.0.0.1:7070 does not answer");
    let expected = "http://127.0.0.1:7070 does not answer (Unavailable; it may succeed later)";
    assert_eq!(format!("Error: {error:?}"), format!("Error: {expected}"));
}

#[test]
fn cause_is_found_through_context_and_copies() {
    let error = full().with_context("the spool cannot be opened").with_fate(Fate::Refused).clone();
    assert_eq!((error.kind(), error.fate()), (Kind::Full, Fate::Refused));
    assert_eq!(error.to_string(), "the spool cannot be opened");
    let before: &Error = error.source().and_then(|source| source.downcast_ref()).unwrap();
    assert_eq!((before.kind(), before.fate()), (Kind::Full, Fate::Retry));
    let disk: &io::Error = before.source().and_then(|source| source.downcast_ref()).unwrap();
    assert_eq!(disk.kind(), io::ErrorKind::StorageFull);
    assert!(disk.source().is_none());
}

#[test]
fn causes_stand_in_one_sentence_and_each_once() {
    let disk = || io::Error::from(io::ErrorKind::StorageFull);
    let lock = io::Error::other(io::Error::other(disk()));
    assert_eq!(with_causes(&lock), disk().to_string());
    let spool = Outer("no spool", io::Error::other(full()));
    assert_eq!(with_causes(&spool), format!("no spool: {}", full()));
}

#[test]
fn causes_end_at_an_error_of_the_bus_whose_text_is_whole() {
    let error = full().with_context("the spool cannot be opened");
    assert_eq!(with_causes(&error), "the spool cannot be opened");
    let outer = Outer("no bus", io::Error::other(error));
    assert_eq!(with_causes(&outer), "no bus: the spool cannot be opened");
}

#[test]
fn error_of_the_codec_is_the_source_of_ours() {
    let codec = worldbus_events::Error::new(worldbus_events::Kind::TooLarge, "too many events");
    let error = Error::from(codec.clone());
    assert_eq!(error.to_string(), codec.to_string());
    assert!(error.source().is_some_and(|source| source.is::<worldbus_events::Error>()));
}
