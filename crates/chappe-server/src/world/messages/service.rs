//! Telegram itself: the account that writes to everybody, and what the buttons of its messages do.

use chappe_api::{
    enums::{InlineButtonType, ReplyMarkup},
    errors,
    types::{self, KeyboardInlineButton},
};
use rusqlite::params;

use crate::failure::Outcome;
use crate::world::{Event, NewMessage, Told, World};

/// The user id of Telegram itself: login codes and notices come from it.
/// (core.telegram.org/api/auth)
pub(crate) const SERVICE_ID: i64 = 777_000;

/// Its phone number, by which clients know it. Nobody can sign in with it: it is too short.
const PHONE: &str = "42777";

/// Why a bot may write to a user who did not write to it first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Allowed {
    /// The user logged in to the site of this domain.
    Domain(String),
    /// The user was asked, and agreed.
    Request,
}

/// What a button of a message of [`SERVICE_ID`] does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ServiceCallback {
    /// Lets a browser log in that asked for it.
    ApproveUrlAuth {
        /// The number of its request.
        id: i64,
        /// Whether the bot may write.
        write: bool,
        /// Which of the match codes was picked.
        code: Option<u8>,
    },
    /// Does not let it.
    DeclineUrlAuth(i64),
    /// Ends the web login with this hash.
    ResetWebAuthorization(i64),
}

/// What a client shows when such a button was pressed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ServiceAnswer {
    /// The words; nothing is shown without.
    pub(crate) text: Option<String>,
    /// Whether they are shown in a window that has to be closed.
    pub(crate) alert: bool,
}

impl ServiceCallback {
    /// The data of the button: at most 64 bytes.
    fn to_bytes(&self) -> Vec<u8> {
        let text = match self {
            Self::ApproveUrlAuth { id, write, code } => {
                let code = code.map_or_else(|| "-".to_owned(), |code| code.to_string());
                format!("approve-login {id} {} {code}", i32::from(*write))
            }
            Self::DeclineUrlAuth(id) => format!("decline-login {id}"),
            Self::ResetWebAuthorization(hash) => format!("reset-web {hash}"),
        };
        text.into_bytes()
    }

    /// Reads the data of a button.
    pub(crate) fn read(data: &[u8]) -> Option<Self> {
        let (name, value) = std::str::from_utf8(data).ok()?.split_once(' ')?;
        match name {
            "approve-login" => {
                let mut words = value.split(' ');
                let (id, write, code) = (words.next()?, words.next()?, words.next()?);
                let code = if code == "-" { None } else { Some(code.parse().ok()?) };
                Some(Self::ApproveUrlAuth { id: id.parse().ok()?, write: write == "1", code })
            }
            "decline-login" => value.parse().ok().map(Self::DeclineUrlAuth),
            "reset-web" => value.parse().ok().map(Self::ResetWebAuthorization),
            _ => None,
        }
    }
}

/// A button of a message of [`SERVICE_ID`].
pub(crate) fn service_button(text: &str, does: &ServiceCallback) -> KeyboardInlineButton {
    let does: InlineButtonType =
        types::InlineButtonTypeCallback { requires_password: false, data: does.to_bytes().into() }
            .into();
    KeyboardInlineButton::new(text, does)
}

/// Buttons below a message, row by row.
pub(crate) fn inline_rows(rows: Vec<Vec<KeyboardInlineButton>>) -> ReplyMarkup {
    let rows = rows.into_iter().map(|buttons| types::KeyboardInlineButtonRow { buttons });
    types::ReplyInlineMarkup { force_reply: false, rows: rows.collect() }.into()
}

impl World {
    /// Makes the account of Telegram itself.
    pub(in crate::world) fn add_service(&mut self, now: i32) -> Outcome<()> {
        let access_hash = i64::from_le_bytes(self.random());
        self.db.execute(
            "INSERT INTO users (id, access_hash, phone, first_name, active)
             VALUES (?1, ?2, ?3, 'Telegram', ?4)",
            params![SERVICE_ID, access_hash, PHONE, now],
        )?;
        Ok(())
    }

    /// Does what a button of a message of [`SERVICE_ID`] says.
    pub(crate) fn service_pressed(
        &mut self,
        now: i32,
        user_id: i64,
        message_id: i32,
        does: &ServiceCallback,
    ) -> Outcome<ServiceAnswer> {
        let message = self.message(user_id, message_id)?.ok_or(errors::MESSAGE_ID_INVALID)?;
        match does {
            ServiceCallback::ApproveUrlAuth { .. } | ServiceCallback::DeclineUrlAuth(_) => {
                self.login_letter_pressed(now, user_id, message, does)
            }
            ServiceCallback::ResetWebAuthorization(hash) => {
                let text = match self.reset_web_authorization(user_id, *hash) {
                    Ok(()) => "You are logged out there.",
                    Err(stop) if stop.is(errors::HASH_INVALID) => "This login was over already.",
                    Err(stop) => return Err(stop),
                };
                let content = NewMessage { markup: None, ..message.content };
                self.edit_service_message(now, user_id, message_id, &content)?;
                Ok(ServiceAnswer { text: Some(text.to_owned()), alert: false })
            }
        }
    }

    /// Lets a bot write to a user, and tells both by a message in their chat; gives the event in the
    /// user's box, if that is news. `told`: whether the answer of the request that runs shows it.
    pub(crate) fn allow_bot(
        &mut self,
        now: i32,
        user_id: i64,
        bot_id: i64,
        allowed: Allowed,
        told: Told,
    ) -> Outcome<Option<Event>> {
        if self.may_write(bot_id, user_id)? {
            return Ok(None);
        }
        let mut action = types::MessageActionBotAllowed::new();
        match allowed {
            Allowed::Domain(domain) => action.domain = Some(domain.into()),
            Allowed::Request => action.from_request = true,
        }
        // Writing to a bot is what lets it answer.
        self.send(now, user_id, bot_id, NewMessage::action(action), told).map(Some)
    }
}
