//! The ports that the AWS backend does not offer yet. Each says so; nothing is made up in their place.

use async_trait::async_trait;

use crate::operation::{ItemStatus, NewOperation, Operation, OperationDetail, OperationItem};
use crate::page::Page;
use crate::ports::{OperationError, Operations, StoreError};

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
    Operations, "the operations table" {
        fn start(&self, _: &NewOperation, _: &str) -> Result<Operation, OperationError>;
        fn list(&self, _: u32, _: Option<&str>) -> Result<Page<Operation>, StoreError>;
        fn get(&self, _: &str) -> Result<Option<OperationDetail>, StoreError>;
        fn items(&self, _: &str, _: Option<ItemStatus>, _: u32, _: Option<&str>) -> Result<Page<OperationItem>, StoreError>;
        fn cancel(&self, _: &str) -> Result<Operation, OperationError>;
    }
}
