//! Signs in by phone, code and password, and lists the websites that the account is logged in to.
//!
//! Against a local Telegram: set `CHAPPE_SERVER` to the address that `chappe serve` prints and
//! `CHAPPE_SERVER_KEY` to a file with its public key. Against the real one: set
//! `TELEGRAM_API_ID` and `TELEGRAM_API_HASH` to those of your application.

#![expect(clippy::print_stdout, reason = "a program for people at a terminal")]

use std::{
    env,
    io::{self, Write},
};

use chappe::{Builder, Client, Error, SignIn, account};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let client = builder()?.session("me.session").connect().await?;
    if client.me().await?.is_none() {
        let mut step = client.sign_in_phone(&ask("phone number")?).await?;
        loop {
            step = match step {
                SignIn::Code(code) => {
                    if let Some(reason) = code.rejected() {
                        println!("{reason}");
                    }
                    code.submit(&ask("code")?).await?
                }
                SignIn::Password(password) => {
                    println!("hint: {}", password.hint().unwrap_or("none"));
                    password.submit(&ask("password")?).await?
                }
                SignIn::SignUp(name) => name.submit(&ask("first name")?, "").await?,
                SignIn::Done(user) => {
                    println!("signed in as {}", user.first_name.as_deref().unwrap_or_default());
                    break;
                }
                _ => return Err(Error::SignedOut.into()),
            };
        }
    }
    for site in client.invoke(&account::GetWebAuthorizations).await?.authorizations {
        println!("{:>20}  {}", site.hash, site.domain);
    }
    Ok(client.close().await?)
}

fn builder() -> Result<Builder, Box<dyn std::error::Error>> {
    if let Ok(address) = env::var("CHAPPE_SERVER") {
        let key = std::fs::read_to_string(env::var("CHAPPE_SERVER_KEY")?)?;
        return Ok(Client::builder(1, "0".repeat(32)).server(address, &key)?);
    }
    let api_id = env::var("TELEGRAM_API_ID")?.parse()?;
    Ok(Client::builder(api_id, env::var("TELEGRAM_API_HASH")?))
}

fn ask(what: &str) -> io::Result<String> {
    print!("{what}: ");
    io::stdout().flush()?;
    let mut line = String::new();
    if io::stdin().read_line(&mut line)? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(line.trim().to_owned())
}
