//! Says yes or no to a "Log in with Telegram", as an app does: shows who asks for what, asks at the terminal,
//! and answers.
//!
//! ```text
//! cargo run -p chappe --example approve_login             # a browser is played by a local Telegram
//! cargo run -p chappe --example approve_login -- LINK     # tg://oauth?token=... or https://t.me/oauth?...
//! ```
//!
//! `telegram/mod.rs` says which Telegram that is, and how to choose another.

#![expect(clippy::print_stdout, reason = "a program for people at a terminal")]

mod telegram;

use std::{
    env,
    error::Error,
    io::{self, Write},
};

use chappe::{Client, UrlAuth, UrlAuthConsent, UrlAuthGrant};
use chappe_server::browser::NewLogin;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let (client, local) = telegram::signed_in().await?;
    match (env::args().nth(1), local) {
        (Some(link), _) => answer(&client, &link).await?,
        (None, Some(server)) => {
            let login = NewLogin::at("ColumbusDemoBot").phone().write();
            let browser = server.log_in(login).await?;
            answer(&client, browser.link()).await?;
            println!("the browser: {:?}", browser.claim().await?);
        }
        (None, None) => return Err("usage: approve_login LINK".into()),
    }
    Ok(client.close().await?)
}

async fn answer(client: &Client, link: &str) -> Result<(), Box<dyn Error>> {
    let consent = match client.url_auth(link).await? {
        UrlAuth::Consent(consent) => consent,
        UrlAuth::Accepted { .. } => {
            println!("logged in already");
            return Ok(());
        }
        _ => return Err("this is no login link".into()),
    };
    show(&consent);
    let mut grant = UrlAuthGrant::new();
    if !consent.match_codes().is_empty() {
        println!("pictures: {}", consent.match_codes().join(" "));
        grant = grant.match_code(&ask("which of them does the browser show?")?);
    }
    // What is not asked for cannot be given, whatever is said here.
    if consent.asks_write() {
        grant = grant.write(ask("may its bot write to you? (y/n)")? == "y");
    }
    if consent.asks_phone() {
        grant = grant.phone(ask("may it have your phone number? (y/n)")? == "y");
    }
    if ask("log in? (y/n)")? != "y" {
        consent.decline().await?;
        println!("declined");
        return Ok(());
    }
    consent.accept(&grant).await?;
    println!("logged in; now there are {} web sessions", client.web_sessions().await?.len());
    Ok(())
}

/// All of it comes from strangers: whatever would steer a terminal is spelled out.
fn show(consent: &UrlAuthConsent) {
    let shown = |text: Option<&str>| text.unwrap_or("not told").escape_debug().to_string();
    println!("{} asks who you are", consent.domain().escape_debug());
    println!("  browser   {} on {}", shown(consent.browser()), shown(consent.platform()));
    println!("  address   {}, {}", shown(consent.ip()), shown(consent.region()));
    if consent.is_app() {
        println!(
            "  an app, which calls itself what it wants; verified name: {}",
            shown(consent.verified_app_name())
        );
    }
}

fn ask(what: &str) -> io::Result<String> {
    print!("{what} ");
    io::stdout().flush()?;
    let line = io::stdin().lines().next().unwrap_or(Ok(String::new()))?;
    Ok(line.trim().to_owned())
}
