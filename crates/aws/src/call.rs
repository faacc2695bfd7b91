//! Signed calls of services whose SDK crates are too heavy for the little that we ask of them: the
//! SDK's own runtime (credentials, signing, retries, timeouts) carries a form or a JSON object.
//!
//! Not for: SNS and SQS, which have their SDK crates.

use std::fmt;

use aws_config::SdkConfig;
use aws_runtime::auth::SigV4OperationSigningConfig;
use aws_runtime::auth::sigv4::{SCHEME_ID, SigV4AuthScheme};
use aws_runtime::retries::classifiers::AwsErrorCodeClassifier;
use aws_smithy_runtime::client::identity::IdentityCache;
use aws_smithy_runtime::client::orchestrator::operation::Operation;
use aws_smithy_runtime::client::retries::classifiers::{
    HttpStatusCodeClassifier, TransientErrorClassifier,
};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::auth::static_resolver::StaticAuthSchemeOptionResolver;
use aws_smithy_runtime_api::client::auth::{
    AuthSchemeOptionResolverParams, SharedAuthScheme, SharedAuthSchemeOptionResolver,
};
use aws_smithy_runtime_api::client::identity::SharedIdentityResolver;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse, OrchestratorError};
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponentsBuilder;
use aws_smithy_runtime_api::client::runtime_plugin::StaticRuntimePlugin;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::Layer;
use aws_smithy_types::error::metadata::{ErrorMetadata, ProvideErrorMetadata};
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::service_config::ServiceConfigKey;

use crate::{Missing, missing};

/// How a service of AWS is called.
#[derive(Debug, Clone, Copy)]
pub struct Service {
    /// Its name where an endpoint is set for it alone, e.g. `DynamoDB` of
    /// `AWS_ENDPOINT_URL_DYNAMODB`.
    pub id: &'static str,
    /// The name that it signs with.
    pub signing_name: &'static str,
    /// The first labels of its host.
    pub host: &'static str,
}

/// A service of AWS in a region, with the credentials to call it.
#[derive(Debug, Clone)]
pub struct Caller {
    operation: Operation<Request, String, Fault>,
}

/// What is sent.
#[derive(Debug)]
struct Request {
    content_type: String,
    /// Of JSON protocols: what is called.
    target: Option<String>,
    body: Vec<u8>,
}

/// What a service refused, in its own words.
#[derive(Debug, Clone)]
pub struct Fault {
    metadata: ErrorMetadata,
    answer: String,
}

/// Why a call came to nothing.
#[derive(Debug, Clone)]
pub enum CallError {
    /// The service answered, with this code and these words.
    Refused {
        /// E.g. `ValidationError`.
        code: String,
        /// For people.
        message: String,
        /// The whole answer, in the form that the service uses.
        answer: String,
    },
    /// It did not: what there was not, and in words what to do.
    Silent(Missing, String),
}

impl Caller {
    /// A service in a region; `sdk` is [`crate::bounded`].
    pub fn new(sdk: &SdkConfig, service: Service, region: &str) -> Self {
        let endpoint = endpoint(sdk, service, region);
        let retries = sdk.retry_config().cloned().unwrap_or_else(RetryConfig::standard);
        let timeouts =
            sdk.timeout_config().cloned().unwrap_or_else(|| TimeoutConfig::builder().build());
        let mut operation = Operation::builder()
            .service_name(service.signing_name)
            .operation_name("call")
            .endpoint_url(&endpoint)
            .standard_retry(&retries)
            .timeout_config(timeouts)
            .runtime_plugin(signing(sdk, service.signing_name, region))
            .with_connection_poisoning();
        if let Some(version) = sdk.behavior_version() {
            operation = operation.behavior_version(version);
        }
        if let Some(client) = sdk.http_client() {
            operation = operation.http_client(client);
        }
        Self { operation: operation.serializer(written).deserializer(read).build() }
    }

    /// Calls an action of a service that takes a form; its answer is XML.
    ///
    /// # Errors
    /// [`CallError`]; calls that are throttled or meet a fault of the server were tried again.
    pub async fn form(
        &self,
        version: &str,
        action: &str,
        fields: &[(String, String)],
    ) -> Result<String, CallError> {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("Action", action).append_pair("Version", version).extend_pairs(fields);
        let content_type = "application/x-www-form-urlencoded".to_owned();
        let body = form.finish().into_bytes();
        self.call(Request { content_type, target: None, body }).await
    }

    /// Calls an action of a service that takes a JSON object by AWS's JSON protocol of a version,
    /// e.g. `1.1`; `target` is its service and itself.
    ///
    /// # Errors
    /// As [`Caller::form`]; an answer that is no JSON is [`Missing::Answer`].
    pub async fn json(
        &self,
        version: &str,
        target: &str,
        input: &serde_json::Value,
    ) -> Result<serde_json::Value, CallError> {
        let content_type = format!("application/x-amz-json-{version}");
        let body = input.to_string().into_bytes();
        let answer = self.call(Request { content_type, target: Some(target.to_owned()), body });
        serde_json::from_str(&answer.await?).map_err(|error| {
            CallError::Silent(Missing::Answer, format!("AWS's answer is no JSON: {error}"))
        })
    }

    async fn call(&self, request: Request) -> Result<String, CallError> {
        self.operation.invoke(request).await.map_err(|error| match &error {
            SdkError::ServiceError(service) => {
                let metadata = service.err().meta();
                CallError::Refused {
                    code: metadata.code().unwrap_or("unknown error").to_owned(),
                    message: metadata.message().unwrap_or("no message").to_owned(),
                    answer: service.err().answer.clone(),
                }
            }
            _ => {
                let (missing, words) = missing(&error);
                CallError::Silent(missing, words)
            }
        })
    }
}

/// Who signs, and what is tried again.
fn signing(sdk: &SdkConfig, service: &'static str, region: &str) -> StaticRuntimePlugin {
    let mut layer = Layer::new("signing");
    layer.store_put(AuthSchemeOptionResolverParams::new(()));
    layer.store_put(SigV4OperationSigningConfig {
        region: Some(aws_config::Region::new(region.to_owned()).into()),
        name: Some(service.into()),
        ..SigV4OperationSigningConfig::default()
    });
    let resolver = StaticAuthSchemeOptionResolver::new(vec![SCHEME_ID]);
    let mut components = RuntimeComponentsBuilder::new("signing")
        .with_auth_scheme(SharedAuthScheme::new(SigV4AuthScheme::new()))
        .with_auth_scheme_option_resolver(Some(SharedAuthSchemeOptionResolver::new(resolver)))
        .with_identity_cache(Some(IdentityCache::lazy().build()))
        .with_retry_classifier(HttpStatusCodeClassifier::default())
        .with_retry_classifier(TransientErrorClassifier::<Fault>::new())
        .with_retry_classifier(AwsErrorCodeClassifier::<Fault>::new());
    if let Some(credentials) = sdk.credentials_provider() {
        components.set_identity_resolver(SCHEME_ID, SharedIdentityResolver::new(credentials));
    }
    StaticRuntimePlugin::new().with_config(layer.freeze()).with_runtime_components(components)
}

fn written(request: Request) -> Result<HttpRequest, BoxError> {
    let mut http = HttpRequest::new(SdkBody::empty());
    http.set_method("POST")?;
    http.set_uri("/")?;
    if let Some(target) = request.target {
        http.headers_mut().insert("x-amz-target", target);
    }
    http.headers_mut().insert("content-type", request.content_type);
    http.headers_mut().insert("content-length", request.body.len().to_string());
    *http.body_mut() = SdkBody::from(request.body);
    Ok(http)
}

fn read(response: &HttpResponse) -> Result<String, OrchestratorError<Fault>> {
    let bytes = response.body().bytes().unwrap_or_default();
    let text = String::from_utf8_lossy(bytes).into_owned();
    if response.status().is_success() {
        return Ok(text);
    }
    let (code, message) = words(&text);
    let code = code.unwrap_or_else(|| format!("HTTP {}", response.status().as_u16()));
    let message = message.unwrap_or_else(|| text.clone());
    let metadata = ErrorMetadata::builder().code(code).message(message).build();
    Err(OrchestratorError::operation(Fault { metadata, answer: text }))
}

/// The code and the message of an error, in JSON or XML.
fn words(text: &str) -> (Option<String>, Option<String>) {
    if let Ok(json) = serde_json::from_str::<serde_json::Value>(text) {
        let field = |name: &str| json[name].as_str().map(str::to_owned);
        let code = field("__type").map(|code| code.rsplit('#').next().unwrap_or("").to_owned());
        return (code.or_else(|| field("code")), field("message").or_else(|| field("Message")));
    }
    let Ok(xml) = roxmltree::Document::parse(text) else { return (None, None) };
    let field = |name: &str| {
        let node = xml.descendants().find(|node| node.tag_name().name() == name);
        node.and_then(|node| node.text()).map(str::to_owned)
    };
    (field("Code"), field("Message"))
}

/// Where a service is called: as set for it, as set for all, or AWS's own host in the region.
fn endpoint(sdk: &SdkConfig, service: Service, region: &str) -> String {
    let key = ServiceConfigKey::builder().service_id(service.id).env("AWS_ENDPOINT_URL");
    let of_service = key.profile("endpoint_url").build().ok().and_then(|key| {
        let config = sdk.service_config()?;
        config.load_config(key)
    });
    of_service.or_else(|| sdk.endpoint_url().map(str::to_owned)).map_or_else(
        || format!("https://{}.{region}.{}", service.host, domain(region)),
        |url| url.trim_end_matches('/').to_owned(),
    )
}

/// What hosts of a region end with.
fn domain(region: &str) -> &'static str {
    if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" }
}

impl ProvideErrorMetadata for Fault {
    fn meta(&self) -> &ErrorMetadata {
        &self.metadata
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.metadata.fmt(f)
    }
}

impl std::error::Error for Fault {}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused { code, message, .. } => write!(f, "{code}: {message}"),
            Self::Silent(_, words) => f.write_str(words),
        }
    }
}

impl std::error::Error for CallError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_and_message_are_found_in_either_form() {
        let json = words("{\"__type\":\"com.x#ClusterNotFoundException\",\"message\":\"no\"}");
        assert_eq!(json, (Some("ClusterNotFoundException".into()), Some("no".into())));
        let xml = words(
            "<ErrorResponse xmlns=\"http://x/\"><Error><Code>ValidationError</Code>\
             <Message>a &amp; b</Message></Error></ErrorResponse>",
        );
        assert_eq!(xml, (Some("ValidationError".into()), Some("a & b".into())));
        assert_eq!(words("<html>bad gateway"), (None, None));
    }

    #[test]
    fn hosts_of_china_end_otherwise() {
        assert_eq!(domain("cn-north-1"), "amazonaws.com.cn");
        assert_eq!(domain("eu-central-1"), "amazonaws.com");
    }
}
