//! A sign-in from its first step to its last, with a person or with what was given beforehand.
//!
//! A wrong answer is the same step again, with the reason. An answer that was given beforehand is
//! used once; after that a person is asked, if there is one.

use std::mem::take;
use std::time::{Duration, Instant};

use chappe::api::types::User;
use chappe::{
    CodeStep, Delivery, EmailReset, EmailSetUpStep, EmailVerifyStep, NewPasswordStep, NextDelivery,
    PasswordStep, PaymentStep, RecoveryCodeStep, Rejected, SignIn, SignUpStep, errors,
};

use crate::args::{Global, Login};
use crate::errors::failure;
use crate::output::{Exit, Failure, Output, notice, printable};
use crate::prompt;
use crate::qr;
use crate::when;

/// Goes from step to step until somebody is signed in.
pub(crate) async fn walk(
    mut step: SignIn,
    mut options: Login,
    global: &Global,
    output: Output,
) -> Result<User, Failure> {
    let mut screen = qr::Screen::new(output);
    loop {
        step = match step {
            SignIn::Code(code) => submit_code(code, options.code.take()).await?,
            SignIn::EmailSetUp(email) => submit_address(&email, options.email.take()).await?,
            SignIn::EmailVerify(email) => {
                submit_email_code(email, options.email_code.take()).await?
            }
            SignIn::Password(password) => {
                submit_password(&password, take(&mut options.password_stdin)).await?
            }
            SignIn::RecoveryCode(recovery) => submit_recovery(recovery).await?,
            SignIn::NewPassword(password) => submit_new_password(&password).await?,
            SignIn::SignUp(sign_up) => {
                let names = (options.first_name.take(), options.last_name.take());
                submit_names(&sign_up, names, global.yes).await?
            }
            SignIn::Qr(code) => {
                screen.show(&code)?;
                code.wait().await.map_err(failure)?
            }
            SignIn::PaymentRequired(payment) => return Err(unpaid(&payment)),
            SignIn::Done(user) => return Ok(*user),
            _ => {
                return Err(Failure::new(
                    Exit::Other,
                    "Telegram asks for a step that this version does not know",
                )
                .hint("sign in with an official app, or with a newer version of chappe"));
            }
        };
    }
}

/// Asks for the code. An empty line has it sent again, in the way that Telegram names; the words
/// `cancel` and `reset` do what they say.
async fn submit_code(code: CodeStep, given: Option<String>) -> Result<SignIn, Failure> {
    let sent = Instant::now();
    match code.rejected() {
        // What was given beforehand, or cannot be asked for, needs no advice.
        None if given.is_some() || !prompt::is_possible() => notice(&sent_where(&code)),
        None => notice(&format!("{}\n{}", sent_where(&code), otherwise(&code))),
        Some(Rejected::Expired) => {
            notice("The code is too old, or was tried too often. An empty line sends a new one.");
        }
        Some(why) => notice(&format!("The code is {why}. Look again, and type it once more.")),
    }
    if let (None, Some(text)) = (code.rejected(), given) {
        return code.submit(&text).await.map_err(failure);
    }
    let flag = if code.rejected().is_some() { "the right --code" } else { "--code" };
    loop {
        let text = prompt::line_or_nothing("Code", flag).await?;
        match text.trim() {
            "" => match unavailable(&code, sent.elapsed()) {
                Some(why) => notice(&why),
                None => match code.resend().await {
                    Ok(step) => return Ok(step),
                    Err(error) if error.is(errors::SEND_CODE_UNAVAILABLE) => {
                        notice("There is no other way to send it. The code that was sent counts.");
                    }
                    Err(error) => return Err(failure(error)),
                },
            },
            "cancel" => {
                code.cancel().await.map_err(failure)?;
                return Err(Failure::new(Exit::Other, "cancelled; the code is void"));
            }
            "reset" if code.email_reset().is_some() => {
                return code.reset_email().await.map_err(failure);
            }
            text => return code.submit(text).await.map_err(failure),
        }
    }
}

/// Says where a code went, and what it looks like.
fn sent_where(code: &CodeStep) -> String {
    let length = code.length().map_or_else(String::new, |length| format!(", {length} characters"));
    format!("The code was sent {}{length}.", whither(&code.delivery()))
}

/// Says what to do if a code does not come.
fn otherwise(code: &CodeStep) -> String {
    let way = match code.next_delivery() {
        Some(next) => format!("An empty line has it sent {}", again(&next)),
        None => "An empty line has it sent again, if there is a way".to_owned(),
    };
    let wait = match code.timeout() {
        Some(wait) if !wait.is_zero() => format!(", in {} at the earliest", when::span(wait)),
        _ => String::new(),
    };
    let reset = match code.email_reset() {
        Some(EmailReset::After(wait)) => format!(", which takes {}", when::span(wait)),
        Some(EmailReset::At(time)) => format!("; that is under way until {}", when::moment(time)),
        Some(_) => String::new(),
        None => return format!("{way}{wait}; `cancel` gives up."),
    };
    format!(
        "{way}{wait}; `cancel` gives up.\nNo access to that mailbox? `reset` removes the \
         address{reset}."
    )
}

/// Why the code cannot be sent again yet.
fn unavailable(code: &CodeStep, elapsed: Duration) -> Option<String> {
    // One that expired is replaced at once.
    if code.rejected() == Some(Rejected::Expired) {
        return None;
    }
    let left = code.timeout()?.checked_sub(elapsed).filter(|left| !left.is_zero())?;
    Some(format!("It can be sent again in {}. The code that was sent counts.", when::span(left)))
}

async fn submit_address(email: &EmailSetUpStep, given: Option<String>) -> Result<SignIn, Failure> {
    match email.rejected() {
        Some(why) => notice(&format!("The address is {why}.")),
        None => notice(
            "Telegram wants an email address for this account: codes are sent there from now on.",
        ),
    }
    let address = match (given, email.rejected()) {
        (Some(address), None) => address,
        (_, None) => prompt::line("Email address", "--email").await?,
        (_, Some(_)) => prompt::line("Email address", "another --email").await?,
    };
    email.submit(&address).await.map_err(failure)
}

async fn submit_email_code(
    email: EmailVerifyStep,
    given: Option<String>,
) -> Result<SignIn, Failure> {
    match email.rejected() {
        Some(Rejected::Expired) => {
            notice("The code is too old, or was tried too often. An empty line sends a new one.");
        }
        Some(why) => notice(&format!("The code is {why}. An empty line sends a new one.")),
        None => {
            notice(&format!(
                "A code was sent to {}, {} characters.\nAn empty line sends it again; `other` \
                 names another address.",
                printable(email.pattern()),
                email.length()
            ));
        }
    }
    if let (Some(text), None) = (given, email.rejected()) {
        return email.submit(&text).await.map_err(failure);
    }
    match prompt::line_or_nothing("Code of the email", "--email-code").await?.trim() {
        "" => email.resend().await.map_err(failure),
        "other" => Ok(email.other_address()),
        text => email.submit(text).await.map_err(failure),
    }
}

async fn submit_password(password: &PasswordStep, stdin: bool) -> Result<SignIn, Failure> {
    match password.rejected() {
        Some(why) => notice(&format!("The password is {why}.")),
        None => {
            notice("The account is protected by a password (two-step verification).");
            if let Some(time) = password.reset_at() {
                notice(&format!(
                    "Somebody asked to remove the password; that happens on {}.",
                    when::moment(time)
                ));
            }
        }
    }
    if stdin {
        let text = prompt::from_stdin("the password").await?;
        return password.submit(&text).await.map_err(failure);
    }
    if password.has_recovery() {
        notice("Forgotten? An empty line has a recovery code sent by email.");
    }
    let hint =
        password.hint().map_or_else(String::new, |hint| format!(" (hint: {})", printable(hint)));
    let flag = match password.rejected() {
        Some(_) => "the right one by --password-stdin",
        None => "--password-stdin",
    };
    let text = prompt::secret_or_nothing(&format!("Password{hint}"), flag).await?;
    if !text.is_empty() {
        return password.submit(&text).await.map_err(failure);
    }
    if !password.has_recovery() {
        return Err(Failure::new(
            Exit::Permission,
            "the password cannot be recovered: the account has no recovery email",
        )
        .hint("on a device that is signed in, an official app can have it reset after a week"));
    }
    password.recover().await.map_err(failure)
}

async fn submit_recovery(recovery: RecoveryCodeStep) -> Result<SignIn, Failure> {
    match recovery.rejected() {
        Some(why) => notice(&format!("The recovery code is {why}.")),
        None => notice(&format!(
            "A recovery code was sent to {}.\nAn empty line sends it again; `back` asks for the \
             password once more.",
            printable(recovery.pattern())
        )),
    }
    match prompt::line_or_nothing("Recovery code", "--password-stdin").await?.trim() {
        "" => recovery.resend().await.map_err(failure),
        "back" => Ok(recovery.password()),
        text => recovery.submit(text).await.map_err(failure),
    }
}

async fn submit_new_password(password: &NewPasswordStep) -> Result<SignIn, Failure> {
    match password.rejected() {
        Some(why) => notice(&format!("The new password is {why}.")),
        None => notice(
            "The recovery code is right. Choose a new password; an empty line leaves the account \
             without one.",
        ),
    }
    let text = prompt::new_secret("New password", "--password-stdin").await?;
    if text.is_empty() {
        return password.remove().await.map_err(failure);
    }
    let question = "Hint for the new password (empty: none)";
    let hint = prompt::line_or_nothing(question, "--password-stdin").await?;
    password.submit(&text, hint.trim()).await.map_err(failure)
}

async fn submit_names(
    sign_up: &SignUpStep,
    (first, last): (Option<String>, Option<String>),
    yes: bool,
) -> Result<SignIn, Failure> {
    if let Some(why) = sign_up.rejected() {
        notice(&format!("{why}."));
    } else {
        notice("This number has no account yet; it gets one now.");
        if let Some(terms) = sign_up.terms() {
            let age = sign_up.min_age().map_or_else(String::new, |age| {
                format!(" You have to be {age} years old at least.")
            });
            let terms: Vec<_> = terms.lines().map(printable).collect();
            notice(&format!(
                "Whoever signs up accepts these terms:{age}\n  {}",
                terms.join("\n  ")
            ));
            if sign_up.terms_popup() {
                prompt::confirm("Do you accept the terms of service?", yes).await?;
            }
        }
    }
    let (first, last) = match (first, last) {
        (Some(first), last) => (first, last.unwrap_or_default()),
        (None, last) => {
            let first = prompt::line("First name", "--first-name").await?;
            let last = match last {
                Some(last) => last,
                None => prompt::line_or_nothing("Last name (empty: none)", "--last-name").await?,
            };
            (first, last)
        }
    };
    sign_up.submit(&first, &last).await.map_err(failure)
}

fn unpaid(payment: &PaymentStep) -> Failure {
    Failure::new(
        Exit::Permission,
        format!(
            "Telegram wants to be paid for the SMS of this number: {} {}",
            payment.amount(),
            printable(payment.currency())
        ),
    )
    .hint(format!(
        "pay in an official app and sign in there first; then `chappe login --qr`, or ask {}",
        printable(payment.support_email())
    ))
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
        Delivery::Phrase { beginning } => {
            format!("by SMS, as a phrase{}", beginning_with(beginning.as_deref()))
        }
        Delivery::Sms => "by SMS".to_owned(),
        Delivery::Word { beginning } => {
            format!("by SMS, as a word{}", beginning_with(beginning.as_deref()))
        }
        _ => "in a way that this version does not know".to_owned(),
    }
}

fn beginning_with(beginning: Option<&str>) -> String {
    beginning.map_or_else(String::new, |text| format!(" that begins with {}", printable(text)))
}

fn again(next: &NextDelivery) -> &'static str {
    match next {
        NextDelivery::Call => "by a call that reads it to you",
        NextDelivery::FlashCall => "as the number of a call",
        NextDelivery::Fragment => "by Fragment",
        NextDelivery::MissedCall => "as the last digits of a number that calls you",
        NextDelivery::Sms => "by SMS",
        _ => "in another way",
    }
}
