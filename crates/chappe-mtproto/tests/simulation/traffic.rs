//! The network of a schedule: dials, bytes on their way, and what becomes of them.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use chappe_crypto::Side;
use chappe_mtproto::connection::Input;
use chappe_mtproto::packet;
use chappe_mtproto::server::{LinkId, ServerInput};
use chappe_mtproto::transport::{Frame, Transport};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

use super::evil;
use super::plan::{FrameFault, Pieces};
use super::watch;
use super::wire::{Far, Piece, Pipe, Wire, frames};
use super::world::{Todo, World};

impl World {
    /// Dials after a while.
    pub(super) fn dial(&mut self, client: usize, wait: Duration) {
        let dialer = &mut self.clients[client];
        if !dialer.dials && dialer.wire.is_none() {
            dialer.dials = true;
            self.plan_in(wait, Todo::Dial(client));
        }
    }

    pub(super) fn connect(&mut self, client: usize) {
        let dialer = &self.clients[client];
        if self.closing || dialer.wire.is_some() || dialer.error.is_some() {
            return;
        }
        if let Some(until) = self.clients[client].asleep {
            return self.dial(client, until.saturating_sub(self.time));
        }
        if self.clients[client].refusals > 0 {
            self.clients[client].refusals -= 1;
            let wait = self.chance.millis(200..=8000);
            return self.dial(client, wait);
        }
        self.links += 1;
        let link = self.links;
        let setup = self.plan.setup.clients[client].clone();
        let far = self.far(client);
        self.note(|| format!("client {client} has socket {link} to {far:?}"));
        let reader = (!setup.obfuscated).then(|| {
            let mut rng = ChaCha20Rng::from_seed([0; 32]);
            let reader = Transport::client(setup.framing, None, &mut rng).expect("not obfuscated");
            (reader, BytesMut::new())
        });
        let honest = matches!(far, Far::Honest);
        let wire = Wire {
            client,
            far,
            framing: setup.framing,
            obfuscated: setup.obfuscated,
            mirror: Transport::server(),
            mirror_input: BytesMut::new(),
            reader,
            up: Pipe::default(),
            down: Pipe::default(),
            client_open: true,
            server_open: honest,
            cut: false,
            greeted: false,
        };
        self.wires.insert(link, wire);
        self.clients[client].wire = Some(link);
        if honest {
            self.server.handle(self.server_now(), ServerInput::Accepted(LinkId(link)));
            self.drain_server();
        }
        self.input(client, Input::Connected);
    }

    /// Who answers the next socket of a client.
    fn far(&mut self, client: usize) -> Far {
        let dialer = &mut self.clients[client];
        match dialer.next_far.take() {
            // The fourth -404 in a row rightly ends a connection, so no more than one is made up.
            Some(Far::Refusing(-404)) if dialer.doubted => Far::Honest,
            Some(far) => {
                dialer.doubted |= matches!(far, Far::Refusing(-404));
                far
            }
            None => Far::Honest,
        }
    }

    /// Bytes leave a client.
    pub(super) fn client_sent(&mut self, client: usize, bytes: &Bytes) {
        let Some(link) = self.clients[client].wire else {
            return;
        };
        self.watch_client(client, link, bytes);
        self.send(link, true, bytes);
    }

    /// Bytes leave the far end of a socket.
    pub(super) fn server_sent(&mut self, link: u64, bytes: &Bytes) {
        if self.wires.contains_key(&link) {
            self.watch_server(link, bytes);
            self.send(link, false, bytes);
        }
    }

    pub(super) fn send(&mut self, link: u64, up: bool, bytes: &Bytes) {
        let Some(wire) = self.wires.get_mut(&link) else {
            return;
        };
        let greeting = up && !std::mem::replace(&mut wire.greeted, true);
        let framing = wire.framing;
        let pipe = wire.pipe(up);
        let Some((fault, left)) = &mut pipe.fault else {
            return self.enqueue(link, up, bytes.clone());
        };
        let fault = *fault;
        let all = frames(framing, greeting, bytes.clone());
        let hit = usize::try_from(*left).unwrap().min(all.len());
        *left -= u32::try_from(hit).unwrap();
        if *left == 0 {
            pipe.fault = None;
        }
        for (place, frame) in all.into_iter().enumerate() {
            // Without its announcement a socket is none.
            if place >= hit || (greeting && place == 0) {
                self.enqueue(link, up, frame);
                continue;
            }
            self.note(|| format!("socket {link} up {up}: {fault:?} of {} bytes", frame.len()));
            match fault {
                FrameFault::Drop => {}
                FrameFault::Double => {
                    self.enqueue(link, up, frame.clone());
                    let wait = self.chance.millis(0..=3000);
                    self.plan_in(wait, Todo::Late { link, up, frame });
                }
                FrameFault::Delay => {
                    let wait = self.chance.millis(0..=9000);
                    self.plan_in(wait, Todo::Late { link, up, frame });
                }
                FrameFault::Flip => {
                    let frame = self.flip(frame, 1);
                    self.enqueue(link, up, frame);
                }
            }
        }
    }

    fn flip(&mut self, bytes: Bytes, bits: u32) -> Bytes {
        let mut bytes = BytesMut::from(bytes);
        for _ in 0..bits {
            let place = self.chance.index(bytes.len());
            bytes[place] ^= 1 << self.chance.below(8);
        }
        bytes.freeze()
    }

    /// Puts bytes on their way.
    pub(super) fn enqueue(&mut self, link: u64, up: bool, mut bytes: Bytes) {
        let Some(wire) = self.wires.get_mut(&link).filter(|wire| !wire.cut) else {
            return;
        };
        let client = wire.client;
        let pipe = wire.pipe(up);
        if pipe.vanishes {
            return;
        }
        let flips = std::mem::take(&mut pipe.flips);
        let mut cut = false;
        if let Some(budget) = &mut pipe.budget {
            cut = bytes.len() >= *budget;
            bytes.truncate(*budget);
            *budget -= bytes.len();
        }
        if flips > 0 && !bytes.is_empty() {
            self.note(|| format!("socket {link} up {up}: {flips} bits flip"));
            bytes = self.flip(bytes, flips);
        }
        let mut pieces = vec![bytes];
        let most = match self.plan.setup.clients[client].pieces {
            Pieces::Whole => 0,
            Pieces::Some => 2,
            Pieces::Many => 12,
        };
        for _ in 0..most {
            let last = pieces.len() - 1;
            let place = self.chance.index(pieces[last].len() + 1);
            let rest = pieces[last].split_off(place);
            pieces.push(rest);
        }
        // What a slow line carries in a quarter of a second arrives at once.
        let speed = self.plan.setup.clients[client].speed[usize::from(!up)];
        let largest = speed.map_or(usize::MAX, |speed| usize::try_from(speed / 4).unwrap());
        for mut piece in pieces {
            while !piece.is_empty() {
                let part = piece.split_to(piece.len().min(largest));
                self.piece(link, up, Piece::Bytes(part));
            }
        }
        if cut {
            let arrives = self.chance.range(0..=1000);
            self.cut(link, if up { [1000, arrives] } else { [arrives, 1000] });
        }
    }

    fn piece(&mut self, link: u64, up: bool, piece: Piece) {
        let Some(wire) = self.wires.get_mut(&link) else {
            return;
        };
        let (least, more) = self.plan.setup.clients[wire.client].latency[usize::from(!up)];
        let wait = self.chance.millis(least..=least + more);
        let speed = self.plan.setup.clients[wire.client].speed[usize::from(!up)];
        let pipe = wire.pipe(up);
        pipe.free = pipe.free.max(self.time);
        if let (Piece::Bytes(bytes), Some(speed)) = (&piece, speed) {
            let millis = 1000 * u64::try_from(bytes.len()).unwrap() / speed;
            pipe.free += Duration::from_millis(millis);
        }
        pipe.last = pipe.last.max(pipe.free + wait);
        pipe.queue.push_back(piece);
        let at = pipe.last;
        self.plan_at(at, Todo::Arrive { link, up });
    }

    /// What waited for a sleeper who woke up early arrives now.
    pub(super) fn wake_pipe(&mut self, client: usize) {
        let Some(link) = self.clients[client].wire else {
            return;
        };
        let waiting = self.wires.get(&link).map_or(0, |wire| wire.down.queue.len());
        for _ in 0..waiting {
            self.plan_at(self.time, Todo::Arrive { link, up: false });
        }
    }

    /// The next piece of one direction arrives.
    pub(super) fn arrive(&mut self, link: u64, up: bool) {
        let Some(wire) = self.wires.get_mut(&link) else {
            return;
        };
        let asleep = self.clients[wire.client].asleep.filter(|_| !up);
        let client = wire.client;
        let pipe = wire.pipe(up);
        let later = asleep.unwrap_or_default().max(pipe.stalled);
        if later > self.time {
            return self.plan_at(later, Todo::Arrive { link, up });
        }
        match pipe.queue.pop_front() {
            None => {}
            Some(Piece::Bytes(bytes)) if up => {
                if wire.server_open {
                    let mut input = std::mem::take(&mut wire.up.input);
                    input.extend_from_slice(&bytes);
                    let now = self.server_now();
                    self.server.handle(now, ServerInput::Received(LinkId(link), &mut input));
                    if let Some(wire) = self.wires.get_mut(&link) {
                        wire.up.input = input;
                    }
                    self.drain_server();
                } else if let Far::Refusing(code) = wire.far {
                    wire.far = Far::Honest;
                    let mut out = BytesMut::new();
                    if wire.mirror.pack_error(code, &mut out).is_ok() {
                        self.send(link, false, &out.freeze());
                    }
                    self.piece(link, false, Piece::End);
                } else if let Far::Evil(_) = wire.far {
                    evil::begin(self, link);
                }
            }
            Some(Piece::Bytes(bytes)) if wire.client_open => {
                let mut input = std::mem::take(&mut wire.down.input);
                input.extend_from_slice(&bytes);
                self.input(client, Input::Received(&mut input));
                if let Some(wire) = self.wires.get_mut(&link) {
                    wire.down.input = input;
                }
            }
            Some(Piece::Bytes(_)) => {}
            Some(Piece::End) if up => {
                if std::mem::take(&mut wire.server_open) {
                    let now = self.server_now();
                    self.server.handle(now, ServerInput::Closed(LinkId(link)));
                    self.drain_server();
                }
                self.tidy(link);
            }
            Some(Piece::End) => {
                if std::mem::take(&mut wire.client_open) {
                    self.note(|| format!("client {client} loses socket {link}"));
                    self.clients[client].wire = None;
                    self.input(client, Input::Disconnected);
                    self.dial_again(client);
                }
                self.tidy(link);
            }
        }
    }

    pub(super) fn dial_again(&mut self, client: usize) {
        let wait = self.chance.millis(10..=3000);
        self.dial(client, wait);
    }

    /// Cuts a socket: so many thousandths of what is on its way still arrive, then both ends hear.
    pub(super) fn cut(&mut self, link: u64, arrives: [u64; 2]) {
        let Some(wire) = self.wires.get_mut(&link).filter(|wire| !wire.cut) else {
            return;
        };
        wire.cut = true;
        for (pipe, share) in [&mut wire.up, &mut wire.down].into_iter().zip(arrives) {
            let share = usize::try_from(share).unwrap();
            pipe.truncate(pipe.length() * share / 1000);
        }
        let vanishes = [wire.up.vanishes, wire.down.vanishes];
        self.note(|| format!("socket {link} is cut"));
        for (up, vanishes) in [true, false].into_iter().zip(vanishes) {
            if !vanishes {
                self.piece(link, up, Piece::End);
            }
        }
    }

    /// The client closes its socket.
    pub(super) fn hang_up(&mut self, client: usize) {
        let Some(link) = self.clients[client].wire.take() else {
            return;
        };
        if let Some(wire) = self.wires.get_mut(&link) {
            wire.client_open = false;
            wire.down.queue.clear();
            if !wire.up.vanishes {
                self.piece(link, true, Piece::End);
            }
        }
        self.tidy(link);
    }

    /// The server closed a socket.
    pub(super) fn server_closed(&mut self, link: u64) {
        let Some(wire) = self.wires.get_mut(&link) else {
            return;
        };
        wire.server_open = false;
        if !wire.down.vanishes {
            self.piece(link, false, Piece::End);
        }
        self.tidy(link);
    }

    fn tidy(&mut self, link: u64) {
        if self.wires.get(&link).is_some_and(|wire| !wire.client_open && !wire.server_open) {
            self.wires.remove(&link);
        }
    }

    /// Looks into what a client sends.
    fn watch_client(&mut self, client: usize, link: u64, bytes: &Bytes) {
        let Some(wire) = self.wires.get_mut(&link) else {
            return;
        };
        wire.mirror_input.extend_from_slice(bytes);
        loop {
            let payload = match wire.mirror.receive(&mut wire.mirror_input) {
                Ok(None) => return,
                Ok(Some(Frame::Packet { payload, .. })) => payload,
                Ok(Some(other)) => return self.break_rule(format!("a client sent {other:?}")),
                Err(error) => return self.break_rule(format!("a client sent: {error}")),
            };
            let Some(key) = packet::auth_key_id(&payload).and_then(|id| self.keys.get(&id)) else {
                continue;
            };
            let key_id = key.id();
            // Others on the way hear it too.
            if !self.rogues.is_empty() && self.heard.len() < 64 {
                self.heard.push(payload.to_vec());
            }
            let sender = &mut self.clients[client];
            match watch::watch(key, Side::Client, payload, &mut sender.ledgers) {
                Ok(seen) => {
                    sender.session = Some(seen.session_id);
                    sender.key_id = Some(key_id);
                    if let Some(trace) = &mut self.trace {
                        trace.push(watch::describe(
                            self.time,
                            &format!("client {client} ->"),
                            &seen,
                        ));
                    }
                }
                Err(error) => return self.break_rule(format!("client {client} sent {error}")),
            }
        }
    }

    /// Looks into what the server sends, where that can be read.
    fn watch_server(&mut self, link: u64, bytes: &Bytes) {
        let Some(wire) = self.wires.get_mut(&link) else {
            return;
        };
        let client = wire.client;
        let Some((reader, input)) = &mut wire.reader else {
            return;
        };
        input.extend_from_slice(bytes);
        loop {
            let payload = match reader.receive(input) {
                Ok(None) => return,
                Ok(Some(Frame::Packet { payload, .. })) => payload,
                Ok(Some(_)) => continue,
                Err(error) => return self.break_rule(format!("the server sent: {error}")),
            };
            let Some(key) = packet::auth_key_id(&payload).and_then(|id| self.keys.get(&id)) else {
                continue;
            };
            match watch::watch(key, Side::Server, payload, &mut self.server_ledgers) {
                Ok(seen) => {
                    if let Some(trace) = &mut self.trace {
                        trace.push(watch::describe(
                            self.time,
                            &format!("client {client} <-"),
                            &seen,
                        ));
                    }
                }
                Err(_) if self.plan.muddles() => {}
                Err(error) => return self.break_rule(format!("the server sent {error}")),
            }
        }
    }
}
