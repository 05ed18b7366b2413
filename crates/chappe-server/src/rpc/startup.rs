//! What real clients read when they start, and of which this server has nothing: chats, stickers,
//! themes. Each read is answered in its type, with what an account has that never used it.

use chappe_api::{account, enums, help, messages, stories, types};
use chappe_tl::Function;

use super::{Call, updates};
use crate::failure::Outcome;

macro_rules! nothing {
    ($($name:ident: $method:path => $answer:expr;)*) => {$(
        pub(super) fn $name(
            _: &mut Call<'_>,
            _: $method,
        ) -> Outcome<<$method as Function>::Return> {
            Ok($answer.into())
        }
    )*};
}

nothing! {
    chat_themes: account::GetChatThemes => no_themes();
    contact_sign_up_notification: account::GetContactSignUpNotification => true;
    content_settings: account::GetContentSettings => types::account::ContentSettings::new();
    default_emoji_statuses: account::GetDefaultEmojiStatuses => no_emoji_statuses();
    default_profile_photo_emojis: account::GetDefaultProfilePhotoEmojis =>
        types::EmojiList { hash: 0, document_id: Vec::new() };
    global_privacy_settings: account::GetGlobalPrivacySettings =>
        types::GlobalPrivacySettings::new();
    notify_settings: account::GetNotifySettings => types::PeerNotifySettings::new();
    privacy: account::GetPrivacy => types::account::PrivacyRules {
        rules: vec![enums::PrivacyRule::PrivacyValueAllowAll],
        chats: Vec::new(),
        users: Vec::new(),
    };
    reactions_notify_settings: account::GetReactionsNotifySettings =>
        types::ReactionsNotifySettings::new(enums::NotificationSound::Default, true);
    recent_emoji_statuses: account::GetRecentEmojiStatuses => no_emoji_statuses();
    saved_ringtones: account::GetSavedRingtones =>
        types::account::SavedRingtones { hash: 0, ringtones: Vec::new() };
    themes: account::GetThemes => no_themes();
    wall_papers: account::GetWallPapers =>
        types::account::WallPapers { hash: 0, wallpapers: Vec::new() };

    peer_colors: help::GetPeerColors => no_colors();
    peer_profile_colors: help::GetPeerProfileColors => no_colors();
    premium_promo: help::GetPremiumPromo => types::help::PremiumPromo {
        status_text: "This server sells nothing.".into(),
        status_entities: Vec::new(),
        video_sections: Vec::new(),
        videos: Vec::new(),
        period_options: Vec::new(),
        users: Vec::new(),
    };
    timezones: help::GetTimezonesList =>
        types::help::TimezonesList { timezones: Vec::new(), hash: 0 };

    all_stickers: messages::GetAllStickers =>
        types::messages::AllStickers { hash: 0, sets: Vec::new() };
    attach_menu_bots: messages::GetAttachMenuBots =>
        types::AttachMenuBots { hash: 0, bots: Vec::new(), users: Vec::new() };
    available_effects: messages::GetAvailableEffects => types::messages::AvailableEffects {
        hash: 0,
        effects: Vec::new(),
        documents: Vec::new(),
    };
    available_reactions: messages::GetAvailableReactions =>
        types::messages::AvailableReactions { hash: 0, reactions: Vec::new() };
    default_tag_reactions: messages::GetDefaultTagReactions => no_reactions();
    dialog_filters: messages::GetDialogFilters =>
        types::messages::DialogFilters { tags_enabled: false, filters: Vec::new() };
    emoji_keywords_languages: messages::GetEmojiKeywordsLanguages => Vec::new();
    faved_stickers: messages::GetFavedStickers => types::messages::FavedStickers {
        hash: 0,
        packs: Vec::new(),
        stickers: Vec::new(),
    };
    featured_stickers: messages::GetFeaturedStickers => types::messages::FeaturedStickers {
        premium: false,
        hash: 0,
        count: 0,
        sets: Vec::new(),
        unread: Vec::new(),
    };
    quick_replies: messages::GetQuickReplies => types::messages::QuickReplies {
        quick_replies: Vec::new(),
        messages: Vec::new(),
        chats: Vec::new(),
        users: Vec::new(),
    };
    recent_reactions: messages::GetRecentReactions => no_reactions();
    recent_stickers: messages::GetRecentStickers => types::messages::RecentStickers {
        hash: 0,
        packs: Vec::new(),
        stickers: Vec::new(),
        dates: Vec::new(),
    };
    saved_gifs: messages::GetSavedGifs =>
        types::messages::SavedGifs { hash: 0, gifs: Vec::new() };
    saved_reaction_tags: messages::GetSavedReactionTags =>
        types::messages::SavedReactionTags { tags: Vec::new(), hash: 0 };
    top_reactions: messages::GetTopReactions => no_reactions();

    all_stories: stories::GetAllStories => types::stories::AllStories {
        has_more: false,
        count: 0,
        state: "".into(),
        peer_stories: Vec::new(),
        chats: Vec::new(),
        users: Vec::new(),
        stealth_mode: types::StoriesStealthMode::new(),
    };
}

pub(super) fn all_drafts(
    call: &mut Call<'_>,
    _: messages::GetAllDrafts,
) -> Outcome<enums::Updates> {
    let (updates, users, chats) = (Vec::new(), Vec::new(), Vec::new());
    Ok(types::Updates { updates, users, chats, date: call.now, seq: 0 }.into())
}

pub(super) fn pinned_dialogs(
    call: &mut Call<'_>,
    _: messages::GetPinnedDialogs,
) -> Outcome<types::messages::PeerDialogs> {
    Ok(types::messages::PeerDialogs {
        dialogs: Vec::new(),
        messages: Vec::new(),
        chats: Vec::new(),
        users: Vec::new(),
        state: updates::state(call.world.state(call.my_id()?)?, call.now),
    })
}

fn no_colors() -> types::help::PeerColors {
    types::help::PeerColors { hash: 0, colors: Vec::new() }
}

fn no_emoji_statuses() -> types::account::EmojiStatuses {
    types::account::EmojiStatuses { hash: 0, statuses: Vec::new() }
}

fn no_reactions() -> types::messages::Reactions {
    types::messages::Reactions { hash: 0, reactions: Vec::new() }
}

fn no_themes() -> types::account::Themes {
    types::account::Themes { hash: 0, themes: Vec::new() }
}
