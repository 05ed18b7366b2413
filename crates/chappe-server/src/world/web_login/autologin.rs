//! The token that logs a person in on pages of Telegram itself, without a question
//! (core.telegram.org/api/url-authorization#automatic-authorization).

use chappe_crypto::sha256;

use crate::failure::Outcome;
use crate::world::{World, base64url};

/// How long a token lasts, in seconds. Assumed: as long as clients may use the configuration that it
/// stands in.
const LIFETIME: i32 = 10_000;

impl World {
    /// The token of a user for now. All parts of what is hashed have a fixed length.
    pub(crate) fn autologin_token(&mut self, now: i32, user_id: i64) -> Outcome<String> {
        let secret = self.secret("autologin")?;
        let period = now.div_euclid(LIFETIME);
        let parts: [&[u8]; 3] = [&secret, &user_id.to_le_bytes(), &period.to_le_bytes()];
        Ok(base64url(&sha256(&parts)))
    }
}
