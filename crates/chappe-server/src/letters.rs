//! Letters: what the server sent to phones and mailboxes.
//!
//! A code that a real Telegram would send by SMS, by a call or by email goes nowhere here. It is kept
//! for whoever runs the server: [`Handle::letters`](crate::Handle::letters) lists the last ones and
//! waits for the next, the control port lists them, and `chappe serve` prints them. The codes that
//! the application on another device shows are there, too.
//!
//! ```
//! # async fn example() -> Result<(), chappe_server::Error> {
//! let server = chappe_server::Server::builder().seed(7).start().await?;
//! let mut mailbox = server.letters().mailbox("+999 66 2 1234");
//! // ... a client asks for a code here ...
//! # let asked = false;
//! # if asked {
//! let code = mailbox.next().await?.code;
//! # }
//! let last = server.letters().last_to("9996621234").await?;
//! assert!(last.is_none(), "nobody asked");
//! # server.shutdown().await
//! # }
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(example()).unwrap();
//! ```

use std::fmt;

use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, watch};

use crate::{
    Error,
    listener::{self, Message},
    world,
};

/// Something that the server sent to a phone or a mailbox.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Letter {
    /// Its number: a later letter has a greater one.
    pub id: i64,
    /// When it was sent, unix seconds of the server.
    pub date: i32,
    /// How it was sent.
    pub way: Way,
    /// Where it went: the digits of a phone number, or an email address.
    pub to: String,
    /// What its code is for.
    pub subject: Subject,
    /// What has to be typed in.
    pub code: String,
    /// The number that called, digits only; for calls that tell their code by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caller: Option<String>,
    /// What it says.
    pub text: String,
}

/// How a letter was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Way {
    /// By a message from Telegram on the account's other devices.
    App,
    /// By a call in which a voice says the code.
    Call,
    /// By email.
    Email,
    /// By an SMS that Firebase sends to a phone that has shown to be one.
    Firebase,
    /// By a call that is not answered: the code is the number that calls.
    FlashCall,
    /// By a message on fragment.com, for the owner of an anonymous number.
    Fragment,
    /// By a call that is not answered: the code is the end of the number that calls.
    MissedCall,
    /// By SMS.
    Sms,
    /// By an SMS with a code of several words.
    SmsPhrase,
    /// By an SMS with a code of one word.
    SmsWord,
}

/// What the code of a letter is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Subject {
    /// To sign in.
    SignIn,
    /// To show that a mailbox that is to get login codes is the user's.
    LoginEmail,
    /// To show that a mailbox that is to help with a forgotten password is the user's.
    RecoveryEmail,
    /// To replace a forgotten password.
    PasswordRecovery,
}

impl Way {
    /// Its name, as in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::App => "app",
            Self::Call => "call",
            Self::Email => "email",
            Self::Firebase => "firebase",
            Self::FlashCall => "flash_call",
            Self::Fragment => "fragment",
            Self::MissedCall => "missed_call",
            Self::Sms => "sms",
            Self::SmsPhrase => "sms_phrase",
            Self::SmsWord => "sms_word",
        }
    }

    /// The way of this name.
    pub(crate) fn of_name(name: &str) -> Option<Self> {
        WAYS.into_iter().find(|way| way.name() == name)
    }
}

impl Subject {
    /// Its name, as in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::SignIn => "sign_in",
            Self::LoginEmail => "login_email",
            Self::RecoveryEmail => "recovery_email",
            Self::PasswordRecovery => "password_recovery",
        }
    }

    /// The subject of this name.
    pub(crate) fn of_name(name: &str) -> Option<Self> {
        SUBJECTS.into_iter().find(|subject| subject.name() == name)
    }
}

impl fmt::Debug for Letter {
    /// Neither address nor code.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Letter")
            .field("id", &self.id)
            .field("date", &self.date)
            .field("way", &self.way)
            .field("subject", &self.subject)
            .finish_non_exhaustive()
    }
}

/// Tells what a running server sent to phones and mailboxes. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Letters {
    inbox: mpsc::Sender<Message>,
    last: watch::Receiver<i64>,
}

impl Letters {
    pub(crate) fn new(inbox: mpsc::Sender<Message>, last: watch::Receiver<i64>) -> Self {
        Self { inbox, last }
    }

    /// Lists the letters that are kept, the oldest first: the last 256.
    ///
    /// # Errors
    /// [`Error::Stopped`] when the server is gone.
    ///
    /// # Cancel safety
    /// Nothing is lost when this is dropped before it is done.
    pub async fn list(&self) -> Result<Vec<Letter>, Error> {
        listener::ask(&self.inbox, |engine, _| engine.world.letters()).await?.map_err(Error::from)
    }

    /// The last letter to a phone number, written in any way, or to an email address; `None` if
    /// none is kept.
    ///
    /// # Errors
    /// [`Error::Stopped`] when the server is gone.
    ///
    /// # Cancel safety
    /// Nothing is lost when this is dropped before it is done.
    pub async fn last_to(&self, to: &str) -> Result<Option<Letter>, Error> {
        let to = world::letterbox(to);
        Ok(self.list().await?.into_iter().rfind(|letter| letter.to == to))
    }

    /// Begins to read the letters to a phone number, written in any way, or to an email address:
    /// those that are sent from now on.
    pub fn mailbox(&self, to: &str) -> Mailbox {
        self.open(Some(world::letterbox(to)))
    }

    /// Begins to read all letters: those that are sent from now on.
    pub fn mailboxes(&self) -> Mailbox {
        self.open(None)
    }

    fn open(&self, to: Option<String>) -> Mailbox {
        let read = *self.last.borrow();
        Mailbox { letters: self.clone(), to, read }
    }
}

/// Reads letters one after another; [`Letters::mailbox`] begins.
pub struct Mailbox {
    letters: Letters,
    to: Option<String>,
    /// The last letter that was read.
    read: i64,
}

impl Mailbox {
    /// Reads the next letter, or waits for it. Whoever waits while more letters are sent than are
    /// kept misses some.
    ///
    /// # Errors
    /// [`Error::Stopped`] when the server is gone.
    ///
    /// # Cancel safety
    /// No letter is lost when this is dropped before it is done.
    pub async fn next(&mut self) -> Result<Letter, Error> {
        loop {
            // What is sent after this look is news to `changed`.
            self.letters.last.borrow_and_update();
            let wanted = |letter: &Letter| {
                letter.id > self.read && self.to.as_ref().is_none_or(|to| letter.to == *to)
            };
            if let Some(letter) = self.letters.list().await?.into_iter().find(wanted) {
                self.read = letter.id;
                return Ok(letter);
            }
            self.letters.last.changed().await.map_err(|_| Error::Stopped)?;
        }
    }
}

impl fmt::Debug for Mailbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mailbox").field("read", &self.read).finish_non_exhaustive()
    }
}

const WAYS: [Way; 10] = [
    Way::App,
    Way::Call,
    Way::Email,
    Way::Firebase,
    Way::FlashCall,
    Way::Fragment,
    Way::MissedCall,
    Way::Sms,
    Way::SmsPhrase,
    Way::SmsWord,
];

const SUBJECTS: [Subject; 4] =
    [Subject::SignIn, Subject::LoginEmail, Subject::RecoveryEmail, Subject::PasswordRecovery];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_are_those_of_the_json() {
        for way in WAYS {
            assert_eq!(serde_json::to_value(way).unwrap(), way.name());
            assert_eq!(Way::of_name(way.name()), Some(way));
        }
        for subject in SUBJECTS {
            assert_eq!(serde_json::to_value(subject).unwrap(), subject.name());
            assert_eq!(Subject::of_name(subject.name()), Some(subject));
        }
        assert_eq!(Way::of_name("pigeon"), None);
        assert_eq!(Subject::of_name("weather"), None);
    }
}
