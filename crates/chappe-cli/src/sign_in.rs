//! Signing in and out, and who is signed in.

use chappe::api::types::User;
use chappe::{
    Builder, Client, CodeStep, ConnectionState, Delivery, Ended, Error, PasswordStep, SignIn,
    SignUpStep,
};
use serde_json::json;

use crate::args::{Global, Login, Logout};
use crate::connect::{Target, failure};
use crate::interrupt::unless_interrupted;
use crate::output::{Exit, Failure, Output, good, notice, paint, printable};
use crate::prompt;
use crate::user::{describe, name, user_json};

/// `chappe login`.
pub(crate) async fn login(global: &Global, options: Login, output: Output) -> Result<(), Failure> {
    let target = Target::new(global)?;
    unless_interrupted(sign_in(&target, options, output), "start again with `chappe login`").await
}

/// `chappe logout`.
pub(crate) async fn logout(
    global: &Global,
    options: &Logout,
    output: Output,
) -> Result<(), Failure> {
    let target = Target::new(global)?;
    let work = async {
        let client = target.resume().await?;
        let user = client.me().await.map_err(failure)?;
        if let Some(user) = &user {
            let question = format!("Sign out {} on this machine?", name(user));
            prompt::confirm(&question, global.yes).await?;
        }
        if options.forget {
            client.sign_out_and_forget().await.map_err(failure)?;
        } else {
            client.sign_out().await.map_err(failure)?;
        }
        client.close().await.map_err(failure)?;
        target.forget_who()?;
        // What is left of the session holds no key, but what Telegram takes instead of a code.
        let easy = target.store().await?.load().map_err(failure)?.is_some();
        let value = json!({ "signed_out": user.as_ref().map(user_json), "kept": easy });
        output.answer(&value, || match &user {
            Some(user) => format!("{} {}", paint(good(), "signed out"), name(user)),
            None => "nobody was signed in; the session is deleted".to_owned(),
        })?;
        if easy && !output.is_json() {
            notice("The same account can sign in here again without a code: `chappe login`.");
        }
        Ok(())
    };
    unless_interrupted(work, "`chappe whoami` says whether you are still signed in").await
}

/// `chappe whoami`.
pub(crate) async fn whoami(global: &Global, output: Output) -> Result<(), Failure> {
    let target = Target::new(global)?;
    let work = async {
        let client = target.resume().await?;
        let user = client.me().await.map_err(failure)?;
        client.close().await.map_err(failure)?;
        let Some(user) = user else {
            return Err(Failure::new(Exit::Permission, "nobody is signed in with this session")
                .hint("sign in first: `chappe login`"));
        };
        target.remember(&user)?;
        output.answer(&user_json(&user), || describe(&user))
    };
    unless_interrupted(work, "nothing was changed").await
}

async fn sign_in(target: &Target, options: Login, output: Output) -> Result<(), Failure> {
    let (client, user) = begin(target).await?;
    if let Some(user) = user {
        client.close().await.map_err(failure)?;
        return Err(Failure::new(Exit::Conflict, format!("{} is signed in already", name(&user)))
            .hint("`chappe logout` first, or sign in beside it: `chappe --account NAME login`"));
    }
    let user = if options.bot {
        let token = match std::env::var("TELEGRAM_BOT_TOKEN") {
            Ok(token) if !token.is_empty() => token,
            _ => prompt::from_stdin("the bot's token").await?,
        };
        client.sign_in_bot(&token).await.map_err(failure)?
    } else {
        let phone = match &options.phone {
            Some(phone) => phone.clone(),
            None => prompt::line("Phone number", "--phone").await?,
        };
        let first = client.sign_in_phone(&phone).await.map_err(|error| target.no_code(error))?;
        walk(first, options).await?
    };
    client.close().await.map_err(failure)?;
    target.remember(&user)?;
    output.answer(&user_json(&user), || {
        format!("{} as {}", paint(good(), "signed in"), describe(&user))
    })
}

/// Connects for a sign-in, and asks who is signed in already. A session that the server forgot
/// is of no use to anybody: a new one takes its place.
async fn begin(target: &Target) -> Result<(Client, Option<User>), Failure> {
    match connect_and_ask(target.builder().await?).await {
        Err(error) if error.ended().is_some_and(Ended::is_session_lost) => {
            notice("The server no longer knows the old session; a new one takes its place.");
            target.store().await?.clear().map_err(failure)?;
            connect_and_ask(target.builder().await?).await.map_err(failure)
        }
        other => other.map_err(failure),
    }
}

async fn connect_and_ask(builder: Builder) -> Result<(Client, Option<User>), Error> {
    let client = builder.connect().await?;
    match (client.me().await, client.state()) {
        // The answer that nobody is signed in ended a session that once was.
        (Ok(None), ConnectionState::Ended(reason)) => {
            client.close().await?;
            Err(reason.into())
        }
        (Ok(user), _) => Ok((client, user)),
        (Err(error), _) => {
            client.close().await?;
            Err(error)
        }
    }
}

/// Goes from step to step until somebody is signed in. An answer that was given beforehand is
/// used once; after that a person is asked, if there is one.
async fn walk(mut step: SignIn, mut options: Login) -> Result<User, Failure> {
    loop {
        step = match step {
            SignIn::Code(code) => submit_code(&code, options.code.take()).await?,
            SignIn::Password(password) => {
                let given = std::mem::take(&mut options.password_stdin);
                submit_password(&password, given).await?
            }
            SignIn::SignUp(sign_up) => {
                let last = options.last_name.take().unwrap_or_default();
                submit_names(&sign_up, options.first_name.take(), last).await?
            }
            SignIn::Done(user) => return Ok(*user),
            _ => {
                return Err(Failure::new(
                    Exit::Other,
                    "Telegram asks for a step that this version does not know",
                ));
            }
        };
    }
}

async fn submit_code(code: &CodeStep, given: Option<String>) -> Result<SignIn, Failure> {
    let text = match (given, code.rejected()) {
        (Some(text), None) => text,
        (_, Some(why)) => {
            notice(&format!("The code is {why}."));
            prompt::line("Code", "the right --code").await?
        }
        (None, None) => {
            notice(&format!("The code was sent {}.", whither(&code.delivery())));
            prompt::line("Code", "--code").await?
        }
    };
    code.submit(&text).await.map_err(failure)
}

async fn submit_password(password: &PasswordStep, stdin: bool) -> Result<SignIn, Failure> {
    if let Some(why) = password.rejected() {
        notice(&format!("The password is {why}."));
    }
    let text = if stdin {
        prompt::from_stdin("the password").await?
    } else {
        let hint = password
            .hint()
            .map_or_else(String::new, |hint| format!(" (hint: {})", printable(hint)));
        let question = format!("Two-step verification password{hint}");
        prompt::secret(&question, "--password-stdin").await?
    };
    password.submit(&text).await.map_err(failure)
}

async fn submit_names(
    sign_up: &SignUpStep,
    first: Option<String>,
    last: String,
) -> Result<SignIn, Failure> {
    if let Some(why) = sign_up.rejected() {
        notice(&format!("{why}."));
    } else if let Some(terms) = sign_up.terms() {
        notice(&format!("By signing up you accept: {}", printable(terms)));
    }
    let first = match first {
        Some(first) => first,
        None => {
            notice("This number has no account yet; it gets one now.");
            prompt::line("First name", "--first-name").await?
        }
    };
    sign_up.submit(&first, &last).await.map_err(failure)
}

fn whither(delivery: &Delivery) -> String {
    match delivery {
        Delivery::App => "to your other devices, by Telegram".to_owned(),
        Delivery::Call => "by a call that reads it to you".to_owned(),
        Delivery::Email { pattern } => format!("by email to {}", printable(pattern)),
        Delivery::FlashCall { pattern } => {
            format!("as the number of a call: {}", printable(pattern))
        }
        Delivery::Fragment { url } => format!("by Fragment: {}", printable(url)),
        Delivery::MissedCall { prefix } => {
            format!("as the last digits of a number that calls you, {}…", printable(prefix))
        }
        Delivery::Sms => "by SMS".to_owned(),
        _ => "in a way that this version does not know".to_owned(),
    }
}
