//! Work that many want and one does: the others wait for what becomes of it.

use std::{
    pin::pin,
    sync::{Mutex, MutexGuard, PoisonError},
};

use tokio::sync::watch;

use crate::error::Error;

/// A place for one piece of work at a time.
#[derive(Debug, Default)]
pub(crate) struct Flight {
    under_way: Mutex<Option<watch::Receiver<Outcome>>>,
}

/// What became of the work, once it is done.
type Outcome = Option<Result<(), Error>>;

impl Flight {
    /// Does the work, or waits for whoever is at it and shares the outcome, a failure included.
    /// If that one gives up, somebody who waits does the work.
    pub(crate) async fn join(
        &self,
        work: impl Future<Output = Result<(), Error>>,
    ) -> Result<(), Error> {
        let work = pin!(work);
        loop {
            let (done, mut ahead) = watch::channel(None);
            {
                let mut under_way = self.lock();
                match &*under_way {
                    Some(other) => ahead = other.clone(),
                    None => *under_way = Some(ahead.clone()),
                }
            }
            if ahead.same_channel(&done.subscribe()) {
                let landing = Landing(self);
                let outcome = work.await;
                // From here on it would be another piece of work.
                drop(landing);
                done.send_replace(Some(outcome.as_ref().copied().map_err(Error::shared)));
                return outcome;
            }
            drop(done);
            if let Ok(outcome) = ahead.wait_for(Option::is_some).await
                && let Some(outcome) = &*outcome
            {
                return outcome.as_ref().copied().map_err(Error::shared);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<watch::Receiver<Outcome>>> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Clears the place, also for work that was given up.
struct Landing<'a>(&'a Flight);

impl Drop for Landing<'_> {
    fn drop(&mut self) {
        *self.0.lock() = None;
    }
}

#[cfg(test)]
mod tests {
    use std::{
        future::{pending, poll_fn},
        sync::{
            Arc,
            atomic::{AtomicUsize, Ordering},
        },
        task::Poll,
    };

    use super::*;

    async fn fail(runs: &AtomicUsize) -> Result<(), Error> {
        runs.fetch_add(1, Ordering::Relaxed);
        tokio::task::yield_now().await;
        Err(Error::KeyUnknown)
    }

    #[tokio::test]
    async fn a_failure_is_shared_by_those_who_wait_and_tried_again_by_those_who_come() {
        let (flight, runs) = (Arc::new(Flight::default()), Arc::new(AtomicUsize::new(0)));
        for round in 1..=2 {
            let joined: Vec<_> = (0..100)
                .map(|_| {
                    let (flight, runs) = (Arc::clone(&flight), Arc::clone(&runs));
                    tokio::spawn(async move { flight.join(fail(&runs)).await })
                })
                .collect();
            for one in joined {
                assert!(matches!(one.await.unwrap(), Err(Error::KeyUnknown)));
            }
            assert_eq!(runs.load(Ordering::Relaxed), round);
        }
    }

    #[tokio::test]
    async fn who_gives_up_is_replaced() {
        let flight = Arc::new(Flight::default());
        let mut first = Box::pin(flight.join(pending()));
        poll_fn(|cx| Poll::Ready(first.as_mut().poll(cx).is_pending())).await;
        let second = tokio::spawn({
            let flight = Arc::clone(&flight);
            async move { flight.join(async { Ok(()) }).await }
        });
        tokio::task::yield_now().await;
        assert!(!second.is_finished());
        drop(first);
        second.await.unwrap().unwrap();
    }
}
