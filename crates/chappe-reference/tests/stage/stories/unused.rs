//! What clients read when they start, and of which a new account has nothing yet.

use serde_json::{Value as Json, json};

use crate::stage::{Scene, Stage};

const EMPTY: &str = "Claude's account is new: nothing of this kind is in it yet.";
const SETTING: &str = "Claude has not changed this setting.";
const NONE: &str = "The local Telegram has nothing of this kind.";

/// What an account has from its beginning.
const SETTINGS: [&str; 6] = [
    "account.getContactSignUpNotification",
    "account.getContentSettings",
    "account.getGlobalPrivacySettings",
    "account.getNotifySettings",
    "account.getPrivacy",
    "account.getReactionsNotifySettings",
];

/// Whether a method is one of these.
pub(super) fn is_about(method: &str) -> bool {
    request(method).is_some()
}

pub(super) async fn play(stage: &mut Stage, method: &str) -> Scene {
    let story = match method {
        setting if SETTINGS.contains(&setting) => SETTING,
        server if server.starts_with("help.") => NONE,
        _ => EMPTY,
    };
    stage.claude().await.asks(story, request(method).unwrap())
}

fn request(method: &str) -> Option<Json> {
    Some(match method {
        "account.getContactSignUpNotification"
        | "account.getContentSettings"
        | "account.getGlobalPrivacySettings"
        | "account.getReactionsNotifySettings"
        | "help.getPremiumPromo"
        | "messages.getAllDrafts"
        | "messages.getDialogFilters"
        | "stories.getAllStories" => json!({}),
        "account.getChatThemes"
        | "account.getDefaultEmojiStatuses"
        | "account.getDefaultProfilePhotoEmojis"
        | "account.getRecentEmojiStatuses"
        | "account.getSavedRingtones"
        | "account.getWallPapers"
        | "contacts.getContacts"
        | "help.getPeerColors"
        | "help.getPeerProfileColors"
        | "help.getTimezonesList"
        | "messages.getAllStickers"
        | "messages.getAttachMenuBots"
        | "messages.getAvailableEffects"
        | "messages.getAvailableReactions"
        | "messages.getDefaultTagReactions"
        | "messages.getFavedStickers"
        | "messages.getFeaturedStickers"
        | "messages.getQuickReplies"
        | "messages.getRecentStickers"
        | "messages.getSavedGifs"
        | "messages.getSavedReactionTags" => json!({ "hash": 0 }),
        "account.getNotifySettings" => json!({ "peer": { "_": "inputNotifyUsers" } }),
        "account.getPrivacy" => json!({ "key": { "_": "inputPrivacyKeyPhoneNumber" } }),
        "account.getThemes" => json!({ "format": "android", "hash": 0 }),
        "contacts.getTopPeers" => {
            json!({ "correspondents": true, "offset": 0, "limit": 20, "hash": 0 })
        }
        "messages.getEmojiKeywordsLanguages" => json!({ "lang_codes": ["en", "fr"] }),
        "messages.getPinnedDialogs" => json!({ "folder_id": 0 }),
        "messages.getRecentReactions" | "messages.getTopReactions" => {
            json!({ "limit": 50, "hash": 0 })
        }
        _ => return None,
    })
}
