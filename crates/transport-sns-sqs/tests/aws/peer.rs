//! A transport against AWS by a script, and what SNS and SQS answer.

use crate::clients::sdk;
use worldbus_testkit::{AwsAnswer, AwsCall, scripted_aws};
use worldbus_transport_sns_sqs::{Setup, SnsSqs};

/// A transport whose AWS is the script. Topics and queues are where their variables point.
pub(crate) async fn transport(
    more: &str,
    script: impl Fn(AwsCall) -> AwsAnswer + Send + Sync + 'static,
) -> SnsSqs {
    let url = format!("sns-sqs://us-east-1?prefix=x&linger_ms=0{more}");
    let setup = Setup { sdk: Some(sdk(scripted_aws(script))), variable, ..Setup::default() };
    SnsSqs::connect(&url, setup).await.unwrap()
}

fn variable(name: &str) -> Option<String> {
    if name.ends_with("_TOPIC_ARN") {
        return Some(format!("arn:aws:sns:us-east-1:1:{name}"));
    }
    name.ends_with("_URL").then(|| format!("http://127.0.0.1:1/1/{name}"))
}

/// What SNS answers to a PublishBatch: which entries it took, and which not.
pub(crate) fn published(taken: &[String], failed: &[String]) -> AwsAnswer {
    let member = |id: &String| format!("<member><Id>{id}</Id><MessageId>m</MessageId></member>");
    let fault = |id: &String| {
        format!(
            "<member><Id>{id}</Id><Code>InternalError</Code><SenderFault>false</SenderFault>\
             </member>"
        )
    };
    let taken: String = taken.iter().map(member).collect();
    let failed: String = failed.iter().map(fault).collect();
    AwsAnswer::Say(
        200,
        format!(
            "<PublishBatchResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\">\
             <PublishBatchResult><Successful>{taken}</Successful><Failed>{failed}</Failed>\
             </PublishBatchResult></PublishBatchResponse>"
        ),
    )
}

/// The ids of the entries of a PublishBatch.
pub(crate) fn entries(call: &AwsCall) -> Vec<String> {
    let ids = (1..).map(|n| call.form.get(&format!("PublishBatchRequestEntries.member.{n}.Id")));
    ids.map_while(|id| id.cloned()).collect()
}

/// An error of SNS.
pub(crate) fn sns_error(status: u16, code: &str) -> AwsAnswer {
    let body = format!(
        "<ErrorResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><Error><Type>Sender\
         </Type><Code>{code}</Code><Message>by the script</Message></Error></ErrorResponse>"
    );
    AwsAnswer::Say(status, body)
}

/// An error of SQS.
pub(crate) fn sqs_error(status: u16, code: &str) -> AwsAnswer {
    let body = serde_json::json!({ "__type": code, "message": "by the script" });
    AwsAnswer::Say(status, body.to_string())
}
