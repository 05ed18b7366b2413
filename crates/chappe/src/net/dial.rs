//! Dialling one of several addresses: the first that answers is taken, and a dead one costs the
//! others a moment only, as RFC 8305 has it.

use std::{
    future::{Future, poll_fn},
    io,
    pin::pin,
    sync::{Arc, Mutex, PoisonError},
    task::Poll,
    time::Duration,
};

use tokio::{
    net::TcpStream,
    time::{Instant, sleep},
};

use super::{Connector, Dialing, Link};
use crate::dc::{AddressBook, DcOption, Kind};

/// How a client reaches servers.
#[derive(Clone)]
pub(crate) enum Dialer {
    /// By addresses.
    Each(Arc<dyn Fn(DcOption) -> Dialing + Send + Sync>),
    /// This data centre, by a way that knows no addresses, and no other.
    Only(i32, Connector),
}

impl Dialer {
    /// Whether this data centre can be reached at all.
    pub(crate) fn reaches(&self, book: &AddressBook, dc_id: i32) -> bool {
        match self {
            Self::Each(_) => !book.candidates(dc_id, Kind::Main).is_empty(),
            Self::Only(only, _) => *only == dc_id,
        }
    }

    /// What dials for one connection, as often as it is called. `dialled` hears which address
    /// answered, if any.
    pub(crate) fn connector(
        &self,
        book: &Arc<AddressBook>,
        dc_id: i32,
        kind: Kind,
        dialled: impl Fn(Option<&str>) + Send + Sync + 'static,
    ) -> Connector {
        let dial = match self {
            Self::Only(_, connector) => return Arc::clone(connector),
            Self::Each(dial) => Arc::clone(dial),
        };
        let (book, dialled) = (Arc::clone(book), Arc::new(dialled));
        let last: Arc<Mutex<Option<(String, Instant)>>> = Arc::default();
        Arc::new(move || {
            let (dial, book, last) = (Arc::clone(&dial), Arc::clone(&book), Arc::clone(&last));
            let dialled = Arc::clone(&dialled);
            Box::pin(async move {
                let before = last.lock().unwrap_or_else(PoisonError::into_inner).take();
                // An address that answers and then is of no use is as bad as one that does not.
                if let Some((address, at)) = before
                    && at.elapsed() < TOO_SHORT
                {
                    book.doubt(&address);
                }
                let candidates = book.candidates(dc_id, kind);
                let answered = race(candidates, &*dial, &book).await;
                let (address, link) = answered.inspect_err(|_| dialled(None))?;
                book.trust(&address);
                dialled(Some(&address));
                *last.lock().unwrap_or_else(PoisonError::into_inner) =
                    Some((address, Instant::now()));
                Ok(link)
            })
        })
    }
}

/// Dials by TCP.
pub(crate) fn tcp() -> Dialer {
    Dialer::Each(Arc::new(|option| {
        Box::pin(async move {
            let socket = TcpStream::connect(&option.address).await?;
            // Packets are whole requests: waiting for more to fill a segment only adds latency.
            socket.set_nodelay(true)?;
            Ok(Box::new(socket) as Box<dyn Link>)
        })
    }))
}

/// Dials by a way that a user of the library brings.
pub(crate) fn custom<C, F, L>(connector: C) -> Dialer
where
    C: Fn(DcOption) -> F + Send + Sync + 'static,
    F: Future<Output = io::Result<L>> + Send + 'static,
    L: Link + 'static,
{
    Dialer::Each(Arc::new(move |option| {
        let dialing = connector(option);
        Box::pin(async move { Ok(Box::new(dialing.await?) as Box<dyn Link>) })
    }))
}

/// Dials one data centre by a way that a user of the library brings.
pub(crate) fn only<C, F, L>(dc_id: i32, connector: C) -> Dialer
where
    C: Fn() -> F + Send + Sync + 'static,
    F: Future<Output = io::Result<L>> + Send + 'static,
    L: Link + 'static,
{
    let connector: Connector = Arc::new(move || {
        let dialing = connector();
        Box::pin(async move { Ok(Box::new(dialing.await?) as Box<dyn Link>) })
    });
    Dialer::Only(dc_id, connector)
}

/// Dials the candidates in their order, each a moment after the one before or as soon as that
/// failed, and returns the first that answers.
async fn race(
    candidates: Vec<DcOption>,
    dial: &(dyn Fn(DcOption) -> Dialing + Send + Sync),
    book: &AddressBook,
) -> io::Result<(String, Box<dyn Link>)> {
    let mut waiting = candidates.into_iter();
    let mut under_way: Vec<(String, Dialing)> = Vec::new();
    let mut failure = io::Error::new(io::ErrorKind::NotFound, "no address is known");
    loop {
        match waiting.next() {
            Some(option) => under_way.push((option.address.clone(), dial(option))),
            None if under_way.is_empty() => return Err(failure),
            None => {}
        }
        let more = waiting.len() > 0;
        let mut head_start = pin!(sleep(HEAD_START));
        let answered = poll_fn(|cx| {
            for (at, (_, dialing)) in under_way.iter_mut().enumerate() {
                if let Poll::Ready(answered) = dialing.as_mut().poll(cx) {
                    return Poll::Ready(Some((at, answered)));
                }
            }
            if more { head_start.as_mut().poll(cx).map(|()| None) } else { Poll::Pending }
        })
        .await;
        let Some((at, answered)) = answered else { continue };
        let (address, _) = under_way.remove(at);
        match answered {
            Ok(link) => {
                // Those before it had their head start.
                under_way.iter().for_each(|(slow, _)| book.doubt(slow));
                return Ok((address, link));
            }
            Err(error) => {
                tracing::debug!(address, %error, "no answer");
                book.doubt(&address);
                failure = error;
            }
        }
    }
}

/// How long an address may take before the next one is dialled, too.
const HEAD_START: Duration = Duration::from_millis(250);
/// A connection that ended within this time speaks against its address.
const TOO_SHORT: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use std::{
        future::pending,
        sync::atomic::{AtomicUsize, Ordering},
    };

    use super::*;
    use crate::dc::Ipv6;

    /// Addresses that begin with `dead` say nothing, those with `no` refuse.
    fn book(addresses: &[&str]) -> Arc<AddressBook> {
        let given = addresses.iter().map(|address| DcOption::new(2, *address)).collect();
        Arc::new(AddressBook::new(Ipv6::Allow, false, given, vec![], vec![]))
    }

    fn first(book: &AddressBook) -> String {
        book.candidates(2, Kind::Main).remove(0).address
    }

    async fn dial(connector: &Connector) -> (io::Result<()>, Duration) {
        let begin = Instant::now();
        (connector().await.map(drop), begin.elapsed())
    }

    fn connector(book: &Arc<AddressBook>, dials: &Arc<AtomicUsize>) -> Connector {
        let dials = Arc::clone(dials);
        let dialer = custom(move |option: DcOption| {
            dials.fetch_add(1, Ordering::Relaxed);
            async move {
                match &option.address {
                    dead if dead.starts_with("dead") => pending().await,
                    no if no.starts_with("no") => Err(io::ErrorKind::ConnectionRefused.into()),
                    _ => Ok(tokio::io::duplex(1).0),
                }
            }
        });
        dialer.connector(book, 2, Kind::Main, |_| {})
    }

    #[tokio::test(start_paused = true)]
    async fn a_dead_address_costs_a_moment_and_a_refusal_none() {
        for (addresses, time, count) in [
            (&["one:1", "two:2"][..], Duration::ZERO, 1),
            (&["no:1", "no:2", "two:2"], Duration::ZERO, 3),
            (&["dead:1", "two:2", "three:3"], HEAD_START, 2),
            (&["dead:1", "dead:2", "no:3", "four:4"], HEAD_START * 2, 4),
        ] {
            let (book, dials) = (book(addresses), Arc::default());
            let (dialled, took) = dial(&connector(&book, &dials)).await;
            dialled.unwrap();
            // Timers count milliseconds.
            assert!(took >= time && took <= time + Duration::from_millis(3), "{addresses:?}");
            assert_eq!(dials.load(Ordering::Relaxed), count, "{addresses:?}");
            // Next time it is tried first.
            assert_eq!(dial(&connector(&book, &dials)).await.1, Duration::ZERO, "{addresses:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn refused_everywhere_is_told_at_once_and_nowhere_known_too() {
        for addresses in [&["no:1", "no:2"][..], &[]] {
            let (dialled, took) = dial(&connector(&book(addresses), &Arc::default())).await;
            assert!(dialled.is_err() && took.is_zero(), "{addresses:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_address_whose_connection_did_not_last_is_tried_last() {
        let book = book(&["one:1", "two:2"]);
        let connector = connector(&book, &Arc::default());
        dial(&connector).await.0.unwrap();
        tokio::time::advance(TOO_SHORT).await;
        dial(&connector).await.0.unwrap();
        assert_eq!(first(&book), "one:1");
        tokio::time::advance(TOO_SHORT / 2).await;
        dial(&connector).await.0.unwrap();
        assert_eq!(first(&book), "two:2");
    }

    #[tokio::test]
    async fn a_way_without_addresses_leads_to_one_data_centre() {
        let dialer = only(2, || async { Ok(tokio::io::duplex(1).0) });
        let book = book(&[]);
        assert!(dialer.reaches(&book, 2) && !dialer.reaches(&book, 4));
        assert!(!tcp().reaches(&book, 2));
        dial(&dialer.connector(&book, 2, Kind::Main, |_| {})).await.0.unwrap();
    }
}
