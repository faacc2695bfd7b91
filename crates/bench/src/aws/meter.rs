//! A proxy in front of AWS's endpoint that counts what would be billed: requests that move
//! messages, in units of 64 KiB. SNS bills a publish by its messages, SQS a receive by what it
//! brings and a delete as one unit; what sets topics and queues up is not counted.

use anyhow::{Context as _, Result};
use serde_json::Value;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

const UNIT_BYTES: u64 = 64 << 10;

/// What was counted.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Count {
    pub(super) requests: u64,
    pub(super) units: u64,
    pub(super) publishes: u64,
    pub(super) receives: u64,
    pub(super) deletes: u64,
    /// Bytes of the attribute `batch` of what was published.
    pub(super) batch_bytes: u64,
}

/// A running proxy.
pub(super) struct Meter {
    port: u16,
    count: Arc<Mutex<Count>>,
}

impl Meter {
    /// Counts what goes to a port of this machine.
    pub(super) async fn start(to: u16) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let port = listener.local_addr()?.port();
        let count = Arc::<Mutex<Count>>::default();
        let counted = Arc::clone(&count);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let count = Arc::clone(&counted);
                tokio::spawn(async move {
                    if let Err(error) = serve(client, to, &count).await {
                        eprintln!("meter: {error:#}");
                    }
                });
            }
        });
        Ok(Self { port, count })
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    pub(super) fn count(&self) -> Count {
        *self.count.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One message of HTTP/1.1.
struct Exchange {
    /// Start line and headers as they came, without those that tell the length.
    head: String,
    target: String,
    body: Vec<u8>,
}

async fn serve(client: TcpStream, to: u16, count: &Mutex<Count>) -> Result<()> {
    let mut client = BufReader::new(client);
    let mut server = BufReader::new(TcpStream::connect(("127.0.0.1", to)).await?);
    client.get_ref().set_nodelay(true)?;
    server.get_ref().set_nodelay(true)?;
    while let Some(request) = read(&mut client).await? {
        write(&mut server, &request).await?;
        let Some(answer) = read(&mut server).await? else { break };
        note(count, &request, &answer);
        write(&mut client, &answer).await?;
    }
    Ok(())
}

async fn write(stream: &mut BufReader<TcpStream>, message: &Exchange) -> Result<()> {
    let head = format!("{}content-length: {}\r\n\r\n", message.head, message.body.len());
    let whole = [head.as_bytes(), &message.body].concat();
    stream.write_all(&whole).await.context("writing")
}

/// `None` at the end of the connection.
async fn read(stream: &mut BufReader<TcpStream>) -> Result<Option<Exchange>> {
    let (mut head, mut target, mut length, mut chunked) = (String::new(), String::new(), 0, false);
    loop {
        let mut line = String::new();
        // An end where a message would begin is none of its faults.
        match stream.read_line(&mut line).await {
            Ok(0) | Err(_) if head.is_empty() => return Ok(None),
            read => drop(read?),
        }
        if line == "\r\n" {
            break;
        }
        let (name, value) = line.split_once(':').unwrap_or((&line, ""));
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.trim().parse()?,
            "transfer-encoding" => chunked = true,
            _ => {
                if name.eq_ignore_ascii_case("x-amz-target") {
                    value.trim().clone_into(&mut target);
                }
                head.push_str(&line);
            }
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await?;
    while chunked {
        let mut size = String::new();
        stream.read_line(&mut size).await?;
        let size = usize::from_str_radix(size.trim(), 16).context("a chunk without size")?;
        let mut chunk = vec![0; size + 2];
        stream.read_exact(&mut chunk).await?;
        body.extend(&chunk[..size]);
        chunked = size > 0;
    }
    Ok(Some(Exchange { head, target, body }))
}

fn note(count: &Mutex<Count>, request: &Exchange, answer: &Exchange) {
    let mut count = count.lock().unwrap_or_else(PoisonError::into_inner);
    *count = add(*count, request, answer);
}

fn add(mut count: Count, request: &Exchange, answer: &Exchange) -> Count {
    let action = match request.target.split_once('.') {
        Some((_, action)) => action.to_owned(),
        None => {
            let mut form = parse_form(&request.body);
            form.find_map(|(name, value)| (name == "Action").then_some(value)).unwrap_or_default()
        }
    };
    let units = |bytes: u64| bytes.div_ceil(UNIT_BYTES).max(1);
    let billed = match action.as_str() {
        "Publish" | "PublishBatch" => {
            count.publishes += 1;
            let (bytes, batch) = published(&request.body);
            count.batch_bytes += batch;
            units(bytes)
        }
        "ReceiveMessage" => {
            count.receives += 1;
            units(received(&answer.body))
        }
        "DeleteMessage" | "DeleteMessageBatch" | "ChangeMessageVisibilityBatch" => {
            count.deletes += 1;
            1
        }
        _ => return count,
    };
    count.requests += 1;
    count.units += billed;
    count
}

fn parse_form(body: &[u8]) -> impl Iterator<Item = (String, String)> {
    form_urlencoded::parse(body).into_owned()
}

/// Bytes of the messages of a publish: bodies and attributes, Binary as its bytes; and those of
/// the attribute `batch` alone.
fn published(body: &[u8]) -> (u64, u64) {
    let (mut bytes, mut batch, mut name) = (0, 0, String::new());
    for (key, value) in parse_form(body) {
        let last = key.rsplit('.').next().unwrap_or_default();
        let length = value.len() as u64;
        match last {
            "Message" | "StringValue" | "DataType" => bytes += length,
            "Name" => {
                bytes += length;
                name = value;
            }
            "BinaryValue" => {
                let raw = decoded(&value);
                bytes += raw;
                batch += if name == "batch" { raw } else { 0 };
            }
            _ => {}
        }
    }
    (bytes, batch)
}

/// Bytes of the messages that a receive brought.
fn received(body: &[u8]) -> u64 {
    let answer: Value = serde_json::from_slice(body).unwrap_or_default();
    let text = |value: &Value| value.as_str().map_or(0, |text| text.len() as u64);
    let of_message = |message: &Value| {
        let attributes = message["MessageAttributes"].as_object().into_iter().flatten();
        let attributes = attributes.map(|(name, value)| {
            let binary = value["BinaryValue"].as_str().map_or(0, decoded);
            name.len() as u64 + text(&value["DataType"]) + text(&value["StringValue"]) + binary
        });
        text(&message["Body"]) + attributes.sum::<u64>()
    };
    answer["Messages"].as_array().into_iter().flatten().map(of_message).sum()
}

/// Bytes that a base64 text stands for.
fn decoded(base64: &str) -> u64 {
    let padding = base64.bytes().rev().take_while(|&byte| byte == b'=').count() as u64;
    (base64.len() as u64 / 4 * 3).saturating_sub(padding)
}
