//! One socket of a driver: reads into one buffer, writes what is queued, says goodbye.

use std::{
    any::Any,
    collections::VecDeque,
    future::{Future, poll_fn},
    io,
    pin::{Pin, pin},
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::{Buf, Bytes, BytesMut};
use tokio::{
    io::{AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
};

use super::Link;
use crate::session::Lease;

/// A socket, and what waits to be written to it or handled.
pub(super) struct Socket {
    link: Box<dyn Link>,
    /// What was read and not handled.
    pub(super) input: BytesMut,
    output: VecDeque<Bytes>,
    /// Bytes that wait to be written.
    pub(super) waiting: usize,
    flushed: bool,
    /// Once it is over nothing more is written.
    lease: Option<Lease>,
}

impl Socket {
    pub(super) fn new(link: Box<dyn Link>, lease: Option<Lease>) -> Self {
        Self {
            link,
            input: BytesMut::new(),
            output: VecDeque::new(),
            waiting: 0,
            flushed: true,
            lease,
        }
    }

    pub(super) fn push(&mut self, bytes: Bytes) {
        self.waiting += bytes.len();
        self.output.push_back(bytes);
        self.flushed = false;
    }

    /// Is ready when all is written and flushed, or writing failed; pending if there is nothing.
    pub(super) fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.flushed {
            return Poll::Pending;
        }
        while let Some(front) = self.output.front_mut() {
            // A process may be stopped anywhere, and its lease run out while it is.
            if self.lease.as_ref().is_some_and(Lease::is_over) {
                return Poll::Ready(Err(io::Error::other("the lease of the session is over")));
            }
            let written = ready!(Pin::new(&mut self.link).poll_write(cx, front))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.waiting -= written;
            front.advance(written);
            if front.is_empty() {
                self.output.pop_front();
            }
        }
        ready!(Pin::new(&mut self.link).poll_flush(cx))?;
        self.flushed = true;
        Poll::Ready(Ok(()))
    }

    pub(super) fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // What was read before may be held on to: a block for each packet would leave memory in holes.
        if self.input.capacity() - self.input.len() < LEAST_READ {
            self.input.reserve(READ);
        }
        let read = pin!(self.link.read_buf(&mut self.input)).poll(cx);
        match ready!(read)? {
            0 => {
                let hung_up = io::Error::new(io::ErrorKind::UnexpectedEof, "the server hung up");
                Poll::Ready(Err(hung_up))
            }
            _ => Poll::Ready(Ok(())),
        }
    }

    /// Closes it at once. What the operating system has not sent yet it is not to send later.
    pub(super) fn abort(self) {
        let link: &dyn Any = &*self.link;
        if let Some(tcp) = link.downcast_ref::<TcpStream>()
            && let Err(error) = tcp.set_zero_linger()
        {
            tracing::debug!(%error, "the socket cannot be reset");
        }
    }

    /// Writes what is left and ends the stream, for a moment at most.
    pub(super) async fn finish(mut self) {
        let goodbye = async {
            if !self.flushed {
                poll_fn(|cx| self.poll_write(cx)).await?;
            }
            self.link.shutdown().await
        };
        match tokio::time::timeout(GOODBYE, goodbye).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::debug!(%error, "the socket was gone before the goodbye"),
            Err(_) => tracing::debug!("the socket took no goodbye"),
        }
    }
}

/// How long a goodbye may take.
const GOODBYE: Duration = Duration::from_secs(1);
/// Bytes that are made room for at once.
const READ: usize = 16 * 1024;
/// Less room than this is not worth a read, in bytes.
const LEAST_READ: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::Moment;

    /// Not even a goodbye.
    #[tokio::test(start_paused = true)]
    async fn nothing_is_written_when_the_lease_is_over() {
        for over in [false, true] {
            let lease = Lease::granted(Moment::now(), GOODBYE);
            let (near, mut far) = tokio::io::duplex(64);
            let mut socket = Socket::new(Box::new(near), Some(lease.clone()));
            socket.push(Bytes::from_static(b"first"));
            poll_fn(|cx| socket.poll_write(cx)).await.unwrap();
            socket.push(Bytes::from_static(b"last"));
            if over {
                lease.lose();
                assert!(poll_fn(|cx| socket.poll_write(cx)).await.is_err());
            }
            socket.finish().await;
            let mut heard = String::new();
            far.read_to_string(&mut heard).await.unwrap();
            assert_eq!(heard, if over { "first" } else { "firstlast" });
        }
    }
}
