//! `GET /auth` with a `client_id`: a site asks who somebody is, and is told.
//!
//! Who does not name a client and an allowed URL of it is shown a page: a redirect would make this
//! server a signpost for everybody. Whatever else is wrong is told to the site, in its own terms.
//! (RFC 6749, section 4.1.2.1)

use axum::{http::StatusCode, response::Response};
use serde_json::json;

use super::{
    super::{
        Telegram, auth, legacy,
        pages::{self, Problem},
        parameters::Parameters,
        visitor::Visitor,
    },
    OPENID, PHONE, PROFILE, WRITE,
    fault::Fault,
    id_token::{Way, id_token},
};
use crate::{
    bots::{MatchCode, OidcClient},
    browser::Progress,
    logins::{App, Scopes, Source},
    world::{End, ForSite, NewUrlAuth, Pkce, Site, UrlAuth, UrlAuthResponse, User, append_fields},
};

/// The longest `state` and `nonce`, in bytes.
const MAX_OPAQUE: usize = 1_024;

/// A client that may be served, with its bot.
pub(super) struct Asker {
    pub(super) bot: User,
    pub(super) client: OidcClient,
}

/// Where a site is told how its request ended.
pub(super) struct Target {
    response: UrlAuthResponse,
    redirect_uri: String,
    state: Option<String>,
}

impl Asker {
    /// Looks a client up.
    ///
    /// # Errors
    /// When there is none, or it is not served.
    pub(super) async fn find(
        telegram: &Telegram,
        parameters: &Parameters,
    ) -> Result<Self, Problem> {
        let id = parameters.get("client_id").unwrap_or_default().to_owned();
        let known = telegram.run(move |world, _| world.oidc_client_called(&id)).await?;
        match known {
            Some((bot, client, _)) if client.enabled => Ok(Self { bot, client }),
            Some(_) => Err(Problem::bad(
                "This client is disabled",
                "The developer of the bot switched its web login off.",
            )),
            None => Err(Problem::bad(
                "There is no such client",
                "The client_id is the number of a bot whose OpenID client is registered. \
                 WEB_LOGIN.md says how.",
            )),
        }
    }

    fn is_native(&self, redirect_uri: &str) -> bool {
        self.client.native_urls.iter().any(|url| url == redirect_uri)
    }

    /// What the app is told about the app that asks. Only an address that the system keeps for one app
    /// says which one it is; anybody can take a scheme of an app.
    fn app(&self, redirect_uri: &str) -> Option<App> {
        self.is_native(redirect_uri).then(|| App {
            verified_name: Site::of(redirect_uri)
                .filter(|site| site.secure)
                .map(|_| self.bot.first_name.clone()),
        })
    }

    /// The request that a site's words come to, by one of the ways that have a redirect URI.
    pub(super) fn ask(
        &self,
        visitor: &Visitor,
        parameters: &Parameters,
        target: &Target,
        source: Source,
    ) -> Result<NewUrlAuth, Fault> {
        let scopes = scopes(parameters)?;
        let pkce = pkce(parameters)?;
        let is_code = target.response == UrlAuthResponse::Code;
        let native = self.is_native(&target.redirect_uri);
        if pkce.is_some() && !is_code {
            return Err(Fault::invalid("code_challenge is for response_type=code"));
        }
        if native && pkce.as_ref().is_none_or(|pkce| pkce.method != "S256") {
            return Err(Fault::invalid(
                "a native app has no secret: send code_challenge with code_challenge_method=S256",
            ));
        }
        let nonce = parameters.get("nonce");
        if nonce.is_some_and(|nonce| nonce.len() > MAX_OPAQUE) {
            return Err(Fault::invalid("nonce is longer than 1024 bytes"));
        }
        check_rest(parameters, is_code)?;
        let site = Site::of(&target.redirect_uri);
        let scheme = target.redirect_uri.split(':').next().unwrap_or_default();
        let domain = site.as_ref().map_or(scheme, |site| &site.host);
        Ok(NewUrlAuth {
            redirect_uri: Some(target.redirect_uri.clone()),
            origin: site.as_ref().map(Site::origin),
            scopes,
            state: target.state.clone(),
            nonce: nonce.map(ToOwned::to_owned),
            pkce,
            app: self.app(&target.redirect_uri),
            match_codes: match source {
                // Nothing shows a picture there.
                Source::Native => MatchCode::None,
                _ => self.client.match_codes,
            },
            ..NewUrlAuth::new(source, target.response, self.bot.id, visitor.login(domain))
        })
    }
}

impl Target {
    /// Where a client wants to be told.
    ///
    /// # Errors
    /// When that is nowhere that it registered.
    pub(super) fn of(asker: &Asker, parameters: &Parameters) -> Result<Self, Problem> {
        let message = parameters.get("response_type") == Some("post_message");
        let redirect_uri = parameters.get("redirect_uri").ok_or_else(|| {
            Problem::bad(
                "The redirect_uri is missing",
                "The site must name one of the URLs that are registered for its client.",
            )
        })?;
        let served = match message {
            true => asker.client.serves_page(redirect_uri),
            false => asker.client.serves(redirect_uri),
        };
        if !served {
            return Err(Problem::bad(
                "This redirect_uri is not registered",
                "It must be one of the client's allowed URLs, letter by letter. For the JavaScript \
                 library the origin of the page is enough.",
            ));
        }
        let response = match message {
            true => UrlAuthResponse::PostMessage,
            false => UrlAuthResponse::Code,
        };
        let state = parameters.get("state").map(ToOwned::to_owned);
        Ok(Self { response, redirect_uri: redirect_uri.to_owned(), state })
    }

    /// Of a request that was written down.
    fn of_request(request: &UrlAuth) -> Option<Self> {
        let asked = &request.asked;
        let (response, state) = (asked.response, asked.state.clone());
        Some(Self { response, redirect_uri: asked.redirect_uri.clone()?, state })
    }

    /// Tells the site this, and gives back its state.
    fn tell(&self, mut fields: Vec<(&'static str, String)>) -> Result<Response, Problem> {
        if self.response == UrlAuthResponse::PostMessage {
            let mut message = json!({ "event": "auth_result" });
            for (name, value) in fields {
                message[name] = value.into();
            }
            let site = Site::of(&self.redirect_uri).ok_or_else(gone)?;
            return Ok(pages::message_page(&site.origin(), &message, &self.redirect_uri));
        }
        fields.extend(self.state.clone().map(|state| ("state", state)));
        auth::found(&append_fields(&self.redirect_uri, &fields))
    }

    fn fail(&self, fault: &Fault) -> Result<Response, Problem> {
        self.tell(vec![
            ("error", fault.error.to_owned()),
            ("error_description", fault.description.clone().into_owned()),
        ])
    }
}

/// A site sends somebody here.
///
/// # Errors
/// A page, if nobody can be told what is wrong but the person at the browser.
pub(crate) async fn authorize(
    telegram: &Telegram,
    visitor: &Visitor,
    parameters: &Parameters,
) -> Result<Response, Problem> {
    let asker = Asker::find(telegram, parameters).await?;
    let mut target = Target::of(&asker, parameters)?;
    let new = checked_state(&mut target)
        .and_then(|()| response_type(parameters))
        .and_then(|()| asker.ask(visitor, parameters, &target, Source::Oidc));
    match new {
        Ok(new) => auth::begin(telegram, visitor, new).await,
        Err(fault) => target.fail(&fault),
    }
}

/// Tells a site how its request ended.
///
/// # Errors
/// When the site was told before.
pub(crate) fn finish(telegram: &Telegram, end: End) -> Result<Response, Problem> {
    let target = Target::of_request(&end.request).ok_or_else(gone)?;
    let given = match (end.told, end.request.status) {
        (Some(ForSite::Code(code)), _) => ("code", code.as_str().to_owned()),
        (Some(ForSite::Identity(identity, now)), _) => {
            ("result", id_token(telegram, now, &identity, Way::Popup)?)
        }
        (_, Progress::Expired) => {
            return target.fail(&Fault::new("access_denied", "nobody said yes in time"));
        }
        (_, Progress::Claimed) => return Ok(legacy::used()),
        _ => return target.fail(&Fault::new("access_denied", "the person said no")),
    };
    target.tell(vec![given])
}

/// What a site wants to have and to do. Scopes that nobody knows are ignored. (OpenID Connect Core
/// 1.0, section 3.1.2.1)
pub(super) fn scopes(parameters: &Parameters) -> Result<Scopes, Fault> {
    let asked = parameters.get("scope").unwrap_or_default();
    let asks = |scope: &str| asked.split(' ').any(|asked| asked == scope);
    if !asks(OPENID) {
        return Err(Fault::new("invalid_scope", "scope must contain openid"));
    }
    Ok(Scopes { profile: asks(PROFILE), phone: asks(PHONE), write: asks(WRITE) })
}

/// What binds the code that is asked for. (RFC 7636, section 4.3)
fn pkce(parameters: &Parameters) -> Result<Option<Pkce>, Fault> {
    let method = parameters.get("code_challenge_method");
    let Some(challenge) = parameters.get("code_challenge") else {
        return match method {
            None => Ok(None),
            Some(_) => Err(Fault::invalid("code_challenge_method without code_challenge")),
        };
    };
    let method = method.unwrap_or("plain");
    let fits = match method {
        "S256" => challenge.len() == 43,
        "plain" => true,
        _ => return Err(Fault::invalid("code_challenge_method must be S256 or plain")),
    };
    if !fits || !Pkce::can_be_verifier(challenge) {
        return Err(Fault::invalid(
            "code_challenge must be 43 characters for S256, 43 to 128 for plain, of A-Z a-z 0-9 - . _ ~",
        ));
    }
    Ok(Some(Pkce { challenge: challenge.to_owned(), method: method.to_owned() }))
}

fn checked_state(target: &mut Target) -> Result<(), Fault> {
    // One that is too long would make an address that is.
    let state = target.state.take_if(|state| state.len() > MAX_OPAQUE);
    match state {
        Some(_) => Err(Fault::invalid("state is longer than 1024 bytes")),
        None => Ok(()),
    }
}

pub(super) fn response_type(parameters: &Parameters) -> Result<(), Fault> {
    match parameters.get("response_type") {
        Some("code" | "post_message") => Ok(()),
        Some(_) => Err(Fault::new("unsupported_response_type", "response_type must be code")),
        None => Err(Fault::invalid("response_type is missing")),
    }
}

/// Parameters that would change what the site gets, if they were obeyed.
fn check_rest(parameters: &Parameters, is_code: bool) -> Result<(), Fault> {
    if parameters.get("request").is_some() {
        return Err(Fault::new("request_not_supported", "send the parameters themselves"));
    }
    if parameters.get("request_uri").is_some() {
        return Err(Fault::new("request_uri_not_supported", "send the parameters themselves"));
    }
    if is_code && parameters.get("response_mode").is_some_and(|mode| mode != "query") {
        return Err(Fault::invalid("response_mode must be query"));
    }
    // The person is asked each time, whatever `prompt` says; only that nobody is asked cannot be.
    if parameters.get("prompt").is_some_and(|prompt| prompt.split(' ').any(|it| it == "none")) {
        return Err(Fault::new("interaction_required", "the person is asked in any case"));
    }
    Ok(())
}

fn gone() -> Problem {
    Problem::new(
        StatusCode::GONE,
        "This login has no site any more",
        "Go back to the site and log in again.",
    )
}
