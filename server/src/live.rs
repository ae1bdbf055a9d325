//! The hub: one reading for all viewers, sent to each as server-sent events.

use std::collections::{HashMap, VecDeque};
use std::convert::Infallible;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use app::context::Desk;
use app::pages::overview::api::{Overview, OverviewQuery};
use axum::response::sse::{Event, KeepAlive, Sse};
use futures::future::BoxFuture;
use futures::{FutureExt, Stream, StreamExt, stream};
use pipeline::operation::{Operation, OperationStatus};
use pipeline::time::Timestamp;
use tokio::sync::broadcast;
use tokio::time::Instant;
use tokio_stream::wrappers::BroadcastStream;
use tokio_util::sync::CancellationToken;

/// How often viewers hear something new.
const BEAT: Duration = Duration::from_secs(2);
/// How often an otherwise silent connection shows that it lives.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// How many messages a slow viewer may fall behind before it misses some; each says everything, so nothing is lost.
const BEHIND: usize = 16;
/// How many messages are kept for viewers that come back: about a minute of them.
const KEPT: usize = 64;
/// How long a reading may take before viewers are told what it waits for: a service that doesn't answer keeps it for longer than they
/// should be left in the belief that what they see is new.
const LATE: Duration = Duration::from_secs(2);
/// How long it may take before they are told of a service that is known to be silent: it is likely to be waited for.
const SLOW: Duration = Duration::from_millis(500);
/// How often a reading that isn't done is asked what it waits for: often enough to see a call that is late before it is given up.
const ASKED: Duration = Duration::from_millis(250);
/// How many operations are looked at for news.
const OPERATIONS: u32 = 20;

/// One message.
#[derive(Clone, Debug)]
struct Message {
    /// None of what one viewer is told beside what all are: it is nothing to come back to.
    id: Option<u64>,
    event: &'static str,
    data: String,
}

impl From<Message> for Event {
    fn from(message: Message) -> Self {
        let event = Self::default().event(message.event).data(message.data);
        match message.id {
            Some(id) => event.id(id.to_string()),
            None => event,
        }
    }
}

/// The hub. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Hub {
    desk: Desk,
    messages: broadcast::Sender<Message>,
    told: Arc<Mutex<Told>>,
    stop: CancellationToken,
}

/// Messages that are being read, and what was said of what they wait for.
struct Waiting<'a> {
    messages: BoxFuture<'a, Vec<Message>>,
    since: Instant,
    late: Vec<&'static str>,
}

/// What comes of waiting.
enum Next {
    /// What was waited for.
    Messages(Vec<Message>),
    /// The services that keep it waiting, as they are sent: not the ones that it said before.
    Late(String),
}

impl<'a> Waiting<'a> {
    fn for_messages(messages: impl Future<Output = Vec<Message>> + Send + 'a) -> Self {
        Self {
            messages: messages.boxed(),
            since: Instant::now(),
            late: Vec::new(),
        }
    }

    async fn next(&mut self, desk: &Desk) -> Next {
        loop {
            tokio::select! {
                messages = &mut self.messages => return Next::Messages(messages),
                () = tokio::time::sleep(ASKED) => {}
            }
            let Some(deployment) = &desk.ports.deployment else { continue };
            let elapsed = self.since.elapsed();
            if elapsed < SLOW {
                continue;
            }
            let mut late = deployment.silent();
            // Before that, calls that are late may be others'.
            if elapsed >= LATE {
                late.extend(deployment.late(LATE));
            }
            late.sort_unstable();
            late.dedup();
            if !late.is_empty() && late != self.late {
                let data = serde_json::to_string(&late);
                self.late = late;
                if let Ok(data) = data {
                    return Next::Late(data);
                }
            }
        }
    }
}

/// What viewers were told.
struct Told {
    /// The id of the next message. They go on rising over a restart, because they begin with the clock.
    next_id: u64,
    /// The newest messages, oldest first.
    messages: VecDeque<Message>,
    /// What was last said of each operation: its status, and how many of its items had their outcome.
    operations: HashMap<String, (OperationStatus, u64)>,
    /// Until when operations were looked at: one that is older and not among them is no news.
    looked_at: Timestamp,
}

impl Told {
    fn message(&mut self, event: &'static str, data: String) -> Message {
        let message = Message {
            id: Some(self.next_id),
            event,
            data,
        };
        self.next_id += 1;
        if self.messages.len() == KEPT {
            self.messages.pop_front();
        }
        self.messages.push_back(message.clone());
        message
    }

    /// What was said after `id`; `None` if that is further back than is kept, or was never said.
    fn since(&self, id: u64) -> Option<Vec<Message>> {
        let first = self.messages.front()?.id?;
        (first <= id + 1 && id < self.next_id).then(|| self.messages.iter().filter(|m| m.id > Some(id)).cloned().collect())
    }
}

impl Hub {
    /// Starts the beat; while nobody listens nothing is read.
    pub(crate) fn start(desk: Desk, stop: CancellationToken) -> Self {
        let (messages, _) = broadcast::channel(BEHIND);
        let told = Told {
            next_id: u64::try_from(Timestamp::now().millis()).unwrap_or(0).saturating_mul(1_000),
            messages: VecDeque::new(),
            operations: HashMap::new(),
            looked_at: Timestamp::now(),
        };
        let hub = Self {
            desk,
            messages,
            told: Arc::new(Mutex::new(told)),
            stop,
        };
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
                for message in self.news_or_late().await {
                    // Nobody listening any more is no fault.
                    let _ = self.messages.send(message);
                }
            } else {
                self.told().looked_at = Timestamp::now();
            }
        }
    }

    /// What there is to say: the state as a whole, and every operation; of what doesn't answer, nothing. What takes too long is silence, and
    /// silence makes the page say that it is old.
    async fn read(&self) -> Option<(Vec<(&'static str, String)>, Vec<Operation>)> {
        let query = OverviewQuery::default();
        let (overview, operations) = tokio::join!(
            Overview::shared(&self.desk, &query),
            self.desk.ports.operations.list(OPERATIONS, None)
        );
        let overview = overview.ok()?;
        let state = [
            Some(("overview", serde_json::to_string(&overview.pulse()))),
            overview
                .charts
                .as_ref()
                .ok()
                .map(|charts| ("series", serde_json::to_string(&charts.throughput))),
        ];
        let state = state
            .into_iter()
            .flatten()
            .filter_map(|(event, data)| Some((event, data.ok()?)))
            .collect();
        Some((state, operations.map(|page| page.items).unwrap_or_default()))
    }

    /// What is new for everyone. As long as it isn't known, viewers are told what it waits for.
    async fn news_or_late(&self) -> Vec<Message> {
        let mut waiting = Waiting::for_messages(self.news());
        loop {
            match waiting.next(&self.desk).await {
                Next::Messages(messages) => return messages,
                Next::Late(data) => {
                    let message = self.told().message("late", data);
                    let _ = self.messages.send(message);
                }
            }
        }
    }

    /// What is new for everyone: the state, and the operations that have moved or ended.
    async fn news(&self) -> Vec<Message> {
        let began = Timestamp::now();
        let Some((state, operations)) = self.read().await else {
            return Vec::new();
        };
        let mut told = self.told();
        let mut messages: Vec<Message> = state.into_iter().map(|(event, data)| told.message(event, data)).collect();
        told.operations.retain(|id, _| operations.iter().any(|o| o.id == *id));
        for operation in &operations {
            let now = (operation.status, operation.settled());
            let before = told.operations.insert(operation.id.clone(), now);
            // One that had ended before anybody listened is no news; one that came and went between two looks is.
            let news = before.map_or(
                operation.status == OperationStatus::Running || operation.created_at >= told.looked_at,
                |before| before != now,
            );
            if let (true, Ok(data)) = (news, serde_json::to_string(operation)) {
                messages.push(told.message("operation", data));
            }
        }
        told.looked_at = began;
        messages
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What there is now, for one viewer who has just come. It stands where the last message to all stood, which had the id `at`.
    async fn now(&self, at: u64) -> Vec<Message> {
        let Some((state, operations)) = self.read().await else {
            return Vec::new();
        };
        let running = operations.iter().filter(|o| o.status == OperationStatus::Running);
        let running = running.filter_map(|o| Some(("operation", serde_json::to_string(o).ok()?)));
        let all = state.into_iter().chain(running);
        all.map(|(event, data)| Message { id: Some(at), event, data }).collect()
    }

    /// As [`Self::now`]; before that, what it waits for. `newest` becomes the id that the last message to all has by then.
    fn now_or_late(self, at: u64, newest: Arc<AtomicU64>) -> impl Stream<Item = Message> {
        let hub = self.clone();
        let now = Waiting::for_messages(async move { hub.now(at).await });
        stream::unfold(Some(now), move |waiting| {
            let (hub, newest) = (self.clone(), Arc::clone(&newest));
            async move {
                let mut waiting = waiting?;
                Some(match waiting.next(&hub.desk).await {
                    Next::Messages(messages) => {
                        newest.store(hub.told().next_id - 1, Ordering::Relaxed);
                        (messages, None)
                    }
                    Next::Late(data) => {
                        let event = "late";
                        (vec![Message { id: None, event, data }], Some(waiting))
                    }
                })
            }
        })
        .flat_map(stream::iter)
    }

    /// A viewer's stream: what it has missed since `last`, or, if that can't be told, what there is now; then what is new.
    pub(crate) fn subscribe(&self, last: Option<u64>) -> Sse<impl Stream<Item = Result<Event, Infallible>> + use<>> {
        let receiver = self.messages.subscribe();
        let (missed, newest) = {
            let told = self.told();
            (last.and_then(|id| told.since(id)), told.next_id - 1)
        };
        // What is told at this very moment may be both missed and new.
        let caught_up = newest;
        // What was said of the state while it was read is older than what was read.
        let newest = Arc::new(AtomicU64::new(newest));
        let first = match missed {
            Some(missed) => stream::iter(missed).left_stream(),
            None => self.clone().now_or_late(caught_up, Arc::clone(&newest)).right_stream(),
        };
        // A viewer that fell behind skips to what is newest.
        let rest = BroadcastStream::new(receiver).filter_map(move |message| {
            let after = |message: &Message| match message.event {
                "operation" => caught_up,
                _ => newest.load(Ordering::Relaxed),
            };
            std::future::ready(message.ok().filter(|message| message.id > Some(after(message))))
        });
        let messages = first
            .chain(rest)
            .map(|message| Ok(Event::from(message)))
            .take_until(self.stop.clone().cancelled_owned());
        Sse::new(messages).keep_alive(KeepAlive::new().interval(HEARTBEAT))
    }
}
