//! What both ends ask and tell each other about messages.
//!
//! See core.telegram.org/mtproto/service_messages_about_messages.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bytes::Bytes;
use chappe_tl::Encode;
use chappe_tl::service::{self, types};

use crate::message::MAX_IDS;

/// The questions and answers of one session at the client.
#[derive(Debug, Default)]
pub(crate) struct Questions {
    /// Our messages whose state is to be asked for.
    ask: BTreeSet<i64>,
    /// Our questions that were not answered, by their own message ids.
    asked: BTreeMap<i64, Asked>,
    /// Our requests whose answers are to be sent again.
    fetch: BTreeSet<i64>,
    /// Messages of the server that are to be sent again.
    wanted: BTreeSet<i64>,
    /// Our requests whose answers nobody wants any more.
    drops: Vec<i64>,
    /// Other sessions of the same key that are of no more use.
    ended: Vec<i64>,
    /// What the server asked for: questions of it and our answers.
    told: Vec<(i64, Bytes)>,
}

#[derive(Debug)]
struct Asked {
    msg_ids: Vec<i64>,
    /// When an answer has to be there.
    due: Duration,
    /// When it has to be there whatever else comes before it.
    end: Duration,
}

/// A message to be sent, and the question in it if an answer is waited for.
pub(crate) struct Said {
    pub(crate) body: Bytes,
    pub(crate) question: Option<Vec<i64>>,
}

impl Questions {
    /// Asks for the state of a message of ours.
    pub(crate) fn ask(&mut self, msg_id: i64) {
        if self.ask.len() < MAX_ASKED {
            self.ask.insert(msg_id);
        }
    }

    /// Asks for the answer to a request of ours.
    pub(crate) fn fetch(&mut self, msg_id: i64) {
        if self.fetch.len() < MAX_ASKED {
            self.fetch.insert(msg_id);
        }
    }

    /// Asks for a message of the server.
    pub(crate) fn want(&mut self, msg_id: i64) {
        if self.wanted.len() < MAX_ASKED {
            self.wanted.insert(msg_id);
        }
    }

    /// Tells the server that nobody wants the answer to a request of ours.
    pub(crate) fn drop_answer(&mut self, msg_id: i64) {
        self.drops.push(msg_id);
    }

    /// Tells the server that another session of the key is of no more use.
    pub(crate) fn end(&mut self, session_id: i64) {
        if self.ended.len() < MAX_ASKED {
            self.ended.push(session_id);
        }
    }

    /// Answers a question of the server about its messages.
    pub(crate) fn tell(&mut self, req_msg_id: i64, info: Vec<u8>) {
        if self.told.len() < MAX_TOLD {
            self.told.push((req_msg_id, info.into()));
        }
    }

    /// A question left, as this message.
    pub(crate) fn asked(&mut self, question: i64, msg_ids: Vec<i64>, due: Duration) {
        let end = due.saturating_add(LONGEST_FRAME);
        self.asked.insert(question, Asked { msg_ids, due, end });
        while self.asked.len() > MAX_QUESTIONS {
            self.asked.pop_first();
        }
    }

    /// An answer came: gives what was asked.
    pub(crate) fn answered(&mut self, question: i64) -> Option<Vec<i64>> {
        Some(self.asked.remove(&question)?.msg_ids)
    }

    /// A long packet is under way, and answers can only come behind it.
    pub(crate) fn wait(&mut self, due: Duration) {
        for asked in self.asked.values_mut() {
            asked.due = asked.due.max(due.min(asked.end));
        }
    }

    /// Questions were refused: what they asked is asked again.
    pub(crate) fn rejected(&mut self, msg_ids: &[i64]) {
        for msg_id in msg_ids {
            for asked in self.answered(*msg_id).unwrap_or_default() {
                self.ask(asked);
            }
        }
    }

    /// The socket is gone, and with it all that was asked over it.
    pub(crate) fn disconnected(&mut self) {
        self.asked.clear();
        self.told.clear();
    }

    /// Whether an answer is overdue.
    pub(crate) fn is_overdue(&self, uptime: Duration) -> bool {
        self.wake().is_some_and(|due| due <= uptime)
    }

    /// When an answer has to be there.
    pub(crate) fn wake(&self) -> Option<Duration> {
        self.asked.values().map(|asked| asked.due).min()
    }

    /// Whether nothing is to be asked or told, and nothing was asked.
    pub(crate) fn is_empty(&self) -> bool {
        self.census() == [0; 3]
    }

    /// Takes up to so many messages that are to be sent.
    pub(crate) fn take(&mut self, room: usize) -> Vec<Said> {
        let mut said = Vec::new();
        let say = |body: Bytes| Said { body, question: None };
        if !self.ask.is_empty() && said.len() < room {
            let msg_ids: Vec<i64> = std::mem::take(&mut self.ask).into_iter().collect();
            let body = types::MsgsStateReq { msg_ids: msg_ids.clone() }.to_bytes();
            said.push(Said { body, question: Some(msg_ids) });
        }
        if !self.fetch.is_empty() && said.len() < room {
            let msg_ids: Vec<i64> = std::mem::take(&mut self.fetch).into_iter().collect();
            let body = types::MsgResendAnsReq { msg_ids }.to_bytes();
            // A server that has no such answer tells the states instead, one that has sends it.
            said.push(say(body));
        }
        if !self.wanted.is_empty() && said.len() < room {
            let msg_ids = std::mem::take(&mut self.wanted).into_iter().collect();
            said.push(say(types::MsgResendReq { msg_ids }.to_bytes()));
        }
        while said.len() < room
            && let Some(req_msg_id) = self.drops.pop()
        {
            said.push(say(service::RpcDropAnswer { req_msg_id }.to_bytes()));
        }
        while said.len() < room
            && let Some(session_id) = self.ended.pop()
        {
            said.push(say(service::DestroySession { session_id }.to_bytes()));
        }
        while said.len() < room
            && let Some((req_msg_id, info)) = self.told.pop()
        {
            said.push(say(types::MsgsStateInfo { req_msg_id, info }.to_bytes()));
        }
        said
    }

    /// What is kept: messages to be asked about, questions without an answer, things to be told.
    pub(crate) fn census(&self) -> [usize; 3] {
        let Self { ask, asked, fetch, wanted, drops, ended, told } = self;
        let tell = drops.len() + ended.len() + told.len();
        [ask.len() + fetch.len() + wanted.len(), asked.len(), tell]
    }
}

/// How many messages may be asked about at once.
const MAX_ASKED: usize = 1024;

/// How many questions may be without an answer.
const MAX_QUESTIONS: usize = 64;

/// How many questions of the server may wait for an answer.
const MAX_TOLD: usize = 64;

/// How long one packet may hold up what comes behind it: a file's part of a megabyte takes two
/// minutes over the slowest of lines.
const LONGEST_FRAME: Duration = Duration::from_secs(180);

/// One question must fit into one message.
const _: () = assert!(MAX_ASKED <= MAX_IDS);

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn what_is_asked_and_told_is_bounded() {
        let mut questions = Questions::default();
        for number in 0..2000 {
            questions.ask(number);
            questions.fetch(number);
            questions.want(number);
            questions.end(number);
            questions.tell(number, vec![1]);
            questions.asked(number, vec![number], at(9));
        }
        let told = MAX_ASKED + MAX_TOLD;
        assert_eq!(questions.census(), [3 * MAX_ASKED, MAX_QUESTIONS, told]);
        assert_eq!(questions.answered(0), None, "the oldest question makes room");
        assert_eq!(questions.answered(1999), Some(vec![1999]));
    }

    #[test]
    fn a_packet_takes_what_it_has_room_for() {
        let mut questions = Questions::default();
        for number in 0..10 {
            questions.drop_answer(number);
            questions.end(number);
            questions.tell(number, vec![1]);
        }
        questions.ask(1);
        questions.fetch(2);
        questions.want(3);
        let mut sizes = Vec::new();
        while !questions.is_empty() {
            sizes.push(questions.take(4).len());
        }
        assert_eq!(sizes, [4, 4, 4, 4, 4, 4, 4, 4, 1]);
        assert!(questions.take(4).is_empty());
    }

    #[test]
    fn a_question_is_answered_once_and_in_time() {
        let mut questions = Questions::default();
        questions.asked(4, vec![1, 2], at(9));
        assert!(!questions.is_overdue(at(8)) && questions.is_overdue(at(9)));
        assert_eq!(questions.answered(8), None);
        assert_eq!(questions.answered(4), Some(vec![1, 2]));
        assert_eq!(questions.answered(4), None);
        assert!(!questions.is_overdue(at(9)));
    }

    #[test]
    fn an_answer_may_be_late_behind_a_long_packet_but_not_for_ever() {
        let mut questions = Questions::default();
        questions.asked(4, vec![1], at(9));
        questions.wait(at(5));
        assert_eq!(questions.wake(), Some(at(9)), "never sooner");
        questions.wait(at(60));
        assert_eq!(questions.wake(), Some(at(60)));
        questions.wait(at(600));
        assert_eq!(questions.wake(), Some(at(9) + LONGEST_FRAME));
    }

    #[test]
    fn what_was_asked_over_a_socket_that_is_gone_is_not_waited_for() {
        let mut questions = Questions::default();
        questions.asked(4, vec![1, 2], at(9));
        questions.tell(5, vec![1]);
        questions.ask(3);
        questions.disconnected();
        assert_eq!((questions.wake(), questions.census()), (None, [1, 0, 0]));
    }
}
