//! The dashboard of the person at the keyboard, behind a key that only this person is told.
//!
//! It is a door of its own: another origin than the pages that sites send people to.

use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderValue, StatusCode, Uri, header},
    middleware::{self, Next},
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use maud::html;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::{
    Telegram, guard, nowhere,
    pages::{Problem, page},
    parameters::Parameters,
    visitor::Visitor,
    wrong_method,
};

/// What stands between the dashboard and everybody who may not see it.
#[derive(Clone)]
struct Lock {
    key: std::sync::Arc<Zeroizing<String>>,
    /// Names the port, since cookies do not know ports.
    cookie: String,
}

/// The pages of the dashboard that listens on this port.
pub(crate) fn site(telegram: Telegram, key: Zeroizing<String>, port: u16) -> Router {
    let lock = Lock { key: key.into(), cookie: format!("chappe_dashboard_{port}") };
    Router::new()
        .route("/", get(accounts))
        .merge(super::assets::routes())
        .fallback(nowhere)
        .method_not_allowed_fallback(wrong_method)
        .layer(middleware::from_fn_with_state(lock, unlock))
        .layer(middleware::from_fn(guard::guard))
        .with_state(telegram)
}

/// Lets in who has the key: by `?key=` once, by its cookie from then on.
async fn unlock(
    State(lock): State<Lock>,
    visitor: Visitor,
    request: Request,
    next: Next,
) -> Response {
    let fits = |key: &str| bool::from(key.as_bytes().ct_eq(lock.key.as_bytes()));
    let shown = match key(request.uri()) {
        Ok(shown) => shown,
        Err(problem) => return problem.into_response(),
    };
    if shown.is_some_and(|shown| fits(&shown)) {
        let cookie =
            format!("{}={}; Path=/; HttpOnly; SameSite=Strict", lock.cookie, lock.key.as_str());
        let mut response = Redirect::to("/").into_response();
        if let Ok(cookie) = HeaderValue::from_str(&cookie) {
            response.headers_mut().insert(header::SET_COOKIE, cookie);
        }
        return response;
    }
    match visitor.cookie(&lock.cookie).is_some_and(fits) {
        true => next.run(request).await,
        false => Problem::new(
            StatusCode::FORBIDDEN,
            "This dashboard has a key",
            "Open the whole address that the server printed, with its ?key=.",
        )
        .into_response(),
    }
}

fn key(uri: &Uri) -> Result<Option<Zeroizing<String>>, Problem> {
    let parameters = Parameters::of_query(uri)?;
    Ok(parameters.get("key").map(|key| Zeroizing::new(key.to_owned())))
}

/// `GET /`: the accounts that there were from the start.
async fn accounts(State(telegram): State<Telegram>) -> Result<Response, Problem> {
    let accounts = telegram.run(|world, _| Ok(world.demonstration_accounts()?)).await?;
    Ok(page(
        "Dashboard",
        html! {
            section.card {
                h1 { "Accounts" }
                ul { @for account in &accounts { li { "+" (account.phone) " · user " (account.user_id) } } }
            }
        },
    ))
}
