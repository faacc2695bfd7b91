//! What proto3 JSON takes and refuses, case by case, in the manner of Google's conformance tests:
//! by the reflective way of a studio's type and by the built-in types.

use prost::Message;

use super::studio::{ALL, CATALOGUE};
use crate::json::{event, read, read_payload};
use crate::limits::PAYLOAD_DEPTH_MAX;
use crate::v1::{StateChange, TimeUpdated, WorldStateUpdated};
use crate::{BatchBuilder, Catalogue, EventId, Kind, NewEvent, ProducerId};

/// The payload as it is written after it was read. A text, since a JSON value of serde_json rounds
/// doubles.
fn back(payload: &str) -> Result<String, String> {
    let (event_type, payload) =
        read_payload(ALL, payload, &CATALOGUE).map_err(|error| error.to_string())?;
    let json = written(event_type, &payload, &CATALOGUE);
    Ok(json.split_once("\"payload\":").unwrap().1.to_owned())
}

/// Whether a field of a payload is written so.
fn has(payload: &str, field: &str, value: &str) -> bool {
    let found = payload.split_once(&format!("\"{field}\":{value}"));
    found.is_some_and(|(_, rest)| rest.starts_with([',', '}']))
}

fn written(event_type: u32, payload: &[u8], catalogue: &Catalogue) -> String {
    let mut builder = BatchBuilder::new("s", "w");
    let id = EventId { producer: ProducerId::from_bits(7), sequence: 1 };
    let (timestamp_ms, entity, place, metadata) = (1, None, None, None);
    let new = NewEvent { event_type, id, timestamp_ms, entity, place, payload, metadata };
    builder.push(new).unwrap();
    event(&builder.finish().unwrap().iter().next().unwrap(), catalogue)
}

/// Cases of a field: what is read, and what is then written in its place.
fn takes(field: &str, cases: &[(&str, &str)]) {
    for (given, expected) in cases {
        let found = back(&format!(r#"{{"{field}":{given}}}"#));
        let found = found.unwrap_or_else(|error| panic!("{field}: {given}: {error}"));
        let found_is = found.split_once(&format!("\"{field}\":")).map(|(_, rest)| rest);
        assert!(has(&found, field, expected), "{field}: {given}: {found_is:.60?}");
    }
}

fn refuses(field: &str, cases: &[&str]) {
    for given in cases {
        let found = back(&format!(r#"{{"{field}":{given}}}"#));
        let error = found.expect_err(given);
        assert!(error.contains(&format!("payload.{field}")), "{given}: {error}");
    }
}

const NO_NUMBERS: &[&str] = &[
    "true",
    "{}",
    "[]",
    "[1]",
    r#""""#,
    r#"" 1""#,
    r#""1 ""#,
    r#""+1""#,
    r#""01""#,
    r#""1.""#,
    r#"".5""#,
    r#""0x1""#,
    r#""1_000""#,
    r#""one""#,
    r#""1e""#,
    r#""--1""#,
    r#""inf""#,
    r#""infinity""#,
    r#""nan""#,
    r#""-NaN""#,
    r#""1\u0000""#,
    r#""١""#,
];

#[test]
fn integers_are_exact_or_refused() {
    let all = ["f_int32", "f_int64", "f_uint32", "f_uint64", "f_sint32", "f_sint64", "f_fixed32"];
    for field in all.into_iter().chain(["f_fixed64", "f_sfixed32", "f_sfixed64"]) {
        refuses(field, NO_NUMBERS);
        refuses(field, &["0.5", "1e-1", r#""0.5""#, r#""NaN""#, "1e400", "1e99999999999999999999"]);
        for number in ["1e2", "100", "100.0", "1.00e2", "1000e-1", r#""1e2""#, r#""100""#] {
            let found = back(&format!(r#"{{"{field}":{number}}}"#)).unwrap();
            let hundred = has(&found, field, "100") || has(&found, field, "\"100\"");
            assert!(hundred, "{field}: {number}: {found:.200}");
        }
    }
    takes("f_int32", &[("-0", "0"), ("0e99999999999999999999", "0"), ("null", "0")]);
    takes("f_int32", &[("2147483647.0", "2147483647"), ("-2147483648", "-2147483648")]);
    refuses("f_int32", &["2147483648", "-2147483649", "2147483647.5", r#""2147483648""#]);
    takes("f_uint32", &[("4294967295", "4294967295"), ("4.294967295e9", "4294967295")]);
    refuses("f_uint32", &["-1", "4294967296", "4294967295.1"]);
    for field in ["f_int64", "f_sint64", "f_sfixed64"] {
        takes(field, &[("9223372036854775807", r#""9223372036854775807""#)]);
        takes(field, &[("9007199254740993.0", r#""9007199254740993""#)]);
        takes(field, &[(r#""-9223372036854775808""#, r#""-9223372036854775808""#)]);
        takes(field, &[("-9.223372036854775808e18", r#""-9223372036854775808""#)]);
        refuses(field, &["9223372036854775808", "9223372036854775808.0", "-9223372036854775809"]);
        refuses(field, &[r#""9223372036854775808""#, "9007199254740993.5", "1e19"]);
    }
    for field in ["f_uint64", "f_fixed64"] {
        takes(field, &[("18446744073709551615", r#""18446744073709551615""#)]);
        takes(field, &[("1.8446744073709551615e19", r#""18446744073709551615""#)]);
        refuses(field, &["18446744073709551616", "18446744073709551615.5", "-1", "1e20"]);
    }
}

#[test]
fn floats_are_the_nearest_or_refused() {
    for field in ["f_double", "f_float", "o_double"] {
        refuses(field, NO_NUMBERS);
        refuses(field, &["1e400", "-1e400", r#""1e400""#]);
        takes(field, &[(r#""NaN""#, r#""NaN""#), (r#""Infinity""#, r#""Infinity""#)]);
        takes(field, &[(r#""-Infinity""#, r#""-Infinity""#), ("1e-400", "0.0"), ("7", "7.0")]);
        takes(field, &[(r#""1.5e1""#, "15.0"), ("-2.5E+1", "-25.0")]);
    }
    takes(
        "f_double",
        &[
            ("469574066.75426364", "469574066.75426364"),
            ("1.7976931348623157e308", "1.7976931348623157e+308"),
            ("5e-324", "5e-324"),
            ("9007199254740993", "9007199254740992.0"),
            ("18446744073709551616", "1.8446744073709552e+19"),
            ("0.1000000000000000055511151231257827", "0.1"),
        ],
    );
    refuses("f_double", &["1.7976931348623159e308"]);
    takes("f_float", &[("3.4028235e38", "3.4028235e+38"), ("-3.4028235e38", "-3.4028235e+38")]);
    refuses("f_float", &["3.4028236e38", "-3.502823e38", "1e39"]);
    takes("r_double", &[("[-0.0, 1, \"NaN\"]", r#"[-0.0,1.0,"NaN"]"#)]);
    takes("w_double", &[("469574066.75426364", "469574066.75426364")]);
    assert!(!back(r#"{"w_double":null}"#).unwrap().contains("w_double"));
}

#[test]
fn truth_texts_and_bytes_are_what_they_are() {
    takes("f_bool", &[("true", "true"), ("false", "false"), ("null", "false")]);
    refuses("f_bool", &["1", "0", r#""true""#, "[]", "{}"]);
    takes("f_string", &[(r#""a\u00e9\ud83d\ude00\n""#, "\"aé😀\\n\""), (r#""""#, r#""""#)]);
    refuses("f_string", &["1", "true", "{}", "[]", r#""\ud800""#, r#""\udc00\ud800""#]);
    for given in ["AQL/", "AQL_"] {
        takes("f_bytes", &[(&format!("\"{given}\""), r#""AQL/""#)]);
    }
    takes("f_bytes", &[(r#""AQ""#, r#""AQ==""#), (r#""AQ==""#, r#""AQ==""#), (r#""""#, r#""""#)]);
    refuses("f_bytes", &["1", "[1]", r#""%""#, r#""A""#, r#""AQ=A""#, r#""_/8=""#]);
}

#[test]
fn enums_are_names_or_numbers() {
    takes("f_mood", &[(r#""MOOD_SAD""#, r#""MOOD_SAD""#), ("1", r#""MOOD_GLAD""#)]);
    takes("f_mood", &[("-2", r#""MOOD_SAD""#), ("77", "77"), ("1.0", r#""MOOD_GLAD""#)]);
    refuses("f_mood", &[r#""SAD""#, r#""mood_sad""#, r#""""#, "2147483648", "0.5", "true", "[]"]);
    takes("w_null", &[("null", "null"), (r#""NULL_VALUE""#, "null")]);
}

#[test]
fn fields_have_two_names_and_stand_once() {
    for payload in [r#"{"fInt32":3}"#, r#"{"f_int32":3}"#, r#"{ "f_int32" : 3 , "o_int32":null}"#] {
        assert!(has(&back(payload).unwrap(), "f_int32", "3"), "{payload}");
    }
    for (payload, expected) in [
        (r#"{"f_int32":1,"f_int32":1}"#, "payload.f_int32: it stands twice"),
        (r#"{"f_int32":1,"fInt32":1}"#, "payload.f_int32: it stands twice"),
        (r#"{"c_string":"","c_uint32":0}"#, "it excludes c_string"),
        (r#"{"m_string":{"a":1,"a":2}}"#, "payload.m_string.a: it stands twice"),
        (r#"{"F_INT32":1}"#, "unrecognized field name"),
        (r#"{"[studio.v1.x]":1}"#, "unrecognized field name"),
        ("[]", "payload: a list is not an object"),
        ("7", "payload: 7 is not an object"),
    ] {
        let error = back(payload).unwrap_err();
        assert!(error.contains(expected), "{payload}: {error}");
    }
    assert!(has(&back(r#"{"c_string":null,"c_uint32":0}"#).unwrap(), "c_uint32", "0"));
}

#[test]
fn lists_and_maps_hold_no_null_and_keys_have_one_spelling() {
    takes("r_int64", &[("[1, \"2\", 3.0]", r#"["1","2","3"]"#), ("[]", "[]"), ("null", "[]")]);
    refuses("r_int64", &["1", "{}", "[1.5]", "[[1]]"]);
    for (payload, at) in [
        (r#"{"r_int64":[1,null]}"#, "payload.r_int64[1]: null is not a number"),
        (r#"{"r_all":[null]}"#, "payload.r_all[0]: null is not an object"),
        (r#"{"r_mood":[null]}"#, "payload.r_mood[0]"),
        (r#"{"m_string":{"a":null}}"#, "payload.m_string.a"),
        (r#"{"m_int32":{"a":{}}}"#, "payload.m_int32.a"),
        (r#"{"m_int32":{"+1":{}}}"#, "payload.m_int32.+1"),
        (r#"{"m_int32":{"01":{}}}"#, "payload.m_int32.01"),
        (r#"{"m_int32":{"2147483648":{}}}"#, "out of range"),
        (r#"{"m_int32":{"":{}}}"#, "payload.m_int32."),
        (r#"{"m_bool":{"True":1}}"#, "payload.m_bool.True"),
        (r#"{"m_uint64":{"-1":1}}"#, "payload.m_uint64.-1"),
        (r#"{"r_all":[{"f_all":{"r_int64":[1,2,"x"]}}]}"#, "payload.r_all[0].f_all.r_int64[2]"),
    ] {
        let error = back(payload).unwrap_err();
        assert!(error.contains(at), "{payload}: {error}");
    }
    takes(
        "m_uint64",
        &[(r#"{"18446744073709551615":1}"#, r#"{"18446744073709551615":"MOOD_GLAD"}"#)],
    );
    takes("m_bool", &[(r#"{"true":1}"#, r#"{"true":1.0}"#)]);
}

#[test]
fn well_known_types_have_their_own_forms() {
    takes("w_timestamp", &[(r#""2026-03-01T12:00:00+01:00""#, r#""2026-03-01T11:00:00Z""#)]);
    refuses("w_timestamp", &["1", "{}", r#""soon""#, r#""0000-01-01T00:00:00Z""#]);
    takes("w_duration", &[(r#""-1.5s""#, r#""-1.500s""#)]);
    refuses("w_duration", &[r#""1""#, "1", r#""315576000001s""#]);
    takes("w_mask", &[(r#""a.b,fooBar""#, r#""a.b,fooBar""#)]);
    takes("w_int64", &[("9007199254740993", r#""9007199254740993""#)]);
    refuses("w_int64", &["9223372036854775808", "{}"]);
    takes("w_bytes", &[(r#""_w""#, r#""/w==""#)]);
    takes("w_empty", &[("{}", "{}")]);
    refuses("w_empty", &["1", r#"{"a":1}"#]);
    let value = r#"{"a":[1.5,null,"x",{"b":true}]}"#;
    takes(
        "w_value",
        &[(value, value), ("null", "null"), ("469574066.75426364", "469574066.75426364")],
    );
    takes("w_struct", &[(value, value)]);
    takes("w_list", &[("[[],{}]", "[[],{}]")]);
    takes("r_value", &[("[null]", "[null]")]);
    refuses("w_struct", &["[]", "1"]);
    refuses("w_value", &["1e400"]);
    let any = r#"{"@type":"type.googleapis.com/studio.v1.Plain","n":"9007199254740993"}"#;
    takes("w_any", &[(any, any)]);
    let any = r#"{"@type":"type.googleapis.com/google.protobuf.Duration","value":"2s"}"#;
    takes("w_any", &[(any, any)]);
    refuses(
        "w_any",
        &[
            r#"{"n":1}"#,
            r#"{"@type":"x/studio.v1.None"}"#,
            r#"{"@type":"x/studio.v1.Plain","n":9223372036854775808}"#,
            r#"{"@type":"x/studio.v1.Plain","m":1}"#,
        ],
    );
}

#[test]
fn built_in_types_keep_the_same_rules() {
    let read = |event_type: &str, payload: &str| {
        read_payload(event_type, payload, &CATALOGUE).map(|(_, payload)| payload)
    };
    let tick = read(
        "time.updated",
        r#"{"totalMinutes":"-9223372036854775808","hour":4.294967295e9,
        "minute":"1e1","phase":3}"#,
    );
    let tick = TimeUpdated::decode(&tick.unwrap()[..]).unwrap();
    assert_eq!((tick.total_minutes, tick.hour, tick.minute), (i64::MIN, u32::MAX, 10));
    let state = read(
        "world_state.updated",
        r#"{"version":18446744073709551615,
        "changes":[{"path":"a","value":"_w"}]}"#,
    );
    let state = WorldStateUpdated::decode(&state.unwrap()[..]).unwrap();
    let change = StateChange { path: "a".to_owned(), value: vec![255], ..Default::default() };
    assert_eq!((state.version, state.changes), (u64::MAX, vec![change]));
    for (event_type, payload) in [
        ("time.updated", r#"{"total_minutes":-9223372036854775809}"#),
        ("time.updated", r#"{"total_minutes":9223372036854775808.0}"#),
        ("time.updated", r#"{"hour":4294967296}"#),
        ("time.updated", r#"{"hour":"+1"}"#),
        ("time.updated", r#"{"phase":"NIGHT"}"#),
        ("world_state.updated", r#"{"version":18446744073709551616}"#),
        ("world_state.updated", r#"{"changes":[null]}"#),
    ] {
        let error = read(event_type, payload).unwrap_err();
        assert_eq!(error.kind(), Kind::WrongPayload, "{payload}");
    }
}

#[test]
fn wrapped_number_that_is_not_finite_comes_back() {
    for number in ["NaN", "Infinity", "-Infinity"] {
        let payload = format!(r#"{{"w_double":"{number}"}}"#);
        let (event_type, payload) = read_payload(ALL, &payload, &CATALOGUE).unwrap();
        let json = written(event_type, &payload, &CATALOGUE);
        assert_eq!(read(&json, &CATALOGUE).unwrap().payload, payload, "{json}");
    }
}

/// A payload of so many messages within one another.
fn chain(open: &str, close: &str, depth: usize) -> String {
    format!("{}{}{}", open.repeat(depth), "{}", close.repeat(depth))
}

#[test]
fn what_json_takes_can_be_decoded_and_what_is_decoded_is_taken_back() {
    // A message within the field, an element of the list, a value of the map (an entry more).
    for (open, close, levels) in
        [(r#"{"f_all":"#, "}", 1), (r#"{"r_all":["#, "]}", 1), (r#"{"m_int32":{"1":"#, "}}", 2)]
    {
        let most = PAYLOAD_DEPTH_MAX / levels;
        let json = chain(open, close, most);
        let (number, payload) = read_payload(ALL, &json, &CATALOGUE).unwrap();
        let written = written(number, &payload, &CATALOGUE);
        assert!(written.contains("\"game.all\""), "{written:.200}");
        assert_eq!(read(&written, &CATALOGUE).unwrap().payload, payload);
        let error = read_payload(ALL, &chain(open, close, most + 1), &CATALOGUE).unwrap_err();
        assert!(error.to_string().contains("more than 100 messages"), "{error:.80}");
    }
}

#[test]
fn values_that_json_takes_can_be_decoded_by_typed_code() {
    let depths = 1..=PAYLOAD_DEPTH_MAX;
    let taken = depths.map(|depth| {
        let json = format!(r#"{{"w_value":{}}}"#, chain(r#"{"a":"#, "}", depth));
        let (number, payload) = read_payload(ALL, &json, &CATALOGUE).ok()?;
        let typed = TypedValue::decode(&payload[..]).unwrap();
        assert!(typed.value.is_some());
        assert!(written(number, &payload, &CATALOGUE).contains("\"game.all\""), "{depth}");
        Some(depth)
    });
    // Three messages a level: value, struct, entry.
    assert_eq!(taken.flatten().last(), Some(32));
}

/// The one field of the studio's type, as prost's generated code decodes it.
#[derive(Clone, PartialEq, Message)]
struct TypedValue {
    #[prost(message, optional, tag = "45")]
    value: Option<prost_types::Value>,
}

#[test]
fn values_of_any_depth_are_refused_and_not_followed() {
    for (open, close) in [("[", "]"), (r#"{"a":"#, "}")] {
        let deep = format!("{}0{}", open.repeat(100_000), close.repeat(100_000));
        for field in ["w_value", "w_struct", "w_list", "r_value", "f_int32", "w_any", "none"] {
            let error = read_payload(ALL, &format!(r#"{{"{field}":{deep}}}"#), &CATALOGUE);
            assert_eq!(error.unwrap_err().kind(), Kind::WrongPayload, "{field}");
        }
    }
}

#[test]
fn any_in_any_beyond_the_depth_is_shown_as_bytes() {
    let url = "x/studio.v1.All".to_owned();
    let mut payload = Vec::new();
    for _ in 0..4000 {
        let any = prost_types::Any { type_url: url.clone(), value: payload };
        payload = Vec::new();
        prost::encoding::message::encode(40, &any, &mut payload);
    }
    let json = written(1001, &payload, &CATALOGUE);
    assert!(json.contains("\"1001\"") && json.contains("base64"), "{json:.200}");
    assert_eq!(read(&json, &CATALOGUE).unwrap().payload, payload);
}
