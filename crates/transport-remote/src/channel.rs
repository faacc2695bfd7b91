//! The connection: one HTTP/2 channel that connects when it is used and again when it broke,
//! with the key on every call.

use std::time::Duration;

use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;
use tonic::{Request, Status};

use crate::options::RemoteOptions;
use worldbus_bus::Error;
use worldbus_rpc::limits::MESSAGE_BYTES_MAX;
use worldbus_rpc::v1::bus_service_client::BusServiceClient;

/// A silent event-bus is probed this often, and given up if it does not answer in time.
const KEEP_ALIVE: Duration = Duration::from_secs(10);
/// The operating system probes likewise, for who keeps a connection without using it.
const TCP_KEEP_ALIVE: Duration = Duration::from_secs(30);

/// Bytes that the event-bus sends ahead on one stream before they are read.
const STREAM_WINDOW_BYTES: u32 = 4 << 20;
/// The same for the connection: more than all streams together may hold. Else a stream that
/// is not being read would keep back the answers of calls, which its reader may be
/// waiting for before it reads on.
const CONNECTION_WINDOW_BYTES: u32 = 1 << 30;

/// The stub over our connection.
pub(crate) type Client = BusServiceClient<InterceptedService<Channel, Auth>>;

/// Puts the key on a call.
#[derive(Clone)]
pub(crate) struct Auth(Option<MetadataValue<Ascii>>);

impl Interceptor for Auth {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(header) = &self.0 {
            request.metadata_mut().insert("authorization", header.clone());
        }
        Ok(request)
    }
}

/// A client that connects at its first call.
///
/// # Errors
/// `Invalid` for an invalid address.
pub(crate) fn client(url: &str, options: &RemoteOptions) -> Result<Client, Error> {
    let endpoint = worldbus_rpc::endpoint(url)?
        .tcp_nodelay(true)
        .tcp_keepalive(Some(TCP_KEEP_ALIVE))
        .connect_timeout(options.connect_timeout)
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .http2_keep_alive_interval(KEEP_ALIVE)
        .keep_alive_timeout(KEEP_ALIVE)
        .keep_alive_while_idle(true);
    let auth = Auth(options.api_key.as_ref().map(|key| key.header().clone()));
    Ok(BusServiceClient::with_interceptor(endpoint.connect_lazy(), auth)
        .max_decoding_message_size(MESSAGE_BYTES_MAX)
        .max_encoding_message_size(MESSAGE_BYTES_MAX))
}
