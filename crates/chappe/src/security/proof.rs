//! What shows that a password is known, and what a new one is made of
//! (core.telegram.org/api/srp). The password itself does not leave this machine.
//!
//! A password is its UTF-8 bytes as they were given: Telegram does not normalise it, and so neither
//! does this. What looks the same and is composed in another way is another password.

use bytes::Bytes;
use chappe_crypto::{
    dh::Group,
    srp::{self, Algorithm, Password},
};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

use crate::{
    api::{enums, types},
    builder::entropy,
    error::Error,
    session::keeper::blocking,
};

/// Answers the challenge of `account.getPassword`; `None` if the account has no password.
pub(crate) async fn prove(
    form: &types::account::Password,
    password: &str,
) -> Result<Option<types::InputCheckPasswordSrp>, Error> {
    let (Some(algorithm), Some(b), Some(srp_id)) =
        (&form.current_algo, form.srp_b.clone(), form.srp_id)
    else {
        return Ok(None);
    };
    let algorithm = Parameters::read(algorithm)?;
    let password = Password::from(password);
    let mut rng = ChaCha20Rng::from_seed(entropy()?);
    let secure_random = form.secure_random.clone();
    // Tens of milliseconds of hashing, by design.
    let answer = blocking(move || {
        let algorithm = algorithm.check(&[])?;
        srp::answer(&algorithm, &password, &b, &secure_random, &mut rng).map_err(unsafe_challenge)
    })
    .await?;
    Ok(Some(types::InputCheckPasswordSrp {
        srp_id,
        a: answer.a.to_vec().into(),
        m1: answer.m1.to_vec().into(),
    }))
}

/// The settings that make this the password. Salt of our own is added to the server's.
pub(crate) async fn new_settings(
    form: &types::account::Password,
    password: &str,
    hint: &str,
) -> Result<types::account::PasswordInputSettings, Error> {
    let algorithm = Parameters::read(&form.new_algo)?;
    let password = Password::from(password);
    let own: [u8; OWN_SALT] = entropy()?;
    let (algorithm, verifier) = blocking(move || {
        let algorithm = algorithm.check(&own)?;
        let verifier = algorithm.verifier(&algorithm.password_hash(&password));
        Ok::<_, Error>((algorithm, verifier))
    })
    .await?;
    let new_algo = types::PasswordKdfAlgoSha256Sha256Pbkdf2Hmacsha512iter100000Sha256ModPow {
        salt1: algorithm.salt1.into(),
        salt2: algorithm.salt2.into(),
        g: algorithm.group.g(),
        p: algorithm.group.p().to_vec().into(),
    };
    Ok(types::account::PasswordInputSettings {
        new_algo: Some(new_algo.into()),
        new_password_hash: Some(verifier.to_vec().into()),
        hint: Some(hint.into()),
        ..types::account::PasswordInputSettings::new()
    })
}

/// The settings that remove the password.
pub(crate) fn no_password() -> types::account::PasswordInputSettings {
    types::account::PasswordInputSettings {
        new_algo: Some(enums::PasswordKdfAlgo::Unknown),
        new_password_hash: Some(Bytes::new()),
        hint: Some(String::new().into()),
        ..types::account::PasswordInputSettings::new()
    }
}

/// The parameters of the one way to check a password that there is, as they came.
struct Parameters {
    salt1: Bytes,
    salt2: Bytes,
    g: i32,
    p: Bytes,
}

impl Parameters {
    fn read(algorithm: &enums::PasswordKdfAlgo) -> Result<Self, Error> {
        match algorithm {
            enums::PasswordKdfAlgo::Sha256Sha256Pbkdf2Hmacsha512iter100000Sha256ModPow(known) => {
                Ok(Self {
                    salt1: known.salt1.clone(),
                    salt2: known.salt2.clone(),
                    g: known.g,
                    p: known.p.clone(),
                })
            }
            _ => Err(Error::Unsupported(
                "Telegram checks this password in a new way; update the app",
            )),
        }
    }

    /// Checks the group, by which a server could learn the password, and adds salt.
    fn check(self, own_salt: &[u8]) -> Result<Algorithm, Error> {
        let group = Group::check(&self.p, self.g).map_err(unsafe_challenge)?;
        let salt1 = [&self.salt1[..], own_salt].concat();
        Ok(Algorithm { salt1, salt2: self.salt2.to_vec(), group })
    }
}

fn unsafe_challenge(_: chappe_crypto::Error) -> Error {
    Error::Unsupported("the server's password challenge is not safe")
}

/// How many random bytes are added to the first salt of a new password.
/// (core.telegram.org/api/srp#setting-a-new-2fa-password)
const OWN_SALT: usize = 32;
