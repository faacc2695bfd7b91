//! REST as a script would use it.

use serde_json::Value;

/// An answer, whatever its status.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) content_type: String,
    pub(crate) text: String,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Asserts a problem document of this status whose detail holds each of `parts`.
    pub(crate) fn problem(&self, status: u16, parts: &[&str]) {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.content_type, "application/problem+json", "{self:?}");
        let detail = self.json()["detail"].as_str().unwrap().to_owned();
        for part in parts {
            assert!(detail.contains(part), "`{part}` is not in: {detail}");
        }
    }
}

pub(crate) fn get(url: &str) -> Result<Reply, ureq::Error> {
    agent().get(url).call().map(read)
}

pub(crate) fn post(url: &str, body: &Value) -> Reply {
    post_with(url, &[], body)
}

pub(crate) fn post_with(url: &str, headers: &[(&str, &str)], body: &Value) -> Reply {
    let request =
        headers.iter().fold(agent().post(url), |r, (name, value)| r.header(*name, *value));
    read(request.send_json(body).unwrap_or_else(|error| panic!("{url}: {error}")))
}

fn agent() -> ureq::Agent {
    let config = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(super::DEADLINE));
    config.build().into()
}

fn read(mut response: ureq::http::Response<ureq::Body>) -> Reply {
    let content_type = response.headers().get("content-type");
    let content_type = content_type.map_or("", |value| value.to_str().unwrap()).to_owned();
    let status = response.status().as_u16();
    Reply { status, content_type, text: response.body_mut().read_to_string().unwrap() }
}
