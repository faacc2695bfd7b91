//! What all that talk to AWS have in common: how long they wait, how often they try, and what it
//! means when nothing came back.
//!
//! Not for: what a service of AWS answered; each crate knows the words of its own.

mod call;

use std::error::Error as StdError;
use std::io;
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region};
use aws_smithy_http_client::tls;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::display::DisplayErrorContext;

pub use aws_config::SdkConfig;
pub use call::{CallError, Caller, Fault, Service};

/// How long a connection may take to come about, and how long a call.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
const CALL_TIMEOUT: Duration = Duration::from_secs(10);
/// How often the SDK tries a call that is throttled or meets a fault of the server, with jitter.
const CALL_ATTEMPTS_MAX: u32 = 4;

/// Credentials and endpoint as every AWS tool takes them.
pub async fn load() -> SdkConfig {
    aws_config::defaults(BehaviorVersion::latest()).http_client(http_client()).load().await
}

/// The same for a region, with bounds on waiting and trying.
pub fn bounded(mut sdk: SdkConfig, region: &str) -> SdkConfig {
    if sdk.http_client().is_none() {
        sdk = sdk.into_builder().http_client(http_client()).build();
    }
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .operation_attempt_timeout(CALL_TIMEOUT)
        .build();
    sdk.into_builder()
        .region(Region::new(region.to_owned()))
        .timeout_config(timeouts)
        .retry_config(RetryConfig::standard().with_max_attempts(CALL_ATTEMPTS_MAX))
        .build()
}

/// The SDK's own would bring a second library of cryptography, which takes longer to build than
/// anything else here.
fn http_client() -> SharedHttpClient {
    let ring = tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring);
    aws_smithy_http_client::Builder::new().tls_provider(ring).build_https()
}

/// What there was not, when a call got no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// No credentials to sign with. Nothing was sent.
    Credentials,
    /// No connection to it. Nothing was sent.
    Connection,
    /// Perhaps it was done.
    Answer,
}

/// What there was not, and in words what to do, for an error without an answer of the service.
pub fn missing<E, R>(error: &SdkError<E, R>) -> (Missing, String)
where
    E: StdError + 'static,
    R: std::fmt::Debug + 'static,
{
    match error {
        SdkError::TimeoutError(_) => {
            return (Missing::Answer, "AWS did not answer in time".to_owned());
        }
        SdkError::ResponseError(_) => {
            return (Missing::Answer, "AWS's answer was broken off".to_owned());
        }
        _ => {}
    }
    let causes = DisplayErrorContext(error).to_string();
    let words = words(error);
    if causes.contains("credential") || causes.contains("identity") {
        let text = format!(
            "no AWS credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_PROFILE, or \
             run where a role is given ({words})"
        );
        return (Missing::Credentials, text);
    }
    let text =
        format!("cannot reach AWS ({words}); check the network, the region and AWS_ENDPOINT_URL");
    let missing = if was_not_connected(error) { Missing::Connection } else { Missing::Answer };
    (missing, text)
}

/// The message of each cause, down to the last, which is the one to mend. What was tried follows a
/// reason on lines of its own; people need the reason.
fn words(error: &(dyn StdError + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |&error| error.source());
    let messages: Vec<String> = causes
        .map(|cause| cause.to_string().lines().next().unwrap_or_default().to_owned())
        .map(|line| line.trim_end_matches(" Attempted:").to_owned())
        .collect();
    messages.join(": ")
}

/// Whether there was no connection, so that nothing was sent.
fn was_not_connected(error: &(dyn StdError + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<io::Error>() {
            return error.kind() == io::ErrorKind::ConnectionRefused;
        }
        cause = error.source();
    }
    false
}

#[cfg(test)]
mod tests;
