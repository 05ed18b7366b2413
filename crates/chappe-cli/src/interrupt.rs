//! Ctrl-C and SIGTERM.

use std::future::Future;

use tokio::signal;

use crate::output::{Exit, Failure};

/// Returns when somebody asks the process to end.
pub(crate) async fn terminated() {
    #[cfg(unix)]
    {
        use signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    // Without a handler the system's own, which ends the process, stays in place.
    let _ = signal::ctrl_c().await;
}

/// Runs `work` unless somebody interrupts it; `after` says what is known then.
pub(crate) async fn unless_interrupted<T>(
    work: impl Future<Output = Result<T, Failure>>,
    after: &str,
) -> Result<T, Failure> {
    tokio::select! {
        done = work => done,
        () = terminated() => Err(Failure::new(Exit::Interrupted, "interrupted").hint(after)),
    }
}
