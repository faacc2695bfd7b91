//! An HTTP server that answers as AWS does, by a script: for what no emulator gets right, or does
//! when asked. HTTP/1.1 with keep-alive, bodies with a length: what the SDK sends.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;

/// A request: what is called, and with what.
#[derive(Debug, Clone)]
pub struct AwsCall {
    /// E.g. `PublishBatch`, `DeleteMessageBatch`.
    pub action: String,
    /// Parameters of a service that takes a form.
    pub form: BTreeMap<String, String>,
    /// The body for a service that takes JSON.
    pub json: serde_json::Value,
    /// The header by which X-Ray knows the trace.
    pub trace: Option<String>,
}

/// What is answered.
#[derive(Debug, Clone)]
pub enum AwsAnswer {
    /// A status and a body.
    Say(u16, String),
    /// The connection is cut.
    Cut,
}

type Script = dyn Fn(AwsCall) -> AwsAnswer + Send + Sync;

/// Serves the script until the test's process ends; the port.
pub fn scripted_aws(script: impl Fn(AwsCall) -> AwsAnswer + Send + Sync + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let script: Arc<Script> = Arc::new(script);
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let script = Arc::clone(&script);
            std::thread::spawn(move || serve(stream, &*script));
        }
    });
    port
}

fn serve(stream: TcpStream, script: &Script) {
    let mut stream = BufReader::new(stream);
    while let Some(call) = read(&mut stream) {
        let json = !call.json.is_null();
        let kind = if json { "application/x-amz-json-1.0" } else { "text/xml" };
        let AwsAnswer::Say(status, body) = script(call) else { return };
        let length = body.len();
        let head = format!("HTTP/1.1 {status} -\r\ncontent-type: {kind}\r\n");
        let answer = format!("{head}content-length: {length}\r\n\r\n{body}");
        if stream.get_mut().write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}

fn read(stream: &mut BufReader<TcpStream>) -> Option<AwsCall> {
    let (mut length, mut target, mut trace) = (0, String::new(), None);
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).ok()? == 0 {
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
    stream.read_exact(&mut body).ok()?;
    if let Some((_, action)) = target.rsplit_once('.') {
        let json = serde_json::from_slice(&body).unwrap();
        return Some(AwsCall { action: action.to_owned(), form: BTreeMap::new(), json, trace });
    }
    let form: BTreeMap<String, String> = form_urlencoded::parse(&body).into_owned().collect();
    let action = form.get("Action").cloned().unwrap_or_default();
    Some(AwsCall { action, form, json: serde_json::Value::Null, trace })
}
