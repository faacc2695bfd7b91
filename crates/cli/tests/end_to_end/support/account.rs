//! An emulated account of AWS of a test's own, and what runs in it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use worldbus_testkit::{Emulator, EmulatorKind};

use super::{Finished, Service, run_with_input, worldbus};

/// Creates a stack from the template on standard input; prints its outputs.
const DEPLOY: &str = "
import boto3, json, sys
stacks, stack = boto3.client('cloudformation'), sys.argv[1]
name = {'ParameterKey': 'SystemName', 'ParameterValue': sys.argv[2]}
stacks.create_stack(StackName=stack, TemplateBody=sys.stdin.read(), Parameters=[name],
                    Capabilities=['CAPABILITY_NAMED_IAM'])
stacks.get_waiter('stack_create_complete').wait(StackName=stack, WaiterConfig={'Delay': 1})
outputs = stacks.describe_stacks(StackName=stack)['Stacks'][0]['Outputs']
print(json.dumps({output['OutputKey']: output['OutputValue'] for output in outputs}))
";

/// An account of a town's own, and what runs in it.
pub(crate) struct Account {
    emulator: Emulator,
    folder: tempfile::TempDir,
    url: String,
}

impl Account {
    /// One in which everyone may do everything.
    pub(crate) fn open(prefix: &str) -> Self {
        Self::of(Emulator::start(EmulatorKind::Ministack), prefix)
    }

    /// One that judges each request by the policies of IAM and of queues.
    pub(crate) fn open_guarded(prefix: &str) -> Self {
        Self::of(Emulator::start_guarded(), prefix)
    }

    fn of(emulator: Emulator, prefix: &str) -> Self {
        let url = format!("sns-sqs://us-east-1?prefix={prefix}&linger_ms=20");
        Self { emulator, folder: tempfile::tempdir().unwrap(), url }
    }

    /// A folder of its own.
    pub(crate) fn dir(&self) -> &Path {
        self.folder.path()
    }

    /// Where it is on loopback.
    pub(crate) fn port(&self) -> u16 {
        self.emulator.port()
    }

    /// The bus in it.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The binary with the account's environment, as every AWS tool takes it.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = worldbus();
        command.args(arguments).envs(self.emulator.environment());
        command.env("WORLDBUS_URL", &self.url);
        command
    }

    /// A python3 that has boto3, in the project's folder.
    pub(crate) fn python(&self, arguments: &[&str]) -> Command {
        let mut python = Command::new(self.emulator.python());
        python.args(arguments).envs(self.emulator.environment()).current_dir(root());
        python
    }

    /// Runs a command of the binary to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Finished {
        run_with_input(&mut self.command(arguments), b"")
    }

    /// Makes a stack for a system of this name; its outputs.
    pub(crate) fn deploy(
        &self,
        stack: &str,
        template: &[u8],
        system_name: &str,
    ) -> BTreeMap<String, String> {
        let mut deploy = self.python(&["-c", DEPLOY, stack, system_name]);
        let deployed = run_with_input(&mut deploy, template);
        assert_eq!(deployed.code, 0, "{deployed:?}");
        serde_json::from_slice(&deployed.stdout).unwrap()
    }

    /// A service of a town that makes its state table itself.
    pub(crate) fn start(&self, service: &str) -> Service {
        let state = "dynamodb://us-east-1/gaming-system-state?create=true";
        let dir = self.dir().to_str().unwrap();
        let mut arguments = vec![service, "--listen", "127.0.0.1:0", "--data-dir", dir];
        arguments.extend(["--state-url", state, "--log", "info"]);
        if service != "event-bus" {
            arguments.extend(["--lead-ms", "400"]);
        }
        Service::spawn(&mut self.command(&arguments))
    }
}

/// The project's folder.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}
