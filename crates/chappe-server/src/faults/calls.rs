//! Which methods were called, and how the last calls ended.

use std::{
    collections::{BTreeMap, VecDeque},
    fmt::Display,
    sync::Arc,
};

use chappe_mtproto::server::SessionRef;
use serde::{Serialize, Serializer};

/// Which methods were called since the server began.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Calls {
    /// How often each method was called, by its TL name.
    pub methods: BTreeMap<String, Count>,
    /// The last calls, the oldest first; at most 1,024.
    pub recent: Vec<Call>,
}

/// What happened to the calls of one method.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Count {
    /// So many requests came, repetitions included.
    pub received: u64,
    /// So many were executed.
    pub executed: u64,
    /// So many were answered by a result.
    pub answered: u64,
    /// So many were answered by an error.
    pub refused: u64,
}

/// One call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Call {
    /// Its number since the server began, from 1.
    pub number: u64,
    /// When it came, unix seconds.
    pub date: i32,
    /// The data centre.
    pub dc: i32,
    /// The TL name of the method.
    #[serde(serialize_with = "text")]
    pub method: Arc<str>,
    /// The auth key. In JSON a string of digits, as all numbers of 64 bits.
    #[serde(serialize_with = "text")]
    pub auth_key_id: i64,
    /// The session.
    #[serde(serialize_with = "text")]
    pub session_id: i64,
    /// The message id of the request.
    #[serde(serialize_with = "text")]
    pub msg_id: i64,
    /// How often it came, repetitions included.
    pub received: u32,
    /// Whether it was executed.
    pub executed: bool,
    /// Whether it was answered, by a result or an error.
    pub answered: bool,
    /// The error that it was refused with.
    pub error: Option<String>,
}

/// The log behind [`Calls`].
#[derive(Debug, Default)]
pub(crate) struct CallLog {
    last: u64,
    methods: BTreeMap<Arc<str>, Count>,
    recent: VecDeque<Call>,
}

/// How a call ended.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    pub(crate) executed: bool,
    pub(crate) answered: bool,
    pub(crate) error: Option<String>,
}

impl CallLog {
    /// Writes a call down.
    pub(crate) fn add(
        &mut self,
        date: i32,
        dc: i32,
        method: &str,
        session: SessionRef,
        msg_id: i64,
        outcome: Outcome,
    ) {
        let Outcome { executed, answered, error } = outcome;
        let method = match self.methods.get_key_value(method) {
            Some((name, _)) => Arc::clone(name),
            None => Arc::from(method),
        };
        let count = self.methods.entry(Arc::clone(&method)).or_default();
        count.received += 1;
        count.executed += u64::from(executed);
        count.answered += u64::from(answered && error.is_none());
        count.refused += u64::from(answered && error.is_some());
        if self.recent.len() == RECENT {
            self.recent.pop_front();
        }
        self.last += 1;
        let SessionRef { auth_key_id, session_id } = session;
        self.recent.push_back(Call {
            number: self.last,
            date,
            dc,
            method,
            auth_key_id,
            session_id,
            msg_id,
            received: 1,
            executed,
            answered,
            error,
        });
    }

    /// A call came again.
    pub(crate) fn repeated(&mut self, session: SessionRef, msg_id: i64) {
        let SessionRef { auth_key_id, session_id } = session;
        let found = self.recent.iter_mut().rev().find(|call| {
            (call.auth_key_id, call.session_id, call.msg_id) == (auth_key_id, session_id, msg_id)
        });
        if let Some(call) = found {
            call.received = call.received.saturating_add(1);
            if let Some(count) = self.methods.get_mut(&call.method) {
                count.received += 1;
            }
        }
    }

    /// Tells all of it.
    pub(crate) fn tell(&self) -> Calls {
        let methods = self.methods.iter().map(|(name, count)| (name.to_string(), *count));
        Calls { methods: methods.collect(), recent: self.recent.iter().cloned().collect() }
    }
}

fn text<S: Serializer>(id: &impl Display, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(id)
}

/// How many calls are remembered one by one.
const RECENT: usize = 1_024;
