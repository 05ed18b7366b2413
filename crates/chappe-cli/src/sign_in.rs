//! Signing in and out, and who is signed in.

use chappe::api::types::User;
use chappe::{Builder, Client, ConnectionState, Ended, Error, SignIn, errors};
use serde_json::json;

use crate::args::{Global, Login, Logout};
use crate::connect::Target;
use crate::errors::failure;
use crate::interrupt::unless_interrupted;
use crate::output::{Exit, Failure, Output, good, notice, paint, printable};
use crate::prompt;
use crate::steps;
use crate::user::{describe, name, user_json};

/// `chappe login`.
pub(crate) async fn login(global: &Global, options: Login, output: Output) -> Result<(), Failure> {
    let target = Target::new(global)?;
    if let Some(link) = options.accept {
        let work = accept(&target, link, global.yes, output);
        return unless_interrupted(work, "the other device may be signed in all the same").await;
    }
    let work = sign_in(&target, options, global, output);
    unless_interrupted(work, "start again with `chappe login`").await
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
        let user = target.who(&client).await?;
        client.close().await.map_err(failure)?;
        target.remember(&user).await?;
        output.answer(&user_json(&user), || describe(&user))
    };
    unless_interrupted(work, "nothing was changed").await
}

async fn sign_in(
    target: &Target,
    mut options: Login,
    global: &Global,
    output: Output,
) -> Result<(), Failure> {
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
        let first = first_step(&client, target, &mut options).await?;
        steps::walk(first, options, global, output).await?
    };
    client.close().await.map_err(failure)?;
    target.remember(&user).await?;
    output.answer(&user_json(&user), || {
        format!("{} as {}", paint(good(), "signed in"), describe(&user))
    })?;
    let twins = target.twins(&user)?;
    if let (Some(twin), false) = (twins.first(), output.is_json()) {
        notice(&format!(
            "The same user is signed in here as account `{twin}`, too; `chappe accounts` lists them."
        ));
    }
    Ok(())
}

/// The first step: a code to scan, what is left of a sign-in that was interrupted, or a code that
/// was sent to a phone number.
async fn first_step(
    client: &Client,
    target: &Target,
    options: &mut Login,
) -> Result<SignIn, Failure> {
    if options.qr {
        // No user is excepted: an account is a session of one program, and a second program of
        // the same user needs a second one. A twin that was not meant is told afterwards.
        return client.sign_in_qr(&[]).await.map_err(failure);
    }
    if let Some(phone) = options.phone.take() {
        return client.sign_in_phone(&phone).await.map_err(|error| target.no_code(error));
    }
    if let Some(step) = client.sign_in_resume().await.map_err(failure)? {
        notice(
            "A sign-in that was begun here goes on; `chappe login --phone PHONE` begins another.",
        );
        return Ok(step);
    }
    if prompt::is_possible() {
        notice(
            "Give the phone number in international form, such as +49 151 23456789.\n\
             `chappe login --qr` shows a code to scan instead.",
        );
    }
    loop {
        let phone = prompt::line("Phone number", "--phone, or --qr, or --bot").await?;
        match client.sign_in_phone(&phone).await {
            Err(error) if error.is(errors::PHONE_NUMBER_INVALID) => {
                notice(&target.no_code(error).to_string());
            }
            step => return step.map_err(|error| target.no_code(error)),
        }
    }
}

/// `chappe login --accept`: the other side of a QR code.
async fn accept(
    target: &Target,
    link: Option<String>,
    yes: bool,
    output: Output,
) -> Result<(), Failure> {
    let client = target.resume().await?;
    let user = target.who(&client).await?;
    let link = match link {
        Some(link) => link,
        None => prompt::line("Login link (tg://login?token=...)", "--accept LINK").await?,
    };
    let question = format!("Let the device that shows this link sign in as {}?", name(&user));
    prompt::confirm(&question, yes).await?;
    let accepted = client.accept_login_token(&link).await;
    client.close().await.map_err(failure)?;
    let device = accepted.map_err(|error| {
        let stale = error.is(errors::AUTH_TOKEN_EXPIRED)
            || error.is(errors::AUTH_TOKEN_INVALID)
            || error.is(errors::AUTH_TOKEN_ALREADY_ACCEPTED);
        let failure = failure(error);
        if stale {
            failure.hint("a link lasts half a minute and serves once: give the one shown now")
        } else {
            failure
        }
    })?;
    let value = json!({ "accepted": {
        "hash": device.hash.to_string(),
        "app_name": device.app_name.as_str(),
        "app_version": device.app_version.as_str(),
        "device_model": device.device_model.as_str(),
        "platform": device.platform.as_str(),
        "ip": device.ip.as_str(),
        "country": device.country.as_str(),
    }});
    output.answer(&value, || {
        let [app, model, ip] =
            [&device.app_name, &device.device_model, &device.ip].map(|text| printable(text));
        format!("{} {app} on {model}, from {ip}, is signed in", paint(good(), "accepted:"))
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
