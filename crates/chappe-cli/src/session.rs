//! `chappe session`: how the session of an account is kept, and where it comes from and goes to.

use serde_json::json;

use crate::args::{Encrypt, Global, Session};
use crate::connect::Target;
use crate::convert;
use crate::errors::failure;
use crate::output::{Exit, Failure, Output, good, notice, paint};
use crate::passphrase::Passphrases;

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
        Session::Encrypt(options) => encrypt(&Target::offline(global)?, options, output).await,
        Session::Decrypt => decrypt(&Target::offline(global)?, output).await,
    }
}

async fn encrypt(target: &Target, options: Encrypt, output: Output) -> Result<(), Failure> {
    let again = target.keep().is_sealed().await?;
    let configured = target.passphrases();
    let new = options.new_passphrase_file.map(Passphrases::File);
    // The one that is configured opens what is there; what is wanted instead, it cannot say.
    if again && new.is_none() && configured.is_configured() {
        return Err(Failure::new(Exit::Conflict, "the session is encrypted already")
            .hint("another passphrase: --new-passphrase-file FILE"));
    }
    if !again && target.store().await?.load().map_err(failure)?.is_none() {
        return Err(target.no_session());
    }
    target.keep().change(configured, Some(new.as_ref().unwrap_or(configured))).await?;
    target.forget_who()?;
    if !output.is_json() {
        notice(
            "There is no way to open it without the passphrase: whoever forgets it signs in anew.",
        );
    }
    output.answer(&json!({ "encrypted": true, "again": again }), || {
        let done = if again { "encrypted anew:" } else { "encrypted" };
        format!("{} {}", paint(good(), done), target.keep().describe())
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
