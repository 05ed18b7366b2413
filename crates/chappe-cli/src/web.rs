//! `chappe web`: the sites that the account is logged in to with Telegram.

use chappe::{Client, Error, WebAuthorization};
use serde_json::{Value, json};

use crate::args::{Global, Reset, Web};
use crate::connect::{Target, failure, is_unanswered};
use crate::interrupt::unless_interrupted;
use crate::output::{Cell, Exit, Failure, Output, good, paint, printable};
use crate::prompt;
use crate::user::name;
use crate::when;

/// `chappe web ...`.
pub(crate) async fn web(global: &Global, command: Web, output: Output) -> Result<(), Failure> {
    let target = Target::new(global)?;
    match command {
        Web::List => unless_interrupted(list(&target, output), "nothing was changed").await,
        Web::Reset(reset) => {
            let after = "what was asked for may have happened: look with `chappe web list`";
            unless_interrupted(reset_some(&target, &reset, global.yes, output), after).await
        }
    }
}

/// The rows as people read them, last active first.
pub(crate) fn table(sites: &[WebAuthorization], output: Output) -> String {
    if sites.is_empty() {
        return "no site is logged in to with this account".to_owned();
    }
    let now = when::now();
    let head = [
        cell("HASH", None),
        cell("DOMAIN", Some("BOT")),
        cell("BROWSER", Some("PLATFORM")),
        cell("IP", Some("REGION")),
        cell("ACTIVE", Some("CREATED")),
    ];
    let rows: Vec<Vec<Cell>> = sites
        .iter()
        .map(|site| {
            let raw = site.raw();
            let (active, created) = (when::ago(raw.date_active, now), when::day(raw.date_created));
            vec![
                cell(raw.hash, None),
                cell(site.domain(), Some(&bot(site))),
                cell(site.browser(), Some(site.platform())),
                cell(site.ip(), Some(site.region())),
                cell(active, Some(&created)),
            ]
        })
        .collect();
    output.table(&head, &rows)
}

fn cell(text: impl ToString, below: Option<&str>) -> Cell {
    Cell(text.to_string(), below.map(str::to_owned))
}

/// The rows for programs: Telegram's own fields, and who the bot is.
pub(crate) fn rows_json(sites: &[WebAuthorization]) -> Value {
    Value::Array(sites.iter().map(row_json).collect())
}

async fn list(target: &Target, output: Output) -> Result<(), Failure> {
    let client = target.resume().await?;
    let sites = client.web_authorizations().await.map_err(failure)?;
    client.close().await.map_err(failure)?;
    let value = json!({ "web_authorizations": rows_json(&sites) });
    output.answer(&value, || table(&sites, output))
}

async fn reset_some(
    target: &Target,
    reset: &Reset,
    yes: bool,
    output: Output,
) -> Result<(), Failure> {
    let client = target.resume().await?;
    let sites = client.web_authorizations().await.map_err(failure)?;
    let ended = match reset.hash {
        Some(hash) => vec![reset_one(&client, &sites, hash, yes).await?],
        None => reset_all(&client, sites, yes).await?,
    };
    client.close().await.map_err(failure)?;
    let value = json!({ "reset": rows_json(&ended) });
    output.answer(&value, || report(&ended))
}

async fn reset_one(
    client: &Client,
    sites: &[WebAuthorization],
    hash: i64,
    yes: bool,
) -> Result<WebAuthorization, Failure> {
    let Some(site) = sites.iter().find(|site| site.hash() == hash) else {
        return Err(not_found(sites, hash));
    };
    let question = format!("Log out of {} ({})?", printable(site.domain()), bot(site));
    prompt::confirm(&question, yes).await?;
    match client.reset_web_authorization(hash).await {
        Ok(_) => {}
        Err(error) => {
            confirm_gone(client, error, |left| !left.iter().any(|site| site.hash() == hash))
                .await?;
        }
    }
    Ok(site.clone())
}

async fn reset_all(
    client: &Client,
    sites: Vec<WebAuthorization>,
    yes: bool,
) -> Result<Vec<WebAuthorization>, Failure> {
    if sites.is_empty() {
        return Ok(sites);
    }
    let question = match sites.len() {
        1 => "Log out of the one site?".to_owned(),
        count => format!("Log out of all {count} sites?"),
    };
    prompt::confirm(&question, yes).await?;
    if let Err(error) = client.reset_web_authorizations().await {
        confirm_gone(client, error, <[_]>::is_empty).await?;
    }
    Ok(sites)
}

/// A lost answer may have been a yes: the list tells. What Telegram refused stays refused.
async fn confirm_gone(
    client: &Client,
    error: Error,
    gone: impl FnOnce(&[WebAuthorization]) -> bool,
) -> Result<(), Failure> {
    if !is_unanswered(&error) {
        return Err(failure(error));
    }
    match client.web_authorizations().await {
        Ok(left) if gone(&left) => Ok(()),
        _ => {
            Err(failure(error)
                .hint("it may have happened all the same: look with `chappe web list`"))
        }
    }
}

fn not_found(sites: &[WebAuthorization], hash: i64) -> Failure {
    let failure = Failure::new(Exit::NotFound, format!("no web session has the hash {hash}"));
    match nearest(sites.iter().map(WebAuthorization::hash), hash) {
        Some(near) => failure.hint(format!("did you mean {near}?")),
        None => failure.hint("`chappe web list` prints the hashes"),
    }
}

/// The hash that a person most likely meant, if one is near enough.
pub(crate) fn nearest(hashes: impl Iterator<Item = i64>, typed: i64) -> Option<i64> {
    let typed = typed.to_string();
    let near =
        hashes.map(|hash| (strsim::damerau_levenshtein(&hash.to_string(), &typed), hash)).min()?;
    (near.0 <= 3.min(typed.len() / 2)).then_some(near.1)
}

fn report(ended: &[WebAuthorization]) -> String {
    if ended.is_empty() {
        return "no site was logged in to with this account".to_owned();
    }
    let lines = ended.iter().map(|site| {
        format!("{} {} ({})", paint(good(), "logged out of"), printable(site.domain()), bot(site))
    });
    let mut text = lines.collect::<Vec<_>>().join("\n");
    text.push_str(
        "\nTelegram forgot the login. What the site keeps in its own cookies is the site's affair.",
    );
    text
}

fn bot(site: &WebAuthorization) -> String {
    match site.bot() {
        Some(bot) => match &bot.username {
            Some(username) => format!("@{}", printable(username)),
            None => name(bot),
        },
        None => format!("bot {}", site.raw().bot_id),
    }
}

fn row_json(site: &WebAuthorization) -> Value {
    let raw = site.raw();
    json!({
        "hash": raw.hash.to_string(),
        "bot_id": raw.bot_id.to_string(),
        "bot_username": site.bot().and_then(|bot| bot.username.as_deref()),
        "domain": site.domain(),
        "browser": site.browser(),
        "platform": site.platform(),
        "date_created": raw.date_created,
        "date_active": raw.date_active,
        "ip": site.ip(),
        "region": site.region(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistyped_hash_finds_its_neighbour() {
        let hashes = [4_457_235, -81_985_529_216_486_895, 7];
        assert_eq!(nearest(hashes.into_iter(), 4_457_253), Some(4_457_235));
        assert_eq!(nearest(hashes.into_iter(), 81_985_529_216_486_895), Some(hashes[1]));
        assert_eq!(nearest(hashes.into_iter(), 999_999_999_999), None);
        assert_eq!(nearest([].into_iter(), 1), None);
    }
}
