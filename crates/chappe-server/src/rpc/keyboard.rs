//! Buttons of messages: as bots send them, as they are kept, as they are shown
//! (core.telegram.org/api/bots/buttons).
//!
//! A login button is kept as its bot sent it, since what it asks for is not shown. Its id is its
//! place among the buttons of the message, from 0. Assumed: what Telegram's ids are is not known.

use chappe_api::{
    enums::{ButtonType, InlineButtonType, InputUser, ReplyMarkup},
    errors, types,
};

use super::{Call, users};
use crate::failure::Outcome;

/// The most buttons of a message. Assumed.
const MAX_BUTTONS: usize = 100;

/// The most bytes that a button brings back. (core.telegram.org/bots/api#inlinekeyboardbutton)
const MAX_DATA: usize = 64;

/// The longest text that a button copies. (core.telegram.org/bots/api#copytextbutton)
const MAX_COPY: usize = 256;

/// What a button may let a client open.
const SCHEMES: [&str; 4] = ["https://", "http://", "tg://", "ton://"];

/// The buttons as clients see them.
pub(super) fn shown(markup: &ReplyMarkup) -> ReplyMarkup {
    let mut markup = markup.clone();
    if let ReplyMarkup::ReplyInlineMarkup(inline) = &mut markup {
        let buttons = inline.rows.iter_mut().flat_map(|row| &mut row.buttons);
        for (button_id, button) in (0..).zip(buttons) {
            if let InlineButtonType::InputInlineButtonTypeUrlAuth(login) = &button.r#type {
                let mut shown = types::InlineButtonTypeUrlAuth::new(login.url.clone(), button_id);
                shown.fwd_text = login.fwd_text.clone();
                button.r#type = shown.into();
            }
        }
    }
    markup
}

/// Checks the buttons that a bot sends, and makes of them what is kept; nothing of no buttons.
pub(super) fn kept(call: &Call<'_>, mut markup: ReplyMarkup) -> Outcome<Option<ReplyMarkup>> {
    match &mut markup {
        ReplyMarkup::ReplyInlineMarkup(inline) => {
            inline.rows.retain(|row| !row.buttons.is_empty());
            let count = inline.rows.iter().map(|row| row.buttons.len()).sum::<usize>();
            if count > MAX_BUTTONS {
                return Err(errors::REPLY_MARKUP_TOO_LONG.into());
            }
            for button in inline.rows.iter_mut().flat_map(|row| &mut row.buttons) {
                if button.text.trim().is_empty() {
                    return Err(errors::REPLY_MARKUP_INVALID.into());
                }
                check(call, &mut button.r#type)?;
            }
            if count == 0 {
                return Ok(None);
            }
        }
        ReplyMarkup::ReplyKeyboardMarkup(keyboard) => {
            let buttons = keyboard.rows.iter().flat_map(|row| &row.buttons);
            let is_asked_for =
                |it: &ButtonType| matches!(it, ButtonType::InputButtonTypeRequestPeer(_));
            if buttons.clone().any(|button| is_asked_for(&button.r#type)) {
                return Err(errors::BUTTON_TYPE_INVALID.into());
            }
            if buttons.count() > MAX_BUTTONS {
                return Err(errors::REPLY_MARKUP_TOO_LONG.into());
            }
        }
        _ => {}
    }
    Ok(Some(markup))
}

/// Checks what one button does.
fn check(call: &Call<'_>, does: &mut InlineButtonType) -> Outcome<()> {
    let opens = |url: &str| SCHEMES.iter().any(|scheme| url.starts_with(scheme));
    let refusal = match does {
        InlineButtonType::Url(link) if !opens(&link.url) => errors::BUTTON_URL_INVALID,
        InlineButtonType::WebView(app) if !app.url.starts_with("https://") => {
            errors::BUTTON_URL_INVALID
        }
        InlineButtonType::Callback(callback)
            if callback.data.is_empty() || callback.data.len() > MAX_DATA =>
        {
            errors::BUTTON_DATA_INVALID
        }
        InlineButtonType::Copy(copy)
            if copy.copy_text.is_empty() || copy.copy_text.chars().count() > MAX_COPY =>
        {
            errors::BUTTON_COPY_TEXT_INVALID
        }
        InlineButtonType::InputInlineButtonTypeUserProfile(profile) => {
            let user = users::find(call, &profile.user_id)?.ok_or(errors::BUTTON_USER_INVALID)?;
            *does = types::InlineButtonTypeUserProfile { user_id: user.id }.into();
            return Ok(());
        }
        InlineButtonType::InputInlineButtonTypeUrlAuth(login) => {
            let bot = match &login.bot {
                None | Some(InputUser::Empty) => Some(call.me()?.clone()),
                Some(bot) => users::find(call, bot)?,
            };
            let bot = bot.filter(|user| user.bot).ok_or(errors::BOT_INVALID)?;
            call.world.check_login_url(bot.id, &login.url)?;
            let bot = types::InputUser { user_id: bot.id, access_hash: 0 };
            login.bot = Some(bot.into());
            return Ok(());
        }
        // What is shown is no button to send, and there are no games and nothing to buy here.
        InlineButtonType::UrlAuth(_)
        | InlineButtonType::UserProfile(_)
        | InlineButtonType::Game
        | InlineButtonType::Buy => errors::BUTTON_TYPE_INVALID,
        _ => return Ok(()),
    };
    Err(refusal.into())
}
