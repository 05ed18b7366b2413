//! Whether the other end is still there.
//!
//! A client sends `ping_delay_disconnect` at intervals; the server hangs up when none comes, the
//! client dials again when no byte comes back.
//! See core.telegram.org/mtproto/service_messages#deferred-connection-closure-+-ping.

use std::time::Duration;

/// The pings of one socket.
#[derive(Debug)]
pub(crate) struct Liveness {
    interval: Duration,
    deadline: Duration,
    next: Option<Duration>,
    /// When the oldest ping that nothing came after was sent.
    waiting: Option<Duration>,
    /// The last ping, by its id and that of its message.
    last: Option<(i64, i64)>,
}

impl Liveness {
    pub(crate) fn new(interval: Duration, deadline: Duration) -> Self {
        Self { interval: interval.max(SHORTEST), deadline, next: None, waiting: None, last: None }
    }

    /// A socket carries messages from now on: the first ping is due at once.
    pub(crate) fn start(&mut self, uptime: Duration) {
        self.next = Some(uptime);
        self.waiting = None;
        self.last = None;
    }

    /// The socket is gone.
    pub(crate) fn stop(&mut self) {
        self.next = None;
        self.waiting = None;
        self.last = None;
    }

    /// Whether a ping is to be sent now.
    pub(crate) fn is_due(&self, uptime: Duration) -> bool {
        self.next.is_some_and(|next| next <= uptime)
    }

    /// A ping was sent.
    pub(crate) fn sent(&mut self, uptime: Duration, ping_id: i64, msg_id: i64) {
        self.next = Some(uptime.saturating_add(self.interval));
        self.waiting.get_or_insert(uptime);
        self.last = Some((ping_id, msg_id));
    }

    /// A valid packet came: the other end lives.
    pub(crate) fn heard(&mut self) {
        self.waiting = None;
    }

    /// A pong came. `false` if it answers no ping of this socket.
    pub(crate) fn pong(&mut self, ping_id: i64) -> bool {
        self.last.take_if(|(last, _)| *last == ping_id).is_some()
    }

    /// Messages were refused; if the ping is one of them, it is due again.
    pub(crate) fn rejected(&mut self, msg_ids: &[i64], uptime: Duration) {
        if self.last.take_if(|(_, msg_id)| msg_ids.contains(msg_id)).is_some() {
            self.next = Some(uptime);
        }
    }

    /// Whether the other end was silent for too long.
    pub(crate) fn is_dead(&self, uptime: Duration) -> bool {
        self.waiting.is_some_and(|since| uptime >= since.saturating_add(self.deadline))
    }

    /// When to look again.
    pub(crate) fn wake(&self) -> Option<Duration> {
        let dead = self.waiting.map(|since| since.saturating_add(self.deadline));
        // Never is no time to wake up at.
        [self.next, dead].into_iter().flatten().min().filter(|wake| *wake < Duration::MAX)
    }
}

/// The shortest interval: one ping at a time.
const SHORTEST: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    const INTERVAL: Duration = Duration::from_secs(60);
    const DEADLINE: Duration = Duration::from_secs(15);

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_silent_socket_is_dead_after_the_deadline() {
        let mut liveness = Liveness::new(INTERVAL, DEADLINE);
        assert_eq!(liveness.wake(), None);
        liveness.start(at(100));
        assert!(liveness.is_due(at(100)));
        liveness.sent(at(100), 7, 1);
        assert_eq!(liveness.wake(), Some(at(115)));
        assert!(!liveness.is_dead(at(114)) && liveness.is_dead(at(115)));
    }

    #[test]
    fn any_interval_can_be_configured() {
        let mut liveness = Liveness::new(Duration::ZERO, Duration::MAX);
        liveness.start(at(100));
        liveness.sent(at(100), 7, 1);
        assert!(!liveness.is_due(at(100)) && liveness.is_due(at(101)));
        assert!(!liveness.is_dead(at(1_000_000)));
        let mut liveness = Liveness::new(Duration::MAX, DEADLINE);
        liveness.start(at(100));
        liveness.sent(at(100), 7, 1);
        liveness.heard();
        assert_eq!(liveness.wake(), None);
    }

    #[test]
    fn any_packet_is_a_sign_of_life() {
        let mut liveness = Liveness::new(INTERVAL, DEADLINE);
        liveness.start(at(0));
        liveness.sent(at(0), 7, 1);
        liveness.heard();
        assert!(!liveness.is_dead(at(1000)));
        assert_eq!(liveness.wake(), Some(at(60)));
        assert!(!liveness.pong(8) && liveness.pong(7) && !liveness.pong(7));
    }

    #[test]
    fn a_refused_ping_is_due_again() {
        let mut liveness = Liveness::new(INTERVAL, DEADLINE);
        liveness.start(at(0));
        liveness.sent(at(0), 7, 1);
        liveness.rejected(&[2, 3], at(5));
        assert!(!liveness.is_due(at(5)));
        liveness.rejected(&[1, 2], at(5));
        assert!(liveness.is_due(at(5)));
    }

    #[test]
    fn a_new_socket_starts_afresh() {
        let mut liveness = Liveness::new(INTERVAL, DEADLINE);
        liveness.start(at(0));
        liveness.sent(at(0), 7, 1);
        liveness.stop();
        assert_eq!(liveness.wake(), None);
        assert!(!liveness.is_dead(at(1000)));
        liveness.start(at(1000));
        assert!(liveness.is_due(at(1000)) && !liveness.is_dead(at(1000)));
    }
}
