//! Which URLs are taken, as what, and how each other one is refused.

use super::*;

#[test]
fn each_transport_has_its_url_and_prints_it_as_it_was() {
    let remote = |url: &str| BusUrl::Remote(url.to_owned());
    let sns_sqs = |url: &str| BusUrl::SnsSqs(url.to_owned());
    for (text, expected) in [
        ("embedded:./worldbus-data/bus", BusUrl::embedded("./worldbus-data/bus")),
        ("embedded:/var/a folder", BusUrl::embedded("/var/a folder")),
        ("http://127.0.0.1:7070", remote("http://127.0.0.1:7070")),
        ("https://bus.example.com", remote("https://bus.example.com")),
        ("sns-sqs://eu-west-1", sns_sqs("sns-sqs://eu-west-1")),
        ("sns-sqs://us-east-1?prefix=town", sns_sqs("sns-sqs://us-east-1?prefix=town")),
    ] {
        let url: BusUrl = text.parse().unwrap();
        assert_eq!((&url, url.to_string().as_str()), (&expected, text));
    }
}

#[test]
fn other_texts_are_refused_with_all_forms() {
    for wrong in [
        "",
        "embedded",
        "ftp://host",
        "HTTP://127.0.0.1:7070",
        "127.0.0.1:7070",
        "./worldbus-data/bus",
        " http://127.0.0.1:7070",
        "sns-sqs:us-east-1",
        "nats://host:4222",
    ] {
        let error = wrong.parse::<BusUrl>().expect_err(wrong);
        assert_eq!(error.kind(), Kind::Invalid);
        let text = error.to_string();
        assert!(text.contains(&format!("{wrong:?}: expected embedded:DIR, http://")), "{text}");
    }
}

#[test]
fn embedded_without_a_folder_is_refused() {
    let error = "embedded:".parse::<BusUrl>().unwrap_err();
    assert_eq!(error.kind(), Kind::Invalid);
    assert!(error.context().contains("names no folder; expected embedded:DIR"), "{error}");
}

#[test]
fn long_text_is_repeated_in_part() {
    let error = "x".repeat(10_000).parse::<BusUrl>().unwrap_err();
    assert!(error.context().len() < 400, "{error}");
}

#[cfg(feature = "remote")]
#[test]
fn what_no_event_bus_has_behind_its_scheme_is_refused() {
    for wrong in ["http://", "http://localhost", "http://h:1/api", "https://key@h:1"] {
        let error = wrong.parse::<BusUrl>().expect_err(wrong);
        assert_eq!(error.kind(), Kind::Invalid);
        assert!(error.context().contains("http://HOST:PORT"), "{error}");
    }
}

#[cfg(feature = "sns-sqs")]
#[test]
fn what_sns_and_sqs_do_not_have_behind_their_scheme_is_refused() {
    for wrong in ["sns-sqs://", "sns-sqs://US EAST", "sns-sqs://us-east-1?prefx=town"] {
        let error = wrong.parse::<BusUrl>().expect_err(wrong);
        assert_eq!(error.kind(), Kind::Invalid);
        assert!(error.context().contains("sns-sqs://REGION?prefix=PREFIX"), "{error}");
    }
}
