//! News: what sessions are told because of something that happened, once it is committed.
//!
//! Whoever runs a transaction takes the news afterwards and sends them; those of a transaction that
//! was undone are gone with it. To whom news go is decided when they are told: a session that ends
//! in the same transaction is not told of it.

use chappe_api::enums::Update;

use crate::failure::Outcome;
use crate::world::{Caller, Event, Told, World};

/// Something that sessions are told.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct News {
    /// The sessions, as the key on the wire and the client's number.
    pub(crate) sessions: Vec<(i64, i64)>,
    /// When it happened.
    pub(crate) date: i32,
    /// What happened.
    pub(crate) what: Tidings,
}

/// What sessions are told.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Tidings {
    /// This.
    Update(Box<Update>),
    /// What happened in the box of their user.
    Event(Box<Event>),
}

impl World {
    /// Tells all sessions of a user, also the one whose request runs: what is not in its answer.
    pub(crate) fn tell(
        &mut self,
        now: i32,
        user_id: i64,
        update: impl Into<Update>,
    ) -> Outcome<()> {
        let sessions = self.receivers(user_id, None)?;
        self.tell_sessions(now, sessions, update);
        Ok(())
    }

    /// Tells the sessions of a user, but not the one whose request runs: that has its answer.
    pub(crate) fn tell_others(
        &mut self,
        now: i32,
        user_id: i64,
        update: impl Into<Update>,
    ) -> Outcome<()> {
        let sessions = self.receivers(user_id, self.asking)?;
        self.tell_sessions(now, sessions, update);
        Ok(())
    }

    /// Tells these sessions.
    pub(crate) fn tell_sessions(
        &mut self,
        now: i32,
        sessions: Vec<(i64, i64)>,
        update: impl Into<Update>,
    ) {
        let what = Tidings::Update(Box::new(update.into()));
        self.news.push(News { sessions, date: now, what });
    }

    /// Tells the sessions of a user what happened in its box.
    pub(in crate::world) fn tell_event(
        &mut self,
        now: i32,
        event: &Event,
        told: Told,
    ) -> Outcome<()> {
        let except = match told {
            Told::All => None,
            Told::Others => self.asking,
        };
        let sessions = self.receivers(event.user_id, except)?;
        if !sessions.is_empty() {
            let what = Tidings::Event(Box::new(event.clone()));
            self.news.push(News { sessions, date: now, what });
        }
        Ok(())
    }

    /// The news since the last time, in the order in which they were told.
    pub(crate) fn take_news(&mut self) -> Vec<News> {
        std::mem::take(&mut self.news)
    }

    /// Says whose request runs, or that none does.
    pub(crate) fn set_asking(&mut self, session: Option<Caller>) {
        self.asking = session.map(|session| (session.auth_key_id, session.session_id));
    }
}
