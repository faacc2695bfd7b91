//! The command line of `worldbus deploy aws`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use crate::output::failure::WrongUse;
use crate::output::format::Format;
use worldbus_deploy::Options;

/// Bytes of an image's name.
const IMAGE_BYTES_MAX: usize = 512;

/// Where to deploy.
#[derive(Debug, Subcommand)]
pub(crate) enum DeployCommand {
    /// Run everything in an AWS account, on ECS Fargate, over SNS and SQS
    #[command(after_help = AWS)]
    Aws(DeployAwsArguments),
}

/// What to do there.
#[derive(Debug, Args)]
pub(crate) struct DeployAwsArguments {
    #[command(subcommand)]
    pub(super) action: Action,
}

#[derive(Debug, Subcommand)]
pub(super) enum Action {
    /// Show what `up` would change and what it costs; changes nothing
    #[command(after_help = PLAN)]
    Plan(PlanArguments),
    /// Make what is missing and change what differs, after asking
    #[command(after_help = UP)]
    Up(UpArguments),
    /// Compare what runs with what should; exit code 1 if anything differs
    #[command(after_help = STATUS)]
    Status(PlanArguments),
    /// Delete what was made, after asking; keeps the data
    #[command(after_help = DOWN)]
    Down(DownArguments),
    /// Write the templates of the stacks into a folder, to read or to deploy with other tools
    #[command(after_help = TEMPLATES)]
    Templates(TemplatesArguments),
}

/// Which installation, where.
#[derive(Debug, Args)]
pub(super) struct Where {
    /// The region of AWS, e.g. eu-central-1
    #[arg(long, value_name = "REGION", env = "AWS_REGION")]
    region: Option<String>,
    /// What all names begin with; another name is another installation
    #[arg(long, value_name = "NAME", default_value = "gaming-system")]
    system_name: String,
    /// AWS endpoint override, for an emulator; by default AWS_ENDPOINT_URL
    #[arg(long, value_name = "URL")]
    pub(super) endpoint_url: Option<String>,
    /// A resource type to leave out: for emulators that lack it
    #[arg(long, value_name = "TYPE", hide = true)]
    without: Vec<String>,
    /// How to write results: for people, or a JSON object a line
    #[arg(long, value_enum, default_value_t)]
    pub(super) format: Format,
}

/// What shall be there. What is not given stays as it is, or has its default.
#[derive(Debug, Args)]
pub(super) struct PlanArguments {
    #[command(flatten)]
    pub(super) place: Where,
    /// How much there is around the services
    #[arg(long, value_enum)]
    profile: Option<Profile>,
    /// The services to run, NAME or NAME=COUNT with commas between; 0 to 2 of each
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    services: Vec<String>,
    /// The image of all services
    #[arg(long, value_name = "REGISTRY/NAME:TAG", value_parser = image)]
    image: Option<String>,
    /// What the image is built for
    #[arg(long, value_enum)]
    architecture: Option<Architecture>,
    /// The certificate of the balancer, for TLS and gRPC
    #[arg(long, value_name = "ARN")]
    certificate_arn: Option<String>,
    /// Open the balancer to the internet; `--internet-facing false` closes it
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    internet_facing: Option<bool>,
    /// Email address for alarm notifications; it confirms once
    #[arg(long, value_name = "ADDRESS")]
    alarm_email: Option<String>,
    /// The collector beside each service that hands traces to X-Ray
    #[arg(long, value_name = "REGISTRY/NAME:TAG", value_parser = image)]
    collector_image: Option<String>,
    /// Any other parameter of a template; may be given several times
    #[arg(long, value_name = "NAME=VALUE")]
    parameter: Vec<String>,
}

/// What to make.
#[derive(Debug, Args)]
pub(super) struct UpArguments {
    #[command(flatten)]
    pub(super) plan: PlanArguments,
    /// Skip confirmation
    #[arg(long)]
    pub(super) yes: bool,
}

/// Where to write the templates.
#[derive(Debug, Args)]
pub(super) struct TemplatesArguments {
    /// The folder; it is made if it is not there, and files of these names are replaced
    #[arg(value_name = "FOLDER")]
    pub(super) folder: PathBuf,
    /// How to write the result
    #[arg(long, value_enum, default_value_t)]
    pub(super) format: Format,
}

/// What to delete.
#[derive(Debug, Args)]
pub(super) struct DownArguments {
    #[command(flatten)]
    pub(super) place: Where,
    /// Delete the state, the database, the API key and the logs as well
    #[arg(long)]
    pub(super) delete_data: bool,
    /// Skip confirmation
    #[arg(long)]
    pub(super) yes: bool,
}

/// How much there is around the services.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Profile {
    /// Tasks with public addresses; no balancer, no NAT
    Minimal,
    /// Private subnets in two zones, a balancer, discovery, scaling, a database
    Production,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Architecture {
    #[value(name = "x86-64", alias = "X86_64")]
    X86,
    #[value(name = "arm64", alias = "ARM64")]
    Arm,
}

impl Profile {
    /// As the templates call it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Minimal => "minimal",
            Self::Production => "production",
        }
    }
}

impl Where {
    /// The options of a command that changes no parameter.
    pub(super) fn options(&self) -> Result<Options, WrongUse> {
        let region = self.region.clone().filter(|region| !region.is_empty());
        let region = region.or_else(|| std::env::var("AWS_DEFAULT_REGION").ok());
        let region = region.filter(|region| !region.is_empty()).ok_or_else(|| {
            WrongUse("no region: --region, e.g. eu-central-1, or AWS_REGION".to_owned())
        })?;
        Ok(Options {
            region,
            system_name: self.system_name.clone(),
            without: self.without.iter().cloned().collect(),
            ..Options::default()
        })
    }
}

impl PlanArguments {
    pub(super) fn options(&self) -> Result<Options, WrongUse> {
        let mut options = self.place.options()?;
        options.services = self.services.clone();
        options.parameters = self.parameters()?;
        Ok(options)
    }

    fn parameters(&self) -> Result<BTreeMap<String, String>, WrongUse> {
        let mut parameters = BTreeMap::new();
        for text in &self.parameter {
            let Some((name, value)) = text.split_once('=') else {
                return Err(WrongUse(format!("--parameter {text:?}: expected NAME=VALUE")));
            };
            parameters.insert(name.to_owned(), value.to_owned());
        }
        let architecture = self.architecture.map(|architecture| match architecture {
            Architecture::X86 => "X86_64".to_owned(),
            Architecture::Arm => "ARM64".to_owned(),
        });
        let flags = [
            ("Profile", self.profile.map(|profile| profile.name().to_owned())),
            ("Image", self.image.clone()),
            ("Architecture", architecture),
            ("CertificateArn", self.certificate_arn.clone()),
            ("InternetFacing", self.internet_facing.map(|open| open.to_string())),
            ("AlarmEmail", self.alarm_email.clone()),
            ("CollectorImage", self.collector_image.clone()),
        ];
        for (name, value) in flags {
            if let Some(value) = value {
                parameters.insert(name.to_owned(), value);
            }
        }
        Ok(parameters)
    }
}

/// The name of an image: a mistake here would be found by a task that never starts.
fn image(text: &str) -> Result<String, String> {
    let may_be = |c: char| c.is_ascii_alphanumeric() || "._-/:@".contains(c);
    let begins = text.starts_with(|c: char| c.is_ascii_alphanumeric());
    if begins && text.len() <= IMAGE_BYTES_MAX && !text.contains("://") && text.chars().all(may_be)
    {
        return Ok(text.to_owned());
    }
    Err("expected REGISTRY/NAME:TAG of letters, digits and . _ - / : @, without blanks".to_owned())
}

const AWS: &str = "\
Examples:
  worldbus deploy aws plan --region eu-central-1 --image REGISTRY/worldbus:1.0
  worldbus deploy aws up --region eu-central-1 --image REGISTRY/worldbus:1.0
  worldbus deploy aws status --region eu-central-1
  worldbus deploy aws down --region eu-central-1

Credentials are those of every AWS tool: AWS_PROFILE, AWS_ACCESS_KEY_ID, a role. The stacks are
NAME-state, -network, -database, -messaging, -services, one for each service besides the event-bus
such as NAME-time-manager, and NAME-observability; `worldbus deploy aws templates` writes their
templates, which `aws cloudformation deploy` takes as well.";

const PLAN: &str = "\
Examples:
  worldbus deploy aws plan --region eu-central-1 --image REGISTRY/worldbus:1.0
  worldbus deploy aws plan --region eu-central-1 --profile production
  worldbus deploy aws plan --region eu-central-1 --parameter TimeManagerSpotPercent=0
  worldbus deploy aws plan --region eu-central-1 --parameter Database=postgres

What CloudFormation says would change, and what a month costs then. A stack that stands on one
which is not there yet is told from its template. The change sets are deleted again.";

const UP: &str = "\
Examples:
  worldbus deploy aws up --region eu-central-1 --image REGISTRY/worldbus:1.0
  worldbus deploy aws up --region eu-central-1 --image REGISTRY/worldbus:1.1 --yes
  worldbus deploy aws up --region eu-central-1 --profile production --alarm-email ops@studio.example
  worldbus deploy aws up --region eu-central-1 --services time-manager=2,weather-manager,event-bus

Shows what `plan` shows, asks, then does it stack by stack, the services at once; without a
terminal it needs --yes. What is not given stays as it is. Run again it changes nothing. Ctrl-C
stops the watching, not AWS.";

const STATUS: &str = "\
Examples:
  worldbus deploy aws status --region eu-central-1
  worldbus deploy aws status --region eu-central-1 --image REGISTRY/worldbus:1.1

Looks at stacks, their templates and their parameters, at services and their rollout, and at
alarms.";

const DOWN: &str = "\
Examples:
  worldbus deploy aws down --region eu-central-1
  worldbus deploy aws down --region eu-central-1 --delete-data --yes

Shows what goes and what stays, asks, then deletes in reverse order. The stack of the state stays
unless --delete-data, and a database with the network that it is in, which runs on and is paid for:
a later `up` goes on with the same world and the same API key.";

const TEMPLATES: &str = "\
Examples:
  worldbus deploy aws templates ./templates

Writes state.yaml, network.yaml, database.yaml, messaging.json, services.yaml, one for each service
besides the event-bus such as time-manager.yaml, and observability.yaml. Each imports from those
before it; `aws cloudformation deploy` takes them in that order.";

#[cfg(test)]
mod tests {
    use super::image;

    #[test]
    fn image_has_no_blank_nor_scheme() {
        for right in ["worldbus", "localhost:5000/a/b:1.0", "r.example/w@sha256:0a1b"] {
            assert_eq!(image(right).as_deref(), Ok(right));
        }
        for wrong in ["", " ", "worldbus :1.0", "worldbus\n", "https://r/w", "-w", "a\u{a0}b"] {
            assert!(image(wrong).unwrap_err().contains("REGISTRY/NAME:TAG"), "{wrong:?}");
        }
        assert!(image(&"a".repeat(513)).is_err());
    }
}
