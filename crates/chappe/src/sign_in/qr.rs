//! Sign-in by a code that another device of the account scans, from both sides.
//!
//! See core.telegram.org/api/qr-login.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, SystemTime},
};

use base64ct::{Base64UrlUnpadded, Encoding as _};
use bytes::Bytes;

use super::{SignIn, authorized, is_one_of, password};
use crate::{
    Client, Updates,
    api::{auth, enums, errors, types},
    error::Error,
    net::timer,
};

impl Client {
    /// Begins to sign in by a QR code, which another device of the account scans. `except` are
    /// the ids of accounts that are signed in here already: Telegram does not let them in twice.
    ///
    /// ```no_run
    /// use chappe::SignIn;
    ///
    /// # async fn example(client: chappe::Client, draw: impl Fn(&str)) -> Result<(), chappe::Error> {
    /// let mut step = client.sign_in_qr(&[]).await?;
    /// while let SignIn::Qr(qr) = &step {
    ///     draw(&qr.url()); // by any crate that draws QR codes
    ///     step = qr.wait().await?; // a fresh code, the password, or done
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::Rpc`], mostly about the api id; the errors of [`invoke`](Self::invoke).
    ///
    /// # Cancel safety
    /// Nothing is lost by dropping the future.
    pub async fn sign_in_qr(&self, except: &[i64]) -> Result<SignIn, Error> {
        let scan = Scan {
            // Before the first token: a fast scan must not be missed.
            updates: self.updates(),
            was_accepted: false,
            is_asking: false,
            elsewhere: None,
        };
        let scanning =
            Scanning { client: self.clone(), except: except.to_vec(), scan: scan.into() };
        let scanning = Arc::new(scanning);
        let scan = &mut *scanning.scan.lock().await;
        scanning.ask(scan).await
    }

    /// Lets another device in to this account: `link` is what its QR code says, like
    /// `tg://login?token=...`, or the token alone. Returns the new device session.
    ///
    /// Whoever showed the code becomes a device of this account: accept nothing that somebody
    /// sent.
    ///
    /// # Errors
    /// [`Error::Invalid`] if it is no such link; [`Error::Rpc`], like `AUTH_TOKEN_EXPIRED`; the
    /// errors of [`invoke`](Self::invoke).
    ///
    /// # Cancel safety
    /// The device may be let in although the future was dropped;
    /// `account.getAuthorizations` lists it then.
    pub async fn accept_login_token(&self, link: &str) -> Result<types::Authorization, Error> {
        let token = token_of(link).ok_or(Error::Invalid(
            "this is no login link; it looks like tg://login?token=..., and a QR code for a \
             sign-in says it",
        ))?;
        self.invoke(&auth::AcceptLoginToken { token }).await
    }
}

/// The step of a code to be shown, which another device of the account scans.
pub struct QrStep {
    scanning: Arc<Scanning>,
    token: Bytes,
    expires: i32,
    /// When it expires by the client's own clock.
    until: Duration,
}

impl QrStep {
    /// What the QR code says. Whoever scans it with a device of an account and confirms it lets
    /// this client in; it is of no use to anybody else.
    pub fn url(&self) -> String {
        link_of(&self.token)
    }

    /// When the code expires, by the server's clock.
    pub fn expires(&self) -> SystemTime {
        let seconds = Duration::from_secs(u64::try_from(self.expires).unwrap_or_default());
        SystemTime::UNIX_EPOCH.checked_add(seconds).unwrap_or(SystemTime::UNIX_EPOCH)
    }

    /// How long the code can still be scanned.
    pub fn time_left(&self) -> Duration {
        self.until.saturating_sub(self.scanning.client.gate().now())
    }

    /// Waits until the code was scanned, or is about to expire; what follows is
    /// [`SignIn::Done`], [`SignIn::Password`], or [`SignIn::Qr`] with a fresh code to be shown
    /// instead of this one.
    ///
    /// # Errors
    /// Those of [`Client::invoke`]; the step can be used again after them.
    ///
    /// # Cancel safety
    /// Nothing is lost by dropping the future: the next `wait` of any step of this sign-in knows
    /// what was heard.
    pub async fn wait(&self) -> Result<SignIn, Error> {
        let scan = &mut *self.scanning.scan.lock().await;
        if scan.is_asking {
            // An answer was not heard, and it may have been the last one.
            if let Some(step) = self.scanning.client.sign_in_resume().await? {
                return Ok(step);
            }
        } else if !scan.was_accepted && scan.elsewhere.is_none() {
            let time = self.time_left().saturating_sub(MARGIN).max(SHORTEST);
            if let Some(heard) = timer::within(time, accepted(&mut scan.updates)).await {
                heard?;
                scan.was_accepted = true;
            }
        }
        self.scanning.ask(scan).await
    }
}

impl fmt::Debug for QrStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("QrStep").field("expires", &self.expires).finish_non_exhaustive()
    }
}

/// What all codes of one sign-in share.
struct Scanning {
    client: Client,
    except: Vec<i64>,
    scan: tokio::sync::Mutex<Scan>,
}

/// How far it got, also if nobody waits.
struct Scan {
    updates: Updates,
    /// A device accepted a code, and the server was not asked since.
    was_accepted: bool,
    /// The server was asked, and its answer was not heard.
    is_asking: bool,
    /// The account lives at this data centre, and the token is for there.
    elsewhere: Option<(i32, Bytes)>,
}

impl Scanning {
    /// Asks how far it got; without anything new the answer is another code.
    async fn ask(self: &Arc<Self>, scan: &mut Scan) -> Result<SignIn, Error> {
        for _ in 0..MOST_MOVES {
            let answer = match scan.elsewhere.clone() {
                Some((dc_id, token)) => {
                    self.client.pool().go_home(dc_id).await?;
                    scan.is_asking = true;
                    self.client.invoke(&auth::ImportLoginToken { token }).await
                }
                None => {
                    scan.is_asking = true;
                    self.client.invoke(&self.export()).await
                }
            };
            match answer {
                Ok(enums::auth::LoginToken::LoginToken(token)) => {
                    (scan.is_asking, scan.was_accepted, scan.elsewhere) = (false, false, None);
                    return Ok(SignIn::Qr(self.step(token)));
                }
                Ok(enums::auth::LoginToken::MigrateTo(there)) => {
                    scan.is_asking = false;
                    scan.elsewhere = Some((there.dc_id, there.token));
                }
                // Whoever asks again after these is told where the sign-in stands.
                Ok(enums::auth::LoginToken::Success(success)) => {
                    return authorized(&self.client, success.authorization).await;
                }
                Err(error) if error.is(errors::SESSION_PASSWORD_NEEDED) => {
                    return password::step(&self.client).await;
                }
                Err(error) if scan.elsewhere.is_some() && is_stale(&error) => {
                    // Too late; this data centre is the right one for the next code.
                    (scan.is_asking, scan.elsewhere) = (false, None);
                }
                Err(error) => {
                    scan.is_asking = error.rpc().is_none();
                    return Err(error);
                }
                Ok(_) => {
                    return Err(Error::Unsupported(
                        "Telegram asks for a step that is new; update the app",
                    ));
                }
            }
        }
        Err(Error::BeginAgain)
    }

    fn export(&self) -> auth::ExportLoginToken {
        auth::ExportLoginToken {
            api_id: self.client.app().api_id,
            api_hash: self.client.app().api_hash.as_str().into(),
            except_ids: self.except.clone(),
        }
    }

    fn step(self: &Arc<Self>, token: types::auth::LoginToken) -> QrStep {
        let left = i64::from(token.expires) - self.client.keeper().server_time();
        let left = Duration::from_secs(u64::try_from(left).unwrap_or_default());
        let until = self.client.gate().now().saturating_add(left);
        let types::auth::LoginToken { expires, token } = token;
        QrStep { scanning: Arc::clone(self), token, expires, until }
    }
}

/// Waits until the server says that a device accepted a code, or something was missed.
async fn accepted(updates: &mut Updates) -> Result<(), Error> {
    let lost = updates.lost();
    loop {
        let Some(next) = updates.next().await? else { return Err(Error::Closed) };
        if is_accepted(&next) || updates.lost() != lost {
            return Ok(());
        }
    }
}

fn is_accepted(updates: &enums::Updates) -> bool {
    let is_it = |update: &enums::Update| matches!(update, enums::Update::LoginToken);
    match updates {
        enums::Updates::UpdateShort(short) => is_it(&short.update),
        enums::Updates::Updates(updates) => updates.updates.iter().any(is_it),
        enums::Updates::Combined(updates) => updates.updates.iter().any(is_it),
        _ => false,
    }
}

/// Whether a token is not good any more.
fn is_stale(error: &Error) -> bool {
    is_one_of(
        error,
        &[
            errors::AUTH_TOKEN_ALREADY_ACCEPTED,
            errors::AUTH_TOKEN_EXPIRED,
            errors::AUTH_TOKEN_INVALID,
            errors::AUTH_TOKEN_INVALIDX,
        ],
    )
}

/// The token in a link, or alone.
fn token_of(link: &str) -> Option<Bytes> {
    let link = link.trim();
    let text = match link.split_once(':') {
        None => link,
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("tg") => {
            let rest = rest.trim_start_matches('/');
            let (action, query) = rest.split_once('?')?;
            let action = action.trim_end_matches('/');
            let token = query.split('&').find_map(|pair| pair.strip_prefix("token="))?;
            action.eq_ignore_ascii_case("login").then_some(token)?
        }
        Some(_) => return None,
    };
    let text = text.replace("%3D", "=");
    let token = Base64UrlUnpadded::decode_vec(text.trim_end_matches('=')).ok()?;
    (token.len() >= SHORTEST_TOKEN).then(|| token.into())
}

fn link_of(token: &[u8]) -> String {
    format!("{LINK}{}", Base64UrlUnpadded::encode_string(token))
}

const LINK: &str = "tg://login?token=";
/// How long before the end of a code the next is asked for: it must be on the screen in time.
const MARGIN: Duration = Duration::from_secs(3);
/// How long a code is shown at least, whatever the server says of its end.
const SHORTEST: Duration = Duration::from_secs(5);
/// No token is shorter, in bytes. Assumed: those of Telegram have more than 30.
const SHORTEST_TOKEN: usize = 16;
/// How often one scan may be sent on.
const MOST_MOVES: usize = 4;

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha20Rng;
    use rand_core::{Rng, SeedableRng};

    use super::*;

    #[test]
    fn a_token_is_found_in_a_link_and_alone_and_nowhere_else() {
        let token: Vec<u8> = (0..32).collect();
        let text = Base64UrlUnpadded::encode_string(&token);
        for link in [
            format!("tg://login?token={text}"),
            format!(" TG://Login?token={text}\n"),
            format!("tg:login?token={text}"),
            format!("tg://login/?x=1&token={text}&y=2"),
            format!("tg://login?token={text}="),
            format!("tg://login?token={text}%3D"),
            text.clone(),
            format!("{text}="),
        ] {
            assert_eq!(token_of(&link).as_deref(), Some(&token[..]), "{link}");
        }
        for link in [
            "",
            "hello",
            "tg://login",
            "tg://login?token=",
            "tg://login?token=hello",
            &format!("tg://resolve?token={text}"),
            &format!("tg://login?code={text}"),
            &format!("https://t.me/login/{text}"),
            &format!("https://example.org/?token={text}"),
            &format!("{text} {text}"),
            // Bits that belong to no byte.
            "Zm9vYmFyZm9vYmFyZm9vYh",
            &text.replace('A', "+"),
        ] {
            assert_eq!(token_of(link), None, "{link}");
        }
    }

    /// Whatever is read is shown as a link that is read as the same.
    #[test]
    fn a_token_has_one_link() {
        let mut rng = ChaCha20Rng::from_seed([5; 32]);
        let pieces =
            ["tg:", "//", "login", "?", "token=", "&", "=", "%3D", "A", "-", "Zm9vYmFyZm9vYmFy"];
        let mut read = 0;
        for _ in 0..50_000 {
            let mut link = String::new();
            for _ in 0..rng.next_u32() % 8 {
                let pick = rng.next_u32() as usize;
                match pieces.get(pick % (pieces.len() + 1)) {
                    Some(piece) => link.push_str(piece),
                    None => link.extend(char::from_u32(rng.next_u32() % 0x3000)),
                }
            }
            for link in [link.clone(), format!("tg://login?token={link}")] {
                let Some(token) = token_of(&link) else { continue };
                read += 1;
                assert_eq!(token_of(&link_of(&token)), Some(token), "{link:?}");
            }
        }
        assert!(read > 100, "{read} were read");
    }
}
