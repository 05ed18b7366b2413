//! What the buttons do: everything that is posted. The ticket of the form was checked before.

use axum::{
    Extension,
    extract::{Path, State},
};

use super::{
    Dashboard, Done, Sorry,
    account::{self, NewAccount},
    bots::{self, NewBot},
    consent,
    looks::{self, Answer},
    page, wrong,
};
use crate::{
    Error,
    bots::{BotSettings, ClientSecret, OidcClient},
    failure::Failure,
    logins::Grant,
    web::{Refused, parameters::Parameters},
};

/// `/accounts/new`
pub(super) async fn new_account(
    State(dashboard): State<Dashboard>,
    Extension(form): Extension<Parameters>,
) -> Answer {
    let field = |name: &str| form.get(name).unwrap_or_default().to_owned();
    let (phone, first, last) = (field("phone"), field("first_name"), field("last_name"));
    let typed = NewAccount { phone, first_name: first, last_name: last, problem: None };
    let NewAccount { phone, first_name, last_name, .. } = &typed;
    let (phone, first, last) = (phone.clone(), first_name.clone(), last_name.clone());
    let made = dashboard
        .telegram
        .run(move |world, now| world.new_account(now, &phone, (&first, &last)))
        .await;
    let problem = match made {
        Ok(id) => return Ok(dashboard.done(&format!("/accounts/{id}"), Done::Made)),
        Err(Refused::By(failure)) => reason(&failure),
        Err(stopped) => return Err(stopped.into()),
    };
    let seen = dashboard.look(|_, _| Ok(())).await?;
    let typed = NewAccount { problem: Some(problem), ..typed };
    Ok(wrong(&account::ask_new(&seen.frame(&dashboard, None), &typed)))
}

/// `/accounts/{user}/sites/{hash}/disconnect`
pub(super) async fn disconnect(
    State(dashboard): State<Dashboard>,
    Path((user, hash)): Path<(i64, i64)>,
    Extension(form): Extension<Parameters>,
) -> Answer {
    let block = form.get("block").is_some();
    dashboard
        .telegram
        .run(move |world, now| {
            let rows = world.web_authorizations(user)?;
            let bot = rows.into_iter().find(|row| row.hash == hash).map(|row| row.bot_id);
            world.reset_web_authorization(user, hash)?;
            if let Some(bot) = bot.filter(|_| block) {
                world.set_blocked(now, user, bot, true)?;
            }
            Ok(())
        })
        .await?;
    let done = if block { Done::DisconnectedAndBlocked } else { Done::Disconnected };
    Ok(dashboard.done(&format!("/accounts/{user}"), done))
}

/// `/accounts/{user}/sites/disconnect`
pub(super) async fn disconnect_all(
    State(dashboard): State<Dashboard>,
    Path(user): Path<i64>,
) -> Answer {
    dashboard.telegram.run(move |world, _| world.reset_web_authorizations(user)).await?;
    Ok(dashboard.done(&format!("/accounts/{user}"), Done::DisconnectedAll))
}

/// `/accounts/{user}/devices/{hash}/terminate`
pub(super) async fn terminate(
    State(dashboard): State<Dashboard>,
    Path((user, hash)): Path<(i64, i64)>,
) -> Answer {
    dashboard.telegram.run(move |world, _| world.end_device(user, hash)).await?;
    Ok(dashboard.done(&format!("/accounts/{user}"), Done::Terminated))
}

/// `/accounts/{user}/devices/terminate`
pub(super) async fn terminate_others(
    State(dashboard): State<Dashboard>,
    Path(user): Path<i64>,
    Extension(form): Extension<Parameters>,
) -> Answer {
    let keep = match form.get("keep") {
        Some("none") => None,
        // What is no hash names no device, and then none is ended.
        Some(hash) => Some(hash.parse().unwrap_or(0)),
        None => Some(0),
    };
    dashboard.telegram.run(move |world, _| world.end_devices(user, keep)).await?;
    Ok(dashboard.done(&format!("/accounts/{user}"), Done::Terminated))
}

/// `/logins/{id}/approve`
pub(super) async fn approve(
    State(dashboard): State<Dashboard>,
    Path(id): Path<i64>,
    Extension(form): Extension<Parameters>,
) -> Answer {
    let Some(user) = form.get("user").and_then(|user| user.parse().ok()) else {
        return looks::show_login(&dashboard, id, Some("Choose an account.".to_owned())).await;
    };
    let mut grant = Grant::new();
    grant.write = form.get("write").is_some();
    grant.phone = form.get("phone").is_some();
    grant.match_code = form.get("match_code").map(str::to_owned);
    match dashboard.logins.approve(id, user, grant).await {
        Ok(approved) => match &approved.url {
            Some(url) => {
                let seen = dashboard.look(|_, _| Ok(())).await?;
                Ok(page(&consent::opens(&seen.frame(&dashboard, None), url)))
            }
            None => Ok(dashboard.done("/logins", Done::Approved)),
        },
        Err(Error::Login(error)) => {
            looks::show_login(&dashboard, id, Some(sentence(error.problem(), error.hint()))).await
        }
        Err(error) => Err(error.into()),
    }
}

/// `/logins/{id}/decline`
pub(super) async fn decline(State(dashboard): State<Dashboard>, Path(id): Path<i64>) -> Answer {
    match dashboard.logins.decline(id).await {
        Ok(()) => Ok(dashboard.done("/logins", Done::Declined)),
        Err(Error::Login(error)) => {
            looks::show_login(&dashboard, id, Some(sentence(error.problem(), error.hint()))).await
        }
        Err(error) => Err(error.into()),
    }
}

/// `/bots/new`
pub(super) async fn new_bot(
    State(dashboard): State<Dashboard>,
    Extension(form): Extension<Parameters>,
) -> Answer {
    let field = |name: &str| form.get(name).unwrap_or_default().to_owned();
    let (username, name) = (field("username"), field("name"));
    let problem = match dashboard.father.new_bot(&username, &name).await {
        Ok(bot) => return Ok(dashboard.done(&format!("/bots/{}", bot.username), Done::Made)),
        Err(Error::Bot(error)) => sentence(error.problem(), error.hint()),
        Err(error) => return Err(error.into()),
    };
    let seen = dashboard.look(|_, _| Ok(())).await?;
    let typed = NewBot { username, name, problem: Some(problem) };
    Ok(wrong(&bots::ask_new(&seen.frame(&dashboard, None), &typed)))
}

/// `/bots/{name}/domain`
pub(super) async fn set_domain(
    State(dashboard): State<Dashboard>,
    Path(name): Path<String>,
    Extension(form): Extension<Parameters>,
) -> Answer {
    let mut settings = looks::find_bot(&dashboard, &name).await?.settings;
    settings.domain = form.get("domain").map(|domain| domain.trim().to_owned());
    set(&dashboard, &name, settings).await
}

/// `/bots/{name}/openid`
pub(super) async fn set_openid(
    State(dashboard): State<Dashboard>,
    Path(name): Path<String>,
    Extension(form): Extension<Parameters>,
) -> Answer {
    let mut settings = looks::find_bot(&dashboard, &name).await?.settings;
    let lines = |name: &str| {
        let lines = form.get(name).unwrap_or_default().lines().map(str::trim);
        lines.filter(|line| !line.is_empty()).map(str::to_owned).collect::<Vec<_>>()
    };
    // What a form does not say stays as it is.
    let mut client = settings.oidc.take().unwrap_or_else(OidcClient::new);
    client.urls = lines("urls");
    client.native_urls = lines("native_urls");
    client.enabled = form.get("enabled").is_some();
    let chosen = |name: &str| form.get(name).unwrap_or_default();
    if let Some(alg) = bots::ALGS.into_iter().find(|alg| alg.name() == chosen("alg")) {
        client.alg = alg;
    }
    if let Some((nonce, ..)) = bots::NONCES.into_iter().find(|known| known.1 == chosen("nonce")) {
        client.nonce = nonce;
    }
    let codes = bots::MATCH_CODES.into_iter().find(|known| known.1 == chosen("match_codes"));
    if let Some((codes, ..)) = codes {
        client.match_codes = codes;
    }
    settings.oidc = Some(client);
    set(&dashboard, &name, settings).await
}

/// `/bots/{name}/openid/remove`
pub(super) async fn remove_openid(
    State(dashboard): State<Dashboard>,
    Path(name): Path<String>,
) -> Answer {
    let mut settings = looks::find_bot(&dashboard, &name).await?.settings;
    settings.oidc = None;
    set(&dashboard, &name, settings).await
}

/// `/bots/{name}/openid/secret`
pub(super) async fn new_secret(
    State(dashboard): State<Dashboard>,
    Path(name): Path<String>,
) -> Answer {
    match dashboard.father.new_secret(&name).await {
        Ok(secret) => tell_secret(&dashboard, &name, &secret).await,
        Err(Error::Bot(error)) => Err(Sorry::nothing(&sentence(error.problem(), error.hint()))),
        Err(error) => Err(error.into()),
    }
}

/// Sets what is set for a bot; shows it again if it makes no sense.
async fn set(dashboard: &Dashboard, name: &str, settings: BotSettings) -> Answer {
    let mut bot = looks::find_bot(dashboard, name).await?;
    match dashboard.father.set(&bot.username, settings.clone()).await {
        Ok(Some(secret)) => tell_secret(dashboard, &bot.username, &secret).await,
        Ok(None) => Ok(dashboard.done(&format!("/bots/{}", bot.username), Done::Saved)),
        Err(Error::Bot(error)) => {
            bot.settings = settings;
            bot.problem = Some(sentence(error.problem(), error.hint()));
            let seen = dashboard.look(|_, _| Ok(())).await?;
            Ok(wrong(&bots::page(&seen.frame(dashboard, None), &bot)))
        }
        Err(error) => Err(error.into()),
    }
}

/// Shows a secret, the only time.
async fn tell_secret(dashboard: &Dashboard, name: &str, secret: &ClientSecret) -> Answer {
    let bot = looks::find_bot(dashboard, name).await?;
    let seen = dashboard.look(|_, _| Ok(())).await?;
    Ok(page(&bots::secret(&seen.frame(dashboard, None), &bot, secret)))
}

/// Two halves of an explanation as sentences.
fn sentence(problem: &str, hint: &str) -> String {
    let begin = |text: &str| {
        let mut letters = text.chars();
        letters.next().map(|first| first.to_uppercase().chain(letters).collect::<String>())
    };
    let halves = [problem, hint].into_iter().filter_map(begin);
    halves.map(|half| format!("{half}.")).collect::<Vec<_>>().join(" ")
}

/// Why the world did not make an account, for people.
fn reason(failure: &Failure) -> String {
    match &*failure.message {
        "PHONE_NUMBER_INVALID" => {
            "This is no phone number that a code can be sent to: write it with its country code; numbers \
             that begin with 99966 have five more digits, of which the first is 1, 2 or 3."
        }
        "PHONE_NUMBER_OCCUPIED" => "This number has an account already.",
        "FIRSTNAME_INVALID" => "Give a first name, of up to 64 characters in one line.",
        "LASTNAME_INVALID" => "The last name has more than 64 characters, or more than one line.",
        other => return format!("The server answered {other}."),
    }
    .to_owned()
}
