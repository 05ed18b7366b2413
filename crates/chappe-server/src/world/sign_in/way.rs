//! The ways that a login code takes (core.telegram.org/api/auth#code-types).

use super::recovery::masked;
use crate::world::{Caller, Settings, World};
use crate::{
    failure::Outcome,
    letters::{Subject, Way},
    numbers::Number,
};

/// How many digits a code has that nobody chose.
const LENGTH: usize = 5;

/// How long to wait for a code that went to a phone before asking for the next, in seconds.
/// Assumed: Telegram's own numbers vary.
const TIMEOUT: i32 = 60;

/// What every number that calls begins with: one that the regulator of the United Kingdom keeps free
/// for films.
const CALLER: &str = "447700900";

/// How many digits of a number that calls a flash call keeps to itself.
const HIDDEN: usize = 5;

/// What codes of words are made of.
const WORDS: [&str; 16] = [
    "amber", "bridge", "candle", "desert", "engine", "forest", "garden", "harbor", "island",
    "jacket", "lantern", "meadow", "needle", "orchid", "pepper", "quartz",
];

/// How many words a phrase has.
const PHRASE: usize = 3;

/// How a code went out, and what its receiver may know of it beforehand.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Delivery {
    /// The way.
    pub(crate) way: Way,
    /// How many characters the code has.
    pub(crate) length: i32,
    /// What is known of the code or of where it went: the pattern of the number that calls, what
    /// stands before the digits that matter, the first letter or word, the pattern of the mailbox; for
    /// Firebase what to attest.
    pub(crate) known: String,
    /// For a mailbox: how long its reset takes, or when it will be.
    pub(crate) reset: Option<MailboxReset>,
}

/// When a mailbox can be forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MailboxReset {
    /// So many seconds after it is asked for.
    Takes(i32),
    /// At this time: it was asked for.
    Due(i32),
}

/// How long to wait after a code went this way, in seconds.
pub(in crate::world) fn timeout(way: Way, order: &Number) -> Option<i32> {
    match order.timeout {
        Some(seconds) => Some(i32::try_from(seconds).unwrap_or(i32::MAX)),
        // Observed: nobody has to wait for what the application shows.
        None if way == Way::App => None,
        None => Some(TIMEOUT),
    }
}

/// What a user typed, as it is compared.
pub(in crate::world) fn tidy(way: Way, typed: &str) -> String {
    match way {
        Way::SmsWord | Way::SmsPhrase => {
            typed.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ")
        }
        Way::FlashCall => typed.chars().filter(char::is_ascii_digit).collect(),
        _ => typed.trim().to_owned(),
    }
}

/// Ways as they are kept.
pub(in crate::world) fn join(ways: &[Way]) -> String {
    ways.iter().map(|way| way.name()).collect::<Vec<_>>().join(" ")
}

/// Ways as they were kept.
pub(in crate::world) fn split(text: &str) -> Vec<Way> {
    text.split(' ').filter_map(Way::of_name).collect()
}

impl World {
    /// The ways that a code for a phone number may take, one after the other.
    ///
    /// Assumed: usually the application on another device, if there is one, then an SMS, then a
    /// call.
    pub(in crate::world) fn ways(
        &self,
        order: &Number,
        user_id: Option<i64>,
        caller: Caller,
        settings: Settings<'_>,
    ) -> Outcome<Vec<Way>> {
        let devices = user_id.map_or(Ok(Vec::new()), |user_id| self.keys_of(user_id))?;
        let usual = match devices.iter().any(|key| *key != caller.auth_key_id) {
            true => &[Way::App, Way::Sms, Way::Call][..],
            false => &[Way::Sms, Way::Call],
        };
        let wanted = if order.ways.is_empty() { usual } else { &order.ways };
        let allowed = |way: &&Way| match way {
            Way::FlashCall => settings.flash_call,
            Way::MissedCall => settings.missed_call,
            Way::Firebase => settings.firebase,
            _ => true,
        };
        let ways: Vec<Way> = wanted.iter().filter(allowed).copied().collect();
        Ok(if ways.is_empty() { vec![Way::Sms] } else { ways })
    }

    /// Sends a code out; tells what its receiver may know, and what has to be typed.
    pub(in crate::world) fn send_by(
        &mut self,
        now: i32,
        way: Way,
        phone: &str,
        digits: &str,
        order: &Number,
    ) -> Outcome<(Delivery, String)> {
        let (mut known, mut reset, mut code) = (String::new(), None, digits.to_owned());
        match way {
            Way::Email => {
                if let Some(mailbox) = self.login_email(now, phone)? {
                    known = masked(&mailbox.email);
                    reset = Some(mailbox.reset(order));
                    self.send_letter(now, way, &mailbox.email, Subject::SignIn, digits)?;
                }
            }
            Way::FlashCall => {
                code = format!("{CALLER}{}", self.random_digits());
                known = format!("{CALLER}{}", "*".repeat(HIDDEN));
                self.send_call(now, way, phone, &code, &code)?;
            }
            Way::MissedCall => {
                known = CALLER.to_owned();
                self.send_call(now, way, phone, &format!("{CALLER}{digits}"), digits)?;
            }
            Way::SmsWord => {
                code = self.random_word().to_owned();
                known = code.chars().take(1).collect();
                self.send_letter(now, way, phone, Subject::SignIn, &code)?;
            }
            Way::SmsPhrase => {
                let words = [(); PHRASE].map(|()| self.random_word());
                code = words.join(" ");
                known = words[0].to_owned();
                self.send_letter(now, way, phone, Subject::SignIn, &code)?;
            }
            // Sent when the client has shown that it runs on a phone.
            Way::Firebase => known = format!("{:032x}", u128::from_le_bytes(self.random())),
            Way::App | Way::Call | Way::Fragment | Way::Sms => {
                self.send_letter(now, way, phone, Subject::SignIn, digits)?;
            }
        }
        let length = i32::try_from(code.len()).unwrap_or(i32::MAX);
        Ok((Delivery { way, length, known, reset }, code))
    }

    /// Sends the SMS that Firebase was asked for.
    pub(in crate::world) fn send_sms(
        &mut self,
        now: i32,
        phone: &str,
        digits: &str,
    ) -> Outcome<()> {
        self.send_letter(now, Way::Firebase, phone, Subject::SignIn, digits)
    }

    /// Digits that nobody knows.
    pub(in crate::world) fn random_digits(&mut self) -> String {
        self.random::<LENGTH>().map(|byte| char::from(b'0' + byte % 10)).into_iter().collect()
    }

    fn random_word(&mut self) -> &'static str {
        let [byte] = self.random();
        WORDS[usize::from(byte) % WORDS.len()]
    }
}
