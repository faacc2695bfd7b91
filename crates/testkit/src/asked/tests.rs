//! Tests of the reading of requests, as the SDKs send them.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};

use super::*;

fn signed(service: &str, target: &str, body: &str) -> String {
    let target =
        if target.is_empty() { String::new() } else { format!("X-Amz-Target: {target}\r\n") };
    format!(
        "POST / HTTP/1.1\r\nHost: localhost\r\nAuthorization: AWS4-HMAC-SHA256 Credential=npc/\
         20260301/eu-west-1/{service}/aws4_request, SignedHeaders=host, Signature=0\r\n{target}\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// What a recorder notes of a request, which is passed on and answered.
fn noted(request: &str) -> Vec<(String, String)> {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let recorder = Recorder::start(server.local_addr().unwrap().port());
    let answering = std::thread::spawn(move || {
        let (mut stream, _) = server.accept().unwrap();
        let mut some = [0; 4096];
        assert!(stream.read(&mut some).unwrap() > 0);
        stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").unwrap();
        stream.write_all(b"2\r\nok\r\n0\r\n\r\n").unwrap();
    });
    let mut client = TcpStream::connect(("127.0.0.1", recorder.port())).unwrap();
    client.write_all(request.as_bytes()).unwrap();
    let mut answer = [0; 4096];
    let length = client.read(&mut answer).unwrap();
    assert!(String::from_utf8_lossy(&answer[..length]).ends_with("content-length: 2\r\n\r\nok"));
    answering.join().unwrap();
    let asked = recorder.of("npc").into_iter();
    asked.map(|asked| (asked.action, asked.resource)).collect()
}

fn pair(action: &str, resource: &str) -> (String, String) {
    (action.to_owned(), resource.to_owned())
}

#[test]
fn batches_ask_for_what_their_messages_ask_for() {
    let url = "{\"QueueUrl\":\"http://127.0.0.1:4566/000000000000/a-b-events\"}";
    let request = signed("sqs", "AmazonSQS.DeleteMessageBatch", url);
    let arn = "arn:aws:sqs:eu-west-1:000000000000:a-b-events";
    assert_eq!(noted(&request), [pair("sqs:DeleteMessage", arn)]);
    let arn = "arn:aws:sns:eu-west-1:000000000000:a-b-events";
    let form = format!("Action=PublishBatch&Version=1&TopicArn={arn}");
    assert_eq!(noted(&signed("sns", "", &form)), [pair("sns:Publish", arn)]);
}

#[test]
fn transaction_asks_for_what_its_parts_ask_for() {
    let body = r#"{"TransactItems":[{"Update":{"TableName":"t"}},{"Put":{"TableName":"u"}}]}"#;
    let request = signed("dynamodb", "DynamoDB_20120810.TransactWriteItems", body);
    let table = |name| format!("arn:aws:dynamodb:eu-west-1:000000000000:table/{name}");
    let wanted = [pair("dynamodb:PutItem", &table("u")), pair("dynamodb:UpdateItem", &table("t"))];
    assert_eq!(noted(&request), wanted);
    let get = signed("dynamodb", "DynamoDB_20120810.GetItem", r#"{"TableName":"t"}"#);
    assert_eq!(noted(&get), [pair("dynamodb:GetItem", &table("t"))]);
}

#[test]
fn request_that_names_nothing_is_about_everything() {
    let list = signed("sns", "", "Action=ListTopics");
    assert_eq!(noted(&list), [pair("sns:ListTopics", "*")]);
    let list = signed("sqs", "AmazonSQS.ListQueues", "{}");
    assert_eq!(noted(&list), [pair("sqs:ListQueues", "*")]);
}
