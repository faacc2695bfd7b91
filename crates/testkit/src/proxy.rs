//! A proxy in front of a server on this machine that shows every exchange to a test: HTTP/1.1 with
//! bodies of a known length or in chunks, passed on as they came. Not for: HTTP/2, upgrades.

use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::{CancellationToken, DropGuard};

/// A request or an answer.
#[derive(Debug)]
pub struct HttpMessage {
    /// Start line and headers as they came, without those of the length.
    head: String,
    /// The body, whole.
    pub body: Vec<u8>,
}

impl HttpMessage {
    /// The value of a header, if it has one.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.head.lines().skip(1).filter_map(|line| line.split_once(':'));
        headers.find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    }
}

type Show = Arc<dyn Fn(&HttpMessage, &HttpMessage) + Send + Sync>;

/// A running proxy; it ends when it is dropped.
#[derive(Debug)]
pub struct Proxy {
    port: u16,
    _running: DropGuard,
}

impl Proxy {
    /// Passes on what comes to a port that the system chooses, and shows each request with its
    /// answer before the answer is given. It runs in a thread of its own, so that a test may block.
    pub fn start(
        to: u16,
        show: impl Fn(&HttpMessage, &HttpMessage) + Send + Sync + 'static,
    ) -> Self {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let port = listener.local_addr().unwrap().port();
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        let show: Show = Arc::new(show);
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(stopped.run_until_cancelled(accept(listener, to, show)))
        });
        Self { port, _running: stop.drop_guard() }
    }

    /// Its port on loopback.
    pub fn port(&self) -> u16 {
        self.port
    }
}

/// Never ends.
async fn accept(listener: std::net::TcpListener, to: u16, show: Show) {
    let listener = TcpListener::from_std(listener).unwrap();
    while let Ok((client, _)) = listener.accept().await {
        let show = Arc::clone(&show);
        tokio::spawn(async move {
            // Whoever waits for an answer sees that the connection ended.
            let _ = pass_on(client, to, &show).await;
        });
    }
}

async fn pass_on(client: TcpStream, to: u16, show: &Show) -> io::Result<()> {
    let mut client = BufReader::new(client);
    let mut server = BufReader::new(TcpStream::connect((Ipv4Addr::LOCALHOST, to)).await?);
    client.get_ref().set_nodelay(true)?;
    server.get_ref().set_nodelay(true)?;
    while let Some(request) = read(&mut client).await? {
        write(&mut server, &request).await?;
        let Some(answer) = read(&mut server).await? else { break };
        show(&request, &answer);
        write(&mut client, &answer).await?;
    }
    Ok(())
}

async fn write(stream: &mut BufReader<TcpStream>, message: &HttpMessage) -> io::Result<()> {
    let head = format!("{}content-length: {}\r\n\r\n", message.head, message.body.len());
    stream.write_all(&[head.as_bytes(), &message.body].concat()).await
}

/// `None` at the end of the connection.
async fn read(stream: &mut BufReader<TcpStream>) -> io::Result<Option<HttpMessage>> {
    let (mut head, mut length, mut chunked) = (String::new(), 0, false);
    loop {
        let mut line = String::new();
        // An end where a message would begin is not a fault.
        match stream.read_line(&mut line).await {
            Ok(0) | Err(_) if head.is_empty() => return Ok(None),
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            read => read?,
        };
        if line == "\r\n" {
            break;
        }
        let (name, value) = line.split_once(':').unwrap_or((&line, ""));
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = number(value, 10)?,
            "transfer-encoding" => chunked = true,
            _ => head.push_str(&line),
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await?;
    while chunked {
        let mut size = String::new();
        stream.read_line(&mut size).await?;
        let size = number(&size, 16)?;
        let mut chunk = vec![0; size + 2];
        stream.read_exact(&mut chunk).await?;
        body.extend(&chunk[..size]);
        chunked = size > 0;
    }
    Ok(Some(HttpMessage { head, body }))
}

fn number(text: &str, radix: u32) -> io::Result<usize> {
    usize::from_str_radix(text.trim(), radix).map_err(|_| io::ErrorKind::InvalidData.into())
}
