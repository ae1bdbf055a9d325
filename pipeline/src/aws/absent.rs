//! The ports that the AWS backend does not offer yet. Each says so; nothing is made up in their place.

use async_trait::async_trait;

use crate::consumer::{ConsumerFault, ConsumerStatus};
use crate::ledger::{LedgerEntry, LedgerSummary};
use crate::metric::{Reading, SeriesQuery};
use crate::operation::{ItemStatus, NewOperation, Operation, OperationDetail, OperationItem};
use crate::page::Page;
use crate::parity::ParityReport;
use crate::ports::{ConsumerControl, ConsumerCounts, DirectCall, Ledger, Metrics, OperationError, Operations, Parity, StoreError};
use crate::time::{Span, Timestamp};

/// Stands where a port is not offered.
#[derive(Clone, Copy, Debug)]
pub(super) struct Absent;

/// What it says.
pub(super) const fn not_yet(what: &'static str) -> StoreError {
    StoreError::NotOffered { what }
}

/// Each port with what it is of, and the signatures of its methods.
macro_rules! absent {
    ($($port:ident, $what:literal { $(fn $name:ident($($parameters:tt)*) -> $answer:ty;)+ })+) => {
        $(
            #[async_trait]
            impl $port for Absent {
                $(
                    async fn $name($($parameters)*) -> $answer {
                        Err(not_yet($what).into())
                    }
                )+
            }
        )+
    };
}

absent! {
    Ledger, "the ledger" {
        fn entry(&self, _: &str) -> Result<Option<LedgerEntry>, StoreError>;
        fn summary(&self) -> Result<LedgerSummary, StoreError>;
        fn open(&self, _: u32) -> Result<Vec<LedgerEntry>, StoreError>;
    }
    Operations, "the operations table" {
        fn start(&self, _: &NewOperation, _: &str) -> Result<Operation, OperationError>;
        fn list(&self, _: u32, _: Option<&str>) -> Result<Page<Operation>, StoreError>;
        fn get(&self, _: &str) -> Result<Option<OperationDetail>, StoreError>;
        fn items(&self, _: &str, _: Option<ItemStatus>, _: u32, _: Option<&str>) -> Result<Page<OperationItem>, StoreError>;
        fn cancel(&self, _: &str) -> Result<Operation, OperationError>;
    }
    Metrics, "CloudWatch" {
        fn series(&self, _: &SeriesQuery) -> Result<Reading, StoreError>;
        fn counts(&self, _: Span) -> Result<Vec<ConsumerCounts>, StoreError>;
        fn peak(&self, _: Span) -> Result<(f64, u64), StoreError>;
    }
    ConsumerControl, "the functions" {
        fn list(&self, _: Span) -> Result<Vec<ConsumerStatus>, StoreError>;
        fn set_paused(&self, _: &str, _: bool) -> Result<bool, StoreError>;
        fn faults(&self, _: &str, _: u32) -> Result<Vec<ConsumerFault>, StoreError>;
    }
    Parity, "the trigger ledger" {
        fn record_direct(&self, _: DirectCall) -> Result<(), StoreError>;
        fn report(&self, _: Span, _: Option<&str>, _: Timestamp) -> Result<ParityReport, StoreError>;
    }
}
