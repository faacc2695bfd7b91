//! `worldbus.bus.v1.BusService`: each call checked, passed to the transport, answered.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;
use tokio::time::timeout;
use tonic::{Request, Response, Status, Streaming};

use crate::grpc::letters::Letters;
use crate::grpc::settlers::Settlers;
use crate::grpc::streams::{Deliveries, Reads};
use crate::grpc::{publish, status};
use crate::open::Open;
use worldbus_bus::{
    DeadEvent, Error, Kind, Lease, ReadSpec, RegisteredType, SubscriptionName, SubscriptionSpec,
    Topic,
};
use worldbus_events::Change;
use worldbus_rpc::limits::{DEAD_LETTER_COUNT_MAX, GATHER_COUNT_MAX};
use worldbus_rpc::v1;
use worldbus_rpc::v1::bus_service_server::BusService;
use worldbus_service::server::Cut;

/// How long a client may take to say what it opens.
const OPENING_TIMEOUT: Duration = Duration::from_secs(10);

pub(super) struct Broker {
    open: Arc<Open>,
    settlers: Arc<Settlers>,
}

type Answer<T> = Result<Response<T>, Status>;
type Messages<T> = BoxStream<'static, Result<T, Status>>;

impl Broker {
    pub(super) fn new(open: Arc<Open>) -> Self {
        Self { open, settlers: Arc::default() }
    }

    async fn open_consumer(
        &self,
        mut requests: Streaming<v1::SubscribeRequest>,
        cut: Cut,
    ) -> Result<Messages<v1::SubscribeResponse>, Error> {
        let place = self.open.subscribers.take(cut)?;
        let spec = SubscriptionSpec::try_from(opening(&mut requests).await?)?;
        let name = spec.name.clone();
        tracing::debug!(subscription = %name, consumer = spec.consumer, "consumer opened");
        let consumer = self.open.transport().subscribe(spec).await?;
        self.settlers.remember(&name, consumer.settler())?;
        let (open, settlers) = (Arc::clone(&self.open), Arc::clone(&self.settlers));
        Ok(Deliveries::new(consumer, requests, settlers, open, place).into_stream().boxed())
    }

    async fn open_reader(
        &self,
        request: v1::ReadRequest,
        cut: Cut,
    ) -> Result<Messages<v1::ReadResponse>, Error> {
        let place = self.open.readers.take(cut)?;
        let log = self.open.transport().end().await?.and_then(|end| end.log);
        let reader = self.open.transport().read(ReadSpec::try_from(request)?).await?;
        let (open, appended_ms) = (Arc::clone(&self.open), i64::MIN);
        Ok(Reads { reader, open, place, log, appended_ms }.into_stream().boxed())
    }

    async fn set_aside(&self, request: v1::DeadLetterRequest) -> Result<(), Error> {
        let lease = Lease::try_from(request.lease.unwrap_or_default())?;
        let events = request.events.into_iter().map(DeadEvent::from).collect();
        self.settlers.of(&lease)?.dead_letter(&lease, events).await
    }
}

/// What cuts the connection of a request.
fn cut_of<T>(request: &Request<T>) -> Cut {
    request.extensions().get().cloned().unwrap_or_default()
}

/// The first request of a stream: what to open.
async fn opening(
    requests: &mut Streaming<v1::SubscribeRequest>,
) -> Result<v1::Subscription, Error> {
    let invalid = |what: String| Error::refused(Kind::Invalid, what);
    let first = timeout(OPENING_TIMEOUT, requests.message()).await;
    let first = first.map_err(|_| invalid("the first request did not come".to_owned()))?;
    let first = first.map_err(|status| invalid(format!("not a request: {status}")))?;
    match first.and_then(|first| first.request) {
        Some(v1::subscribe_request::Request::Open(open)) => Ok(open),
        _ => Err(invalid("the first request does not open a subscription".to_owned())),
    }
}

#[async_trait]
impl BusService for Broker {
    async fn describe(&self, _: Request<v1::DescribeRequest>) -> Answer<v1::DescribeResponse> {
        let description = v1::DescribeResponse::from(self.open.transport().capabilities());
        let server_version = env!("CARGO_PKG_VERSION").to_owned();
        let world = self.open.world.clone();
        Ok(Response::new(v1::DescribeResponse { server_version, world, ..description }))
    }

    async fn publish(&self, request: Request<v1::PublishRequest>) -> Answer<v1::PublishResponse> {
        let entries = request.into_inner().entries;
        let results = publish::publish(&self.open, entries).await.map_err(status)?;
        Ok(Response::new(v1::PublishResponse { results }))
    }

    type PublishStreamStream = Messages<v1::PublishStreamResponse>;

    async fn publish_stream(
        &self,
        request: Request<Streaming<v1::PublishStreamRequest>>,
    ) -> Answer<Self::PublishStreamStream> {
        let answers = publish::answers(Arc::clone(&self.open), request.into_inner());
        Ok(Response::new(answers.boxed()))
    }

    type SubscribeStream = Messages<v1::SubscribeResponse>;

    async fn subscribe(
        &self,
        request: Request<Streaming<v1::SubscribeRequest>>,
    ) -> Answer<Self::SubscribeStream> {
        let cut = cut_of(&request);
        self.open_consumer(request.into_inner(), cut).await.map(Response::new).map_err(status)
    }

    async fn settle(&self, request: Request<v1::SettleRequest>) -> Answer<v1::SettleResponse> {
        let settlements = request.into_inner().settlements;
        self.settlers.settle(settlements, GATHER_COUNT_MAX).await.map(Response::new).map_err(status)
    }

    async fn dead_letter(
        &self,
        request: Request<v1::DeadLetterRequest>,
    ) -> Answer<v1::DeadLetterResponse> {
        self.set_aside(request.into_inner()).await.map_err(status)?;
        Ok(Response::new(v1::DeadLetterResponse {}))
    }

    type ListDeadLettersStream = Messages<v1::ListDeadLettersResponse>;

    async fn list_dead_letters(
        &self,
        request: Request<v1::ListDeadLettersRequest>,
    ) -> Answer<Self::ListDeadLettersStream> {
        let place = self.open.lists.take(cut_of(&request)).map_err(status)?;
        let request = request.into_inner();
        let limit = (request.limit as usize).min(DEAD_LETTER_COUNT_MAX);
        let subscription = match request.subscription.as_str() {
            "" => None,
            name => Some(SubscriptionName::new(name).map_err(status)?),
        };
        let mut letters = Letters::new(Arc::clone(&self.open), subscription, limit, place);
        // So that what is wrong with the request comes as its answer.
        letters.fill().await.map_err(status)?;
        Ok(Response::new(letters.into_stream().boxed()))
    }

    async fn replay_dead_letters(
        &self,
        request: Request<v1::ReplayDeadLettersRequest>,
    ) -> Answer<v1::ReplayDeadLettersResponse> {
        let v1::ReplayDeadLettersRequest { subscription, ids } = request.into_inner();
        let subscription = SubscriptionName::new(&subscription).map_err(status)?;
        let missing = self.open.transport().replay_dead_letters(&subscription, &ids).await;
        let missing = missing.map_err(status)?;
        Ok(Response::new(v1::ReplayDeadLettersResponse { missing }))
    }

    async fn discard_dead_letters(
        &self,
        request: Request<v1::DiscardDeadLettersRequest>,
    ) -> Answer<v1::DiscardDeadLettersResponse> {
        let v1::DiscardDeadLettersRequest { subscription, ids } = request.into_inner();
        let subscription = SubscriptionName::new(&subscription).map_err(status)?;
        let missing = self.open.transport().discard_dead_letters(&subscription, &ids).await;
        let missing = missing.map_err(status)?;
        Ok(Response::new(v1::DiscardDeadLettersResponse { missing }))
    }

    type ReadStream = Messages<v1::ReadResponse>;

    async fn read(&self, request: Request<v1::ReadRequest>) -> Answer<Self::ReadStream> {
        let cut = cut_of(&request);
        self.open_reader(request.into_inner(), cut).await.map(Response::new).map_err(status)
    }

    async fn list_subscriptions(
        &self,
        _: Request<v1::ListSubscriptionsRequest>,
    ) -> Answer<v1::ListSubscriptionsResponse> {
        let subscriptions = self.open.transport().subscriptions().await.map_err(status)?;
        let subscriptions = subscriptions.iter().map(Into::into).collect();
        Ok(Response::new(v1::ListSubscriptionsResponse { subscriptions }))
    }

    async fn delete_topic(
        &self,
        request: Request<v1::DeleteTopicRequest>,
    ) -> Answer<v1::DeleteTopicResponse> {
        let v1::DeleteTopicRequest { topic, force } = request.into_inner();
        let topic = Topic::new(&topic).map_err(status)?;
        self.open.transport().delete_topic(&topic, force).await.map_err(status)?;
        Ok(Response::new(v1::DeleteTopicResponse {}))
    }

    async fn delete_subscription(
        &self,
        request: Request<v1::DeleteSubscriptionRequest>,
    ) -> Answer<v1::DeleteSubscriptionResponse> {
        let v1::DeleteSubscriptionRequest { subscription, force } = request.into_inner();
        let name = SubscriptionName::new(&subscription).map_err(status)?;
        self.open.transport().delete_subscription(&name, force).await.map_err(status)?;
        self.settlers.forget(&name);
        Ok(Response::new(v1::DeleteSubscriptionResponse {}))
    }

    async fn get_catalogue(
        &self,
        _: Request<v1::GetCatalogueRequest>,
    ) -> Answer<v1::GetCatalogueResponse> {
        let types = self.open.registry.studio_types().await.map_err(status)?;
        Ok(Response::new(types.into()))
    }

    async fn register_catalogue(
        &self,
        request: Request<v1::RegisterCatalogueRequest>,
    ) -> Answer<v1::RegisterCatalogueResponse> {
        let set = request.into_inner().descriptor_set;
        let types = self.open.registry.register(&set).await.map_err(status)?;
        for one in types.iter().filter(|one| one.change != Change::Unchanged) {
            let RegisteredType { number, name, topic, change } = one;
            tracing::info!(number, name, topic, ?change, "event type registered");
        }
        let types = types.into_iter().map(Into::into).collect();
        Ok(Response::new(v1::RegisterCatalogueResponse { types }))
    }

    async fn list_topics(
        &self,
        _: Request<v1::ListTopicsRequest>,
    ) -> Answer<v1::ListTopicsResponse> {
        let topics = self.open.transport().topics().await.map_err(status)?;
        let end = self.open.transport().end().await.map_err(status)?;
        let topics = topics.iter().map(Into::into).collect();
        let response = v1::ListTopicsResponse { topics, ..Default::default() };
        Ok(Response::new(response.with_end(end)))
    }
}
