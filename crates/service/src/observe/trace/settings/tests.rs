//! Tests of `settings`.

use std::io;
use std::path::Path;

use super::*;

struct Environment(Vec<(&'static str, &'static str)>);

impl Sources for Environment {
    fn variables(&self) -> Vec<(String, String)> {
        let owned = |(name, value): &(&str, &str)| (name.to_string(), value.to_string());
        self.0.iter().map(owned).collect()
    }

    fn read(&self, _: &Path) -> io::Result<String> {
        Err(io::ErrorKind::NotFound.into())
    }
}

fn load(variables: &[(&'static str, &'static str)]) -> Result<Option<Settings>, BadSetting> {
    Settings::load(&Environment(variables.to_vec()))
}

fn with(name: &'static str, value: &'static str) -> Result<Settings, BadSetting> {
    let loaded = load(&[(ENDPOINT, "http://127.0.0.1:4318"), (name, value)]);
    loaded.map(|settings| settings.expect("there is an endpoint"))
}

#[test]
fn without_an_endpoint_spans_go_nowhere() {
    assert!(load(&[]).unwrap().is_none());
    assert!(load(&[(ENDPOINT, ""), (SAMPLER, "always_on")]).unwrap().is_none());
    for (name, value) in [("OTEL_SDK_DISABLED", "true"), ("OTEL_TRACES_EXPORTER", "none")] {
        assert!(load(&[(ENDPOINT, "http://127.0.0.1:4318"), (name, value)]).unwrap().is_none());
    }
}

#[test]
fn endpoint_of_all_signals_gets_the_path_of_traces_and_that_of_traces_does_not() {
    for (variables, expected) in [
        (vec![(ENDPOINT, "http://localhost:4318")], "http://localhost:4318/v1/traces"),
        (vec![(ENDPOINT, "http://localhost:4318/in/")], "http://localhost:4318/in/v1/traces"),
        (vec![(TRACES_ENDPOINT, "http://[::1]:9/spans"), (ENDPOINT, "no")], "http://[::1]:9/spans"),
    ] {
        assert_eq!(load(&variables).unwrap().unwrap().endpoint.to_string(), expected);
    }
}

#[test]
fn endpoint_that_cannot_be_reached_is_refused_with_what_to_do() {
    for (value, part) in [
        ("https://api.example.com", "run a collector on this machine"),
        ("127.0.0.1:4318", "http://127.0.0.1:4318"),
        ("grpc://localhost:4317", "http://HOST:PORT"),
        ("http://", "http://HOST:PORT"),
    ] {
        let error = load(&[(ENDPOINT, value)]).unwrap_err().to_string();
        assert!(
            error.starts_with("OTEL_EXPORTER_OTLP_ENDPOINT=") && error.contains(part),
            "{error}"
        );
    }
}

#[test]
fn what_is_not_spoken_is_refused_not_ignored() {
    for (name, value) in [
        ("OTEL_TRACES_EXPORTER", "console"),
        ("OTEL_TRACES_EXPORTER", "otlp,console"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
        ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/json"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "soon"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "0"),
        (SAMPLER, "sometimes"),
        (SAMPLER, "parentbased_jaeger_remote"),
    ] {
        let error = with(name, value).unwrap_err();
        assert_eq!((error.variable, error.value.as_str()), (name, value));
    }
    assert!(with("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf").is_ok());
    assert!(with("OTEL_TRACES_EXPORTER", "otlp").is_ok());
    let error = load(&[("OTEL_TRACES_EXPORTER", "console")]).unwrap_err().to_string();
    assert!(error.contains("otlp or none"), "{error}");
}

#[test]
fn sampler_is_the_one_of_the_standard_variables() {
    let sampler = |name: &'static str, ratio: &'static str| {
        let variables = [(ENDPOINT, "http://[::1]:1"), (SAMPLER, name), (SAMPLER_ARG, ratio)];
        load(&variables).map(|settings| format!("{:?}", settings.unwrap().sampler))
    };
    assert_eq!(sampler("", "").unwrap(), "ParentBased(AlwaysOn)");
    assert_eq!(sampler("always_off", "").unwrap(), "AlwaysOff");
    assert_eq!(sampler("traceidratio", "0.25").unwrap(), "TraceIdRatioBased(0.25)");
    let ratio = sampler("parentbased_traceidratio", "0.1").unwrap();
    assert_eq!(ratio, "ParentBased(TraceIdRatioBased(0.1))");
    for wrong in ["2", "-1", "NaN", "a tenth"] {
        assert_eq!(sampler("traceidratio", wrong).unwrap_err().variable, SAMPLER_ARG);
    }
}

#[test]
fn headers_are_taken_and_their_values_never_shown() {
    let name = "OTEL_EXPORTER_OTLP_HEADERS";
    let settings = with(name, "api-key=a%20b+c, x-team = blue").unwrap();
    assert_eq!(settings.headers["api-key"], "a b+c");
    assert_eq!(settings.headers["x-team"], "blue");
    assert!(!format!("{settings:?}").contains("blue"));
    let error = with(name, "secret").unwrap_err().to_string();
    assert!(!error.contains("secret"), "{error}");
}
