//! The transport, and AWS's own clients, at an emulator.

use aws_config::{BehaviorVersion, SdkConfig};
use aws_sdk_sns::config::{Credentials, SharedCredentialsProvider};

use worldbus_testkit::Emulator;
use worldbus_transport_sns_sqs::{Setup, SnsSqs};

/// Connects with names of a prefix; `more` goes behind it in the URL.
pub(crate) async fn connect(emulator: &Emulator, prefix: &str, more: &str) -> SnsSqs {
    connect_to(emulator.port(), prefix, more).await
}

/// As [`connect`], by a port of this machine.
pub(crate) async fn connect_to(port: u16, prefix: &str, more: &str) -> SnsSqs {
    let url = format!("sns-sqs://us-east-1?prefix={prefix}&linger_ms=0{more}");
    let sdk = Some(sdk(port));
    SnsSqs::connect(&url, Setup { sdk, ..Setup::default() }).await.unwrap()
}

pub(crate) fn sqs(emulator: &Emulator) -> aws_sdk_sqs::Client {
    aws_sdk_sqs::Client::new(&sdk(emulator.port()))
}

pub(crate) fn sns(emulator: &Emulator) -> aws_sdk_sns::Client {
    aws_sdk_sns::Client::new(&sdk(emulator.port()))
}

/// How the SDK reaches a port of this machine.
pub(crate) fn sdk(port: u16) -> SdkConfig {
    let credentials = Credentials::new("test", "test", None, None, "test");
    let sdk = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url(format!("http://127.0.0.1:{port}"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .build();
    worldbus_aws::bounded(sdk, "us-east-1")
}
