//! What the pages show, read from the world: everything that is fetched by GET and changes nothing.

use std::collections::BTreeMap;

use axum::{
    extract::{Path, State},
    http::{StatusCode, Uri},
    response::{IntoResponse, Response},
};

use super::{
    Dashboard, Sorry,
    account::{self, Account, NewAccount, Site},
    bots::{self, Bot, NewBot},
    calls::{self, Log, Row},
    consent::{self, Consent},
    letters as post,
    overview::{self, BotRow, Overview},
    page,
};
use crate::{
    failure::Outcome,
    logins::Login,
    web::parameters::Parameters,
    world::{Authorization, Message, Person, SERVICE_ID, User, Wanted, World},
};

/// What a handler comes to.
pub(super) type Answer = Result<Response, Sorry>;

/// `/`
pub(super) async fn overview(State(dashboard): State<Dashboard>, uri: Uri) -> Answer {
    let seen = dashboard
        .look(|world, now| {
            let (people, all) = world.people(MOST)?;
            let logins = Login::pending(world, now)?;
            let more = usize::try_from(all).unwrap_or(usize::MAX).saturating_sub(people.len());
            Ok(Overview { logins, people, more, bots: bot_rows(world)? })
        })
        .await?;
    Ok(page(&overview::page(&seen.frame(&dashboard, Some(&uri)), &seen.shown)))
}

/// `/accounts/{user}`
pub(super) async fn account(
    State(dashboard): State<Dashboard>,
    Path(user): Path<i64>,
    uri: Uri,
) -> Answer {
    let seen = dashboard
        .look(move |world, now| {
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
        })
        .await?;
    let account = seen.shown.as_ref().ok_or_else(no_account)?;
    Ok(page(&account::page(&seen.frame(&dashboard, Some(&uri)), account)))
}

/// `/accounts/new`
pub(super) async fn new_account(State(dashboard): State<Dashboard>) -> Answer {
    let seen = dashboard.look(|_, _| Ok(())).await?;
    Ok(page(&account::ask_new(&seen.frame(&dashboard, None), &NewAccount::default())))
}

/// `/accounts/{user}/sites/{hash}`
pub(super) async fn site(
    State(dashboard): State<Dashboard>,
    Path((user, hash)): Path<(i64, i64)>,
) -> Answer {
    let seen = dashboard.look(move |world, _| one_site(world, user, hash)).await?;
    let (user, site) = seen.shown.as_ref().ok_or_else(ended)?;
    Ok(page(&account::site(&seen.frame(&dashboard, None), user, site)))
}

/// `/accounts/{user}/sites/{hash}/disconnect`
pub(super) async fn disconnect(
    State(dashboard): State<Dashboard>,
    Path((user, hash)): Path<(i64, i64)>,
) -> Answer {
    let seen = dashboard.look(move |world, _| one_site(world, user, hash)).await?;
    let (user, site) = seen.shown.as_ref().ok_or_else(ended)?;
    Ok(page(&account::ask_disconnect(&seen.frame(&dashboard, None), user, site)))
}

/// `/accounts/{user}/sites/disconnect`
pub(super) async fn disconnect_all(
    State(dashboard): State<Dashboard>,
    Path(user): Path<i64>,
) -> Answer {
    let seen = dashboard
        .look(move |world, _| {
            let Some(person) = world.person(user)? else { return Ok(None) };
            Ok(Some((person.user, sites(world, user)?)))
        })
        .await?;
    let (user, sites) = seen.shown.as_ref().ok_or_else(no_account)?;
    Ok(page(&account::ask_disconnect_all(&seen.frame(&dashboard, None), user, sites)))
}

/// `/accounts/{user}/devices/{hash}/terminate`
pub(super) async fn terminate(
    State(dashboard): State<Dashboard>,
    Path((user, hash)): Path<(i64, i64)>,
) -> Answer {
    let seen = dashboard.look(move |world, now| devices(world, now, user)).await?;
    let (user, devices) = seen.shown.as_ref().ok_or_else(no_account)?;
    let device = devices.iter().find(|row| row.hash == hash).ok_or_else(ended)?;
    Ok(page(&account::ask_terminate(&seen.frame(&dashboard, None), user, device)))
}

/// `/accounts/{user}/devices/terminate`
pub(super) async fn terminate_others(
    State(dashboard): State<Dashboard>,
    Path(user): Path<i64>,
) -> Answer {
    let seen = dashboard.look(move |world, now| devices(world, now, user)).await?;
    let (user, devices) = seen.shown.as_ref().ok_or_else(no_account)?;
    Ok(page(&account::ask_terminate_others(&seen.frame(&dashboard, None), user, devices)))
}

/// `/logins`
pub(super) async fn logins(State(dashboard): State<Dashboard>, uri: Uri) -> Answer {
    let seen = dashboard.look(|world, now| Login::pending(world, now)).await?;
    Ok(page(&consent::list(&seen.frame(&dashboard, Some(&uri)), &seen.shown)))
}

/// `/logins/{id}`
pub(super) async fn login(State(dashboard): State<Dashboard>, Path(id): Path<i64>) -> Answer {
    show_login(&dashboard, id, None).await
}

/// The page of a request, and what was wrong with the answer to it.
pub(super) async fn show_login(dashboard: &Dashboard, id: i64, problem: Option<String>) -> Answer {
    let told = problem.clone();
    let seen = dashboard
        .look(move |world, now| {
            let mut logins = Login::pending(world, now)?.into_iter();
            let Some(login) = logins.find(|login| login.id == id) else { return Ok(None) };
            let people = match login.user_id {
                Some(only) => world.person(only)?.into_iter().collect(),
                None => people_of(world, login.user_id_hint)?,
            };
            Ok(Some(Consent { login, people, problem }))
        })
        .await?;
    let frame = seen.frame(dashboard, None);
    Ok(match &seen.shown {
        Some(consent) if told.is_some() => super::wrong(&consent::page(&frame, consent)),
        Some(consent) => page(&consent::page(&frame, consent)),
        None => {
            (StatusCode::NOT_FOUND, page(&consent::gone(&frame, told.as_deref()))).into_response()
        }
    })
}

/// `/bots`
pub(super) async fn bots(State(dashboard): State<Dashboard>, uri: Uri) -> Answer {
    let seen = dashboard.look(|world, _| bot_rows(world)).await?;
    Ok(page(&bots::list(&seen.frame(&dashboard, Some(&uri)), &seen.shown)))
}

/// `/bots/new`
pub(super) async fn new_bot(State(dashboard): State<Dashboard>) -> Answer {
    let seen = dashboard.look(|_, _| Ok(())).await?;
    Ok(page(&bots::ask_new(&seen.frame(&dashboard, None), &NewBot::default())))
}

/// `/bots/{name}`
pub(super) async fn bot(
    State(dashboard): State<Dashboard>,
    Path(name): Path<String>,
    uri: Uri,
) -> Answer {
    let bot = find_bot(&dashboard, &name).await?;
    let seen = dashboard.look(|_, _| Ok(())).await?;
    Ok(page(&bots::page(&seen.frame(&dashboard, Some(&uri)), &bot)))
}

/// `/bots/{name}/openid/secret`
pub(super) async fn new_secret(
    State(dashboard): State<Dashboard>,
    Path(name): Path<String>,
) -> Answer {
    let bot = find_bot(&dashboard, &name).await?;
    let seen = dashboard.look(|_, _| Ok(())).await?;
    Ok(page(&bots::ask_secret(&seen.frame(&dashboard, None), &bot)))
}

/// `/bots/{name}/openid/remove`
pub(super) async fn remove_openid(
    State(dashboard): State<Dashboard>,
    Path(name): Path<String>,
) -> Answer {
    let bot = find_bot(&dashboard, &name).await?;
    let seen = dashboard.look(|_, _| Ok(())).await?;
    Ok(page(&bots::ask_remove(&seen.frame(&dashboard, None), &bot)))
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
    let seen = dashboard.look(|_, _| Ok(())).await?;
    let log = Log { rows, total, filter };
    Ok(page(&calls::page(&seen.frame(&dashboard, None), &log)))
}

/// `/letters`
pub(super) async fn letters(State(dashboard): State<Dashboard>) -> Answer {
    let seen = dashboard
        .look(|world, _| {
            let mut letters = world.letters()?;
            letters.reverse();
            Ok(letters)
        })
        .await?;
    Ok(page(&post::page(&seen.frame(&dashboard, None), &seen.shown)))
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

/// The bot of this username.
pub(super) async fn find_bot(dashboard: &Dashboard, name: &str) -> Result<Bot, Sorry> {
    let unknown = || Sorry::nothing("There is no such bot.");
    let info = dashboard.father.get(name).await?.ok_or_else(unknown)?;
    let id = info.user_id;
    let seen = dashboard
        .look(move |world, _| {
            let all = world.bots()?;
            Ok(all.into_iter().find(|bot| bot.user_id == id))
        })
        .await?;
    let bot = seen.shown.ok_or_else(unknown)?;
    Ok(Bot {
        user_id: id,
        username: bot.username,
        name: info.name,
        token: bot.token,
        settings: info.settings,
        web: dashboard.telegram.web().map(str::to_owned),
        problem: None,
    })
}

fn bot_rows(world: &World) -> Outcome<Vec<BotRow>> {
    let mut rows = Vec::new();
    for (username, info) in world.bot_infos()? {
        let settings = info.settings;
        rows.push(BotRow {
            user_id: info.user_id,
            username,
            name: info.name,
            domain: settings.domain,
            oidc: settings.oidc.is_some(),
        });
    }
    Ok(rows)
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

fn no_account() -> Sorry {
    Sorry::nothing("There is no such account.")
}

fn ended() -> Sorry {
    Sorry::nothing("This has ended already, or was never there.")
}

/// How many accounts are shown.
const MOST: u32 = 200;

/// How many messages from Telegram are.
const NOTES: i32 = 20;

/// How many calls are.
const SHOWN: usize = 200;
