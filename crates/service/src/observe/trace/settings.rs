//! The variables of the OpenTelemetry specification that count here, read once.

use std::time::Duration;

use form_urlencoded::parse as percent_decoded;
use http::{HeaderMap, HeaderName, HeaderValue, Uri};
use opentelemetry_sdk::trace::Sampler;

use crate::config::Sources;

const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
const TRACES_ENDPOINT: &str = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";
/// Behind the endpoint of all signals.
const TRACES_PATH: &str = "/v1/traces";
const EXPORTER: &str = "OTEL_TRACES_EXPORTER";
const SAMPLER: &str = "OTEL_TRACES_SAMPLER";
const SAMPLER_ARG: &str = "OTEL_TRACES_SAMPLER_ARG";
/// The time that the specification gives an export.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Where spans go, and which.
#[derive(Debug, Clone)]
pub struct Settings {
    pub(super) endpoint: Uri,
    pub(super) headers: HeaderMap,
    pub(super) timeout: Duration,
    pub(super) sampler: Sampler,
    pub(super) service_name: Option<String>,
}

/// A variable has a value that we cannot follow; the text states what to do.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{variable}={value}: {reason}")]
pub struct BadSetting {
    variable: &'static str,
    value: String,
    reason: String,
}

struct Variables(Vec<(String, String)>);

impl Settings {
    /// The settings of the environment; `None` if spans are to go nowhere.
    ///
    /// # Errors
    /// [`BadSetting`].
    pub fn load(sources: &dyn Sources) -> Result<Option<Self>, BadSetting> {
        let mut variables = sources.variables();
        variables.retain(|(name, value)| name.starts_with("OTEL_") && !value.is_empty());
        let variables = Variables(variables);
        let is = |name, wanted: &str| {
            variables.get(name).is_some_and(|v| v.eq_ignore_ascii_case(wanted))
        };
        if is("OTEL_SDK_DISABLED", "true") || is(EXPORTER, "none") {
            return Ok(None);
        }
        match variables.get(EXPORTER) {
            Some(value) if !is(EXPORTER, "otlp") => {
                return Err(bad(EXPORTER, value, "expected otlp or none; leave it out for otlp"));
            }
            _ => {}
        }
        let Some(endpoint) = variables.endpoint()? else { return Ok(None) };
        variables.only(
            ["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"],
            "http/protobuf",
        )?;
        variables.only(
            ["OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", "OTEL_EXPORTER_OTLP_COMPRESSION"],
            "none",
        )?;
        Ok(Some(Self {
            endpoint,
            headers: variables.headers()?,
            timeout: variables.timeout()?,
            sampler: variables.sampler()?,
            service_name: variables.get("OTEL_SERVICE_NAME").map(str::to_owned),
        }))
    }
}

impl Variables {
    fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The first that is set; the specification puts that of traces before that of all signals.
    fn first(&self, names: [&'static str; 2]) -> Option<(&'static str, &str)> {
        names.into_iter().find_map(|name| Some((name, self.get(name)?)))
    }

    fn endpoint(&self) -> Result<Option<Uri>, BadSetting> {
        let Some((variable, value)) = self.first([TRACES_ENDPOINT, ENDPOINT]) else {
            return Ok(None);
        };
        let path = if variable == ENDPOINT { TRACES_PATH } else { "" };
        let bad = |reason: &str| bad(variable, value, reason);
        let uri =
            format!("{}{path}", if path.is_empty() { value } else { value.trim_end_matches('/') });
        let uri: Uri = uri
            .parse()
            .map_err(|_| bad("expected http://HOST:PORT, e.g. http://127.0.0.1:4318"))?;
        match (uri.scheme_str(), uri.host()) {
            (Some("http"), Some(host)) if !host.is_empty() => Ok(Some(uri)),
            (Some("https"), _) => Err(bad(
                "spans leave this process by plain http; run a collector on this machine that \
                 forwards them by https, and name it: http://127.0.0.1:4318",
            )),
            _ => Err(bad("expected http://HOST:PORT, e.g. http://127.0.0.1:4318")),
        }
    }

    fn only(&self, names: [&'static str; 2], wanted: &str) -> Result<(), BadSetting> {
        match self.first(names) {
            Some((variable, value)) if value != wanted => {
                Err(bad(variable, value, &format!("only {wanted} is spoken here; leave it out")))
            }
            _ => Ok(()),
        }
    }

    fn headers(&self) -> Result<HeaderMap, BadSetting> {
        let names = ["OTEL_EXPORTER_OTLP_TRACES_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS"];
        let mut headers = HeaderMap::new();
        let Some((variable, value)) = self.first(names) else { return Ok(headers) };
        for pair in value.split(',').filter(|pair| !pair.trim().is_empty()) {
            // A header may be a secret: it is not shown.
            let bad = || bad(variable, "…", "expected NAME=VALUE,NAME=VALUE");
            let (name, text) = pair.trim().split_once('=').ok_or_else(bad)?;
            let name = HeaderName::try_from(name.trim()).map_err(|_| bad())?;
            // A plus is one here, unlike in a form.
            let text = text.trim().replace('+', "%2B");
            let text: String =
                percent_decoded(text.as_bytes()).map(|(text, _)| text.into_owned()).collect();
            let mut value = HeaderValue::try_from(text).map_err(|_| bad())?;
            value.set_sensitive(true);
            headers.append(name, value);
        }
        Ok(headers)
    }

    fn timeout(&self) -> Result<Duration, BadSetting> {
        let names = ["OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "OTEL_EXPORTER_OTLP_TIMEOUT"];
        let Some((variable, value)) = self.first(names) else { return Ok(TIMEOUT) };
        match value.parse() {
            Ok(ms @ 1..=60_000) => Ok(Duration::from_millis(ms)),
            _ => Err(bad(variable, value, "expected 1 to 60000 milliseconds")),
        }
    }

    fn sampler(&self) -> Result<Sampler, BadSetting> {
        let name = self.get(SAMPLER).unwrap_or("parentbased_always_on");
        let (base, parent_based) = match name.strip_prefix("parentbased_") {
            Some(base) => (base, true),
            None => (name, false),
        };
        let sampler = match base {
            "always_on" => Sampler::AlwaysOn,
            "always_off" => Sampler::AlwaysOff,
            "traceidratio" => Sampler::TraceIdRatioBased(self.ratio()?),
            _ => {
                let reason = "expected always_on, always_off or traceidratio, or one of them \
                              behind parentbased_";
                return Err(bad(SAMPLER, name, reason));
            }
        };
        Ok(if parent_based { Sampler::ParentBased(Box::new(sampler)) } else { sampler })
    }

    fn ratio(&self) -> Result<f64, BadSetting> {
        let Some(value) = self.get(SAMPLER_ARG) else { return Ok(1.0) };
        match value.parse() {
            Ok(ratio @ 0.0..=1.0) => Ok(ratio),
            _ => Err(bad(SAMPLER_ARG, value, "expected the part of traces to keep, 0 to 1")),
        }
    }
}

fn bad(variable: &'static str, value: &str, reason: &str) -> BadSetting {
    BadSetting { variable, value: value.to_owned(), reason: reason.to_owned() }
}

#[cfg(test)]
mod tests;
