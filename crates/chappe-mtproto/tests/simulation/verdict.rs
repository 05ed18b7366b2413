//! What has to hold: at every moment, and when a schedule is over.

use std::time::Duration;

use chappe_mtproto::connection::{Census, Input};
use chappe_mtproto::server::ServerInput;

use super::plan::Family;
use super::world::{End, World};

impl World {
    /// Runs a schedule to its end and judges it.
    pub fn judge(&mut self) {
        self.run(self.plan.heals, |_| false);
        self.run(self.plan.heals + SETTLES, |_| false);
        self.settle();
        for check in [
            Self::check_calls,
            Self::check_clients,
            Self::reconnect,
            Self::check_pushes,
            Self::check_clients,
            Self::check_end,
        ] {
            if self.violation.is_none() {
                check(self);
            }
        }
    }

    /// Gives every client a new socket: what nobody acknowledged comes over it at the latest.
    fn reconnect(&mut self) {
        for client in 0..self.clients.len() {
            if let Some(link) = self.clients[client].wire {
                self.cut(link, [1000, 1000]);
            }
        }
        self.run(self.time + AGAIN, |_| false);
        self.settle();
    }

    /// Waits until all is quiet; not for longer than the bound after the server did something.
    fn settle(&mut self) {
        let mut end = self.time;
        while end < self.worked + BOUND && self.violation.is_none() {
            end = self.worked + BOUND;
            if self.run(end, Self::is_quiet) {
                return;
            }
        }
    }

    /// Whether everybody has what he waits for.
    fn is_quiet(&self) -> bool {
        self.calls.iter().all(|call| call.end.is_some())
            && self.clients.iter().all(|client| {
                let census = client.connection.census();
                let at_rest = held(&census) == 0;
                client.error.is_some() || (at_rest && client.wire.is_some())
            })
    }

    fn check_calls(&mut self) {
        let family = self.plan.family;
        for number in 0..self.calls.len() {
            let call = &self.calls[number];
            let ask = call.ask;
            let runs = call.runs;
            let least = usize::from(call.end == Some(End::Answered) && !self.lies);
            let most = if ask.no_resend || family.is_fair() { 1 } else { 1 + self.amnesias };
            let complaint = match &call.end {
                None => {
                    Some(format!("has not ended {} s after the last was answered", BOUND.as_secs()))
                }
                Some(end) if runs < least => Some(format!("ran {runs} times and ended: {end:?}")),
                // What a liar says about messages makes them leave again.
                Some(end) if runs > most && !self.lies => {
                    Some(format!("ran {runs} times and ended: {end:?}"))
                }
                Some(end @ End::Failed(_))
                    if !may_fail(family, ask.no_resend) && !self.plan.refuses() =>
                {
                    Some(format!("failed without a reason: {end:?}"))
                }
                Some(_) => None,
            };
            if let Some(complaint) = complaint {
                return self.break_rule(format!("call {number} {complaint}"));
            }
        }
    }

    fn check_pushes(&mut self) {
        let kept = self.plan.setup.answer_retention >= DAY;
        for number in 0..self.pushes.len() {
            let push = &self.pushes[number];
            let client = &self.clients[push.client];
            let survived = kept
                && client.session == Some(push.session.session_id)
                && client.error.is_none()
                && self.restarted.is_none_or(|at| at < push.at)
                && !self.destroyed.contains(&push.session);
            let (shown, acked) = (push.shown, push.acked);
            if shown > 1 {
                return self.break_rule(format!("push {number} was shown {shown} times"));
            }
            if shown == 0 && acked && !self.lies {
                return self.break_rule(format!("push {number} was acknowledged and not shown"));
            }
            if shown == 0 && survived && !self.lies {
                return self.break_rule(format!("push {number} was lost"));
            }
        }
    }

    fn check_clients(&mut self) {
        let family = self.plan.family;
        for number in 0..self.clients.len() {
            let client = &self.clients[number];
            if let Some(error) = &client.error {
                if !matches!(family, Family::KeyLoss | Family::HostileServer) {
                    let error = error.clone();
                    return self.break_rule(format!("client {number} ended: {error}"));
                }
                continue;
            }
            let census = client.connection.census();
            if held(&census) + census.outputs > 0 {
                return self.break_rule(format!("client {number} still holds {census:?}"));
            }
            if client.wire.is_none() {
                return self.break_rule(format!("client {number} has no socket"));
            }
        }
    }

    /// All clients leave; in time nothing is left of them.
    fn check_end(&mut self) {
        self.closing = true;
        for client in 0..self.clients.len() {
            self.hang_up(client);
            self.input(client, Input::Disconnected);
            if let Some(wake) = self.client_wake(client) {
                return self.break_rule(format!("client {client} wants to be woken at {wake:?}"));
            }
        }
        self.run(self.time + IDLE, |_| false);
        let census = self.server.census();
        if [census.links, census.wanted, census.parked, census.waiting, census.outgoing] != [0; 5] {
            return self.break_rule(format!("without sockets the server holds {census:?}"));
        }
        self.time += DAY * 2;
        self.server.handle(self.server_now(), ServerInput::Timeout);
        self.drain_server();
        let census = self.server.census();
        let held = [census.sessions, census.keys, census.kept, census.acks, census.outputs];
        if held != [0; 5] || census.timers > 1 {
            self.break_rule(format!("after two days the server holds {census:?}"));
        }
    }

    pub(super) fn census_client(&mut self, client: usize) {
        let census = self.clients[client].connection.census();
        let open = self.clients[client].open.len();
        // Without a socket acknowledgements wait; none of them comes without one.
        let sessions = census.sessions;
        let bounded = census.acks <= (4096 + 1024) * sessions
            && census.remembered <= 2 * 4096 * sessions
            && sessions <= 6
            && census.keys <= 1 + sessions
            && census.to_ask <= 3 * 8192 * sessions
            && census.farewells <= 16
            && census.quick_acks <= 1024;
        if self.clients[client].error.is_none() && (census.requests > open || !bounded) {
            self.break_rule(format!("client {client}, with {open} open calls, holds {census:?}"));
        }
        self.peak.requests = self.peak.requests.max(census.requests);
    }

    pub(super) fn census_server(&mut self) {
        let census = self.server.census();
        let bounded = census.most_sessions <= 64
            && census.remembered <= 4096
            && census.kept <= 4096 * census.sessions
            && census.kept_bytes <= 32 * 1024 * 1024
            && census.acks <= 8192 * census.sessions
            && census.parked <= 64 * census.links
            && census.wanted <= census.links
            && census.timers <= 1 + census.links + 2 * census.sessions + 64;
        if !bounded {
            self.break_rule(format!("the server holds {census:?}"));
        }
        self.peak.kept = self.peak.kept.max(census.kept);
    }
}

/// What a client holds that has to end some time.
fn held(census: &Census) -> usize {
    let Census { requests, queued, sent, watched, chains, acks, to_ask, asked, to_tell, .. } =
        census;
    requests + queued + sent + watched + chains + acks + to_ask + asked + to_tell
}

/// Whether a call of an honest server may end without an answer.
///
/// Whoever asked not to be sent twice may hear of a loss. Everybody else is repeated as long as
/// the session lasts; one that begins anew, or answers that were not fetched in time, leave calls
/// behind of which nobody knows whether they ran.
fn may_fail(family: Family, no_resend: bool) -> bool {
    match family {
        Family::Calm | Family::Slow => false,
        // A temporary key that ends without a socket takes along what was on its way.
        Family::Secrecy => true,
        Family::Sockets
        | Family::Frames
        | Family::Exchange
        | Family::HostileClients
        | Family::Strange
        | Family::Killed => no_resend,
        _ => true,
    }
}

/// When a call has ended at the latest, after the network healed and the server ran or answered
/// the last request: half-open sockets, lost packets and sessions that begin anew included.
pub const BOUND: Duration = Duration::from_secs(600);

/// A half-open socket is noticed within this time.
const SETTLES: Duration = Duration::from_secs(150);

/// A new socket has brought what is missing within this time.
const AGAIN: Duration = Duration::from_secs(30);

/// A server closes a socket that says nothing for as long.
const IDLE: Duration = Duration::from_secs(700);

const DAY: Duration = Duration::from_secs(86_400);
