//! Signs in by phone, code and password, whatever is asked for, and lists the websites that the account is logged in to.
//!
//! ```text
//! cargo run -p chappe --example sign_in
//! ```
//!
//! starts a local Telegram in this process, and says whom it knows. Against one that runs: set
//! `CHAPPE_SERVER` to the address that `chappe serve` prints and `CHAPPE_SERVER_KEY` to a file with its
//! public key. Against the real one: set `TELEGRAM_API_ID` and `TELEGRAM_API_HASH` to those of your
//! application. Then the session is kept in `me.session`, for the other examples too.

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
use chappe_server::{Handle, Server};

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
    let (builder, _local) = builder().await?;
    let client = builder.connect().await?;
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

/// A client of the Telegram that the environment names; else of one of our own.
async fn builder() -> Result<(Builder, Option<Handle>), Box<dyn std::error::Error>> {
    if let Ok(address) = env::var("CHAPPE_SERVER") {
        let key = std::fs::read_to_string(env::var("CHAPPE_SERVER_KEY")?)?;
        let builder = Client::builder(1, "0".repeat(32)).server(address, &key)?;
        return Ok((builder.session("me.session"), None));
    }
    if let Ok(api_id) = env::var("TELEGRAM_API_ID") {
        let builder = Client::builder(api_id.parse()?, env::var("TELEGRAM_API_HASH")?);
        return Ok((builder.session("me.session"), None));
    }
    let server = Server::builder().start().await?;
    let account = &server.accounts()[0];
    println!("a local Telegram: {} signs in with the code {}", account.phone, account.code);
    println!("or any number 99966XYYYY with XXXXX; whoever is new is asked for a name");
    let builder = Client::builder(1, "0".repeat(32));
    Ok((builder.server(server.address(), server.public_key_pem())?, Some(server)))
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
