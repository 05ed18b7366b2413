//! Whether the other end is still there.
//!
//! A client sends `ping_delay_disconnect` at intervals, and at once when an answer is waited for
//! in silence. The server hangs up when none comes, the client dials again when no byte comes back
//! in a time that follows the round trips that were measured. A line that is slow is not dead: a
//! ping waits for its turn behind what left before it, and a long answer is as good as a pong.
//! See core.telegram.org/mtproto/service_messages#deferred-connection-closure-+-ping.

use std::time::Duration;

/// The pings of one connection; what was measured outlives a socket.
#[derive(Debug)]
pub(crate) struct Liveness {
    interval: Duration,
    /// How long an answer may take before any was measured.
    deadline: Duration,
    /// The usual time from a ping to its pong.
    round_trip: Option<Duration>,
    next: Option<Duration>,
    /// When the last byte came.
    heard: Duration,
    /// The oldest ping that nothing came after.
    waiting: Option<Waiting>,
    /// The last ping.
    last: Option<Ping>,
    /// Whether the last ping asks if the socket survived a sleep of the machine.
    hurried: bool,
    /// How many bytes left over this socket.
    left: u64,
    /// How many of these are known to have arrived.
    arrived: u64,
}

#[derive(Clone, Copy, Debug)]
struct Waiting {
    since: Duration,
    /// How long its way may take for what was before it.
    delay: Duration,
}

#[derive(Clone, Copy, Debug)]
struct Ping {
    id: i64,
    /// The id of its message.
    msg_id: i64,
    sent: Duration,
    /// How many bytes had left when it did.
    left: u64,
    /// How long its way may take for what was before it.
    delay: Duration,
}

impl Liveness {
    pub(crate) fn new(interval: Duration, deadline: Duration) -> Self {
        Self {
            interval: interval.max(SHORTEST),
            deadline,
            round_trip: None,
            next: None,
            heard: Duration::ZERO,
            waiting: None,
            last: None,
            hurried: false,
            left: 0,
            arrived: 0,
        }
    }

    /// A socket carries messages from now on: the first ping is due at once.
    pub(crate) fn start(&mut self, uptime: Duration) {
        self.stop();
        self.next = Some(uptime);
        self.heard = uptime;
    }

    /// The socket is gone.
    pub(crate) fn stop(&mut self) {
        self.next = None;
        self.waiting = None;
        self.last = None;
        self.hurried = false;
        self.left = 0;
        self.arrived = 0;
    }

    /// The machine slept, or its clock was set: ask at once whether the socket is still there.
    pub(crate) fn hurry(&mut self, uptime: Duration) {
        if self.next.is_some() {
            self.next = Some(uptime);
            self.hurried = true;
        }
    }

    /// Whether a ping is to be sent now; `busy` while an answer is waited for.
    pub(crate) fn is_due(&self, uptime: Duration, busy: bool) -> bool {
        self.due(busy).is_some_and(|due| due <= uptime)
    }

    /// A packet of so many bytes left.
    pub(crate) fn left(&mut self, bytes: usize) {
        self.left = self.left.saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX));
    }

    /// A ping was sent with the packet that left last.
    pub(crate) fn sent(&mut self, uptime: Duration, id: i64, msg_id: i64) {
        self.next = Some(uptime.saturating_add(self.interval));
        let delay = self.delay();
        self.waiting.get_or_insert(Waiting { since: uptime, delay });
        self.last = Some(Ping { id, msg_id, sent: uptime, left: self.left, delay });
    }

    /// Bytes came, if only the first of a long answer: the other end lives.
    pub(crate) fn heard(&mut self, uptime: Duration) {
        self.heard = uptime;
        self.waiting = None;
        self.hurried = false;
    }

    /// The ping that waits for its pong. Nobody else knows its number.
    pub(crate) fn asked(&self) -> Option<i64> {
        self.last.map(|ping| ping.id)
    }

    /// A pong came. `false` if it answers no ping of this socket.
    pub(crate) fn pong(&mut self, ping_id: i64, uptime: Duration) -> bool {
        let Some(ping) = self.last.take_if(|ping| ping.id == ping_id) else {
            return false;
        };
        self.arrived = self.arrived.max(ping.left);
        let taken = uptime.saturating_sub(ping.sent);
        // A slower trip counts at once, faster ones by and by.
        // What it waited for the rest of its packet says nothing about the way of others.
        if ping.delay.is_zero() {
            let usual = self.round_trip.map_or(taken, |usual| taken.max((usual * 7 + taken) / 8));
            self.round_trip = Some(usual);
        }
        true
    }

    /// Messages were refused; if the ping is one of them, it is due again.
    pub(crate) fn rejected(&mut self, msg_ids: &[i64], uptime: Duration) {
        if self.last.take_if(|ping| msg_ids.contains(&ping.msg_id)).is_some() {
            self.next = Some(uptime);
        }
    }

    /// Whether the other end was silent for too long.
    pub(crate) fn is_dead(&self, uptime: Duration) -> bool {
        self.dead().is_some_and(|dead| dead <= uptime)
    }

    /// When to look again.
    pub(crate) fn wake(&self, busy: bool) -> Option<Duration> {
        // Never is no time to wake up at.
        [self.due(busy), self.dead()].into_iter().flatten().min().filter(|at| *at < Duration::MAX)
    }

    /// How long an answer to what leaves now may take.
    pub(crate) fn patience(&self) -> Duration {
        self.usual().saturating_add(self.delay())
    }

    /// How long an answer may take over a line that is free.
    /// Observed: TDLib gives 2.5 times its estimate, and estimates 2 seconds at least.
    fn usual(&self) -> Duration {
        let usual = self.round_trip.map_or(self.deadline, |usual| {
            (usual * 3 / 2 + Duration::from_secs(1)).max(LEAST) * 5 / 2
        });
        let usual = if self.round_trip.is_some() { usual.min(LONGEST) } else { usual };
        if self.hurried { usual.min(HURRY) } else { usual }
    }

    /// How long what left and is not known to have arrived may be on its way.
    fn delay(&self) -> Duration {
        let bytes = self.left.saturating_sub(self.arrived);
        Duration::from_secs(bytes / SLOWEST).min(LONGEST)
    }

    fn due(&self, busy: bool) -> Option<Duration> {
        let next = self.next?;
        let quiet = self.heard.saturating_add(QUIET);
        Some(if busy && self.waiting.is_none() { next.min(quiet) } else { next })
    }

    fn dead(&self) -> Option<Duration> {
        let Waiting { since, delay } = self.waiting?;
        Some(since.saturating_add(self.usual()).saturating_add(delay))
    }
}

/// The shortest interval: one ping at a time.
const SHORTEST: Duration = Duration::from_secs(1);

/// So long a silence, while an answer is waited for, asks for a ping.
const QUIET: Duration = Duration::from_secs(5);

/// No round trip is taken for shorter.
const LEAST: Duration = Duration::from_secs(2);

/// No answer to a ping is waited for longer, nor as long again for what left before it: the server
/// hangs up when no ping came for not much more.
const LONGEST: Duration = Duration::from_secs(60);

/// No line is taken for slower, in bytes per second: an upload's part of 512 KiB takes a minute.
const SLOWEST: u64 = 8 * 1024;

/// How long an answer may take after the machine slept.
const HURRY: Duration = Duration::from_secs(3);

#[cfg(test)]
mod tests {
    use super::*;

    const INTERVAL: Duration = Duration::from_secs(60);
    const DEADLINE: Duration = Duration::from_secs(15);

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn started(seconds: u64) -> Liveness {
        let mut liveness = Liveness::new(INTERVAL, DEADLINE);
        liveness.start(at(seconds));
        liveness
    }

    #[test]
    fn a_silent_socket_is_dead_after_the_deadline() {
        let mut liveness = Liveness::new(INTERVAL, DEADLINE);
        assert_eq!(liveness.wake(true), None);
        liveness.start(at(100));
        assert!(liveness.is_due(at(100), false));
        liveness.sent(at(100), 7, 1);
        assert_eq!(liveness.wake(false), Some(at(115)));
        assert!(!liveness.is_dead(at(114)) && liveness.is_dead(at(115)));
    }

    #[test]
    fn the_oldest_ping_without_an_answer_counts() {
        let mut liveness = started(0);
        liveness.sent(at(0), 7, 1);
        liveness.sent(at(14), 8, 2);
        assert!(liveness.is_dead(at(15)));
    }

    #[test]
    fn the_deadline_follows_the_round_trips() {
        for (round_trip, deadline) in [(0, 5_000), (600, 5_000), (2_000, 10_000), (90_000, 60_000)]
        {
            let mut liveness = started(100);
            liveness.sent(at(100), 7, 1);
            let came = at(100) + Duration::from_millis(round_trip);
            liveness.heard(came);
            assert!(liveness.pong(7, came));
            assert_eq!(liveness.patience(), Duration::from_millis(deadline), "{round_trip}");
        }
    }

    #[test]
    fn a_slow_trip_counts_at_once_and_fast_ones_by_and_by() {
        let mut liveness = started(0);
        let mut trip = |seconds: u64| {
            liveness.sent(at(0), 7, 1);
            assert!(liveness.pong(7, at(seconds)));
            liveness.round_trip.unwrap()
        };
        assert_eq!(trip(1), at(1));
        assert_eq!(trip(8), at(8));
        assert_eq!(trip(0), at(7));
    }

    #[test]
    fn a_ping_waits_behind_what_left_before_it() {
        let mut liveness = started(0);
        liveness.left(80 * 1024);
        liveness.sent(at(0), 7, 1);
        liveness.left(800 * 1024);
        assert!(!liveness.is_dead(at(24)) && liveness.is_dead(at(25)), "not for what came later");
        assert_eq!(liveness.patience(), DEADLINE + LONGEST, "a minute at most");
        liveness.heard(at(20));
        assert!(liveness.pong(7, at(20)));
        liveness.sent(at(20), 8, 2);
        assert!(!liveness.is_dead(at(94)) && liveness.is_dead(at(95)));
        liveness.heard(at(90));
        assert!(liveness.pong(8, at(90)));
        assert_eq!(
            liveness.patience(),
            DEADLINE,
            "nothing is on its way, and nothing was measured"
        );
        liveness.left(80 * 1024);
        liveness.start(at(200));
        assert_eq!(liveness.patience(), DEADLINE, "another socket carries nothing yet");
    }

    #[test]
    fn silence_while_an_answer_is_waited_for_asks_for_a_ping() {
        let mut liveness = started(0);
        liveness.sent(at(0), 7, 1);
        liveness.heard(at(1));
        assert_eq!((liveness.wake(false), liveness.wake(true)), (Some(at(60)), Some(at(6))));
        assert!(!liveness.is_due(at(6), false) && liveness.is_due(at(6), true));
        liveness.sent(at(6), 8, 2);
        assert!(!liveness.is_due(at(12), true), "one is on its way");
    }

    #[test]
    fn a_machine_that_slept_asks_at_once_and_waits_for_a_moment_only() {
        let mut liveness = started(0);
        liveness.sent(at(0), 7, 1);
        liveness.heard(at(1));
        liveness.hurry(at(10));
        assert!(liveness.is_due(at(10), false));
        liveness.sent(at(10), 8, 2);
        assert!(!liveness.is_dead(at(12)) && liveness.is_dead(at(13)));
        liveness.heard(at(12));
        assert!(!liveness.is_dead(at(13)));
        liveness.sent(at(20), 9, 3);
        assert!(!liveness.is_dead(at(34)) && liveness.is_dead(at(35)), "as patient as ever");
        let mut nobody = Liveness::new(INTERVAL, DEADLINE);
        nobody.hurry(at(10));
        assert_eq!(nobody.wake(true), None);
    }

    #[test]
    fn any_interval_can_be_configured() {
        let mut liveness = Liveness::new(Duration::ZERO, Duration::MAX);
        liveness.start(at(100));
        liveness.sent(at(100), 7, 1);
        assert!(!liveness.is_due(at(100), false) && liveness.is_due(at(101), false));
        assert!(!liveness.is_dead(at(1_000_000)));
        let mut liveness = Liveness::new(Duration::MAX, DEADLINE);
        liveness.start(at(100));
        liveness.sent(at(100), 7, 1);
        liveness.heard(at(100));
        assert_eq!(liveness.wake(false), None);
    }

    #[test]
    fn any_packet_is_a_sign_of_life() {
        let mut liveness = started(0);
        liveness.sent(at(0), 7, 1);
        liveness.heard(at(0));
        assert!(!liveness.is_dead(at(1000)));
        assert_eq!(liveness.wake(false), Some(at(60)));
        assert_eq!(liveness.asked(), Some(7));
        assert!(!liveness.pong(8, at(1)) && liveness.pong(7, at(1)) && !liveness.pong(7, at(1)));
        assert_eq!(liveness.asked(), None);
    }

    #[test]
    fn a_refused_ping_is_due_again() {
        let mut liveness = started(0);
        liveness.sent(at(0), 7, 1);
        liveness.rejected(&[2, 3], at(5));
        assert!(!liveness.is_due(at(5), false));
        liveness.rejected(&[1, 2], at(5));
        assert!(liveness.is_due(at(5), false));
    }

    #[test]
    fn a_new_socket_starts_afresh() {
        let mut liveness = started(0);
        liveness.sent(at(0), 7, 1);
        liveness.stop();
        assert_eq!(liveness.wake(true), None);
        assert!(!liveness.is_dead(at(1000)));
        liveness.start(at(1000));
        assert!(liveness.is_due(at(1000), false) && !liveness.is_dead(at(1000)));
    }
}
