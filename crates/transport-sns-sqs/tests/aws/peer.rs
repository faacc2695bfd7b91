//! An HTTP server that answers as AWS does, by a script. One connection a task, HTTP/1.1 with
//! keep-alive, bodies with a length: what the SDK sends.

use crate::clients::sdk;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use worldbus_transport_sns_sqs::{Setup, SnsSqs};

/// A request: what is called, and with what.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    /// E.g. `PublishBatch`, `DeleteMessageBatch`.
    pub(crate) action: String,
    /// Parameters of SNS (a form).
    pub(crate) form: BTreeMap<String, String>,
    /// The body of SQS (JSON).
    pub(crate) json: serde_json::Value,
    /// The header by which X-Ray knows the trace.
    pub(crate) trace: Option<String>,
}

/// What is answered.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    /// A status and a body.
    Say(u16, String),
    /// The connection is cut.
    Cut,
}

type Script = Arc<dyn Fn(Call) -> Answer + Send + Sync>;

/// A transport whose AWS is the script. Topics and queues are where their variables say.
pub(crate) async fn transport(
    more: &str,
    script: impl Fn(Call) -> Answer + Send + Sync + 'static,
) -> SnsSqs {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let script: Script = Arc::new(script);
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(serve(stream, Arc::clone(&script)));
        }
    });
    let url = format!("sns-sqs://us-east-1?prefix=x&linger_ms=0{more}");
    let setup = Setup { sdk: Some(sdk(port)), variable, ..Setup::default() };
    SnsSqs::connect(&url, setup).await.unwrap()
}

fn variable(name: &str) -> Option<String> {
    if name.ends_with("_TOPIC_ARN") {
        return Some(format!("arn:aws:sns:us-east-1:1:{name}"));
    }
    name.ends_with("_URL").then(|| format!("http://127.0.0.1:1/1/{name}"))
}

async fn serve(stream: TcpStream, script: Script) {
    let mut stream = BufReader::new(stream);
    while let Some(call) = read(&mut stream).await {
        let json = !call.json.is_null();
        let kind = if json { "application/x-amz-json-1.0" } else { "text/xml" };
        let Answer::Say(status, body) = script(call) else { return };
        let head = format!(
            "HTTP/1.1 {status} -\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        if stream.write_all(format!("{head}{body}").as_bytes()).await.is_err() {
            return;
        }
    }
}

async fn read(stream: &mut BufReader<TcpStream>) -> Option<Call> {
    let (mut length, mut target, mut trace) = (0, String::new(), None);
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        let line = line.trim_end();
        if line.is_empty() {
            break;
        }
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.trim().parse().unwrap(),
            "x-amz-target" => target = value.trim().to_owned(),
            "x-amzn-trace-id" => trace = Some(value.trim().to_owned()),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    if let Some((_, action)) = target.split_once('.') {
        let json = serde_json::from_slice(&body).unwrap();
        return Some(Call { action: action.to_owned(), form: BTreeMap::new(), json, trace });
    }
    let form: BTreeMap<String, String> = form_urlencoded::parse(&body).into_owned().collect();
    let action = form.get("Action").cloned().unwrap_or_default();
    Some(Call { action, form, json: serde_json::Value::Null, trace })
}

/// What SNS answers to a PublishBatch: which entries it took, and which not.
pub(crate) fn published(taken: &[String], failed: &[String]) -> Answer {
    let member = |id: &String| format!("<member><Id>{id}</Id><MessageId>m</MessageId></member>");
    let fault = |id: &String| {
        format!(
            "<member><Id>{id}</Id><Code>InternalError</Code><SenderFault>false</SenderFault>\
             </member>"
        )
    };
    let taken: String = taken.iter().map(member).collect();
    let failed: String = failed.iter().map(fault).collect();
    Answer::Say(
        200,
        format!(
            "<PublishBatchResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\">\
             <PublishBatchResult><Successful>{taken}</Successful><Failed>{failed}</Failed>\
             </PublishBatchResult></PublishBatchResponse>"
        ),
    )
}

/// The ids of the entries of a PublishBatch.
pub(crate) fn entries(call: &Call) -> Vec<String> {
    let ids = (1..).map(|n| call.form.get(&format!("PublishBatchRequestEntries.member.{n}.Id")));
    ids.map_while(|id| id.cloned()).collect()
}

/// An error of SNS.
pub(crate) fn sns_error(status: u16, code: &str) -> Answer {
    let body = format!(
        "<ErrorResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><Error><Type>Sender\
         </Type><Code>{code}</Code><Message>so says the script</Message></Error></ErrorResponse>"
    );
    Answer::Say(status, body)
}

/// An error of SQS.
pub(crate) fn sqs_error(status: u16, code: &str) -> Answer {
    let body = serde_json::json!({ "__type": code, "message": "so says the script" });
    Answer::Say(status, body.to_string())
}
