//! Logins that begin where no browser waits: `/inapp` for a page within Telegram, `/crossapp` for an
//! app on the same device. Observed in Telegram's own libraries; neither is documented.

use axum::{
    Router,
    extract::State,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header},
    response::{IntoResponse, Response},
    routing::get,
};
use serde_json::json;

use super::{
    super::{
        Telegram, assets, auth,
        guard::in_a_window,
        pages::{self, Problem},
        parameters::Parameters,
        visitor::Visitor,
    },
    authorize::{Asker, Fault, Target, response_type, scopes},
    id_token::{Way, id_token},
};
use crate::world::{MatchCodes, NewUrlAuth, Site, UrlAuthResponse, UrlAuthSource, links_of};

pub(super) fn routes() -> Router<Telegram> {
    Router::new()
        .route("/inapp", get(in_app))
        .route("/crossapp", get(cross_app))
        .route("/js/telegram-login.js", get(library))
        .route("/css/telegram-login.css", get(style))
}

/// `GET /js/telegram-login.js`: the library for pages.
async fn library() -> Response {
    let script = include_str!("../../../assets/telegram-login.js");
    assets::shared_file("text/javascript; charset=utf-8", script)
}

/// `GET /css/telegram-login.css`: how its buttons look.
async fn style() -> Response {
    let style = include_str!("../../../assets/telegram-login.css");
    assets::shared_file("text/css; charset=utf-8", style)
}

/// Why there is no login, for a program.
struct Refusal {
    status: StatusCode,
    error: &'static str,
    description: String,
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        let description = format!("{}: {}", problem.title(), problem.hint());
        Self { status: problem.status(), error: "invalid_request", description }
    }
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        let description = fault.description.to_owned();
        Self { status: StatusCode::BAD_REQUEST, error: fault.error, description }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = json!({ "error": self.error, "error_description": self.description });
        let mut response = pages::json(&body);
        *response.status_mut() = self.status;
        response
    }
}

/// `GET /crossapp`, with the parameters of `/auth`: the link that the app opens.
async fn cross_app(
    State(telegram): State<Telegram>,
    visitor: Visitor,
    uri: Uri,
) -> Result<Response, Refusal> {
    in_a_window(visitor.headers())?;
    let parameters = Parameters::of_query(&uri)?;
    let asker = Asker::find(&telegram, &parameters).await?;
    let target = Target::of(&asker, &parameters)?;
    response_type(&parameters)?;
    if parameters.get("response_type") != Some("code") {
        return Err(Fault::new("unsupported_response_type", "response_type must be code").into());
    }
    let new = asker.ask(&visitor, &parameters, &target, UrlAuthSource::Native)?;
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
) -> Result<Response, Refusal> {
    let parameters = Parameters::of_query(&uri)?;
    let origin = page_of(&headers)?;
    let mut status = StatusCode::OK;
    let body = match parameters.get("code") {
        Some(code) => {
            let (code, origin) = (code.to_owned(), origin.clone());
            let redeemed = telegram
                .run(move |world, now| Ok((world.redeem_in_app_code(now, &code, &origin)?, now)))
                .await
                .map_err(Problem::from)?;
            match redeemed {
                (Some(grant), now) => {
                    json!({ "result": id_token(&telegram, now, &grant, Way::Popup)? })
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
            let new = NewUrlAuth {
                source: UrlAuthSource::InApp,
                response: UrlAuthResponse::Code,
                bot_id: asker.bot.id,
                redirect_uri: None,
                origin: Some(origin.clone()),
                scopes,
                state: None,
                // Observed: the library does not send it in this mode.
                nonce: None,
                pkce: None,
                login: visitor.login(&host),
                app: None,
                user_id_hint: None,
                match_codes: MatchCodes::None,
            };
            let [_, link] = ask(&telegram, new).await?;
            json!({ "url": link })
        }
    };
    let mut response = pages::json(&body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    if let Ok(origin) = HeaderValue::from_str(&origin) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    }
    headers.insert(header::VARY, HeaderValue::from_static("Origin"));
    headers.insert(
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("cross-origin"),
    );
    Ok(response)
}

/// The origin of the page that asks, as its browser says.
fn page_of(headers: &HeaderMap) -> Result<String, Refusal> {
    let mut origins = headers.get_all(header::ORIGIN).iter();
    let origin = match (origins.next(), origins.next()) {
        (Some(origin), None) => origin.to_str().ok(),
        _ => None,
    };
    origin.map(ToOwned::to_owned).ok_or_else(|| {
        let hint = "Only a page can ask: the browser says where it is, by Origin.";
        Problem::new(StatusCode::FORBIDDEN, "There is no page", hint).into()
    })
}

/// Writes a request down; tells its links.
async fn ask(telegram: &Telegram, new: NewUrlAuth) -> Result<[String; 2], Refusal> {
    let asked = telegram.run(move |world, now| auth::ask(world, now, new)).await;
    let asked = asked.map_err(Problem::from)?;
    Ok(links_of(&asked.token))
}
