//! What the server says unasked, as it comes.
//!
//! The stream is raw: objects of the type `Updates`, in the order of their arrival. Nothing
//! looks for gaps in `pts`, `qts` and `seq` or fetches what was missed while there was no
//! connection, and the changes that a call of this client causes come with that call's answer
//! only. Programs that must not miss anything call `updates.getDifference` themselves for now.
//! See core.telegram.org/api/updates.

use bytes::Bytes;
use chappe_tl::Decode;
use tokio::sync::{broadcast, watch};

use crate::{
    api::enums,
    error::Error,
    net::driver::{End, Status},
};

/// A stream of what the server pushes, from the moment it was asked for.
///
/// It does not keep the client alive. A reader that falls more than 256 objects behind loses the
/// oldest; [`lost`](Self::lost) counts them.
///
/// ```no_run
/// use chappe::api::enums;
///
/// # async fn example(client: chappe::Client) -> Result<(), chappe::Error> {
/// let mut updates = client.updates();
/// while let Some(object) = updates.next().await? {
///     if let enums::Updates::Updates(several) = object {
///         println!("{} at once, {} lost so far", several.updates.len(), updates.lost());
///     }
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Updates {
    pushes: Option<broadcast::Receiver<Bytes>>,
    status: watch::Receiver<Status>,
    told: bool,
    lost: u64,
}

impl Updates {
    pub(crate) fn new(
        pushes: &broadcast::WeakSender<Bytes>,
        status: watch::Receiver<Status>,
    ) -> Self {
        let pushes = pushes.upgrade().map(|pushes| pushes.subscribe());
        Self { pushes, status, told: false, lost: 0 }
    }

    /// Waits for the next object; `None` after the client was closed.
    ///
    /// # Errors
    /// What ended the connection for good, when nobody closed it. It is told once; after it
    /// comes `None`.
    ///
    /// # Cancel safety
    /// Nothing is lost by dropping the future.
    pub async fn next(&mut self) -> Result<Option<enums::Updates>, Error> {
        loop {
            let received = match &mut self.pushes {
                Some(pushes) => pushes.recv().await,
                None => Err(broadcast::error::RecvError::Closed),
            };
            match received {
                Ok(push) => match enums::Updates::from_bytes(&push) {
                    Ok(updates) => return Ok(Some(updates)),
                    Err(error) => {
                        tracing::warn!(%error, "an update cannot be decoded");
                        self.lost += 1;
                    }
                },
                Err(broadcast::error::RecvError::Lagged(count)) => self.lost += count,
                Err(broadcast::error::RecvError::Closed) => {
                    self.pushes = None;
                    if std::mem::replace(&mut self.told, true) {
                        return Ok(None);
                    }
                    return match &*self.status.borrow() {
                        Status::Ended(End::Closed) | Status::Connecting(_) | Status::Connected => {
                            Ok(None)
                        }
                        Status::Ended(end) => Err(end.to_error()),
                    };
                }
            }
        }
    }

    /// How many objects were lost so far: the reader was too slow, or they are of another layer.
    pub const fn lost(&self) -> u64 {
        self.lost
    }
}

/// Objects that wait for a slow reader.
pub(crate) const CAPACITY: usize = 256;
