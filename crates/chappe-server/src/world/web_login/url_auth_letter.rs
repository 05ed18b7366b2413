//! The consent by a message: a person types a phone number into the browser, and 777000 asks whoever
//! has it, with buttons (core.telegram.org/widgets/login-legacy).
//!
//! From then on the request is for that person only, whoever else holds its link. A phone number is
//! never shared by these buttons: that takes a question of its own, in the app.

use chappe_api::{enums::ReplyMarkup, errors};

use super::{
    site_login::{bot_name, knows_first, listed, place},
    url_auth::MATCH_CODE_INVALID,
};
use crate::browser::Progress;
use crate::failure::{Failure, Outcome};
use crate::logins::Grant;
use crate::world::{
    Message, NewMessage, SERVICE_ID, ServiceAnswer, ServiceCallback, UrlAuth, World, inline_rows,
    service_button, sign_in,
};

/// How many messages there are because of one request. Assumed.
const LETTERS: i32 = 3;

/// How many there are for a phone number in an hour. Assumed.
const LETTERS_AN_HOUR: u32 = 10;

const HOUR: i32 = 3_600;

/// The name of what is counted.
const WEB_LOGINS: &str = "web logins";

impl World {
    /// Asks the owner of a phone number, by a message, whether a browser may log in as them. Whether
    /// anybody has the number is not told.
    pub(crate) fn ask_phone_url_auth(
        &mut self,
        now: i32,
        browser_token: &str,
        phone: &str,
    ) -> Outcome<()> {
        let request = self.poll_url_auth(now, browser_token)?;
        if request.status != Progress::Pending {
            return Err(errors::URL_EXPIRED.into());
        }
        let phone = sign_in::reachable(phone).ok_or(errors::PHONE_NUMBER_INVALID)?;
        let letters: i32 = self
            .db
            .prepare_cached("SELECT letters FROM url_auths WHERE id = ?1")?
            .query_row([request.id], |row| row.get(0))?;
        if letters >= LETTERS {
            let left = request.expires.saturating_sub(now);
            return Err(Failure::valued(errors::FLOOD_WAIT_X, left.into()).into());
        }
        let (count, left) = self.count(now, WEB_LOGINS, &phone, HOUR)?;
        if count > LETTERS_AN_HOUR {
            return Err(Failure::valued(errors::FLOOD_WAIT_X, left.into()).into());
        }
        let person = self.user_by_phone(&phone)?.filter(|user| user.id != SERVICE_ID);
        // Whoever holds the link, too, must not see whether anybody has the number: if nobody has, the
        // request is for somebody who never answers.
        let for_user = person.as_ref().map_or(SERVICE_ID, |user| user.id);
        self.db
            .prepare_cached(
                "UPDATE url_auths SET for_user = ?2, letters = letters + 1 WHERE id = ?1",
            )?
            .execute((request.id, for_user))?;
        if let Some(user) = person {
            let letter = self.login_letter(&request)?;
            self.service_message(now, user.id, letter)?;
        }
        Ok(())
    }

    /// What the person reads, and the buttons below it.
    fn login_letter(&self, request: &UrlAuth) -> Outcome<NewMessage> {
        let asked = &request.asked;
        let bot = self.user(asked.bot_id)?.ok_or(errors::OAUTH_REQUEST_INVALID)?;
        let mut learns = knows_first(asked.scopes);
        if asked.scopes.profile {
            learns.push("your username if you have one");
        }
        let press = match request.codes.is_empty() {
            true => "press Confirm",
            false => "press the picture that your browser shows",
        };
        let text = format!(
            "Somebody wants to log in to {} as you. The site, which belongs to {}, learns {}.\n\n{}\n\n\
             If it is you, {press}. If not, press Decline, and nobody is let in.",
            asked.login.domain,
            bot_name(&bot),
            listed(&learns),
            place(&asked.login)
        );
        Ok(NewMessage { markup: Some(buttons(request)), ..NewMessage::text(text) })
    }

    /// Does what a button below such a message says. The message then says how it ended.
    pub(in crate::world) fn login_letter_pressed(
        &mut self,
        now: i32,
        user_id: i64,
        message: Message,
        does: &ServiceCallback,
    ) -> Outcome<ServiceAnswer> {
        let done = match *does {
            ServiceCallback::ApproveUrlAuth { id, write, code } => {
                self.confirm_login(now, user_id, id, (write, code)).map(|()| CONFIRMED)
            }
            ServiceCallback::DeclineUrlAuth(id) => {
                self.decline_url_auth(now, id, user_id).map(|()| DECLINED)
            }
            ServiceCallback::ResetWebAuthorization(_) => Ok(OVER),
        };
        let end = match done {
            Ok(end) => end,
            Err(stop) if stop.is(MATCH_CODE_INVALID) => WRONG_PICTURE,
            Err(stop)
                if [errors::URL_EXPIRED, errors::URL_INVALID, errors::OAUTH_REQUEST_INVALID]
                    .into_iter()
                    .any(|name| stop.is(name)) =>
            {
                OVER
            }
            Err(stop) => return Err(stop),
        };
        let text = format!("{}\n\n{end}", message.content.text);
        let content = NewMessage { text, markup: None, ..message.content };
        self.edit_service_message(now, user_id, message.id, &content)?;
        Ok(ServiceAnswer { text: Some(end.to_owned()), alert: end != CONFIRMED })
    }

    fn confirm_login(
        &mut self,
        now: i32,
        user_id: i64,
        id: i64,
        (write, code): (bool, Option<u8>),
    ) -> Outcome<()> {
        let codes = self.url_auth_by_id(now, id)?.codes;
        let match_code = code.and_then(|code| codes.into_iter().nth(code.into()));
        let consent = Grant { write, phone: false, match_code };
        self.approve_url_auth(now, id, user_id, &consent)?;
        Ok(())
    }
}

/// A row that confirms, one that also lets the bot write if it wants to, and one that declines. With
/// match codes the picture is the button.
fn buttons(request: &UrlAuth) -> ReplyMarkup {
    let id = request.id;
    let row = |write: bool, more: &str| {
        let button = |label: &str, code: Option<u8>| {
            let does = ServiceCallback::ApproveUrlAuth { id, write, code };
            service_button(&format!("{label}{more}"), &does)
        };
        match &request.codes[..] {
            [] => vec![button("Confirm", None)],
            codes => (0..).zip(codes).map(|(place, code)| button(code, Some(place))).collect(),
        }
    };
    let mut rows = vec![row(false, "")];
    if request.asked.scopes.write {
        rows.push(row(true, " and allow messages"));
    }
    rows.push(vec![service_button("Decline", &ServiceCallback::DeclineUrlAuth(id))]);
    inline_rows(rows)
}

const CONFIRMED: &str = "You confirmed it.";
const DECLINED: &str = "You declined it: nobody was let in.";
const OVER: &str = "It was over already.";
const WRONG_PICTURE: &str = "This is not the picture that the browser shows: nobody was let in.";
