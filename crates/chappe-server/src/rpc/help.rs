//! The server about itself: configuration, data centre, languages.

use std::net::SocketAddr;

use chappe_api::{
    enums::{self, JsonValue},
    help, langpack, types,
};
use chappe_crypto::sha256;
use chappe_tl::Text;

use super::Call;
use crate::{
    failure::Outcome,
    world::{AUTOCONFIRM_PERIOD, NEAREST_COUNTRY},
};

/// How long the answers of this module may be kept, in seconds.
const KEEP_SECONDS: i32 = 3_600;

/// Names the application configuration below, but for the domains in it; change it with every change
/// there.
const APP_CONFIG_HASH: u32 = 1;

/// Where links are followed by a token that logs in, without a question. Nobody here takes such a
/// token, so it is a domain that belongs to nobody. (RFC 2606)
const AUTOLOGIN_DOMAINS: [&str; 1] = ["autologin.example.com"];

/// Names the list of countries below; change it with every change there.
const COUNTRIES_HASH: i32 = 1;

/// The version of the language pack, which has no strings.
const LANG_PACK_VERSION: i32 = 1;

pub(super) fn get_config(call: &mut Call<'_>, _: help::GetConfig) -> Outcome<types::Config> {
    let this_dc = call.caller.dc;
    let dc_options = dc_options(&call.site.addresses, this_dc, call.dialled);
    let mut config = config(this_dc, dc_options, call.now);
    if call.user.as_ref().is_some_and(|user| !user.bot) {
        config.autologin_token = Some(call.world.autologin_token(call.now, call.my_id()?)?.into());
    }
    Ok(config)
}

pub(super) fn get_nearest_dc(
    call: &mut Call<'_>,
    _: help::GetNearestDc,
) -> Outcome<types::NearestDc> {
    let (this_dc, nearest_dc) = (call.caller.dc, call.world.dcs().main());
    Ok(types::NearestDc { country: NEAREST_COUNTRY.into(), this_dc, nearest_dc })
}

pub(super) fn get_app_config(
    call: &mut Call<'_>,
    request: help::GetAppConfig,
) -> Outcome<enums::help::AppConfig> {
    // Assumed: Telegram has a list of its own. Here an app asks about every site that has a bot.
    let sites = call.world.bot_domains()?;
    let hash = app_config_hash(&sites);
    if request.hash == hash {
        return Ok(enums::help::AppConfig::NotModified);
    }
    let entry = |key: &str, value| types::JsonObjectValue { key: key.into(), value };
    let value = vec![
        entry(
            "authorization_autoconfirm_period",
            types::JsonNumber { value: AUTOCONFIRM_PERIOD.into() }.into(),
        ),
        entry("autologin_domains", list(AUTOLOGIN_DOMAINS)),
        entry("test", types::JsonNumber { value: 1.0 }.into()),
        entry("url_auth_domains", list(sites)),
    ];
    let config = types::JsonObject { value }.into();
    Ok(types::help::AppConfig { hash, config }.into())
}

/// A list of texts as JSON.
fn list(items: impl IntoIterator<Item: Into<Text>>) -> JsonValue {
    let text = |item: _| types::JsonString { value: Into::into(item) }.into();
    types::JsonArray { value: items.into_iter().map(text).collect() }.into()
}

/// Names the application configuration with these sites in it.
fn app_config_hash(sites: &[String]) -> i32 {
    let digest = sha256(&[&APP_CONFIG_HASH.to_le_bytes(), sites.join("\n").as_bytes()]);
    let [first, second, third, fourth, ..] = digest;
    i32::from_le_bytes([first, second, third, fourth & 0x7f]).max(1)
}

pub(super) fn get_app_update(
    _: &mut Call<'_>,
    _: help::GetAppUpdate,
) -> Outcome<enums::help::AppUpdate> {
    Ok(enums::help::AppUpdate::NoAppUpdate)
}

pub(super) fn get_countries_list(
    _: &mut Call<'_>,
    request: help::GetCountriesList,
) -> Outcome<enums::help::CountriesList> {
    if request.hash == COUNTRIES_HASH {
        return Ok(enums::help::CountriesList::NotModified);
    }
    let code = types::help::CountryCode {
        country_code: "999".into(),
        prefixes: Some(vec!["66".into()]),
        patterns: Some(vec!["66 X XXXX".into()]),
    };
    let country = types::help::Country::new("ZZ", "Test numbers", vec![code]);
    Ok(types::help::CountriesList { countries: vec![country], hash: COUNTRIES_HASH }.into())
}

pub(super) fn get_promo_data(
    call: &mut Call<'_>,
    _: help::GetPromoData,
) -> Outcome<enums::help::PromoData> {
    let expires = call.now.saturating_add(KEEP_SECONDS);
    Ok(types::help::PromoDataEmpty { expires }.into())
}

pub(super) fn get_terms_of_service_update(
    call: &mut Call<'_>,
    _: help::GetTermsOfServiceUpdate,
) -> Outcome<enums::help::TermsOfServiceUpdate> {
    let expires = call.now.saturating_add(KEEP_SECONDS);
    Ok(types::help::TermsOfServiceUpdateEmpty { expires }.into())
}

pub(super) fn get_lang_pack(
    _: &mut Call<'_>,
    request: langpack::GetLangPack,
) -> Outcome<types::LangPackDifference> {
    Ok(lang_pack(request.lang_code, 0))
}

pub(super) fn get_lang_pack_difference(
    _: &mut Call<'_>,
    request: langpack::GetDifference,
) -> Outcome<types::LangPackDifference> {
    Ok(lang_pack(request.lang_code, request.from_version))
}

pub(super) fn get_languages(
    _: &mut Call<'_>,
    _: langpack::GetLanguages,
) -> Outcome<Vec<types::LangPackLanguage>> {
    Ok(vec![types::LangPackLanguage::new("English", "English", "en", "en", 0, 0, "")])
}

pub(super) fn get_strings(
    _: &mut Call<'_>,
    request: langpack::GetStrings,
) -> Outcome<Vec<enums::LangPackString>> {
    let deleted = |key| types::LangPackStringDeleted { key }.into();
    Ok(request.keys.into_iter().map(deleted).collect())
}

fn lang_pack(lang_code: Text, from_version: i32) -> types::LangPackDifference {
    let strings = Vec::new();
    types::LangPackDifference { lang_code, from_version, version: LANG_PACK_VERSION, strings }
}

/// Where the data centres are. Clients dial what they read here, so the one that was dialled is at
/// the address that worked, and what listens on every address of the machine is at the same host.
fn dc_options(
    addresses: &[(i32, SocketAddr)],
    this_dc: i32,
    dialled: SocketAddr,
) -> Vec<types::DcOption> {
    let mut options = vec![(this_dc, dialled)];
    for (id, address) in addresses {
        let mut address = *address;
        if address.ip().is_unspecified() {
            address.set_ip(dialled.ip());
        }
        // What the caller dialled for this data centre is known better than what it listens on.
        let known = *id == this_dc && address.is_ipv6() == dialled.is_ipv6();
        if !known {
            options.push((*id, address));
        }
    }
    options.sort_by_key(|(id, address)| (*id, address.is_ipv6()));
    let option = |(id, address): (i32, SocketAddr)| types::DcOption {
        ipv6: address.is_ipv6(),
        r#static: true,
        this_port_only: true,
        ..types::DcOption::new(id, address.ip().to_string(), i32::from(address.port()))
    };
    options.into_iter().map(option).collect()
}

/// The configuration.
fn config(dc_id: i32, dc_options: Vec<types::DcOption>, now: i32) -> types::Config {
    types::Config {
        default_p2p_contacts: false,
        preload_featured_stickers: false,
        revoke_pm_inbox: true,
        blocked_mode: false,
        force_try_ipv6: false,
        date: now,
        expires: now.saturating_add(KEEP_SECONDS),
        test_mode: false,
        this_dc: dc_id,
        dc_options,
        // No server of this kind is found by name.
        dc_txt_domain_name: Text::default(),
        chat_size_max: 200,
        megagroup_size_max: 200_000,
        forwarded_count_max: 100,
        online_update_period_ms: 210_000,
        offline_blur_timeout_ms: 5_000,
        offline_idle_timeout_ms: 30_000,
        online_cloud_timeout_ms: 300_000,
        notify_cloud_delay_ms: 30_000,
        notify_default_delay_ms: 1_500,
        push_chat_period_ms: 60_000,
        push_chat_limit: 2,
        edit_time_limit: 172_800,
        revoke_time_limit: i32::MAX,
        revoke_pm_time_limit: i32::MAX,
        rating_e_decay: 2_419_200,
        stickers_recent_limit: 200,
        channels_read_media_period: 604_800,
        tmp_sessions: None,
        call_receive_timeout_ms: 20_000,
        call_ring_timeout_ms: 90_000,
        call_connect_timeout_ms: 30_000,
        call_packet_timeout_ms: 10_000,
        me_url_prefix: "https://t.me/".into(),
        autoupdate_url_prefix: None,
        gif_search_username: None,
        venue_search_username: None,
        img_search_username: None,
        static_maps_provider: None,
        caption_length_max: 1_024,
        message_length_max: 4_096,
        webfile_dc_id: dc_id,
        suggested_lang_code: None,
        lang_pack_version: None,
        base_lang_pack_version: None,
        reactions_default: None,
        autologin_token: None,
    }
}
