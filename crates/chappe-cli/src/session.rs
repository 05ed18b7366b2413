//! `chappe session`: how the session of an account is kept, and where it comes from and goes to.

use chappe::session::File;
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
    let path = there(target)?;
    if target.keep().is_sealed()? {
        return Err(Failure::new(Exit::Conflict, "the session is encrypted already")
            .hint("another passphrase: `chappe session decrypt` first, then encrypt again"));
    }
    let passphrase = target.passphrases().fresh().await?;
    File::new(path).change_passphrase(Some(passphrase)).map_err(failure)?;
    target.forget_who()?;
    if !output.is_json() {
        notice(
            "There is no way to open it without the passphrase: whoever forgets it signs in anew.",
        );
    }
    output.answer(&json!({ "encrypted": true }), || {
        format!("{} {}", paint(good(), "encrypted"), path.display())
    })
}

async fn decrypt(target: &Target, output: Output) -> Result<(), Failure> {
    let path = there(target)?;
    if !target.keep().is_sealed()? {
        return Err(Failure::new(Exit::Conflict, "the session is not encrypted"));
    }
    let file = target.keep().unlock(target.passphrases()).await?;
    file.change_passphrase(None).map_err(failure)?;
    output.answer(&json!({ "encrypted": false }), || {
        format!("{} {}", paint(good(), "decrypted"), path.display())
    })
}

/// The file, if there is one.
fn there(target: &Target) -> Result<&std::path::Path, Failure> {
    let path = target.keep().path();
    if path.exists() {
        return Ok(path);
    }
    Err(target.no_session())
}
