//! An emulated account of AWS of a test's own, and what runs in it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Finished, Service, run_with_input, worldbus};
use worldbus_testkit::{Emulator, EmulatorKind};

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
    pub(crate) emulator: Emulator,
    /// A folder of its own.
    pub(crate) folder: tempfile::TempDir,
    /// The bus in it.
    pub(crate) url: String,
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

    /// A service with the account's data directory.
    pub(crate) fn start(&self, service: &str) -> Service {
        self.start_with(service, |_| {})
    }

    /// The same, with more of an environment.
    pub(crate) fn start_with(
        &self,
        service: &str,
        configure: impl FnOnce(&mut Command),
    ) -> Service {
        let lead: &[&str] = if service == "event-bus" { &[] } else { &["--lead-ms", "400"] };
        let mut command = self.service(self.folder.path(), service, lead);
        configure(&mut command);
        Service::spawn(&mut command)
    }

    /// An event-bus with a log of its own, in a folder of the account's.
    pub(crate) fn event_bus(&self, folder: &str, more: &[&str]) -> Service {
        self.start_in(&self.folder.path().join(folder), "event-bus", more)
    }

    /// A service with a data directory of its own, as a task has it; the state is the account's.
    pub(crate) fn start_in(&self, dir: &Path, service: &str, more: &[&str]) -> Service {
        Service::spawn(&mut self.service(dir, service, more))
    }

    fn service(&self, dir: &Path, service: &str, more: &[&str]) -> Command {
        let state = "dynamodb://us-east-1/gaming-system-state?create=true";
        let dir = dir.to_str().unwrap();
        let arguments = [service, "--listen", "127.0.0.1:0", "--data-dir", dir];
        let state = ["--state-url", state, "--log", "info"];
        self.command(&[&arguments[..], &state, more].concat())
    }
}

/// The project's folder.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}
