//! Lists the websites that the account is logged in to with Telegram, and ends those that nobody used for
//! long.
//!
//! ```text
//! cargo run -p chappe --example web_sessions               # lists, and says what would end
//! cargo run -p chappe --example web_sessions -- --end 90   # ends what was not used for 90 days
//! ```
//!
//! `telegram/mod.rs` says which Telegram that is, and how to choose another.

#![expect(clippy::print_stdout, reason = "a program for people at a terminal")]

mod telegram;

use std::{
    env,
    error::Error,
    time::{Duration, SystemTime},
};

use chappe::WebSession;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut end = false;
    let mut days = 30;
    for argument in env::args().skip(1) {
        match argument.as_str() {
            "--end" => end = true,
            number => days = number.parse().map_err(|_| "usage: web_sessions [--end] [DAYS]")?,
        }
    }
    let (client, _local) = telegram::signed_in().await?;

    let now = SystemTime::now();
    let sites = client.web_sessions().await?;
    for site in &sites {
        println!("{}", row(site, now));
    }
    let long = Duration::from_secs(DAY.saturating_mul(days));
    let unused: Vec<_> = sites.into_iter().filter(|site| site.idle(now) > long).collect();
    if !end {
        println!("{} of them nobody used for {days} days; --end ends those", unused.len());
        return Ok(client.close().await?);
    }

    // One call each. A lost answer is looked into before it counts as a failure.
    let report = client.reset_web_sessions(&unused).await?;
    for site in report.ended() {
        println!("ended: {}", row(site, now));
    }
    for (site, why) in report.failures() {
        println!("still there: {}: {why}", row(site, now));
    }
    println!("{} are left", client.web_sessions().await?.len());
    Ok(client.close().await?)
}

fn row(site: &WebSession, now: SystemTime) -> String {
    // Names come from strangers: whatever would steer a terminal is spelled out.
    let bot = site.bot_username().unwrap_or("a bot that is gone").escape_debug();
    let (domain, browser) = (site.domain().escape_debug(), site.browser().escape_debug());
    let days = site.idle(now).as_secs() / DAY;
    format!("{:>20}  {domain}  @{bot}  {browser}  unused for {days} days", site.hash())
}

/// Seconds.
const DAY: u64 = 86_400;
