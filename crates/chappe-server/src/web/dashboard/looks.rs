//! What the pages show, read from the world: everything that is fetched by GET and changes nothing.

use std::collections::BTreeMap;

use axum::{
    extract::{Path, State},
    http::{StatusCode, Uri},
    response::IntoResponse,
};

use super::{
    Answer, Dashboard,
    account::{self, Account, NewAccount, Site},
    bots::{self, Bot, NewBot},
    calls::{self, Log, Row},
    consent::{self, Consent},
    layout::Frame,
    letters as post,
    overview::{self, Overview},
};
use crate::{
    failure::Outcome,
    logins::Login,
    web::parameters::Parameters,
    world::{Authorization, Message, Person, SERVICE_ID, User, Wanted, World},
};

/// `/`
pub(super) async fn overview(State(dashboard): State<Dashboard>, uri: Uri) -> Answer {
    let look = |world: &mut World, now| {
        let (people, all) = world.people(MOST)?;
        let logins = Login::pending(world, now)?;
        let more = usize::try_from(all).unwrap_or(usize::MAX).saturating_sub(people.len());
        Ok(Overview { logins, people, more, bots: world.bot_infos()? })
    };
    dashboard.show(Some(&uri), look, overview::page).await
}

/// `/accounts/{user}`
pub(super) async fn account(
    State(dashboard): State<Dashboard>,
    Path(user): Path<i64>,
    uri: Uri,
) -> Answer {
    let look = move |world: &mut World, now| {
        let Some(person) = world.person(user)? else { return Ok(None) };
        let phone = person.user.phone.clone().unwrap_or_default();
        let mut letters = world.letters()?;
        letters.retain(|letter| letter.to == phone);
        letters.reverse();
        let blocked = world.blocked(user)?.into_iter().map(|(blocked, _)| blocked);
        Ok(Some(Account {
            dc: world.home(&person.user),
            password: world.has_password(user)?,
            devices: world.authorizations(now, user, 0)?,
            sites: sites(world, user)?,
            notes: notes(world, user)?,
            letters,
            blocked: blocked.collect(),
            person,
        }))
    };
    dashboard.show_found(Some(&uri), look, NO_ACCOUNT, account::page).await
}

/// `/accounts/new`
pub(super) async fn new_account(State(dashboard): State<Dashboard>) -> Answer {
    dashboard.tell(|frame| account::ask_new(frame, &NewAccount::default())).await
}

/// `/accounts/{user}/sites/{hash}`
pub(super) async fn site(
    State(dashboard): State<Dashboard>,
    Path((user, hash)): Path<(i64, i64)>,
) -> Answer {
    let look = move |world: &mut World, _| one_site(world, user, hash);
    let draw = |frame: &Frame<'_>, (user, site): &_| account::site(frame, user, site);
    dashboard.show_found(None, look, ENDED, draw).await
}

/// `/accounts/{user}/sites/{hash}/disconnect`
pub(super) async fn disconnect(
    State(dashboard): State<Dashboard>,
    Path((user, hash)): Path<(i64, i64)>,
) -> Answer {
    let look = move |world: &mut World, _| one_site(world, user, hash);
    let draw = |frame: &Frame<'_>, (user, site): &_| account::ask_disconnect(frame, user, site);
    dashboard.show_found(None, look, ENDED, draw).await
}

/// `/accounts/{user}/sites/disconnect`
pub(super) async fn disconnect_all(
    State(dashboard): State<Dashboard>,
    Path(user): Path<i64>,
) -> Answer {
    let look = move |world: &mut World, _| {
        let Some(person) = world.person(user)? else { return Ok(None) };
        Ok(Some((person.user, sites(world, user)?)))
    };
    let draw = |frame: &Frame<'_>, (user, sites): &(_, Vec<_>)| {
        account::ask_disconnect_all(frame, user, sites)
    };
    dashboard.show_found(None, look, NO_ACCOUNT, draw).await
}

/// `/accounts/{user}/devices/{hash}/terminate`
pub(super) async fn terminate(
    State(dashboard): State<Dashboard>,
    Path((user, hash)): Path<(i64, i64)>,
) -> Answer {
    let look = move |world: &mut World, now| {
        let Some((user, devices)) = devices(world, now, user)? else { return Ok(None) };
        let device = devices.into_iter().find(|row| row.hash == hash);
        Ok(device.map(|device| (user, device)))
    };
    let draw = |frame: &Frame<'_>, (user, device): &_| account::ask_terminate(frame, user, device);
    dashboard.show_found(None, look, ENDED, draw).await
}

/// `/accounts/{user}/devices/terminate`
pub(super) async fn terminate_others(
    State(dashboard): State<Dashboard>,
    Path(user): Path<i64>,
) -> Answer {
    let look = move |world: &mut World, now| devices(world, now, user);
    let draw = |frame: &Frame<'_>, (user, devices): &(_, Vec<_>)| {
        account::ask_terminate_others(frame, user, devices)
    };
    dashboard.show_found(None, look, NO_ACCOUNT, draw).await
}

/// `/logins`
pub(super) async fn logins(State(dashboard): State<Dashboard>, uri: Uri) -> Answer {
    let look = |world: &mut World, now| Login::pending(world, now);
    dashboard.show(Some(&uri), look, |frame, logins| consent::list(frame, logins)).await
}

/// `/logins/{id}`
pub(super) async fn login(State(dashboard): State<Dashboard>, Path(id): Path<i64>) -> Answer {
    show_login(&dashboard, id, None).await
}

/// The page of a request, and what was wrong with the answer to it.
pub(super) async fn show_login(dashboard: &Dashboard, id: i64, problem: Option<String>) -> Answer {
    let look = move |world: &mut World, now| {
        let mut logins = Login::pending(world, now)?.into_iter();
        let Some(login) = logins.find(|login| login.id == id) else { return Ok(Err(problem)) };
        let people = match login.user_id {
            Some(only) => world.person(only)?.into_iter().collect(),
            None => people_of(world, login.user_id_hint)?,
        };
        Ok(Ok(Consent { login, people, problem }))
    };
    let mut status = StatusCode::OK;
    let draw = |frame: &Frame<'_>, shown: &Result<Consent, Option<String>>| match shown {
        Ok(shown) => {
            if shown.problem.is_some() {
                status = StatusCode::UNPROCESSABLE_ENTITY;
            }
            consent::page(frame, shown)
        }
        Err(problem) => {
            status = StatusCode::NOT_FOUND;
            consent::gone(frame, problem.as_deref())
        }
    };
    let page = dashboard.show(None, look, draw).await?;
    Ok((status, page).into_response())
}

/// `/bots`
pub(super) async fn bots(State(dashboard): State<Dashboard>, uri: Uri) -> Answer {
    dashboard.show(Some(&uri), |world, _| world.bot_infos(), bots::list).await
}

/// `/bots/new`
pub(super) async fn new_bot(State(dashboard): State<Dashboard>) -> Answer {
    dashboard.tell(|frame| bots::ask_new(frame, &NewBot::default())).await
}

/// `/bots/{name}`
pub(super) async fn bot(
    State(dashboard): State<Dashboard>,
    Path(name): Path<String>,
    uri: Uri,
) -> Answer {
    show_bot(&dashboard, Some(&uri), name, bots::page).await
}

/// `/bots/{name}/openid/secret`
pub(super) async fn new_secret(
    State(dashboard): State<Dashboard>,
    Path(name): Path<String>,
) -> Answer {
    show_bot(&dashboard, None, name, bots::ask_secret).await
}

/// `/bots/{name}/openid/remove`
pub(super) async fn remove_openid(
    State(dashboard): State<Dashboard>,
    Path(name): Path<String>,
) -> Answer {
    show_bot(&dashboard, None, name, bots::ask_remove).await
}

/// A page about the bot of this username.
pub(super) async fn show_bot(
    dashboard: &Dashboard,
    address: Option<&Uri>,
    name: String,
    draw: impl FnOnce(&Frame<'_>, &Bot) -> maud::Markup,
) -> Answer {
    let web = dashboard.telegram.web().map(str::to_owned);
    let look = move |world: &mut World, _| {
        let Some((username, info)) = world.bot_info(&name)? else { return Ok(None) };
        let token = world.bot_token(info.user_id)?.unwrap_or_default();
        Ok(Some(Bot { username, info, token, web, problem: None }))
    };
    dashboard.show_found(address, look, NO_BOT, draw).await
}

/// `/calls`
pub(super) async fn calls(State(dashboard): State<Dashboard>, uri: Uri) -> Answer {
    let filter = Parameters::of_query(&uri)?.get("method").unwrap_or_default().trim().to_owned();
    let wanted = filter.to_lowercase();
    let (rows, total) = dashboard
        .telegram
        .ask(move |engine, _| {
            let calls = engine.faults.log.tell();
            let total = calls.methods.values().map(|count| count.received).sum();
            let fits = |call: &crate::faults::Call| fits(&wanted, &call.method.to_lowercase());
            let rows = calls.recent.into_iter().rev().filter(fits).take(SHOWN);
            let mut known = BTreeMap::new();
            let rows: Vec<Row> = rows
                .map(|call| {
                    let user = known
                        .entry(call.auth_key_id)
                        // A failure of the database is in the log when a request meets it.
                        .or_insert_with(|| caller(&engine.world, call.auth_key_id).ok().flatten())
                        .clone();
                    Row { call, user }
                })
                .collect();
            (rows, total)
        })
        .await?;
    dashboard.tell(|frame| calls::page(frame, &Log { rows, total, filter })).await
}

/// `/letters`
pub(super) async fn letters(State(dashboard): State<Dashboard>) -> Answer {
    let look = |world: &mut World, _| {
        let mut letters = world.letters()?;
        letters.reverse();
        Ok(letters)
    };
    dashboard.show(None, look, |frame, letters| post::page(frame, letters)).await
}

/// Whether the name of a method is wanted: by a part of it, in which `*` stands for anything.
fn fits(wanted: &str, method: &str) -> bool {
    let mut rest = method;
    wanted.split('*').all(|part| match rest.split_once(part) {
        Some((_, after)) => {
            rest = after;
            true
        }
        None => false,
    })
}

/// Who is signed in with a key.
fn caller(world: &World, auth_key_id: i64) -> Outcome<Option<(i64, String)>> {
    let key = world.key_state(auth_key_id)?;
    let Some(user) = key.and_then(|key| key.user_id) else { return Ok(None) };
    let user = world.user(user)?.filter(|user| !user.bot || user.username.is_some());
    Ok(user.map(|user| (user.id, user.first_name)))
}

/// The accounts to choose from, also one that was not seen for long.
fn people_of(world: &World, hint: Option<i64>) -> Outcome<Vec<Person>> {
    let (mut people, _) = world.people(MOST)?;
    if let Some(hint) = hint.filter(|hint| people.iter().all(|person| person.user.id != *hint)) {
        people.extend(world.person(hint)?);
    }
    Ok(people)
}

fn one_site(world: &World, user: i64, hash: i64) -> Outcome<Option<(User, Site)>> {
    let Some(person) = world.person(user)? else { return Ok(None) };
    let site = sites(world, user)?.into_iter().find(|site| site.row.hash == hash);
    Ok(site.map(|site| (person.user, site)))
}

fn sites(world: &World, user: i64) -> Outcome<Vec<Site>> {
    let mut sites = Vec::new();
    for row in world.web_authorizations(user)? {
        if let Some(bot) = world.user(row.bot_id)? {
            sites.push(Site { row, bot });
        }
    }
    Ok(sites)
}

/// What Telegram itself wrote to an account, the newest first.
fn notes(world: &World, user: i64) -> Outcome<Vec<Message>> {
    let wanted = Wanted { limit: NOTES, ..Wanted::default() };
    Ok(world.history(user, SERVICE_ID, wanted)?.0)
}

fn devices(world: &World, now: i32, user: i64) -> Outcome<Option<(User, Vec<Authorization>)>> {
    let Some(person) = world.person(user)? else { return Ok(None) };
    Ok(Some((person.user, world.authorizations(now, user, 0)?)))
}

const NO_ACCOUNT: &str = "There is no such account.";
const NO_BOT: &str = "There is no such bot.";
const ENDED: &str = "This has ended already, or was never there.";

/// How many accounts are shown.
const MOST: u32 = 200;

/// How many messages from Telegram are.
const NOTES: i32 = 20;

/// How many calls are.
const SHOWN: usize = 200;
