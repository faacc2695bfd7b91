//! What goes wrong in an account, and what people are advised to do. The account is a peer
//! that fails as it is scripted.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::Stdio;

use super::peer::{Fate, GOOD, Peer};
use crate::support::{Finished, eventually, run_with_input, signal, worldbus};

const UP: [&str; 4] = ["up", "--yes", "--image", "worldbus:1"];
const QUEUE: &str = "AWS::SQS::Queue";
const STACK: &str = "AWS::CloudFormation::Stack";

/// Asserts the code 1 and that each of `parts` was reported.
fn failed(finished: &Finished, parts: &[&str]) {
    finished.refused(parts);
    assert_eq!(finished.code, 1, "{finished:?}");
}

#[test]
fn stack_that_fails_is_reported_with_its_cause_and_with_what_is_there() {
    let peer = Peer::start(|cloud| {
        cloud.fate(
            "gaming-system-network",
            Fate {
                status: "ROLLBACK_COMPLETE",
                events: &[
                    ("Kept", QUEUE, "CREATE_COMPLETE", ""),
                    (
                        "Vpc",
                        "AWS::EC2::VPC",
                        "CREATE_FAILED",
                        "The maximum number of VPCs has been reached. (VpcLimitExceeded)",
                    ),
                    ("Other", QUEUE, "CREATE_FAILED", "Resource creation cancelled"),
                    ("Kept", QUEUE, "DELETE_SKIPPED", ""),
                    ("gaming-system-network", STACK, "ROLLBACK_COMPLETE", ""),
                ],
            },
        );
    });
    let up = peer.run(&UP);
    failed(
        &up,
        &[
            "stack gaming-system-network failed (ROLLBACK_COMPLETE)",
            "Vpc (AWS::EC2::VPC): The maximum number of VPCs",
            "Service Quotas",
            "run `worldbus deploy aws up` again",
            "what is there now:",
            "gaming-system-state            CREATE_COMPLETE, 1 resources",
            "AWS::SQS::Queue the-Kept (DELETE_SKIPPED)",
            "gaming-system-services         not made",
        ],
    );
    assert!(!up.stderr.contains("cancelled"), "what followed is no cause: {}", up.stderr);
    let progress = up.lines();
    assert!(progress.iter().any(|line| line.contains("CREATE_FAILED") && line.contains("Vpc")));
    let calls = &peer.cloud().calls;
    assert!(!calls.iter().any(|call| call == "ExecuteChangeSet gaming-system-messaging"));
}

#[test]
fn service_that_fails_keeps_no_other_from_its_end() {
    let peer = Peer::start(|cloud| {
        cloud.fate(
            "gaming-system-time-manager",
            Fate {
                status: "ROLLBACK_COMPLETE",
                events: &[(
                    "TimeManagerService",
                    "AWS::ECS::Service",
                    "CREATE_FAILED",
                    "ECS Deployment Circuit Breaker was triggered",
                )],
            },
        );
    });
    failed(
        &peer.run(&UP),
        &[
            "stack gaming-system-time-manager failed (ROLLBACK_COMPLETE)",
            "tasks did not stay up",
            "gaming-system-weather-manager  CREATE_COMPLETE, 1 resources",
            "gaming-system-observability    not made",
        ],
    );
    peer.cloud().fate("gaming-system-time-manager", GOOD);
    let again = peer.run(&UP);
    assert_eq!(again.code, 0, "{again:?}");
    let calls = &peer.cloud().calls;
    assert!(calls.contains(&"DeleteStack gaming-system-time-manager".to_owned()), "{calls:?}");
}

#[test]
fn name_that_is_taken_is_reported_as_such() {
    let peer = Peer::start(|cloud| {
        cloud.fate(
            "gaming-system-time-manager",
            Fate {
                status: "ROLLBACK_COMPLETE",
                events: &[(
                    "TimeManagerTaskRole",
                    "AWS::IAM::Role",
                    "CREATE_FAILED",
                    "Role with name timeManagerTaskRole already exists. (EntityAlreadyExists)",
                )],
            },
        );
    });
    failed(
        &peer.run(&UP),
        &["TimeManagerTaskRole", "the name is taken", "--system-name", "not made"],
    );
}

#[test]
fn stack_that_could_not_be_made_is_removed_and_made_again() {
    let wreck = [
        ("EventBusService", "AWS::ECS::Service", "CREATE_FAILED", "Circuit Breaker was triggered"),
        ("gaming-system-services", STACK, "ROLLBACK_COMPLETE", ""),
    ];
    let peer = Peer::start(|cloud| {
        cloud.stack("gaming-system-services", "ROLLBACK_COMPLETE", &wreck);
    });
    let plan = peer.run(&["plan", "--image", "worldbus:1"]);
    assert_eq!(plan.code, 0, "{plan:?}");
    let page = plan.lines().join("\n");
    assert!(page.contains("could not be made before: EventBusService (AWS::ECS::Service)"));
    assert!(page.contains("tasks did not stay up") && page.contains("is deleted, then it is made"));
    let deleted = |peer: &Peer| {
        let calls = &peer.cloud().calls;
        calls.iter().any(|call| call == "DeleteStack gaming-system-services")
    };
    assert!(!deleted(&peer), "a plan deletes nothing of others");
    let up = peer.run(&UP);
    assert_eq!(up.code, 0, "{up:?}");
    assert!(deleted(&peer));
}

#[test]
fn stack_that_is_stuck_is_refused_with_how_to_go_on() {
    const WHY: [super::peer::Event; 1] =
        [("Table", "AWS::DynamoDB::Table", "UPDATE_FAILED", "AccessDenied: not authorized")];
    let cases = [
        ("UPDATE_ROLLBACK_FAILED", "continue-update-rollback"),
        ("DELETE_FAILED", "delete-stack"),
        ("ROLLBACK_FAILED", "delete-stack"),
        ("UPDATE_IN_PROGRESS", "it is being changed"),
    ];
    for (status, part) in cases {
        let peer = Peer::start(|cloud| cloud.stack("gaming-system-state", status, &WHY));
        let refused = peer.run(&UP);
        failed(&refused, &[status, part]);
        if status.ends_with("_FAILED") {
            failed(
                &refused,
                &["Table (AWS::DynamoDB::Table)", "lack a right", "what is there now"],
            );
        }
        let calls = peer.cloud().calls.clone();
        assert!(!calls.iter().any(|call| call.starts_with("CreateChangeSet")), "{calls:?}");
        let seen = peer.run(&["status"]);
        assert_eq!(seen.code, 1);
        assert!(seen.lines().join("\n").contains(status), "{seen:?}");
    }
}

#[test]
fn image_that_is_not_there_is_reported_before_anything_is_made() {
    let none = Peer::start(|_| {});
    none.run(&["up", "--yes"]).refused(&["no image", "--image REGISTRY/NAME:TAG"]);
    let peer = Peer::start(|cloud| {
        let body = "{\"__type\":\"ImageNotFoundException\",\"message\":\"no\"}";
        cloud.json.insert("DescribeImages", (400, body));
    });
    let image = "123456789012.dkr.ecr.us-east-1.amazonaws.com/worldbus:7";
    failed(
        &peer.run(&["up", "--yes", "--image", image]),
        &[image, "push it first", "nothing was made"],
    );
    for peer in [none, peer] {
        let calls = &peer.cloud().calls;
        assert!(!calls.iter().any(|call| call.starts_with("Create")), "{calls:?}");
    }
}

#[test]
fn why_tasks_stop_is_reported_while_their_stack_waits() {
    let peer = Peer::start(|cloud| {
        cloud.fate("gaming-system-time-manager", Fate { status: "CREATE_IN_PROGRESS", ..GOOD });
        cloud.json.insert("ListTasks", (200, "{\"taskArns\":[\"task/1\"]}"));
        let body = "{\"tasks\":[{\"taskArn\":\"task/1\",\"group\":\"service:time-manager\",\
                    \"stoppedReason\":\"CannotPullContainerError: no such tag\"}]}";
        cloud.json.insert("DescribeTasks", (200, body));
    });
    let mut up = peer.command(&UP).stdout(Stdio::piped()).stdin(Stdio::null()).spawn().unwrap();
    let lines = BufReader::new(up.stdout.take().unwrap()).lines().map_while(Result::ok);
    let line = lines.into_iter().find(|line| line.starts_with("  task of"));
    up.kill().unwrap();
    up.wait().unwrap();
    let line = line.unwrap();
    assert_eq!(line, "  task of time-manager stopped: CannotPullContainerError: no such tag");
}

#[test]
fn interrupt_reports_what_goes_on() {
    let peer = Peer::start(|cloud| {
        cloud.fate("gaming-system-network", Fate { status: "CREATE_IN_PROGRESS", ..GOOD });
    });
    let mut up = peer.command(&UP);
    up.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut up = up.spawn().unwrap();
    let mut lines = BufReader::new(up.stdout.take().unwrap()).lines().map_while(Result::ok);
    assert!(lines.any(|line| line == "create gaming-system-network"));
    signal(up.id(), "INT");
    let status = eventually("it ends", || up.try_wait().unwrap());
    let mut text = String::new();
    up.stderr.take().unwrap().read_to_string(&mut text).unwrap();
    assert_eq!(status.code(), Some(1), "{text}");
    for part in ["AWS goes on to create stack gaming-system-network", "worldbus deploy aws status"]
    {
        assert!(text.contains(part), "`{part}` is not in: {text}");
    }
    assert!(!peer.cloud().calls.iter().any(|call| call == "DeleteStack gaming-system-network"));
}

#[test]
fn denied_access_is_reported_with_how_to_sign_in() {
    let peer = Peer::start(|cloud| {
        let refusal = ("ExpiredToken", "The security token included in the request is expired");
        cloud.refusals.insert("DescribeStacks", refusal);
    });
    failed(&peer.run(&UP), &["ExpiredToken", "sign in again"]);
    let dir = tempfile::tempdir().unwrap();
    let mut anonymous = worldbus();
    anonymous.args(["deploy", "aws", "plan", "--region", "us-east-1", "--image", "x"]);
    anonymous.env("HOME", dir.path()).env("AWS_EC2_METADATA_DISABLED", "true");
    anonymous.env("AWS_ENDPOINT_URL", "http://127.0.0.1:9").env_remove("AWS_ACCESS_KEY_ID");
    failed(&run_with_input(&mut anonymous, b""), &["no AWS credentials", "AWS_PROFILE"]);
}

#[test]
fn call_that_is_throttled_is_tried_again() {
    let peer = Peer::start(|cloud| cloud.throttled = 2);
    let status = peer.run(&["status"]);
    assert_eq!((status.code, status.stderr.as_str()), (1, ""), "{status:?}");
    let calls = &peer.cloud().calls;
    assert_eq!(calls[..3], ["DescribeStacks gaming-system-state"; 3]);
    assert_eq!(calls[3], "DescribeStacks gaming-system-network");
}

#[test]
fn right_that_is_missing_is_reported() {
    let peer = Peer::start(|cloud| {
        let refusal = ("AccessDenied", "User: x is not authorized to perform: CreateChangeSet");
        cloud.refusals.insert("CreateChangeSet", refusal);
    });
    failed(&peer.run(&UP), &["plan a change of stack gaming-system-state", "lack a right"]);
}

#[test]
fn what_cannot_be_meant_is_refused_before_anything_is_asked() {
    let cases: [(&[&str], &[&str]); 8] = [
        (&["plan", "--region", "us-east-1a", "--image", "x"], &["us-east-1a", "did you mean"]),
        (&["plan", "--region", "mars-1", "--image", "x"], &["mars-1", "unknown region"]),
        (&["up", "--image", "x"], &["no terminal", "--yes"]),
        (&["down"], &["no terminal", "--yes"]),
        (&["plan", "--image", "x", "--services", "story"], &["story", "time-manager"]),
        (&["plan", "--image", "x", "--services", "event-bus=9"], &["event-bus=9", "up to 2"]),
        (&["plan", "--image", "x", "--parameter", "Imag=y"], &["Imag", "Image"]),
        (&["plan", "--image", "x", "--system-name", "x_y"], &["x_y", "gaming-system"]),
    ];
    let peer = Peer::start(|_| {});
    for (arguments, parts) in cases {
        let refused = peer.run(arguments);
        refused.refused(parts);
        assert_eq!(refused.code, 2, "{refused:?}");
    }
    assert!(peer.cloud().calls.is_empty());
    let mut nowhere = peer.command(&["plan", "--image", "x"]);
    nowhere.env_remove("AWS_REGION").env_remove("AWS_DEFAULT_REGION");
    run_with_input(&mut nowhere, b"").refused(&["no region", "--region"]);
}
