//! The ports that the AWS backend does not offer yet. Each says so; nothing is made up in their place.

use async_trait::async_trait;

use crate::ledger::{LedgerEntry, LedgerSummary};
use crate::operation::{ItemStatus, NewOperation, Operation, OperationDetail, OperationItem};
use crate::page::Page;
use crate::parity::ParityReport;
use crate::ports::{DirectCall, Ledger, OperationError, Operations, Parity, StoreError};
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
    Parity, "the trigger ledger" {
        fn record_direct(&self, _: DirectCall) -> Result<(), StoreError>;
        fn report(&self, _: Span, _: Option<&str>, _: Timestamp) -> Result<ParityReport, StoreError>;
    }
}
