//! What the buttons do: everything that is posted. The ticket of the form was checked before.

use axum::{
    Extension,
    extract::{Path, State},
    http::StatusCode,
    response::IntoResponse,
};

use super::{
    Answer, Dashboard, Done, Sorry,
    account::{self, NewAccount},
    bots::{self, Bot, NewBot},
    consent,
    layout::Frame,
    looks,
};
use crate::{
    Error, Objection,
    bots::{BotSettings, ClientSecret},
    failure::Failure,
    logins::{Approved, Grant},
    web::{Refused, parameters::Parameters},
    world::World,
};

/// `/accounts/new`
pub(super) async fn new_account(
    State(dashboard): State<Dashboard>,
    Extension(form): Extension<Parameters>,
) -> Answer {
    let field = |name: &str| form.get(name).unwrap_or_default().to_owned();
    let (phone, first_name, last_name) = (field("phone"), field("first_name"), field("last_name"));
    let mut typed = NewAccount { phone, first_name, last_name, problem: None };
    let new = typed.clone();
    let make = move |world: &mut World, now| {
        world.new_account(now, &new.phone, (&new.first_name, &new.last_name))
    };
    match dashboard.telegram.run(make).await {
        Ok(id) => Ok(dashboard.done(&format!("/accounts/{id}"), Done::Made)),
        Err(Refused::By(failure)) => {
            typed.problem = Some(reason(&failure));
            dashboard.object(|frame| account::ask_new(frame, &typed)).await
        }
        Err(stopped) => Err(stopped.into()),
    }
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
        Ok(Approved { url: None }) => Ok(dashboard.done("/logins", Done::Approved)),
        Ok(Approved { url: Some(url) }) => {
            dashboard.tell(|frame| consent::opens(frame, &url)).await
        }
        Err(error) => unanswered(&dashboard, id, error).await,
    }
}

/// `/logins/{id}/decline`
pub(super) async fn decline(State(dashboard): State<Dashboard>, Path(id): Path<i64>) -> Answer {
    match dashboard.logins.decline(id).await {
        Ok(()) => Ok(dashboard.done("/logins", Done::Declined)),
        Err(error) => unanswered(&dashboard, id, error).await,
    }
}

/// Shows a request again that could not be answered so.
async fn unanswered(dashboard: &Dashboard, id: i64, error: Error) -> Answer {
    match error {
        Error::Login(why) => looks::show_login(dashboard, id, Some(sentences(&why))).await,
        error => Err(error.into()),
    }
}

/// `/bots/new`
pub(super) async fn new_bot(
    State(dashboard): State<Dashboard>,
    Extension(form): Extension<Parameters>,
) -> Answer {
    let field = |name: &str| form.get(name).unwrap_or_default().to_owned();
    let (username, name) = (field("username"), field("name"));
    match dashboard.father.new_bot(&username, &name).await {
        Ok(bot) => Ok(dashboard.done(&format!("/bots/{}", bot.username), Done::Made)),
        Err(Error::Bot(why)) => {
            let typed = NewBot { username, name, problem: Some(sentences(&why)) };
            dashboard.object(|frame| bots::ask_new(frame, &typed)).await
        }
        Err(error) => Err(error.into()),
    }
}

/// `/bots/{name}/domain`
pub(super) async fn set_domain(
    State(dashboard): State<Dashboard>,
    Path(name): Path<String>,
    Extension(form): Extension<Parameters>,
) -> Answer {
    let domain = form.get("domain").map(|domain| domain.trim().to_owned());
    change(&dashboard, name, move |settings| settings.domain = domain).await
}

/// `/bots/{name}/openid`
pub(super) async fn set_openid(
    State(dashboard): State<Dashboard>,
    Path(name): Path<String>,
    Extension(form): Extension<Parameters>,
) -> Answer {
    let change_client = move |settings: &mut BotSettings| {
        let lines = |name: &str| {
            let lines = form.get(name).unwrap_or_default().lines().map(str::trim);
            lines.filter(|line| !line.is_empty()).map(str::to_owned).collect::<Vec<_>>()
        };
        // What a form does not say stays as it is.
        let client = settings.oidc.get_or_insert_default();
        client.urls = lines("urls");
        client.native_urls = lines("native_urls");
        client.enabled = form.get("enabled").is_some();
        let chosen = |name: &str| form.get(name).unwrap_or_default();
        if let Some(alg) = bots::ALGS.into_iter().find(|alg| alg.name() == chosen("alg")) {
            client.alg = alg;
        }
        if let Some((nonce, ..)) = bots::NONCES.into_iter().find(|known| known.1 == chosen("nonce"))
        {
            client.nonce = nonce;
        }
        let codes = bots::MATCH_CODES.into_iter().find(|known| known.1 == chosen("match_codes"));
        if let Some((codes, ..)) = codes {
            client.match_codes = codes;
        }
    };
    change(&dashboard, name, change_client).await
}

/// `/bots/{name}/openid/remove`
pub(super) async fn remove_openid(
    State(dashboard): State<Dashboard>,
    Path(name): Path<String>,
) -> Answer {
    change(&dashboard, name, |settings| settings.oidc = None).await
}

/// `/bots/{name}/openid/secret`
pub(super) async fn new_secret(
    State(dashboard): State<Dashboard>,
    Path(name): Path<String>,
) -> Answer {
    match dashboard.father.new_secret(&name).await {
        Ok(secret) => tell_secret(&dashboard, name, secret).await,
        Err(Error::Bot(why)) => Err(Sorry::nothing(&sentences(&why))),
        Err(error) => Err(error.into()),
    }
}

/// Changes what is set for a bot; shows it again if it makes no sense.
async fn change(
    dashboard: &Dashboard,
    name: String,
    change: impl FnOnce(&mut BotSettings) + Clone + Send + 'static,
) -> Answer {
    match dashboard.father.change(&name, change.clone()).await {
        Ok((name, Some(secret))) => tell_secret(dashboard, name, secret).await,
        Ok((name, None)) => Ok(dashboard.done(&format!("/bots/{name}"), Done::Saved)),
        Err(Error::Bot(why)) => {
            let draw = |frame: &Frame<'_>, bot: &Bot| {
                let mut bot = bot.clone();
                change(&mut bot.info.settings);
                bot.problem = Some(sentences(&why));
                bots::page(frame, &bot)
            };
            let page = looks::show_bot(dashboard, None, name, draw).await?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
        }
        Err(error) => Err(error.into()),
    }
}

/// Shows a secret, the only time.
async fn tell_secret(dashboard: &Dashboard, name: String, secret: ClientSecret) -> Answer {
    looks::show_bot(dashboard, None, name, |frame, bot| bots::secret(frame, bot, &secret)).await
}

/// The two halves of an objection as sentences.
fn sentences(why: &Objection) -> String {
    let begin = |text: &str| {
        let mut letters = text.chars();
        letters.next().map(|first| first.to_uppercase().chain(letters).collect::<String>())
    };
    let halves = [why.problem(), why.hint()].into_iter().filter_map(begin);
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
