//! The command line of `worldbus topology`.

use clap::{Args, ValueEnum};

use crate::output::format::Format;
use crate::settings::Client;
use worldbus_service::config::Flags;

/// What to do with the topology.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct TopologyArguments {
    #[arg(value_enum)]
    pub(super) action: TopologyAction,
    /// A subscription of your own: NAME=TYPE,TYPE; may be given several times. In a template the
    /// service of that name gets a role
    #[arg(long, value_name = "NAME=TYPES")]
    pub(super) subscription: Vec<String>,
    /// The topics that a service of your own publishes on, for its role: NAME=TOPIC,TOPIC; may be
    /// given several times
    #[arg(long, value_name = "NAME=TOPICS")]
    pub(super) publishes: Vec<String>,
    /// Subscriptions that the instances of the event-bus share out, one each: 4 in a template,
    /// else 1
    #[arg(long, value_name = "NUMBER")]
    pub(super) event_bus_slots: Option<usize>,
    /// In a template, leave out queues and roles of the built-in services: `worldbus deploy aws`
    /// has them in a stack of each service
    #[arg(long)]
    pub(super) without_services: bool,
    /// How to write changes; documents are JSON in any case
    #[arg(long, value_enum, default_value_t)]
    pub(super) format: Format,
    #[command(flatten)]
    pub(super) flags: Flags<Client>,
}

/// What to do with the topology.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum TopologyAction {
    /// Create what is missing, set what differs
    Apply,
    /// Show what is missing or differs; exit code 1 if anything does
    Diff,
    /// Print what there should be, as JSON; asks nothing of AWS
    Print,
    /// Print the same as a CloudFormation template, with the roles of the services
    Template,
}

const HELP: &str = "\
Examples:
  worldbus topology print --url 'sns-sqs://us-east-1?prefix=gaming-system'
  worldbus topology template --url 'sns-sqs://us-east-1?prefix=gaming-system' >messaging.json
  worldbus topology template --url 'sns-sqs://us-east-1?prefix=gaming-system' \\
    --without-services --subscription npc-brain=weather.changed >messaging.json
  worldbus topology diff --url 'sns-sqs://us-east-1?prefix=gaming-system'
  worldbus topology apply --url 'sns-sqs://us-east-1?prefix=gaming-system' \\
    --subscription npc-brain=weather.changed,time.changed

Credentials and endpoint are those of every AWS tool: AWS_PROFILE, AWS_ACCESS_KEY_ID,
AWS_ENDPOINT_URL. What is there beyond the topology is left alone. Services create nothing.";
