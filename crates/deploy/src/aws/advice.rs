//! What to do about a reason that AWS gives, by the words in it. AWS documents no list of them;
//! these are from memory of what its services answer (M).

/// Words of a reason, in small letters, and what to do.
const ADVICE: &[(&[&str], &str)] = &[
    (
        &["already exists", "alreadyexists", "already in use", "is already associated"],
        "the name is taken by something that is not of this stack: delete or rename that, or \
         deploy under another name with --system-name",
    ),
    (
        &["limitexceeded", "limit exceeded", "quota", "maximum number", "limit has been reached"],
        "a quota of the account is reached: delete what is not needed, or ask for more under \
         Service Quotas in the console, and run it again",
    ),
    (
        &["accessdenied", "access denied", "not authorized", "unauthorizedoperation"],
        "the credentials lack a right: take a role that may do this, or have it added",
    ),
    (
        &[
            "cannotpullcontainer",
            "image not found",
            "manifest unknown",
            "does not exist in the reg",
        ],
        "the image cannot be pulled: push it, check --image and --architecture, and that subnets \
         reach the registry",
    ),
    (
        &["circuit breaker", "tasks failed to start", "exceeded attempts to wait", "not stabilize"],
        "tasks did not stay up: their output is in the log groups /gaming-system/SERVICE (with \
         another --system-name, /NAME/SERVICE)",
    ),
    (
        &["no export named"],
        "a stack that comes before has not made it: run `worldbus deploy aws up` as a whole",
    ),
    (&["in use by"], "another stack still uses what shall go: delete that stack first, or keep it"),
    (
        &["certificate"],
        "check --certificate-arn: the certificate must be issued and in this region",
    ),
    (&["throttl", "rate exceeded"], "AWS is asked too often: wait a minute and run it again"),
];

/// What to do about a reason; `None` if none is known.
pub(crate) fn of(reason: &str) -> Option<&'static str> {
    let reason = reason.to_ascii_lowercase();
    let known = |(words, _): &&(&[&str], &'static str)| words.iter().any(|w| reason.contains(w));
    ADVICE.iter().find(known).map(|(_, advice)| *advice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_that_aws_gives_have_advice() {
        let cases = [
            ("gaming-system-time-events already exists in stack arn:…", "name is taken"),
            ("The maximum number of VPCs has been reached. (VpcLimitExceeded)", "quota"),
            ("User: arn:… is not authorized to perform: iam:CreateRole", "lack a right"),
            ("CannotPullContainerError: pull image manifest has been retried", "pulled"),
            ("ECS Deployment Circuit Breaker was triggered.", "did not stay up"),
        ];
        for (reason, part) in cases {
            assert!(of(reason).is_some_and(|advice| advice.contains(part)), "{reason}");
        }
        assert_eq!(of("it rained"), None);
    }
}
