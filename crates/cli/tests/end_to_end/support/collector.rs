//! A collector of traces: takes OTLP over HTTP, and decodes it with the types that OpenTelemetry
//! publishes.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value};
use opentelemetry_proto::tonic::trace::v1 as otlp;
use prost::Message as _;

use super::eventually;

/// A span as it was exported.
#[derive(Debug, Clone)]
pub(crate) struct Span {
    /// `service.name` of its process.
    pub(crate) service: String,
    pub(crate) trace: String,
    pub(crate) id: String,
    /// Empty for the first of a trace.
    pub(crate) parent: String,
    pub(crate) links: Vec<String>,
    pub(crate) name: String,
    pub(crate) kind: &'static str,
    pub(crate) failed: bool,
    attributes: BTreeMap<String, String>,
}

impl Span {
    /// The attribute as text, empty if it has none.
    pub(crate) fn attribute(&self, name: &str) -> &str {
        self.attributes.get(name).map_or("", String::as_str)
    }

    /// Asserts what kind of span it is, and attributes of it.
    pub(crate) fn is(&self, service: &str, kind: &str, attributes: &[(&str, &str)]) {
        assert_eq!((self.service.as_str(), self.kind), (service, kind), "{self:#?}");
        for (name, value) in attributes {
            assert_eq!(self.attribute(name), *value, "{name} of {self:#?}");
        }
        assert!(!self.failed, "{self:#?}");
    }
}

/// What came so far.
pub(crate) struct Collector {
    pub(crate) endpoint: String,
    spans: Arc<Mutex<Vec<Span>>>,
}

impl Collector {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let spans = Arc::<Mutex<Vec<Span>>>::default();
        let taken = Arc::clone(&spans);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let request = take(stream);
                taken.lock().unwrap().extend(request.resource_spans.iter().flat_map(flatten));
            }
        });
        Self { endpoint, spans }
    }

    pub(crate) fn spans(&self) -> Vec<Span> {
        self.spans.lock().unwrap().clone()
    }

    /// Waits until the spans that came have something.
    pub(crate) fn until<T>(&self, what: &str, mut look: impl FnMut(&[Span]) -> Option<T>) -> T {
        eventually(what, || look(&self.spans()))
    }
}

/// One request a connection, as the services make them.
fn take(stream: TcpStream) -> ExportTraceServiceRequest {
    let mut reader = BufReader::new(stream);
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if line.trim().is_empty() {
            break;
        }
        head.push(line.trim().to_ascii_lowercase());
    }
    assert_eq!(head[0], "post /v1/traces http/1.1");
    assert!(head.contains(&"content-type: application/x-protobuf".to_owned()), "{head:?}");
    let length = head.iter().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
    let mut body = vec![0; length.parse().unwrap()];
    reader.read_exact(&mut body).unwrap();
    let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    reader.get_mut().write_all(answer).unwrap();
    ExportTraceServiceRequest::decode(&body[..]).unwrap()
}

fn flatten(of: &otlp::ResourceSpans) -> Vec<Span> {
    let resource = attributes(&of.resource.as_ref().unwrap().attributes);
    let service = &resource["service.name"];
    let spans = of.scope_spans.iter().flat_map(|scope| &scope.spans);
    spans.map(|span| Span::of(service, span)).collect()
}

impl Span {
    fn of(service: &str, span: &otlp::Span) -> Self {
        let kind = match span.kind() {
            otlp::span::SpanKind::Server => "server",
            otlp::span::SpanKind::Client => "client",
            otlp::span::SpanKind::Producer => "producer",
            otlp::span::SpanKind::Consumer => "consumer",
            _ => "internal",
        };
        assert!(span.end_time_unix_nano >= span.start_time_unix_nano, "{span:?}");
        Self {
            service: service.to_owned(),
            trace: hex(&span.trace_id),
            id: hex(&span.span_id),
            parent: hex(&span.parent_span_id),
            links: span.links.iter().map(|link| hex(&link.span_id)).collect(),
            name: span.name.clone(),
            kind,
            failed: span.status.as_ref().is_some_and(|status| status.code == 2),
            attributes: attributes(&span.attributes),
        }
    }
}

fn attributes(of: &[KeyValue]) -> BTreeMap<String, String> {
    let text = |value: &any_value::Value| match value {
        any_value::Value::StringValue(text) => text.clone(),
        any_value::Value::IntValue(number) => number.to_string(),
        other => format!("{other:?}"),
    };
    let entry =
        |pair: &KeyValue| Some((pair.key.clone(), text(pair.value.as_ref()?.value.as_ref()?)));
    of.iter().filter_map(entry).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
