//! Loops, conditions and names of templates, and what is wrong with one.

use serde_json::json;

use super::*;

fn composition() -> Composition {
    let service = |name: &str, port, topics: &[&str]| ServiceSite {
        name: name.to_owned(),
        api: name.split('-').map(str::to_owned).collect(),
        port,
        clock: ClockRole::None,
        topics: topics.iter().map(|&topic| topic.to_owned()).collect(),
        database: name == "weather-manager",
        messaging: json!({ "Resources": { "Queue": { "Type": "Q" } } }),
    };
    Composition {
        services: vec![
            service("time-manager", 7071, &["time"]),
            service("weather-manager", 7079, &["time", "weather"]),
        ],
        topics: vec!["time".to_owned(), "weather".to_owned()],
        messaging: String::new(),
    }
}

#[test]
fn each_service_and_each_of_its_topics_is_written_out() {
    let source = "a <port_max>\n  #: for service\n  <Service>: <port> <priority>\n    \
                  #: for topic of service\n    <TOPIC>=<SERVICE>/<group><,>\n    #: end\n  \
                  #: end\nb\n";
    let expected = "a 7079\n  TimeManager: 7071 20\n    TIME=TIME_MANAGER/time\n  \
                    WeatherManager: 7079 30\n    TIME=WEATHER_MANAGER/weather,\n    \
                    WEATHER=WEATHER_MANAGER/weather\nb\n";
    assert_eq!(expand(source, &composition(), None).unwrap(), expected);
}

#[test]
fn template_of_a_service_has_its_values_and_what_it_has_of_messaging() {
    let source = "a <service> <priority>\n#: for topic of service\n<topic>\n#: end\n\
                  b:\n  #: messaging Resources\n  #: messaging Outputs\nc\n";
    let expected = "a weather-manager 30\ntime\nweather\n\
                    b:\n  Queue: {\n      \"Type\": \"Q\"\n    }\nc\n";
    assert_eq!(expand(source, &composition(), Some("weather-manager")).unwrap(), expected);
    let error = expand(source, &composition(), Some("story")).unwrap_err();
    assert_eq!(error, "no service \"story\"");
    let error = expand(source, &composition(), None).unwrap_err();
    assert!(error.contains("unknown loop"), "{error}");
}

#[test]
fn each_part_of_the_interface_and_what_depends_on_a_database_is_written_out() {
    let source = "#: for api of service\n/<api>\n#: end\n\
                  #: if database\nkept\n#: end\n#: unless database\nlost\n#: end\n";
    let of = |name| expand(source, &composition(), Some(name)).unwrap();
    assert_eq!(of("time-manager"), "/time\n/manager\nlost\n");
    assert_eq!(of("weather-manager"), "/weather\n/manager\nkept\n");
}

#[test]
fn loop_without_rounds_writes_nothing_and_ends_at_its_own_end() {
    let source = "a\n#: for service\n#: for topic\nx\n#: end\ny\n#: end\nb\n";
    assert_eq!(expand(source, &Composition::default(), None).unwrap(), "a\nb\n");
}

#[test]
fn what_is_wrong_with_a_template_is_named_with_its_line() {
    for (source, error) in [
        ("#: for service\nx\n", "line 1: a loop without an end"),
        ("x\n#: end\n", "line 2: an end without a loop"),
        ("x\n#: for color\n#: end\n", "line 2: unknown loop \"for color\""),
        ("#: for topic of service\n#: end\n", "line 1: unknown loop \"for topic of service\""),
    ] {
        assert_eq!(expand(source, &composition(), None).unwrap_err(), error);
    }
}
