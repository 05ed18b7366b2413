//! Buttons that were pressed: who is asked what they do.

use std::collections::BTreeMap;

use chappe_api::{
    enums::{InlineButtonType, InputUser, ReplyMarkup},
    errors,
    types::{
        self, InputInlineButtonTypeUrlAuth, KeyboardInlineButton, messages::BotCallbackAnswer,
    },
};

use crate::failure::Outcome;
use crate::world::{Message, World};

/// Buttons that were pressed and not answered.
#[derive(Debug, Default)]
pub(in crate::world) struct Queries {
    /// Which bot is asked, by question.
    bots: BTreeMap<i64, i64>,
    /// The questions of the transaction that runs.
    new: Vec<i64>,
}

impl Queries {
    /// A transaction begins.
    pub(in crate::world) fn begin(&mut self) {
        self.new.clear();
    }

    /// The transaction was undone: nobody was asked.
    pub(in crate::world) fn undo(&mut self) {
        for query_id in self.new.drain(..) {
            self.bots.remove(&query_id);
        }
    }
}

/// A login button.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct UrlButton {
    /// The bot that asks to log in: not always the one that sent the button.
    pub(crate) bot_id: i64,
    /// Where to.
    pub(crate) url: String,
    /// What the button says.
    pub(crate) text: String,
    /// Whether the bot asks to write to the user.
    pub(crate) request_write_access: bool,
}

impl Message {
    /// The buttons below it, row after row.
    fn buttons(&self) -> impl Iterator<Item = &KeyboardInlineButton> {
        let rows = match &self.content.markup {
            Some(ReplyMarkup::ReplyInlineMarkup(inline)) => &inline.rows[..],
            _ => &[],
        };
        rows.iter().flat_map(|row| &row.buttons)
    }

    /// The button with this data.
    pub(crate) fn callback_button(&self, data: &[u8]) -> Option<&types::InlineButtonTypeCallback> {
        self.buttons().find_map(|button| match &button.r#type {
            InlineButtonType::Callback(callback) if callback.data == data => Some(callback),
            _ => None,
        })
    }
}

impl World {
    /// A login button of a message in a user's box. Its id is its place among the buttons.
    pub(crate) fn url_button(
        &self,
        user_id: i64,
        peer_id: i64,
        msg_id: i32,
        button_id: i32,
    ) -> Outcome<Option<UrlButton>> {
        let message = self.message(user_id, msg_id)?;
        let message = message.filter(|message| message.peer_id == peer_id);
        let button = message.as_ref().zip(usize::try_from(button_id).ok());
        let button = button.and_then(|(message, place)| message.buttons().nth(place));
        Ok(button.and_then(|button| match &button.r#type {
            InlineButtonType::InputInlineButtonTypeUrlAuth(login) => {
                let InputInlineButtonTypeUrlAuth { bot, url, .. } = &**login;
                let Some(InputUser::InputUser(bot)) = bot else { return None };
                Some(UrlButton {
                    bot_id: bot.user_id,
                    url: url.as_str().to_owned(),
                    text: button.text.as_str().to_owned(),
                    request_write_access: login.request_write_access,
                })
            }
            _ => None,
        }))
    }

    /// Asks a bot what a button does that a user pressed; gives the id of the question.
    pub(crate) fn ask_bot(&mut self, now: i32, message: &Message, data: &[u8]) -> Outcome<i64> {
        let (user_id, bot_id) = (message.user_id, message.peer_id);
        let msg_id = message.twin_id.ok_or(errors::MESSAGE_ID_INVALID)?;
        let query_id = loop {
            let id = i64::from_le_bytes(self.random());
            if id != 0 && !self.queries.bots.contains_key(&id) {
                break id;
            }
        };
        let peer = types::PeerUser { user_id };
        let chat = self.chat_instance(user_id, bot_id)?;
        let mut update = types::UpdateBotCallbackQuery::new(query_id, user_id, peer, msg_id, chat);
        update.data = Some(data.to_vec().into());
        self.tell(now, bot_id, update)?;
        self.queries.bots.insert(query_id, bot_id);
        self.queries.new.push(query_id);
        Ok(query_id)
    }

    /// A number for the chat of a user and a bot, the same each time.
    fn chat_instance(&self, user_id: i64, bot_id: i64) -> Outcome<i64> {
        let access_hash = |id| Outcome::Ok(self.user(id)?.map_or(0, |user| user.access_hash));
        Ok(access_hash(user_id)?.rotate_left(17) ^ access_hash(bot_id)?)
    }

    /// A bot says what a button did.
    pub(crate) fn answer_query(
        &mut self,
        bot_id: i64,
        query_id: i64,
        answer: BotCallbackAnswer,
    ) -> Outcome<()> {
        if self.queries.bots.get(&query_id) != Some(&bot_id) {
            return Err(errors::QUERY_ID_INVALID.into());
        }
        self.answers.push((query_id, answer));
        Ok(())
    }

    /// The answers since the last time, by question. A question is answered once.
    pub(crate) fn take_answers(&mut self) -> Vec<(i64, BotCallbackAnswer)> {
        let mut answers = std::mem::take(&mut self.answers);
        answers.retain(|(query_id, _)| self.queries.bots.remove(query_id).is_some());
        answers
    }

    /// Nobody waits for the answer to a question any more.
    pub(crate) fn forget_query(&mut self, query_id: i64) {
        self.queries.bots.remove(&query_id);
    }
}
