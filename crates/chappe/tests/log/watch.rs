//! Who listens to all that is logged or shown, and looks for secrets in it.

use std::{
    fmt::{Debug, Write},
    io,
    sync::{Arc, Mutex, PoisonError},
};

use chappe::{
    CodeStep, Error, PasswordStep, QrStep, SignIn,
    session::{Foreign, Format, Session},
};
use tracing_subscriber::fmt::MakeWriter;

use crate::telegram::{code, done};

#[derive(Clone, Default)]
pub(crate) struct Captured(pub(crate) Arc<Mutex<Vec<u8>>>);

impl io::Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Captured {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// What must not be seen, and what was shown beside the log.
#[derive(Default)]
pub(crate) struct Watch {
    secrets: Vec<(&'static str, String)>,
    bytes: Vec<(&'static str, Vec<u8>)>,
    shown: String,
}

impl Watch {
    /// This text must not be seen.
    pub(crate) fn secret(&mut self, what: &'static str, text: impl Into<String>) {
        self.secrets.push((what, text.into()));
    }

    /// Programs print this.
    pub(crate) fn show(&mut self, value: &impl Debug) {
        writeln!(self.shown, "{value:?}").unwrap();
    }

    pub(crate) fn fails<T: Debug>(&mut self, outcome: Result<T, Error>) {
        let error = outcome.unwrap_err();
        writeln!(self.shown, "{error} {error:?} {:?}", error.explain()).unwrap();
    }

    pub(crate) fn code(&mut self, step: SignIn) -> CodeStep {
        self.show(&step);
        code(step)
    }

    pub(crate) fn password(&mut self, step: SignIn) -> PasswordStep {
        self.show(&step);
        match step {
            SignIn::Password(step) => step,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn qr(&mut self, step: SignIn) -> QrStep {
        self.show(&step);
        let SignIn::Qr(step) = step else { panic!("{step:?}") };
        let url = step.url();
        self.secret("QR token", url.split_once("token=").unwrap().1);
        step
    }

    pub(crate) fn done(&mut self, step: SignIn) {
        self.show(&step);
        done(Ok(step));
    }

    /// The keys of all data centres of this session, and the tokens for later sign-ins.
    pub(crate) fn session(&mut self, session: &Session) {
        self.show(session);
        let bytes = session.to_bytes().unwrap();
        self.show(&bytes);
        let bytes = bytes.as_ref();
        let number = |at: usize| usize::from(u16::from_le_bytes([bytes[at], bytes[at + 1]]));
        let mut at = 41;
        for _ in 0..number(39) {
            self.bytes.push(("auth key", bytes[at + 5..at + 261].to_vec()));
            at += 263 + number(at + 261);
            at += 2 + 24 * number(at);
        }
        at += 5;
        for _ in 0..bytes[at - 1] {
            self.bytes.push(("token", bytes[at + 2..at + 2 + number(at)].to_vec()));
            at += 2 + number(at);
        }
        assert_eq!(at + 32, bytes.len());
        if session.is_signed_in() {
            let foreign = Foreign::from_session(session).unwrap();
            self.show(&foreign);
            let text = foreign.write(Format::GramJs).unwrap();
            self.show(&text);
            self.secret("session string", text.as_str().unwrap());
        }
    }

    /// Looks for all of it.
    pub(crate) fn check(&self, log: &str) {
        let seen = [log, &self.shown].concat();
        for (what, secret) in &self.secrets {
            assert!(secret.len() > 3, "{what}");
            let found = seen.match_indices(secret.as_str()).find(|(at, _)| {
                // A code may be a part of some other number.
                let is_part = |c: Option<char>| c.is_some_and(|c| c.is_ascii_hexdigit());
                let digits = secret.bytes().all(|byte| byte.is_ascii_digit());
                let (before, after) = (&seen[..*at], &seen[at + secret.len()..]);
                !(digits && (is_part(before.chars().next_back()) || is_part(after.chars().next())))
            });
            assert!(found.is_none(), "the {what} is in\n{}", around(&seen, found.unwrap().0));
        }
        for (what, bytes) in &self.bytes {
            // Any eight bytes, as digits, as a list of numbers, as an escaped string, and in
            // Base64, where they begin anywhere in a group.
            for bytes in bytes.chunks_exact(8) {
                let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
                let list = format!("{bytes:?}");
                let escaped = bytes.escape_ascii().to_string();
                let mut forms = vec![
                    hex.to_uppercase(),
                    hex,
                    list.trim_matches(['[', ']']).to_owned(),
                    escaped,
                ];
                for skip in 0..3 {
                    forms.extend(base64(&bytes[skip..skip + 3]).map(|first| {
                        let second = base64(&bytes[skip + 3..bytes.len().min(skip + 6)]);
                        first + &second.unwrap_or_default()
                    }));
                }
                forms.retain(|form| form.len() > 7);
                for form in forms {
                    let found = seen.find(&form);
                    assert!(found.is_none(), "{what}:\n{}", around(&seen, found.unwrap()));
                }
            }
        }
    }
}

/// Three bytes in Base64.
fn base64(bytes: &[u8]) -> Option<String> {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let &[a, b, c] = bytes else { return None };
    let group = u32::from_be_bytes([0, a, b, c]);
    Some(
        [18, 12, 6, 0]
            .map(|shift| char::from(ALPHABET[(group >> shift & 63) as usize]))
            .iter()
            .collect(),
    )
}

/// The lines where something was found.
fn around(text: &str, at: usize) -> &str {
    let begin = text[..at].rfind('\n').map_or(0, |begin| begin + 1);
    let end = text[at..].find('\n').map_or(text.len(), |end| at + end);
    &text[begin..end]
}

/// The look itself is not blind.
#[test]
fn whatever_form_a_secret_has_is_seen() {
    let mut watch = Watch::default();
    watch.secret("code", "24680");
    let key: Vec<u8> = (0..32).map(|byte: u8| byte.wrapping_mul(37).wrapping_add(200)).collect();
    watch.bytes.push(("key", key.clone()));
    watch.check("nothing, and 1246801 of some other number");
    let hex: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
    let base64_of = |bytes: &[u8]| bytes.chunks_exact(3).filter_map(base64).collect::<String>();
    for seen in [
        "the code 24680, and more".to_owned(),
        hex.to_uppercase(),
        hex,
        format!("{key:?}"),
        format!("{:?}", bytes::Bytes::from(key.clone())),
        base64_of(&key),
        base64_of(&key[1..]),
        base64_of(&key[2..]),
    ] {
        let found = std::panic::catch_unwind(|| watch.check(&seen));
        assert!(found.is_err(), "{seen} is not seen");
    }
}
