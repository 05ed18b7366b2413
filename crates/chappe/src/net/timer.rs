//! Waiting, for a time or for a time at most.

use std::{future::Future, time::Duration};

/// Waits.
pub(crate) async fn pause(time: Duration) {
    tokio::time::sleep(time).await;
}

/// What the future gives, if it does within this time; else it is dropped.
pub(crate) async fn within<T>(limit: Duration, future: impl Future<Output = T>) -> Option<T> {
    tokio::time::timeout(limit, future).await.ok()
}
