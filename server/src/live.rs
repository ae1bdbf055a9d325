//! The hub: one reading for all viewers, sent to each as server-sent events.

use std::convert::Infallible;
use std::time::Duration;

use app::context::Desk;
use app::pages::overview::api::pulse;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures::{Stream, StreamExt, stream};
use pipeline::operation::OperationStatus;
use tokio::sync::broadcast;
use tokio_stream::wrappers::BroadcastStream;
use tokio_util::sync::CancellationToken;

/// How often viewers hear something new.
const BEAT: Duration = Duration::from_secs(2);
/// How often an otherwise silent connection shows that it lives.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// How many messages a slow viewer may fall behind before it misses some; each says everything, so nothing is lost.
const BEHIND: usize = 16;

/// One message.
#[derive(Clone, Debug)]
struct Message {
    id: i64,
    event: &'static str,
    data: String,
}

impl From<Message> for Event {
    fn from(message: Message) -> Self {
        Self::default().id(message.id.to_string()).event(message.event).data(message.data)
    }
}

/// The hub. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Hub {
    desk: Desk,
    messages: broadcast::Sender<Message>,
    stop: CancellationToken,
}

impl Hub {
    /// Starts the beat; while nobody listens nothing is read.
    pub(crate) fn start(desk: Desk, stop: CancellationToken) -> Self {
        let (messages, _) = broadcast::channel(BEHIND);
        let hub = Self { desk, messages, stop };
        tokio::spawn(hub.clone().run());
        hub
    }

    /// How many listen.
    pub(crate) fn viewers(&self) -> usize {
        self.messages.receiver_count()
    }

    async fn run(self) {
        let mut beat = tokio::time::interval(BEAT);
        beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = beat.tick() => {}
                () = self.stop.cancelled() => return,
            }
            if self.messages.receiver_count() > 0 {
                for message in self.read().await {
                    // Nobody listening any more is no fault.
                    let _ = self.messages.send(message);
                }
            }
        }
    }

    /// What is new now: the state as a whole, and every operation under way. A store that doesn't answer makes silence,
    /// and silence makes the page say that it is old.
    async fn read(&self) -> Vec<Message> {
        let Ok(pulse) = pulse(&self.desk).await else { return Vec::new() };
        let id = pulse.now.millis();
        let mut messages = Vec::new();
        let mut add = |event, data: Result<String, serde_json::Error>| {
            if let Ok(data) = data {
                messages.push(Message { id, event, data });
            }
        };
        add("overview", serde_json::to_string(&pulse));
        if let Ok(overview) = self.desk.overview(&Default::default()).await {
            add("series", serde_json::to_string(&overview.throughput));
        }
        for operation in self.desk.ports.operations.list(10).await.unwrap_or_default() {
            if operation.status == OperationStatus::Running {
                add("operation", serde_json::to_string(&operation));
            }
        }
        messages
    }

    /// A viewer's stream: what there is now, then what is new. Messages are whole states, so a viewer that comes back,
    /// with or without a `Last-Event-ID`, needs no more than the newest.
    pub(crate) fn subscribe(&self) -> Sse<impl Stream<Item = Result<Event, Infallible>> + use<>> {
        let receiver = self.messages.subscribe();
        let hub = self.clone();
        let first = stream::once(async move { hub.read().await }).flat_map(stream::iter);
        // A viewer that fell behind skips to what is newest.
        let rest = BroadcastStream::new(receiver).filter_map(|message| async move { message.ok() });
        let messages = first
            .chain(rest)
            .map(|message| Ok(Event::from(message)))
            .take_until(self.stop.clone().cancelled_owned());
        Sse::new(messages).keep_alive(KeepAlive::new().interval(HEARTBEAT))
    }
}
