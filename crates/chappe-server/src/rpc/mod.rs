//! Requests: from the bytes of a call to the bytes of its answer.
//!
//! [`answer`] unwraps a request, decides whether its caller may make it, and hands it to the
//! function of its route. [`ROUTES`] is the one list of what is implemented. A method of the schema
//! that is not in it is answered with 400 METHOD_INVALID, an id of no schema with 400
//! INPUT_METHOD_INVALID, unreadable arguments with 400 INPUT_FETCH_ERROR.
//!
//! A temporary key is seen in [`answer`] only: behind the routes a caller is known by the permanent key
//! that it stands for. Sessions, their layers and what is pushed to them go by the key on the wire.

mod account;
mod auth;
mod callbacks;
mod contacts;
mod help;
mod history;
mod keyboard;
mod layer;
mod limit;
mod login;
mod messages;
mod news;
mod password;
mod popup;
mod sending;
mod startup;
mod updates;
mod url_auth;
mod users;
mod wrappers;

#[cfg(test)]
mod tests;

use std::{borrow::Cow, collections::BTreeSet, net::SocketAddr};

use bytes::Bytes;
use chappe_api::errors;
use chappe_tl::{Callers, Decode, Encode, ErrorName, Function};

use self::{layer::Back, wrappers::Envelope};
pub(crate) use self::{limit::Limit, news::deliver};
use crate::{
    failure::{Failure, Outcome, Stop},
    world::{Caller, KeyState, User, Void, World},
};

/// What the answers depend on besides the world.
#[derive(Clone, Debug)]
pub(crate) struct Site {
    addresses: Vec<(i32, SocketAddr)>,
    limits: Vec<Limit>,
}

impl Site {
    /// A server whose data centres listen on these addresses.
    pub(crate) fn new(addresses: Vec<(i32, SocketAddr)>, limits: Vec<Limit>) -> Self {
        Self { addresses, limits }
    }
}

/// One request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Request<'a> {
    /// The time, unix seconds.
    pub(crate) now: i32,
    /// Who asks.
    pub(crate) caller: Caller,
    /// The address that the caller dialled.
    pub(crate) dialled: SocketAddr,
    /// Names the request within the session.
    pub(crate) msg_id: i64,
    /// The request with its wrappers, in the caller's layer.
    pub(crate) body: &'a Bytes,
}

/// What a request comes to.
#[derive(Debug)]
pub(crate) struct Reply {
    /// The TL name of the method; a word for what has none.
    pub(crate) method: Cow<'static, str>,
    /// The answer in the caller's layer, or the refusal.
    pub(crate) result: Result<Bytes, Failure>,
    /// What other sessions are told.
    pub(crate) pushes: Vec<Push>,
    /// Keys that are no keys any more.
    pub(crate) gone: Vec<i64>,
    /// What takes the place of the answer when it comes.
    pub(crate) waits: Option<Waits>,
    /// What others wait for, by question, in our layer.
    pub(crate) answers: Vec<(i64, Bytes)>,
}

/// A request whose answer a bot has to give.
#[derive(Debug)]
pub(crate) struct Waits {
    /// The question to the bot.
    pub(crate) query_id: i64,
    back: Back,
}

impl Waits {
    /// What the caller hears: the bot's answer, or if there is none, that it took too long.
    pub(crate) fn end(&self, answer: Option<Bytes>) -> Result<Bytes, Failure> {
        let answer = answer.ok_or(errors::BOT_RESPONSE_TIMEOUT)?;
        layer::lower(&self.back, answer).map_err(|_| Failure::INTERNAL)
    }
}

/// An object for a session that did not ask.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Push {
    /// The session's key.
    pub(crate) auth_key_id: i64,
    /// The session.
    pub(crate) session_id: i64,
    /// The object, in the session's layer.
    pub(crate) body: Bytes,
}

/// A request on its way: what the functions behind the routes see.
pub(crate) struct Call<'a> {
    world: &'a mut World,
    site: &'a Site,
    now: i32,
    /// Who asks. A temporary key is not to be seen here: its place is taken by the permanent one.
    caller: Caller,
    /// The session as it is on the wire, with a temporary key if it has one.
    session: Caller,
    msg_id: i64,
    dialled: SocketAddr,
    key: KeyState,
    user: Option<User>,
    gone: Vec<i64>,
    /// The question to a bot whose answer takes the place of this request's.
    waits_for: Option<i64>,
}

impl Call<'_> {
    /// The user who is signed in. Routes that may be called signed out must not ask.
    fn me(&self) -> Outcome<&User> {
        Ok(self.user.as_ref().ok_or(errors::AUTH_KEY_UNREGISTERED)?)
    }

    /// The id of the user who is signed in.
    fn my_id(&self) -> Outcome<i64> {
        Ok(self.me()?.id)
    }
}

/// One method: what is known of it, and what answers it.
struct Route {
    id: u32,
    name: &'static str,
    callers: Callers,
    run: fn(&mut Call<'_>, &Bytes) -> Outcome<Bytes>,
}

/// Decodes, runs and encodes one method.
fn run<F: Function + Decode>(
    call: &mut Call<'_>,
    body: &Bytes,
    run: fn(&mut Call<'_>, F) -> Outcome<F::Return>,
) -> Outcome<Bytes>
where
    F::Return: Encode,
{
    let request = F::from_bytes(body).map_err(|_| errors::INPUT_FETCH_ERROR)?;
    Ok(run(call, request)?.to_bytes())
}

macro_rules! routes {
    ($($method:path => $run:expr,)*) => {
        &[$(Route {
            id: <$method as Function>::ID,
            name: <$method as Function>::NAME,
            callers: <$method as Function>::CALLERS,
            run: |call, body| run::<$method>(call, body, $run),
        },)*]
    };
}

/// Every method that is implemented.
static ROUTES: &[Route] = routes! {
    chappe_api::account::CancelPasswordEmail => password::cancel_email,
    chappe_api::account::ChangeAuthorizationSettings => account::change_authorization_settings,
    chappe_api::account::ConfirmPasswordEmail => password::confirm_email,
    chappe_api::account::DeclinePasswordReset => password::decline_reset,
    chappe_api::account::GetAccountTtl => account::get_account_ttl,
    chappe_api::account::GetAuthorizations => account::get_authorizations,
    chappe_api::account::GetPassword => password::get,
    chappe_api::account::GetPasswordSettings => password::get_settings,
    chappe_api::account::GetWebAuthorizations => account::get_web_authorizations,
    chappe_api::account::InvalidateSignInCodes => login::invalidate_sign_in_codes,
    chappe_api::account::ResendPasswordEmail => password::resend_email,
    chappe_api::account::ResetAuthorization => account::reset_authorization,
    chappe_api::account::ResetPassword => password::reset,
    chappe_api::account::ResetWebAuthorization => account::reset_web_authorization,
    chappe_api::account::ResetWebAuthorizations => account::reset_web_authorizations,
    chappe_api::account::SendVerifyEmailCode => login::send_verify_email_code,
    chappe_api::account::SetAccountTtl => account::set_account_ttl,
    chappe_api::account::SetAuthorizationTtl => account::set_authorization_ttl,
    chappe_api::account::UpdatePasswordSettings => password::update_settings,
    chappe_api::account::UpdateStatus => account::update_status,
    chappe_api::account::VerifyEmail => login::verify_email,
    chappe_api::auth::AcceptLoginToken => auth::accept_login_token,
    chappe_api::auth::BindTempAuthKey => auth::bind_temp_auth_key,
    chappe_api::auth::CancelCode => login::cancel_code,
    chappe_api::auth::CheckPaidAuth => login::check_paid_auth,
    chappe_api::auth::CheckPassword => password::check,
    chappe_api::auth::CheckRecoveryPassword => password::check_recovery,
    chappe_api::auth::DropTempAuthKeys => auth::drop_temp_auth_keys,
    chappe_api::auth::ExportAuthorization => auth::export_authorization,
    chappe_api::auth::ExportLoginToken => auth::export_login_token,
    chappe_api::auth::ImportAuthorization => auth::import_authorization,
    chappe_api::auth::ImportBotAuthorization => auth::import_bot_authorization,
    chappe_api::auth::ImportLoginToken => auth::import_login_token,
    chappe_api::auth::LogOut => auth::log_out,
    chappe_api::auth::RecoverPassword => password::recover,
    chappe_api::auth::ReportMissingCode => login::report_missing_code,
    chappe_api::auth::RequestFirebaseSms => login::request_firebase_sms,
    chappe_api::auth::RequestPasswordRecovery => password::request_recovery,
    chappe_api::auth::ResendCode => login::resend_code,
    chappe_api::auth::ResetAuthorizations => auth::reset_authorizations,
    chappe_api::auth::ResetLoginEmail => login::reset_login_email,
    chappe_api::auth::SendCode => login::send_code,
    chappe_api::auth::SignIn => login::sign_in,
    chappe_api::auth::SignUp => login::sign_up,
    chappe_api::bots::AllowSendMessage => sending::allow_send_message,
    chappe_api::bots::CanSendMessage => sending::can_send_message,
    chappe_api::contacts::Block => contacts::block,
    chappe_api::contacts::GetContacts => contacts::get_contacts,
    chappe_api::contacts::ResolveUsername => contacts::resolve_username,
    chappe_api::contacts::Unblock => contacts::unblock,
    chappe_api::help::AcceptTermsOfService => login::accept_terms_of_service,
    chappe_api::help::GetAppConfig => help::get_app_config,
    chappe_api::help::GetAppUpdate => help::get_app_update,
    chappe_api::help::GetConfig => help::get_config,
    chappe_api::help::GetCountriesList => help::get_countries_list,
    chappe_api::help::GetNearestDc => help::get_nearest_dc,
    chappe_api::help::GetPeerColors => startup::peer_colors,
    chappe_api::help::GetPeerProfileColors => startup::peer_profile_colors,
    chappe_api::help::GetPremiumPromo => startup::premium_promo,
    chappe_api::help::GetPromoData => help::get_promo_data,
    chappe_api::help::GetTermsOfServiceUpdate => help::get_terms_of_service_update,
    chappe_api::help::GetTimezonesList => startup::timezones,
    chappe_api::langpack::GetDifference => help::get_lang_pack_difference,
    chappe_api::langpack::GetLangPack => help::get_lang_pack,
    chappe_api::langpack::GetLanguages => help::get_languages,
    chappe_api::langpack::GetStrings => help::get_strings,
    chappe_api::messages::AcceptUrlAuth => url_auth::accept_url_auth,
    chappe_api::messages::CheckUrlAuthMatchCode => url_auth::check_url_auth_match_code,
    chappe_api::messages::DeclineUrlAuth => url_auth::decline_url_auth,
    chappe_api::messages::RequestUrlAuth => url_auth::request_url_auth,
    chappe_api::messages::DeleteMessages => sending::delete_messages,
    chappe_api::messages::EditMessage => sending::edit_message,
    chappe_api::messages::GetBotCallbackAnswer => callbacks::get_bot_callback_answer,
    chappe_api::messages::GetDialogs => history::get_dialogs,
    chappe_api::messages::GetHistory => history::get_history,
    chappe_api::messages::GetMessages => history::get_messages,
    chappe_api::messages::GetPeerDialogs => history::get_peer_dialogs,
    chappe_api::messages::ReadHistory => history::read_history,
    chappe_api::messages::SendMessage => sending::send_message,
    chappe_api::messages::SetBotCallbackAnswer => callbacks::set_bot_callback_answer,
    chappe_api::messages::SetTyping => sending::set_typing,
    chappe_api::messages::StartBot => sending::start_bot,
    chappe_api::updates::GetDifference => updates::get_difference,
    chappe_api::updates::GetState => updates::get_state,
    chappe_api::users::GetFullUser => users::get_full_user,
    chappe_api::users::GetUsers => users::get_users,
    chappe_api::account::GetChatThemes => startup::chat_themes,
    chappe_api::account::GetContactSignUpNotification => startup::contact_sign_up_notification,
    chappe_api::account::GetContentSettings => startup::content_settings,
    chappe_api::account::GetDefaultEmojiStatuses => startup::default_emoji_statuses,
    chappe_api::account::GetDefaultProfilePhotoEmojis => startup::default_profile_photo_emojis,
    chappe_api::account::GetGlobalPrivacySettings => startup::global_privacy_settings,
    chappe_api::account::GetNotifySettings => startup::notify_settings,
    chappe_api::account::GetPrivacy => startup::privacy,
    chappe_api::account::GetReactionsNotifySettings => startup::reactions_notify_settings,
    chappe_api::account::GetRecentEmojiStatuses => startup::recent_emoji_statuses,
    chappe_api::account::GetSavedRingtones => startup::saved_ringtones,
    chappe_api::account::GetThemes => startup::themes,
    chappe_api::account::GetWallPapers => startup::wall_papers,
    chappe_api::contacts::GetBlocked => contacts::get_blocked,
    chappe_api::contacts::GetTopPeers => contacts::get_top_peers,
    chappe_api::messages::GetAllDrafts => startup::all_drafts,
    chappe_api::messages::GetAllStickers => startup::all_stickers,
    chappe_api::messages::GetAttachMenuBots => startup::attach_menu_bots,
    chappe_api::messages::GetAvailableEffects => startup::available_effects,
    chappe_api::messages::GetAvailableReactions => startup::available_reactions,
    chappe_api::messages::GetDefaultTagReactions => startup::default_tag_reactions,
    chappe_api::messages::GetDialogFilters => startup::dialog_filters,
    chappe_api::messages::GetEmojiKeywordsLanguages => startup::emoji_keywords_languages,
    chappe_api::messages::GetFavedStickers => startup::faved_stickers,
    chappe_api::messages::GetFeaturedStickers => startup::featured_stickers,
    chappe_api::messages::GetPinnedDialogs => startup::pinned_dialogs,
    chappe_api::messages::GetQuickReplies => startup::quick_replies,
    chappe_api::messages::GetRecentReactions => startup::recent_reactions,
    chappe_api::messages::GetRecentStickers => startup::recent_stickers,
    chappe_api::messages::GetSavedGifs => startup::saved_gifs,
    chappe_api::messages::GetSavedReactionTags => startup::saved_reaction_tags,
    chappe_api::messages::GetTopReactions => startup::top_reactions,
    chappe_api::stories::GetAllStories => startup::all_stories,
};

/// What stands for the name of a request that no layer knows.
const UNREADABLE: &str = "unknown";

/// What a temporary key may call before it is bound to a permanent one; the ids are those of all
/// layers. (core.telegram.org/api/pfs)
const BEFORE_BINDING: [u32; 3] =
    [BIND, chappe_api::help::GetConfig::ID, chappe_api::help::GetNearestDc::ID];

/// What binds a temporary key. It needs no introduction: one is due after it, not before.
/// (core.telegram.org/api/pfs)
const BIND: u32 = chappe_api::auth::BindTempAuthKey::ID;

/// What a device session may call in a data centre where its user does not live: what needs
/// nothing that is kept at home. Names that end in a dot stand for all methods behind them.
/// Assumed: Telegram's own list is not known.
const ABROAD: [&str; 4] = ["help.", "langpack.", "upload.", "users.getUsers"];

/// The names of the methods that are implemented, in alphabetical order.
pub(crate) fn methods() -> Vec<&'static str> {
    let mut names: Vec<_> = ROUTES.iter().map(|route| route.name).collect();
    names.extend(wrappers::NAMES);
    names.sort_unstable();
    names
}

/// Answers one request, as one transaction of the world.
pub(crate) fn answer(world: &mut World, site: &Site, request: &Request<'_>) -> Reply {
    let (mut gone, mut waits, mut name) = (Vec::new(), None, "");
    world.set_asking(Some(request.caller));
    let result = world.transaction(|world| {
        let id = request.caller.auth_key_id;
        let Some(mut key) = world.key_state(id)?.filter(|key| is_good(key, request.now)) else {
            gone.push(id);
            return Err(errors::AUTH_KEY_UNREGISTERED.into());
        };
        if let Some(user_id) = key.user_id
            && world.end_idle(request.now, user_id)?
        {
            key = world.key_state(id)?.unwrap_or(key);
        }
        let result;
        (result, gone, waits) = unwrapped(world, site, request, key, &mut name)?;
        Ok(result)
    });
    world.set_asking(None);
    let mut pushes = deliver(world);
    let answers = world.take_answers().into_iter();
    let answers = answers.map(|(query_id, answer)| (query_id, answer.to_bytes())).collect();
    world.remember(request.caller, request.msg_id, result.is_ok());
    match &result {
        Ok(_) => tracing::debug!(method = name, "answered"),
        Err(failure) => {
            tracing::debug!(method = name, code = failure.code, error = %failure.message, "refused");
            pushes.extend(popup::popup(world, request, failure));
        }
    }
    let method = match name {
        "" => method_of(world, request.caller, request.body).into(),
        name => name.into(),
    };
    Reply { method, result, pushes, gone, waits, answers }
}

/// Does not answer a request, but refuses it, or with `None` keeps silent about it.
pub(crate) fn refuse(world: &mut World, request: &Request<'_>, failure: Option<Failure>) -> Reply {
    world.remember(request.caller, request.msg_id, false);
    let method = method_of(world, request.caller, request.body).into();
    let failure = failure.unwrap_or(Failure::INTERNAL);
    Reply {
        method,
        result: Err(failure),
        pushes: Vec::new(),
        gone: Vec::new(),
        waits: None,
        answers: Vec::new(),
    }
}

/// The TL name of the method of a request in any layer; a word for what has none.
pub(crate) fn method_of(world: &World, caller: Caller, body: &Bytes) -> String {
    let Ok(envelope) = Envelope::open(body) else { return UNREADABLE.to_owned() };
    let announced = envelope.layer.filter(|layer| layer::is_spoken(*layer));
    let held = || layer::of(world, caller.auth_key_id, caller.session_id).ok();
    let layer = announced.or_else(held).unwrap_or(chappe_api::LAYER);
    layer::method(layer, &envelope.query).unwrap_or_else(|| UNREADABLE.to_owned())
}

/// The ids of the constructors of this name in all layers.
pub(crate) fn ids_of(constructor: &str) -> BTreeSet<u32> {
    layer::ids_of(constructor)
}

/// Whether the time of a key is not over.
fn is_good(key: &KeyState, now: i32) -> bool {
    key.expires.is_none_or(|expires| expires > now)
}

/// Takes the wrappers off, checks the caller, runs the method.
fn unwrapped(
    world: &mut World,
    site: &Site,
    request: &Request<'_>,
    key: KeyState,
    name: &mut &'static str,
) -> Outcome<(Bytes, Vec<i64>, Option<Waits>)> {
    let Request { now, caller: session, dialled, msg_id, body } = *request;
    if key.void == Some(Void::Duplicated) {
        return Err(errors::AUTH_KEY_DUPLICATED.into());
    }
    let envelope = Envelope::open(body)?;
    let id = layer::id(&envelope.query)?;
    if key.stands_for.is_none() && !BEFORE_BINDING.contains(&id) {
        return Err(errors::AUTH_KEY_PERM_EMPTY.into());
    }
    let caller = Caller { auth_key_id: key.stands_for.unwrap_or(session.auth_key_id), ..session };
    world.session(session);
    envelope.introduce(world, session)?;
    if !key.introduced && envelope.device.is_none() && id != BIND {
        return Err(errors::CONNECTION_NOT_INITED.into());
    }
    let layer = match id {
        BIND => chappe_api::LAYER,
        _ => layer::of(world, session.auth_key_id, session.session_id)?,
    };
    envelope.check_order(world, session)?;

    let (query, back) = layer::lift(layer, &envelope.query)?;
    let route = route(&query)?;
    *name = route.name;
    let user = match key.user_id {
        Some(id) => world.user(id)?,
        None => None,
    };
    if let Some(reason) = key.void.filter(|_| !route.callers.signed_out) {
        return Err(refusal(reason).into());
    }
    admit(route, user.as_ref(), &envelope)?;
    if let Some(user) = user.as_ref().filter(|_| key.is_imported() && !is_served_abroad(route)) {
        return Err(Failure::valued(errors::USER_MIGRATE_X, world.home(user).into()).into());
    }
    let who = user.as_ref().map_or(caller.auth_key_id, |user| user.id);
    limit::check(world, &site.limits, now, who, route.name)?;
    if !envelope.without_updates {
        world.session(session).updates = true;
    }
    world.touch(now, session.ip, &key)?;

    let mut call = Call {
        world,
        site,
        now,
        caller,
        session,
        msg_id,
        dialled,
        key,
        user,
        gone: Vec::new(),
        waits_for: None,
    };
    let answer = (route.run)(&mut call, &query)?;
    let (gone, answer) = (call.gone, layer::lower(&back, answer)?);
    Ok((answer, gone, call.waits_for.map(|query_id| Waits { query_id, back })))
}

/// Whether a method is answered in a data centre where its caller does not live. What may be
/// called by nobody has no home.
fn is_served_abroad(route: &Route) -> bool {
    let listed = ABROAD.iter().any(|name| match name.ends_with('.') {
        true => route.name.starts_with(name),
        false => route.name == *name,
    });
    listed || route.callers.signed_out
}

/// What the owner of a void key hears.
fn refusal(reason: Void) -> ErrorName {
    match reason {
        Void::Revoked => errors::SESSION_REVOKED,
        Void::Deactivated => errors::USER_DEACTIVATED,
        Void::Duplicated => errors::AUTH_KEY_DUPLICATED,
        Void::Expired => errors::SESSION_EXPIRED,
    }
}

/// Finds the route of a request in our layer.
fn route(query: &Bytes) -> Outcome<&'static Route> {
    let id = layer::id(query)?;
    let found = ROUTES.iter().find(|route| route.id == id);
    found.ok_or_else(|| match layer::is_method(id) {
        true => Stop::from(errors::METHOD_INVALID),
        false => Stop::from(Failure::unknown_method(id)),
    })
}

/// Decides whether this caller may call this method.
fn admit(route: &Route, user: Option<&User>, envelope: &Envelope) -> Outcome<()> {
    if envelope.takeout {
        return Err(errors::TAKEOUT_INVALID.into());
    }
    if envelope.business {
        // No business account has a bot here, so an allowed method finds no connection.
        return Err(match route.callers.business {
            true => errors::BUSINESS_CONNECTION_INVALID,
            false => errors::BUSINESS_CONNECTION_NOT_ALLOWED,
        }
        .into());
    }
    let Callers { user: for_users, bot: for_bots, signed_out, .. } = route.callers;
    match user {
        None if !signed_out => Err(errors::AUTH_KEY_UNREGISTERED.into()),
        Some(user) if user.bot && !for_bots => Err(errors::BOT_METHOD_INVALID.into()),
        Some(user) if !user.bot && !for_users => Err(errors::USER_BOT_REQUIRED.into()),
        _ => Ok(()),
    }
}
