//! An emulator of AWS as a child process on a port of its own: real HTTP, no account.
#![expect(clippy::disallowed_methods, reason = "starts a program and waits for it")]

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::DEADLINE;

/// Names the folder of a python3 that has the emulators; else the one on the PATH is tried.
const FOLDER: &str = "WORLDBUS_AWS_EMULATORS";
/// What it plays of AWS: all that an installation has.
const SERVICES: &str = "cloudformation,dynamodb,ec2,ecs,elasticloadbalancing,events,iam,logs,\
                        monitoring,rds,secretsmanager,servicediscovery,sns,sqs,sts";

/// A running emulator; killed when dropped.
#[derive(Debug)]
pub struct Emulator {
    kind: EmulatorKind,
    /// Whether it judges each request by the policies of IAM.
    guarded: bool,
    child: Child,
    port: u16,
}

/// The emulators that there are; each is wrong somewhere else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EmulatorKind {
    /// The faster one.
    Ministack,
    /// The one that knows Binary attributes in SNS's wrapper.
    Moto,
}

impl Emulator {
    /// Starts one and waits until it answers. It holds nothing, and everyone may do everything.
    pub fn start(kind: EmulatorKind) -> Self {
        Self::open(kind, false)
    }

    /// Starts one that judges each request by the policies of IAM and of queues. Those of
    /// [`Emulator::environment`] may do everything.
    pub fn start_guarded() -> Self {
        Self::open(EmulatorKind::Ministack, true)
    }

    fn open(kind: EmulatorKind, guarded: bool) -> Self {
        let port = free_port();
        let emulator = Self { kind, guarded, child: kind.spawn(port, guarded), port };
        emulator.answers();
        emulator
    }

    /// Its port on loopback.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// A python3 that has boto3 as well.
    pub fn python(&self) -> PathBuf {
        python()
    }

    /// What AWS's tools need to reach it.
    pub fn environment(&self) -> [(&'static str, String); 5] {
        [
            ("AWS_ENDPOINT_URL", format!("http://127.0.0.1:{}", self.port)),
            ("AWS_REGION", "us-east-1".to_owned()),
            ("AWS_DEFAULT_REGION", "us-east-1".to_owned()),
            ("AWS_ACCESS_KEY_ID", "test".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "test".to_owned()),
        ]
    }

    /// Stops it and starts it again on the same port; what it held is gone.
    pub fn restart(&mut self) {
        self.stop();
        self.child = self.kind.spawn(self.port, self.guarded);
        self.answers();
    }

    /// Stops it.
    pub fn stop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    fn answers(&self) {
        let end = Instant::now() + DEADLINE;
        while TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_err() {
            assert!(Instant::now() < end, "{:?} does not answer", self.kind);
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        self.stop();
    }
}

impl EmulatorKind {
    fn spawn(self, port: u16, guarded: bool) -> Child {
        let script = match self {
            Self::Ministack => "ministack.py",
            Self::Moto => "moto.py",
        };
        let mut command = Command::new(python());
        command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../emulators").join(script));
        command.env("GATEWAY_PORT", port.to_string()).env("SERVICES", SERVICES);
        command.env("AUTH", guarded.to_string());
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

fn python() -> PathBuf {
    std::env::var_os(FOLDER).map(PathBuf::from).unwrap_or_default().join("python3")
}

/// A port that nothing listens on, and that the system gives to no program: it is below those
/// that it chooses from by itself. Else another test might be given the port of an emulator that
/// is away.
pub fn free_port() -> u16 {
    const FIRST: u32 = 15_000;
    const COUNT: u32 = 17_000;
    // Tests that run at once are processes of their own.
    let begin = std::process::id().wrapping_mul(31);
    let mut ports = (0..COUNT).map(|step| FIRST + begin.wrapping_add(step) % COUNT);
    let free = ports.find_map(|port| {
        let port = u16::try_from(port).unwrap();
        TcpListener::bind((Ipv4Addr::LOCALHOST, port)).ok().map(|_| port)
    });
    free.unwrap()
}
