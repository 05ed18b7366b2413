//! One socket between a client and a server, with everything that can happen to it.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use chappe_mtproto::transport::{Framing, Transport};

use super::plan::FrameFault;

/// Both directions of a socket, and who stands at its far end.
#[derive(Debug)]
pub struct Wire {
    pub client: usize,
    pub far: Far,
    pub framing: Framing,
    pub obfuscated: bool,
    /// Reads what the client sends, as a server would; answers in the place of one.
    pub mirror: Transport,
    pub mirror_input: BytesMut,
    /// Reads what the server sends, where that is not obfuscated.
    pub reader: Option<(Transport, BytesMut)>,
    pub up: Pipe,
    pub down: Pipe,
    pub client_open: bool,
    pub server_open: bool,
    /// Nothing passes any more, in either direction.
    pub cut: bool,
    /// Whether the announcement of the framing left already.
    pub greeted: bool,
}

/// Who answers.
#[derive(Clone, Debug)]
pub enum Far {
    Honest,
    /// Somebody who answers with a transport error.
    Refusing(i32),
    /// A hostile server, for so many messages more.
    Evil(u32),
}

/// One direction.
#[derive(Debug, Default)]
pub struct Pipe {
    pub queue: VecDeque<Piece>,
    /// When the piece that was sent last arrives.
    pub last: Duration,
    /// When a slow line has carried what was sent so far.
    pub free: Duration,
    /// Nothing arrives before.
    pub stalled: Duration,
    /// Bytes vanish.
    pub vanishes: bool,
    /// The socket is cut after so many bytes.
    pub budget: Option<usize>,
    pub fault: Option<(FrameFault, u32)>,
    /// So many bits of what is sent next flip.
    pub flips: u32,
    /// What arrived and is not taken.
    pub input: BytesMut,
}

#[derive(Clone, Debug)]
pub enum Piece {
    Bytes(Bytes),
    End,
}

impl Pipe {
    /// Bytes on their way.
    pub fn length(&self) -> usize {
        let length = |piece: &Piece| match piece {
            Piece::Bytes(bytes) => bytes.len(),
            Piece::End => 0,
        };
        self.queue.iter().map(length).sum()
    }

    /// Loses all but the first bytes of what is on its way.
    pub fn truncate(&mut self, mut length: usize) {
        for piece in &mut self.queue {
            if let Piece::Bytes(bytes) = piece {
                bytes.truncate(length);
                length -= bytes.len();
            }
        }
    }
}

impl Wire {
    pub fn pipe(&mut self, up: bool) -> &mut Pipe {
        if up { &mut self.up } else { &mut self.down }
    }

    /// Whether the frames of this socket can be told apart on the way.
    pub fn shows_frames(&self) -> bool {
        !self.obfuscated && self.framing != Framing::Full
    }
}

/// Cuts what was sent at once into frames; what is none stays in one piece.
///
/// The announcement of the framing is no frame: it stays with the first.
pub fn frames(framing: Framing, greeting: bool, mut bytes: Bytes) -> Vec<Bytes> {
    let mut frames = Vec::new();
    let mut skip = match framing {
        _ if !greeting => 0,
        Framing::Abridged => 1,
        _ => 4,
    };
    while bytes.len() > skip {
        let head = &bytes[skip..];
        let length = match (framing, head) {
            (Framing::Abridged, [0x7f | 0xff, a, b, c, ..]) => {
                4 + 4 * u32::from_le_bytes([*a, *b, *c, 0])
            }
            (Framing::Abridged, [first, ..]) => 1 + 4 * u32::from(first & 0x7f),
            (_, [a, b, c, d, ..]) => 4 + (u32::from_le_bytes([*a, *b, *c, *d]) & 0x7fff_ffff),
            _ => u32::MAX,
        };
        let length = usize::try_from(length).unwrap_or(usize::MAX).saturating_add(skip);
        frames.push(bytes.split_to(length.min(bytes.len())));
        skip = 0;
    }
    if !bytes.is_empty() {
        frames.push(bytes);
    }
    frames
}
