//! `chappe session`: how the session of an account is kept, and where it comes from and goes to.

use serde_json::json;

use crate::args::{Global, Session};
use crate::connect::{Target, failure};
use crate::convert;
use crate::output::{Exit, Failure, Output, good, notice, paint};

/// `chappe session ...`.
pub(crate) async fn session(
    global: &Global,
    command: Session,
    output: Output,
) -> Result<(), Failure> {
    match command {
        Session::Show(given) => convert::show(global, &given, output).await,
        Session::Import(options) => convert::import(global, &options, output).await,
        Session::Export(options) => convert::export(global, &options, output).await,
        Session::Convert(options) => convert::convert(global, &options, output).await,
        Session::Encrypt => encrypt(&Target::offline(global)?, output).await,
        Session::Decrypt => decrypt(&Target::offline(global)?, output).await,
    }
}

async fn encrypt(target: &Target, output: Output) -> Result<(), Failure> {
    if target.keep().is_sealed().await? {
        return Err(Failure::new(Exit::Conflict, "the session is encrypted already")
            .hint("another passphrase: `chappe session decrypt` first, then encrypt again"));
    }
    if target.store().await?.load().map_err(failure)?.is_none() {
        return Err(target.no_session());
    }
    let passphrase = target.passphrases().fresh().await?;
    target.keep().change(target.passphrases(), Some(passphrase)).await?;
    target.forget_who()?;
    if !output.is_json() {
        notice(
            "There is no way to open it without the passphrase: whoever forgets it signs in anew.",
        );
    }
    output.answer(&json!({ "encrypted": true }), || {
        format!("{} {}", paint(good(), "encrypted"), target.keep().describe())
    })
}

async fn decrypt(target: &Target, output: Output) -> Result<(), Failure> {
    if !target.keep().is_sealed().await? {
        if target.store().await?.load().map_err(failure)?.is_none() {
            return Err(target.no_session());
        }
        return Err(Failure::new(Exit::Conflict, "the session is not encrypted"));
    }
    target.keep().change(target.passphrases(), None).await?;
    output.answer(&json!({ "encrypted": false }), || {
        format!("{} {}", paint(good(), "decrypted"), target.keep().describe())
    })
}
