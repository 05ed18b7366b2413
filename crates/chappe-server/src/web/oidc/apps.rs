//! Logins that begin where no browser waits: `/inapp` for a page within Telegram, `/crossapp` for an
//! app on the same device. Observed in Telegram's own libraries; neither is documented.

use axum::{
    Router,
    extract::State,
    http::{HeaderMap, StatusCode, Uri},
    response::Response,
    routing::get,
};
use serde_json::json;

use super::{
    super::{
        Telegram, assets, auth,
        guard::{in_a_window, only_origin, readable_by},
        only_get,
        pages::{self, Problem},
        parameters::Parameters,
        visitor::Visitor,
    },
    authorize::{Asker, Target, response_type, scopes},
    fault::Fault,
    id_token::{Way, id_token},
};
use crate::logins::Source;
use crate::world::{NewUrlAuth, Site, UrlAuthResponse, links_of};

pub(super) fn routes() -> Router<Telegram> {
    Router::new()
        .route("/inapp", only_get(in_app))
        .route("/crossapp", only_get(cross_app))
        .route("/js/telegram-login.js", get(library))
        .route("/css/telegram-login.css", get(style))
}

/// `GET /js/telegram-login.js`: the library for pages.
async fn library() -> Response {
    let script = include_str!("../../../assets/telegram-login.js");
    assets::shared_file(assets::SCRIPT, script)
}

/// `GET /css/telegram-login.css`: how its buttons look.
async fn style() -> Response {
    let style = include_str!("../../../assets/telegram-login.css");
    assets::shared_file(assets::CSS, style)
}

/// `GET /crossapp`, with the parameters of `/auth`: the link that the app opens.
async fn cross_app(
    State(telegram): State<Telegram>,
    visitor: Visitor,
    uri: Uri,
) -> Result<Response, Fault> {
    in_a_window(visitor.headers())?;
    let parameters = Parameters::of_query(&uri)?;
    let asker = Asker::find(&telegram, &parameters).await?;
    let target = Target::of(&asker, &parameters)?;
    response_type(&parameters)?;
    if parameters.get("response_type") != Some("code") {
        return Err(Fault::new("unsupported_response_type", "response_type must be code"));
    }
    let new = asker.ask(&visitor, &parameters, &target, Source::Native)?;
    let [link, _] = ask(&telegram, new).await?;
    Ok(pages::json(&json!({ "url": link })))
}

/// `GET /inapp`: with a `client_id` the link that the page hands to the app around it, with a `code`
/// the id_token that came of it. Only the page itself is served: the browser says where it is.
async fn in_app(
    State(telegram): State<Telegram>,
    visitor: Visitor,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, Fault> {
    let parameters = Parameters::of_query(&uri)?;
    let origin = only_origin(&headers).ok_or_else(|| {
        let hint = "Only a page can ask: the browser says where it is, by Origin.";
        Problem::new(StatusCode::FORBIDDEN, "There is no page", hint)
    })?;
    let mut status = StatusCode::OK;
    let body = match parameters.get("code") {
        Some(code) => {
            let (code, origin) = (code.to_owned(), origin.clone());
            let redeemed = telegram
                .run(move |world, now| Ok((world.redeem_in_app_code(now, &code, &origin)?, now)))
                .await
                .map_err(Problem::from)?;
            match redeemed {
                (Some(identity), now) => {
                    json!({ "result": id_token(&telegram, now, &identity, Way::Popup)? })
                }
                (None, _) => {
                    status = StatusCode::BAD_REQUEST;
                    json!({ "error": "invalid_grant" })
                }
            }
        }
        None => {
            let asker = Asker::find(&telegram, &parameters).await?;
            let named = parameters.get("origin").unwrap_or(&origin);
            if named != origin || !asker.client.serves(&origin) {
                return Err(Problem::bad(
                    "This origin is not registered",
                    "The origin of the page must be one of the client's allowed URLs.",
                )
                .into());
            }
            let scopes = scopes(&parameters)?;
            let host = Site::of(&origin).map(|site| site.host).unwrap_or_default();
            let login = visitor.login(&host);
            // Observed: the library sends no nonce in this mode.
            let new = NewUrlAuth {
                origin: Some(origin.clone()),
                scopes,
                ..NewUrlAuth::new(Source::InApp, UrlAuthResponse::Code, asker.bot.id, login)
            };
            let [_, link] = ask(&telegram, new).await?;
            json!({ "url": link })
        }
    };
    let mut response = pages::json(&body);
    *response.status_mut() = status;
    Ok(readable_by(&origin, response))
}

/// Writes a request down; tells its links.
async fn ask(telegram: &Telegram, new: NewUrlAuth) -> Result<[String; 2], Fault> {
    let asked = telegram.run(move |world, now| auth::ask(world, now, new)).await;
    let asked = asked.map_err(Problem::from)?;
    Ok(links_of(&asked.token))
}
