//! What the peers' servers send, cut at every byte.

use super::nats::Nats;
use super::redis::Redis;
use super::{Wire, line};

/// What a consumer reads of bytes that come in two parts: payloads, and what it writes.
fn consumed<W: Wire>(mut wire: W, input: &[u8], cut: usize) -> (Vec<String>, String) {
    let (mut payloads, mut out, mut buffer) = (Vec::new(), Vec::new(), Vec::new());
    for part in [&input[..cut], &input[cut..]] {
        if part.is_empty() {
            continue;
        }
        buffer.extend_from_slice(part);
        let mut each =
            |payload: &[u8]| payloads.push(String::from_utf8_lossy(payload).into_owned());
        let used = wire.deliveries(&buffer, &mut out, &mut each).unwrap();
        buffer.drain(..used);
    }
    assert!(buffer.is_empty(), "cut at {cut}");
    (payloads, String::from_utf8(out).unwrap())
}

#[test]
fn entries_of_redis_are_read_and_acknowledged_once_wherever_they_are_cut() {
    let entry = |id: &str, text: &str| {
        let size = text.len();
        format!("*2\r\n$3\r\n{id}\r\n*2\r\n$1\r\ne\r\n${size}\r\n{text}\r\n")
    };
    let (first, second) = (entry("1-0", "one"), entry("2-0", "t\r\nwo"));
    let input = format!(":5\r\n*1\r\n*2\r\n$1\r\ns\r\n*2\r\n{first}{second}");
    for cut in 0..input.len() {
        let (payloads, out) = consumed(Redis::default(), input.as_bytes(), cut);
        assert_eq!(payloads, ["one", "t\r\nwo"], "cut at {cut}");
        assert_eq!(out.matches("XACK").count(), 1, "{out}");
        let ack = "*5\r\n$4\r\nXACK\r\n$1\r\ns\r\n$1\r\ng\r\n$3\r\n1-0\r\n";
        assert!(out.starts_with(ack), "{out}");
    }
}

#[test]
fn answers_of_redis_are_counted_and_errors_end_the_run() {
    let input = b"$3\r\n1-0\r\n$3\r\n2-0\r\n$3\r\n3-";
    let answers = Redis::default().answers(input, &mut Vec::new()).unwrap();
    assert_eq!(answers, (18, 2));
    assert!(Redis::default().answers(b"-OOM full\r\n", &mut Vec::new()).is_err());
}

#[test]
fn messages_of_nats_are_read_and_acknowledged_once_wherever_they_are_cut() {
    let input = "INFO {}\r\nMSG s 1 $JS.ACK.1 3\r\none\r\nPING\r\n\
                 MSG s 1 $JS.ACK.2 5\r\nt\r\nwo\r\n";
    for cut in 0..input.len() {
        let mut wire = Nats::consumer();
        wire.deliveries(&[], &mut Vec::new(), &mut |_| {}).unwrap();
        let (payloads, out) = consumed(wire, input.as_bytes(), cut);
        assert_eq!(payloads, ["one", "t\r\nwo"], "cut at {cut}");
        let acks = "PUB $JS.ACK.1 4\r\n+ACK\r\nPONG\r\nPUB $JS.ACK.2 4\r\n+ACK\r\n";
        assert_eq!(out, acks, "cut at {cut}");
    }
}

#[test]
fn answers_of_nats_are_counted_and_errors_end_the_run() {
    let mut out = Vec::new();
    let input = b"MSG _INBOX.p 1 12\r\n{\"stream\":1}\r\nMSG _INBOX.p 1 9\r\n{\"str";
    assert_eq!(Nats::producer().answers(input, &mut out).unwrap(), (33, 1));
    let error = b"MSG _INBOX.p 1 13\r\n{\"error\":\"x\"}\r\n";
    assert!(Nats::producer().answers(error, &mut out).is_err());
    assert!(Nats::producer().answers(b"-ERR 'no'\r\n", &mut out).is_err());
    assert_eq!(line(b"one\r\ntwo"), Some((&b"one"[..], 5)));
}
