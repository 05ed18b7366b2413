//! Signs in by phone, code and password, whatever is asked for, and lists the websites that the account is logged in to.
//!
//! Against a local Telegram: set `CHAPPE_SERVER` to the address that `chappe serve` prints and
//! `CHAPPE_SERVER_KEY` to a file with its public key. Against the real one: set
//! `TELEGRAM_API_ID` and `TELEGRAM_API_HASH` to those of your application.

#![expect(clippy::print_stdout, reason = "a program for people at a terminal")]

use std::{
    env,
    io::{self, Write},
    process::ExitCode,
};

use chappe::{
    Begin, Builder, Client, CodeAnswer, CodeStep, EmailSetUpStep, EmailVerifyStep, NewPassword,
    NewPasswordStep, PasswordAnswer, PasswordStep, Questions, RecoveryCodeStep, Rejected,
    SignUpStep, account,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Box<dyn std::error::Error>> {
    let client = builder()?.session("me.session").connect().await?;
    let user = client.sign_in_with(&mut Terminal).await?;
    println!("signed in as {}", user.first_name.as_deref().unwrap_or_default());
    for site in client.invoke(&account::GetWebAuthorizations).await?.authorizations {
        println!("{:>20}  {}", site.hash, site.domain);
    }
    Ok(client.close().await?)
}

/// Somebody at a terminal. An empty answer to a code or a password asks for help instead; the end
/// of the input gives up.
struct Terminal;

impl Questions for Terminal {
    async fn begin(&mut self, rejected: Option<Rejected>) -> Option<Begin> {
        ask(rejected, "phone number").map(Begin::Phone)
    }

    async fn code(&mut self, step: &CodeStep) -> Option<CodeAnswer> {
        println!(
            "the code went out: {:?}; the next would: {:?}",
            step.delivery(),
            step.next_delivery()
        );
        let code = ask(step.rejected(), "code (nothing to have it sent again)")?;
        Some(if code.is_empty() { CodeAnswer::Resend } else { code.into() })
    }

    async fn password(&mut self, step: &PasswordStep) -> Option<PasswordAnswer> {
        println!("hint: {}", step.hint().unwrap_or("none"));
        let password = ask(step.rejected(), "password (nothing if it is forgotten)")?;
        Some(if password.is_empty() { PasswordAnswer::Recover } else { password.into() })
    }

    async fn names(&mut self, step: &SignUpStep) -> Option<(String, String)> {
        println!("you accept: {}", step.terms().unwrap_or("nothing"));
        Some((ask(step.rejected(), "first name")?, ask(None, "last name")?))
    }

    async fn email(&mut self, step: &EmailSetUpStep) -> Option<String> {
        ask(step.rejected(), "email address for codes")
    }

    async fn email_code(&mut self, step: &EmailVerifyStep) -> Option<CodeAnswer> {
        println!("a code went to {}", step.pattern());
        ask(step.rejected(), "code").map(CodeAnswer::Code)
    }

    async fn recovery_code(&mut self, step: &RecoveryCodeStep) -> Option<CodeAnswer> {
        println!("a code went to {}", step.pattern());
        ask(step.rejected(), "code").map(CodeAnswer::Code)
    }

    async fn new_password(&mut self, step: &NewPasswordStep) -> Option<NewPassword> {
        let password = ask(step.rejected(), "new password (nothing for none)")?;
        let none = password.is_empty();
        Some(if none {
            NewPassword::Remove
        } else {
            NewPassword::Set { password, hint: String::new() }
        })
    }
}

fn builder() -> Result<Builder, Box<dyn std::error::Error>> {
    if let Ok(address) = env::var("CHAPPE_SERVER") {
        let key = std::fs::read_to_string(env::var("CHAPPE_SERVER_KEY")?)?;
        return Ok(Client::builder(1, "0".repeat(32)).server(address, &key)?);
    }
    let api_id = env::var("TELEGRAM_API_ID")?.parse()?;
    Ok(Client::builder(api_id, env::var("TELEGRAM_API_HASH")?))
}

fn ask(rejected: Option<Rejected>, what: &str) -> Option<String> {
    if let Some(reason) = rejected {
        println!("{reason}");
    }
    print!("{what}: ");
    io::stdout().flush().ok()?;
    let mut line = String::new();
    match io::stdin().read_line(&mut line) {
        Ok(1..) => Some(line.trim().to_owned()),
        _ => None,
    }
}
