//! `chappe account password`: two-step verification.

use std::time::{SystemTime, UNIX_EPOCH};

use chappe::{Client, Error, PasswordProblem, PasswordReset, PasswordSettings, RecoveryEmail};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::args::{Global, NewPassword, PasswordCommand, Recover, RecoveryAddress};
use crate::connect::Target;
use crate::errors::failure;
use crate::interrupt::unless_interrupted;
use crate::output::{Exit, Failure, Output, bold, good, notice, paint, printable};
use crate::prompt;
use crate::when;

/// `chappe account password ...`.
pub(crate) async fn password(
    global: &Global,
    command: Option<PasswordCommand>,
    output: Output,
) -> Result<(), Failure> {
    let target = Target::new(global)?;
    let work = async {
        let client = target.resume().await?;
        let done = act(&client, command.unwrap_or(PasswordCommand::Status), global.yes).await?;
        let settings = client.password().await.map_err(failure)?;
        client.close().await.map_err(failure)?;
        let mut value = done.value;
        value["password"] = settings_json(&settings);
        output.answer(&value, || done.text.unwrap_or_else(|| describe(&settings)))
    };
    let after = "what was asked for may have happened: look with `chappe account password`";
    unless_interrupted(work, after).await
}

/// What was done, for programs and for people; nothing for people if it was only looked.
struct Done {
    value: Value,
    text: Option<String>,
}

impl Done {
    fn new(word: &str, text: impl Into<String>) -> Self {
        Self { value: json!({ "done": word }), text: Some(paint(good(), &text.into())) }
    }

    /// Adds what to do next.
    fn then(self, text: &str) -> Self {
        Self { text: self.text.map(|done| format!("{done}\n  {text}")), ..self }
    }

    fn with(mut self, key: &str, value: Value) -> Self {
        self.value[key] = value;
        self
    }
}

async fn act(client: &Client, command: PasswordCommand, yes: bool) -> Result<Done, Failure> {
    match command {
        PasswordCommand::Status => Ok(Done { value: json!({}), text: None }),
        PasswordCommand::Set(options) => {
            // Said before anything is typed.
            if client.password().await.map_err(failure)?.is_set() {
                return Err(explained(PasswordProblem::Needed.into()));
            }
            let (new, hint) = new_password(options.new).await?;
            set(client, None, &new, &hint).await?;
            Ok(Done::new("set", "the password is set").then(NO_ADDRESS))
        }
        PasswordCommand::Change(options) => {
            require_password(client).await?;
            let current = current(client, options.current.password_stdin).await?;
            let (new, hint) = new_password(options.new).await?;
            set(client, Some(&current), &new, &hint).await?;
            Ok(Done::new("changed", "the password is changed"))
        }
        PasswordCommand::Remove(options) => {
            require_password(client).await?;
            let current = current(client, options.password_stdin).await?;
            prompt::confirm("Remove the password?", yes).await?;
            let removed = client.remove_password(&current).await;
            settle(removed, || async { Ok(!client.password().await?.is_set()) }).await?;
            Ok(Done::new("removed", "the password is removed")
                .then("whoever gets a login code of this account is signed in by it alone"))
        }
        PasswordCommand::Email(options) => email(client, options).await,
        PasswordCommand::Confirm { code } => confirm(client, &code).await,
        PasswordCommand::Resend => {
            client.resend_recovery_email().await.map_err(|error| match error {
                Error::Password(PasswordProblem::CodeExpired) => nothing_waits(),
                error => explained(error),
            })?;
            let settings = client.password().await.map_err(failure)?;
            Ok(Done::new("resent", format!("another code went to {}", address(&settings)))
                .then(CONFIRM))
        }
        PasswordCommand::CancelEmail => match client.cancel_recovery_email().await {
            Ok(true) => Ok(Done::new("cancelled", "the new address is given up")),
            Ok(false) => Err(nothing_waits()),
            Err(error) => Err(explained(error)),
        },
        PasswordCommand::Recover(options) => recover(client, options, yes).await,
        PasswordCommand::Reset => reset(client, yes).await,
        PasswordCommand::Decline => match client.decline_password_reset().await {
            Ok(true) => Ok(Done::new("declined", "the password stays")),
            Ok(false) => Err(Failure::new(Exit::NotFound, "no removal was asked for")),
            Err(error) => Err(explained(error)),
        },
    }
}

/// Says that there is no password before anything is typed.
async fn require_password(client: &Client) -> Result<(), Failure> {
    match client.password().await.map_err(failure)?.is_set() {
        true => Ok(()),
        false => Err(explained(PasswordProblem::NotSet.into())),
    }
}

/// The current password: a person is told at once that it is wrong, and asked again a few times.
async fn current(client: &Client, stdin: bool) -> Result<Zeroizing<String>, Failure> {
    if stdin {
        return prompt::from_stdin("the current password").await.map(Zeroizing::new);
    }
    for _ in 0..TRIES {
        let password = prompt::secret("Current password", "--password-stdin").await?;
        let password = Zeroizing::new(password);
        if client.check_password(&password).await.map_err(explained)? {
            return Ok(password);
        }
        notice("The password is wrong.");
    }
    Err(explained(PasswordProblem::Wrong.into()))
}

/// The new password and its hint. Whoever is asked for the one is asked for the other.
async fn new_password(options: NewPassword) -> Result<(Zeroizing<String>, String), Failure> {
    let NewPassword { new_password_stdin, hint } = options;
    let (new, hint) = if new_password_stdin {
        (prompt::from_stdin("the new password").await?, hint.unwrap_or_default())
    } else {
        let new = prompt::new_secret("New password", "--new-password-stdin").await?;
        let hint = match hint {
            Some(hint) => hint,
            None => prompt::line_or_nothing("Hint (may be empty)", "--hint").await?,
        };
        (new, hint)
    };
    Ok((Zeroizing::new(new), hint))
}

async fn set(client: &Client, current: Option<&str>, new: &str, hint: &str) -> Result<(), Failure> {
    let outcome = client.set_password(current, new, hint).await;
    settle(outcome, || client.check_password(new)).await
}

/// A lost answer may have been a yes: a look tells. What Telegram refused stays refused.
async fn settle<F: Future<Output = Result<bool, Error>>>(
    outcome: Result<(), Error>,
    done: impl FnOnce() -> F,
) -> Result<(), Failure> {
    match outcome {
        Ok(()) => Ok(()),
        Err(error) if error.is_unanswered() => match done().await {
            Ok(true) => Ok(()),
            _ => Err(failure(error)
                .hint("it may have happened all the same: look with `chappe account password`")),
        },
        Err(error) => Err(explained(error)),
    }
}

async fn email(client: &Client, options: RecoveryAddress) -> Result<Done, Failure> {
    require_password(client).await?;
    let password = current(client, options.current.password_stdin).await?;
    if options.remove {
        client.remove_recovery_email(&password).await.map_err(explained)?;
        return Ok(Done::new("email_removed", "the recovery address is removed"));
    }
    let Some(address) = options.address else {
        let email = client.recovery_email(&password).await.map_err(explained)?;
        let text = match &email {
            Some(email) => printable(email),
            None => "the password has no recovery address".to_owned(),
        };
        return Ok(Done { value: json!({ "email": email }), text: Some(text) });
    };
    match client.set_recovery_email(&password, &address).await.map_err(explained)? {
        RecoveryEmail::Unconfirmed { code_length } => {
            let digits =
                code_length.map_or_else(String::new, |length| format!(" of {length} digits"));
            let sent = format!("a code{digits} went to {}", printable(&address));
            if !prompt::is_possible() {
                return Ok(Done::new("email_unconfirmed", sent)
                    .then(CONFIRM)
                    .with("code_length", json!(code_length)));
            }
            notice(&format!("{}{}.", sent[..1].to_uppercase(), &sent[1..]));
            confirm_with_person(client).await
        }
        _ => Ok(Done::new("email_set", "this is the recovery address already")),
    }
}

/// Asks for the code until it is right, or too old.
async fn confirm_with_person(client: &Client) -> Result<Done, Failure> {
    loop {
        let code = prompt::line("Code", "it to `chappe account password confirm`").await?;
        match client.confirm_recovery_email(&code).await {
            Err(Error::Password(PasswordProblem::CodeWrong)) => notice("The code is wrong."),
            Err(error) => return Err(explained(error)),
            Ok(()) => return Ok(confirmed()),
        }
    }
}

async fn confirm(client: &Client, code: &str) -> Result<Done, Failure> {
    client.confirm_recovery_email(code).await.map_err(explained)?;
    Ok(confirmed())
}

fn confirmed() -> Done {
    Done::new("confirmed", "the recovery address is confirmed")
}

async fn recover(client: &Client, options: Recover, yes: bool) -> Result<Done, Failure> {
    warn_of_passport(client, yes).await?;
    let code = match options.code {
        Some(code) => code,
        None => {
            let pattern = client.request_password_recovery().await.map_err(explained)?;
            let sent = format!("a code went to {}", printable(&pattern));
            if !prompt::is_possible() {
                return Ok(Done::new("code_sent", sent)
                    .then("then: `chappe account password recover --code CODE`"));
            }
            notice(&format!("{}{}.", sent[..1].to_uppercase(), &sent[1..]));
            prompt::line("Code", "--code").await?
        }
    };
    if options.remove {
        let outcome = client.recover_password(&code, None).await;
        settle(outcome, || async { Ok(!client.password().await?.is_set()) }).await?;
        return Ok(Done::new("removed", "the password is removed"));
    }
    let (new, hint) = new_password(options.new).await?;
    let outcome = client.recover_password(&code, Some((&new, &hint))).await;
    settle(outcome, || client.check_password(&new)).await?;
    Ok(Done::new("changed", "the password is changed"))
}

/// Asks before data is given up that only the forgotten password opens.
async fn warn_of_passport(client: &Client, yes: bool) -> Result<(), Failure> {
    if client.password().await.map_err(failure)?.has_passport_data() {
        let question = "The account's Telegram Passport data will be lost. Go on?";
        prompt::confirm(question, yes).await?;
    }
    Ok(())
}

async fn reset(client: &Client, yes: bool) -> Result<Done, Failure> {
    require_password(client).await?;
    warn_of_passport(client, yes).await?;
    let settings = client.password().await.map_err(failure)?;
    if settings.reset_at().is_none() {
        if settings.has_recovery_email() {
            notice("A code to the recovery address is faster: `chappe account password recover`.");
        }
        prompt::confirm("Have the password removed in a week?", yes).await?;
    }
    Ok(match client.reset_password().await.map_err(explained)? {
        PasswordReset::Done => Done::new("removed", "the password is removed"),
        PasswordReset::Requested { until } => {
            let day = when::day(unix(until));
            Done::new("requested", format!("the password can be removed from {day} on"))
                .then("then ask again: `chappe account password reset`")
                .with("until", json!(unix(until)))
        }
        PasswordReset::Refused { retry_at } => {
            return Err(Failure::new(
                Exit::Conflict,
                format!(
                    "a removal was declined lately; it can be asked for again from {} on",
                    when::day(unix(retry_at))
                ),
            ));
        }
        _ => {
            return Err(Failure::new(Exit::Other, "Telegram answers in a way that is new here"));
        }
    })
}

/// Adds what to type to what went wrong.
fn explained(error: Error) -> Failure {
    let hint = match &error {
        Error::Password(PasswordProblem::Needed) => Some("`chappe account password change`"),
        Error::Password(PasswordProblem::NotSet) => Some("`chappe account password set`"),
        Error::Password(PasswordProblem::Wrong) => Some(
            "forgotten? `chappe account password recover` sends a code to the recovery address",
        ),
        Error::Password(PasswordProblem::CodeExpired) => Some(
            "`chappe account password resend` for a new address, \
             `chappe account password recover` for a forgotten password",
        ),
        Error::Password(PasswordProblem::NoRecoveryEmail) => {
            Some("`chappe account password reset` has the password removed in a week")
        }
        _ => None,
    };
    match hint {
        Some(hint) => failure(error).hint(hint),
        None => failure(error),
    }
}

fn nothing_waits() -> Failure {
    Failure::new(Exit::NotFound, "no address waits to be confirmed")
        .hint("`chappe account password email ADDRESS` sends a code to a new one")
}

fn address(settings: &PasswordSettings) -> String {
    settings.unconfirmed_email().map_or_else(|| "the new address".to_owned(), printable)
}

/// What there is, for a person, and what could be done.
fn describe(settings: &PasswordSettings) -> String {
    let mut lines = Vec::new();
    if settings.is_set() {
        let hint = settings
            .hint()
            .map_or_else(String::new, |hint| format!("  (hint: {})", printable(hint)));
        lines.push(format!("{}{hint}", paint(bold(), "a password is set")));
        lines.push(match settings.has_recovery_email() {
            true => "recovery    by a code to the recovery address".to_owned(),
            false => "recovery    none: `chappe account password email ADDRESS`".to_owned(),
        });
    } else {
        lines.push(paint(bold(), "no password is set"));
        lines.push("to set one  `chappe account password set`".to_owned());
    }
    if settings.unconfirmed_email().is_some() {
        lines.push(format!("waits for   the code that went to {}; {CONFIRM}", address(settings)));
    }
    if let Some(login) = settings.login_email() {
        lines.push(format!("login codes go to {}", printable(login)));
    }
    if let Some(at) = settings.reset_at() {
        lines.push(format!(
            "removal     asked for, possible from {} on; to decline: `chappe account password decline`",
            when::day(unix(at))
        ));
    }
    if settings.has_passport_data() {
        lines.push("passport    its data opens by this password only".to_owned());
    }
    lines.join("\n")
}

fn settings_json(settings: &PasswordSettings) -> Value {
    json!({
        "is_set": settings.is_set(),
        "hint": settings.hint(),
        "has_recovery_email": settings.has_recovery_email(),
        "unconfirmed_email": settings.unconfirmed_email(),
        "login_email": settings.login_email(),
        "reset_at": settings.reset_at().map(unix),
        "has_passport_data": settings.has_passport_data(),
    })
}

fn unix(time: SystemTime) -> i32 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    i32::try_from(since.as_secs()).unwrap_or(i32::MAX)
}

/// How often a person may mistype the current password.
const TRIES: usize = 3;
/// What a password without a recovery address should get.
const NO_ADDRESS: &str = "it cannot be recovered if it is forgotten: \
                          `chappe account password email ADDRESS` changes that";
/// What to do with a code that went to a new address.
const CONFIRM: &str = "then: `chappe account password confirm CODE`";
