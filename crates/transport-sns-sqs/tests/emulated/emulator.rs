//! An emulator of AWS as a child process on a port of its own.

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_sns::config::{Credentials, SharedCredentialsProvider};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tokio::net::TcpStream;
use worldbus_conformance::soon;
use worldbus_transport_sns_sqs::{Setup, SnsSqs};

/// Names the folder of a python3 that has the emulators; else the one on the PATH is tried.
const FOLDER: &str = "WORLDBUS_AWS_EMULATORS";

/// A running emulator; killed when dropped.
pub(crate) struct Emulator {
    kind: Kind,
    child: Child,
    pub(crate) port: u16,
}

/// The emulators that there are; each is wrong somewhere else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Ministack,
    Moto,
}

impl Emulator {
    pub(crate) async fn ministack() -> Self {
        Self::start(Kind::Ministack).await
    }

    pub(crate) async fn start(kind: Kind) -> Self {
        let port = free_port();
        let emulator = Self { kind, child: kind.spawn(port), port };
        emulator.answers().await;
        emulator
    }

    /// Stops it and starts it anew on the same port; what it held is gone.
    pub(crate) async fn restart(&mut self) {
        self.stop();
        self.child = self.kind.spawn(self.port);
        self.answers().await;
    }

    pub(crate) fn stop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    async fn answers(&self) {
        soon("the emulator", async {
            while TcpStream::connect(("127.0.0.1", self.port)).await.is_err() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        })
        .await;
    }

    /// Connects with names of a prefix; `more` goes behind it in the URL.
    pub(crate) async fn connect(&self, prefix: &str, more: &str) -> SnsSqs {
        let url = format!("sns-sqs://us-east-1?prefix={prefix}&linger_ms=0{more}");
        let sdk = Some(self.sdk("us-east-1"));
        SnsSqs::connect(&url, Setup { sdk, ..Setup::default() }).await.unwrap()
    }

    /// How the SDK reaches it.
    pub(crate) fn sdk(&self, region: &str) -> SdkConfig {
        sdk(self.port, region)
    }

    pub(crate) fn sqs(&self) -> aws_sdk_sqs::Client {
        aws_sdk_sqs::Client::new(&self.sdk("us-east-1"))
    }

    pub(crate) fn sns(&self) -> aws_sdk_sns::Client {
        aws_sdk_sns::Client::new(&self.sdk("us-east-1"))
    }
}

pub(crate) fn sdk(port: u16, region: &str) -> SdkConfig {
    let credentials = Credentials::new("test", "test", None, None, "test");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(region.to_owned()))
        .endpoint_url(format!("http://127.0.0.1:{port}"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .build()
}

impl Drop for Emulator {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Kind {
    fn spawn(self, port: u16) -> Child {
        let folder = std::env::var_os(FOLDER).map(PathBuf::from).unwrap_or_default();
        let script = match self {
            Self::Ministack => "ministack.py",
            Self::Moto => "moto.py",
        };
        let mut command = Command::new(folder.join("python3"));
        command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../emulators").join(script));
        command.env("GATEWAY_PORT", port.to_string()).env("SERVICES", "sns,sqs,sts,iam");
        command.env("MINISTACK_HOST", "127.0.0.1").env("BIND_HOST", "127.0.0.1");
        command.env("IOT_MTLS_ENABLED", "0").stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().unwrap_or_else(|error| {
            panic!(
                "cannot start {self:?} ({error}): `cargo xtask ci --only test` installs it; or \
                 `pip install -r emulators/requirements.txt` and set {FOLDER} to the folder of \
                 that python3"
            )
        })
    }
}

/// A port that was free a moment ago.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}
