//! `chappe web reset`: logging out of sites, after it was said exactly which.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::time::SystemTime;

use chappe::{Error, WebResetOutcome, WebResetReport, WebSession};
use serde_json::{Value, json};

use super::{find, fits, view};
use crate::args::ResetWeb;
use crate::connect::Target;
use crate::errors::failure;
use crate::output::{Failure, Output, bad, good, notice, paint, printable};
use crate::prompt;

/// `chappe web reset`; `begun` is set before anything ends.
pub(super) async fn reset(
    target: &Target,
    options: &ResetWeb,
    yes: bool,
    begun: &Cell<bool>,
    output: Output,
) -> Result<(), Failure> {
    let client = target.resume().await?;
    let sites = client.web_sessions().await.map_err(failure)?;
    let chosen = choose(&sites, options)?;
    if options.dry_run || chosen.is_empty() {
        client.close().await.map_err(failure)?;
        return rehearse(&chosen, sites.len(), options, output);
    }
    ask(&chosen, options, yes).await?;
    begun.set(true);
    let mut work = match options.all {
        true => client.reset_all_web_sessions(),
        false => client.reset_web_sessions(&chosen),
    };
    if options.block_bot {
        work = work.block_bots();
    }
    let report = work.await.map_err(unsettled)?;
    client.close().await.map_err(failure)?;
    output.answer(&told_json(&report), || told(&report))?;
    complete(report)
}

/// What is meant: the words name sessions, the filters narrow them. A word that names nothing stops
/// it all.
fn choose(sites: &[WebSession], options: &ResetWeb) -> Result<Vec<WebSession>, Failure> {
    let mut named = BTreeSet::new();
    for site in &options.sites {
        named.extend(find(sites, site)?.into_iter().map(WebSession::hash));
    }
    let now = SystemTime::now();
    let mut chosen = sites.to_vec();
    chosen.retain(|site| {
        (options.sites.is_empty() || named.contains(&site.hash()))
            && fits(&options.filter, site, now)
    });
    Ok(chosen)
}

/// Says what would end, or that there is nothing.
fn rehearse(
    chosen: &[WebSession],
    all: usize,
    options: &ResetWeb,
    output: Output,
) -> Result<(), Failure> {
    let value = match options.dry_run {
        true => json!({
            "dry_run": true,
            "would_reset": view::rows_json(chosen),
            "would_block": if options.block_bot { bots_json(chosen) } else { json!([]) },
        }),
        false => told_json_of(&[], &[], &[], json!([]), json!([])),
    };
    output.answer(&value, || match (chosen.len(), all) {
        (0, 0) => "no site was logged in to with this account".to_owned(),
        (0, _) => format!("none of {} fits; nothing was changed", view::count(all)),
        _ => {
            let lines = chosen.iter().map(|site| format!("would log out of {}", view::line(site)));
            let bots = bots(chosen);
            let bots = bots.iter().filter(|_| options.block_bot);
            let lines = lines.chain(bots.map(|bot| format!("would block {bot}")));
            let mut text = lines.collect::<Vec<_>>().join("\n");
            text.push_str("\nNothing was changed.");
            text
        }
    })
}

/// Says exactly what ends, and asks.
async fn ask(chosen: &[WebSession], options: &ResetWeb, yes: bool) -> Result<(), Failure> {
    if prompt::is_possible() && !yes && chosen.len() > 1 {
        for site in chosen {
            notice(&format!("  {}", view::line(site)));
        }
    }
    let domains: BTreeSet<_> = chosen.iter().map(|site| site.domain().to_lowercase()).collect();
    let mut question = match (chosen, domains.len()) {
        ([site], _) => format!("Log out of {}", view::called(site)),
        ([site, ..], 1) => {
            format!("Log out of {} in {} browsers", printable(site.domain()), chosen.len())
        }
        (_, sites) if options.all => format!("Log out of all {sites} sites"),
        (_, sites) => format!("Log out of these {sites} sites"),
    };
    if domains.len() > 1 && domains.len() != chosen.len() {
        question.push_str(&format!(", {}", view::count(chosen.len())));
    }
    if options.block_bot {
        question.push_str(&format!(", and block {}", bots(chosen).join(", ")));
    }
    question.push('?');
    prompt::confirm(&question, yes).await
}

/// Explains why nothing ended, as far as anybody knows.
fn unsettled(error: Error) -> Failure {
    match error.is_unanswered() {
        true => {
            failure(error).hint("it may have happened all the same: look with `chappe web list`")
        }
        false => failure(error),
    }
}

/// The bots of sessions, each once.
fn bots(sites: &[WebSession]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for bot in sites.iter().map(view::bot) {
        if !names.contains(&bot) {
            names.push(bot);
        }
    }
    names
}

fn bots_json(sites: &[WebSession]) -> Value {
    let ids: BTreeSet<_> = sites.iter().map(WebSession::bot_id).collect();
    Value::Array(ids.iter().map(|id| json!({ "bot_id": id.to_string() })).collect())
}

/// What became of it, for people.
pub(crate) fn told(report: &WebResetReport) -> String {
    let mut lines: Vec<String> = report
        .sessions
        .iter()
        .map(|(site, outcome)| {
            let called = view::called(site);
            match outcome {
                WebResetOutcome::Ended => format!("{} {called}", paint(good(), "logged out of")),
                WebResetOutcome::Gone => format!("it was over already with {called}"),
                WebResetOutcome::Failed(why) => {
                    let why = printable(&why.to_string());
                    format!("{} {called}: {why}", paint(bad(), "still logged in to"))
                }
                _ => format!("{} {called}", paint(bad(), "not tried:")),
            }
        })
        .collect();
    for (id, blocked) in &report.blocked {
        let bot = bot_of(report, *id);
        lines.push(match blocked {
            Ok(()) => format!("{} {bot}", paint(good(), "blocked")),
            Err(why) => {
                format!(
                    "{} {bot}: {}",
                    paint(bad(), "could not block"),
                    printable(&why.to_string())
                )
            }
        });
    }
    if report.ended().next().is_some() {
        lines.push(
            "Telegram forgot the login. What the site keeps in its own cookies is the site's affair."
                .to_owned(),
        );
    }
    lines.join("\n")
}

/// What became of it, for programs.
fn told_json(report: &WebResetReport) -> Value {
    let with = |gone: bool| {
        let ended = report.sessions.iter().filter(move |(_, outcome)| {
            matches!(outcome, WebResetOutcome::Gone) == gone && outcome.is_gone()
        });
        ended.map(|(site, _)| site).collect::<Vec<_>>()
    };
    let untried = report
        .sessions
        .iter()
        .filter_map(|(site, outcome)| matches!(outcome, WebResetOutcome::NotTried).then_some(site));
    let failed = report.failures().map(
        |(site, why)| json!({ "web_authorization": view::row_json(site), "why": why.to_string() }),
    );
    let blocked = report.blocked.iter().map(|(id, blocked)| {
        let why = blocked.as_ref().err().map(ToString::to_string);
        json!({ "bot_id": id.to_string(), "blocked": blocked.is_ok(), "why": why })
    });
    told_json_of(
        &with(false),
        &with(true),
        &untried.collect::<Vec<_>>(),
        failed.collect(),
        blocked.collect(),
    )
}

fn told_json_of(
    ended: &[&WebSession],
    gone: &[&WebSession],
    untried: &[&WebSession],
    failed: Value,
    blocked: Value,
) -> Value {
    json!({
        "reset": view::rows_json(ended.iter().copied()),
        "gone_already": view::rows_json(gone.iter().copied()),
        "failed": failed,
        "not_tried": view::rows_json(untried.iter().copied()),
        "bots": blocked,
    })
}

fn bot_of(report: &WebResetReport, id: i64) -> String {
    let site = report.sessions.iter().find(|(site, _)| site.bot_id() == id);
    site.map_or_else(|| format!("bot {id}"), |(site, _)| view::bot(site))
}

/// The failure that the process ends with, if not all was done: that of the first thing that failed.
fn complete(report: WebResetReport) -> Result<(), Failure> {
    let all = report.sessions.len();
    let left = report.sessions.iter().filter(|(_, outcome)| !outcome.is_gone()).count();
    let why = report.sessions.into_iter().find_map(|(_, outcome)| match outcome {
        WebResetOutcome::Failed(why) => Some(why),
        _ => None,
    });
    if let Some(why) = why {
        let text = format!("{left} of {} did not end", view::count(all));
        return Err(unsettled(why).about(&text));
    }
    match report.blocked.into_iter().find_map(|(_, blocked)| blocked.err()) {
        Some(why) => Err(failure(why).about("the sessions ended, but not every bot is blocked")),
        None => Ok(()),
    }
}
