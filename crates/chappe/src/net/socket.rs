//! One socket of a driver: reads into one buffer, writes what is queued, says goodbye.

use std::{
    collections::VecDeque,
    future::Future,
    io,
    pin::{Pin, pin},
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::Link;

/// A socket, and what waits to be written to it or handled.
pub(super) struct Socket {
    link: Box<dyn Link>,
    /// What was read and not handled.
    pub(super) input: BytesMut,
    output: VecDeque<Bytes>,
    /// Bytes that wait to be written.
    pub(super) waiting: usize,
    flushed: bool,
}

impl Socket {
    pub(super) fn new(link: Box<dyn Link>) -> Self {
        Self { link, input: BytesMut::new(), output: VecDeque::new(), waiting: 0, flushed: true }
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

    /// Writes what is left and ends the stream, for a moment at most.
    pub(super) async fn finish(mut self) {
        let goodbye = async {
            while let Some(bytes) = self.output.pop_front() {
                self.link.write_all(&bytes).await?;
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
