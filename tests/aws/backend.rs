//! The conformance suite that the embedded backend passes, as far as the aws backend goes: unchanged, over the emulator.

#[allow(
    dead_code,
    unused_macros,
    unused_imports,
    reason = "the nouns that this backend does not offer yet"
)]
#[path = "../../pipeline/tests/conformance/mod.rs"]
pub(crate) mod conformance;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use aws_credential_types::Credentials;
use pipeline::aws::analytics::DynamoAnalytics;
use pipeline::aws::bus::EventBridge;
use pipeline::aws::metrics::{CloudWatch, MetricsConfig};
use pipeline::aws::takeover::Takeover;
use pipeline::aws::transactions::DynamoTransactions;
use pipeline::aws::{Connection, Names, configuration, ports};
use pipeline::demo::{Fault, Faults};
use pipeline::publisher::Publisher;
use pipeline::rule::Rules;
use tests::between::{Between, Fate};
use tests::deployment::{Account, REGION, deploy, remove};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use conformance::{Backend, Running, Stopping, conformance, each};

/// A prefix of its own for each directory of the suite, in one emulator.
struct Aws;

impl Backend for Aws {
    fn start(dir: &Path, faults: &Faults) -> Running {
        let (endpoint, between) = Account::shared();
        let prefix: String = dir
            .file_name()
            .expect("a name")
            .to_string_lossy()
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .collect();
        let prefix = format!("c-{}", prefix.to_lowercase());
        afflict(between, &prefix, faults);
        let deployed = dir.join("deployed");
        if !deployed.exists() {
            tidy(endpoint);
            deploy(endpoint, &prefix);
            std::fs::write(&deployed, "").expect("written");
            DEPLOYED
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push((prefix.clone(), deployed));
        }
        let (connection, names) = (connection(endpoint), Names::of(&prefix));
        let metrics = CloudWatch::open(&connection, &names, Some(endpoint), &MetricsConfig::default()).expect("no cache");
        let (ports, worker) = ports(&connection, &names, metrics);
        let bus = Arc::new(EventBridge::with_ledger(&connection, &names, Rules::default()));
        let stop = CancellationToken::new();
        let tasks = vec![
            tokio::spawn(Takeover::new(&connection, &names).run(stop.clone())),
            tokio::spawn(worker.run(stop.clone())),
        ];
        Running {
            publisher: Publisher::new(bus.clone(), ports.flags.clone()),
            ports,
            bus,
            transactions: Arc::new(DynamoTransactions::of(&connection, &names)),
            analytics: Arc::new(DynamoAnalytics::of(&connection, &names)),
            stopping: Box::new(Stop { stop, tasks }),
        }
    }
}

/// What is deployed, and the file that is there for as long as its test.
static DEPLOYED: Mutex<Vec<(String, PathBuf)>> = Mutex::new(Vec::new());

/// Removes what ended tests have left: their functions go on asking for messages.
fn tidy(endpoint: &str) {
    let ended = {
        let mut all = DEPLOYED.lock().unwrap_or_else(PoisonError::into_inner);
        let (kept, ended): (Vec<_>, Vec<_>) = all.drain(..).partition(|(_, file)| file.exists());
        *all = kept;
        ended
    };
    for (prefix, _) in ended {
        remove(endpoint, &prefix);
    }
}

/// Has the tables that a consumer can't do without refuse it, for as long as the suite wants an outage of it.
fn afflict(between: &Between, prefix: &str, faults: &Faults) {
    static ALL: Mutex<Vec<(String, Faults)>> = Mutex::new(Vec::new());
    let all = || ALL.lock().unwrap_or_else(PoisonError::into_inner);
    all().retain(|(known, _)| known != prefix);
    all().push((prefix.to_owned(), faults.clone()));
    between.set_by_body(move |call, body| {
        let tables = [
            ("analytics", "-analytics-status\""),
            ("categorization", "-category-rules\""),
            ("notification", "-cutover-notifications\""),
            ("audit", "-event-store\""),
        ];
        let out = all().iter().any(|(prefix, faults)| {
            let of = |table: &str| call.service == "dynamodb" && body.contains(&format!("\"{prefix}{table}"));
            tables
                .iter()
                .any(|(consumer, table)| faults.of(consumer) == Some(Fault::Outage) && of(table))
        });
        if out {
            Fate::Refused(400, "AccessDeniedException")
        } else {
            Fate::Answered
        }
    });
}

/// The functions go on, as on AWS; what runs in this process ends.
struct Stop {
    stop: CancellationToken,
    tasks: Vec<JoinHandle<()>>,
}

#[async_trait]
impl Stopping for Stop {
    async fn stop(self: Box<Self>) {
        self.stop.cancel();
        for task in self.tasks {
            task.await.expect("it ends");
        }
    }
}

/// The suite starts a backend where it can't await.
fn connection(endpoint: &'static str) -> Connection {
    let thread = std::thread::spawn(move || {
        let credentials = Credentials::new("test", "test", None, None, "tests");
        let loader = configuration(Some(REGION), Some(endpoint)).credentials_provider(credentials);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        Connection::from(runtime.block_on(loader.load()))
    });
    thread.join().expect("a connection")
}

// Whole nouns. Measurements are CloudWatch's, and have tests of their own.
conformance!(Aws; activity, analytics, audit, bus, flags, ledger, operations, transactions, wishes);

// Of these not all: what compares payloads as text (maps have no order in DynamoDB, and the emulator's bus writes JSON anew), what takes
// hundreds of events and more (the emulator does some dozens a second), what looks at counts and types within the second that they are
// kept, and a past that is filled in, which only the embedded demo has.
each! { Aws; delivery {
    an_outage_becomes_letters_after_three_attempts_and_redrives_clear_them,
} }
each! { Aws; effects {
    effects_are_the_events_that_name_the_cause_oldest_first,
} }
each! { Aws; events {
    lists_page_through_everything_once_and_filters_narrow_them,
    events_are_listed_by_when_they_happened_newest_first,
    each_field_filter_narrows_and_together_they_narrow_further,
    from_is_in_the_span_and_to_is_not,
    pages_neither_skip_nor_repeat_events_of_the_same_instant,
    an_event_that_arrives_while_paging_moves_nothing,
} }
each! { Aws; letters {
    each_filter_narrows_and_the_count_agrees,
    text_is_found_in_ids_users_messages_and_bodies,
    text_is_found_whatever_its_case_beyond_ascii_too,
    from_is_in_the_span_of_failures_and_to_is_not,
    letters_page_newest_first_without_gap_or_repeat,
    a_consumer_that_has_not_got_to_the_event_has_not_done_it,
    questions_that_make_no_sense_are_refused,
} }
each! { Aws; parity {
    the_same_on_both_paths_matches_whichever_came_first,
    another_priority_or_other_types_differ,
    a_direct_call_without_its_event_is_pending_and_then_missing,
    where_only_the_direct_path_ran_nothing_is_missing,
    an_event_that_took_too_long_is_late,
    an_event_without_a_direct_call_is_extra,
    a_report_is_of_its_span_and_of_one_type_if_asked,
    parity_outlives_the_process,
} }
each! { Aws; redrives {
    bad_data_is_a_dead_letter_at_once_and_a_redrive_is_verified,
    a_redrive_is_done_when_the_consumer_completed,
    a_redrive_runs_only_the_consumer_that_gave_up,
    a_letter_that_is_being_redriven_is_not_sent_twice,
    what_still_cannot_be_published_stays_open_with_the_reason,
    a_failed_redrive_of_the_publishers_letter_is_counted,
    a_redrive_goes_on_after_a_restart,
} }
each! { Aws; text {
    text_is_found_in_ids_and_payloads_whatever_its_case,
    text_is_taken_literally,
    text_is_not_found_in_the_envelope,
    a_text_filter_pages_like_any_other,
} }
