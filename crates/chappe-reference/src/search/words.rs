//! What the search knows of English and of other libraries. The pages' script gets it with the index.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use super::text::{self, stem};

/// The tables, by stems.
#[derive(Debug)]
pub(super) struct Tables {
    /// What every sentence has.
    pub(super) stops: BTreeSet<String>,
    /// Two that are one word.
    pub(super) joined: BTreeMap<(String, String), String>,
    /// What may stand for a word in a text.
    pub(super) meant: BTreeMap<String, Vec<String>>,
    /// What people call something: the methods for it.
    pub(super) called: BTreeMap<String, Vec<String>>,
    /// What may be left out of a query to find it there, one after the other.
    pub(super) extra: [Vec<String>; 3],
}

/// The tables, made when they are first asked for.
pub(super) fn tables() -> &'static Tables {
    static TABLES: LazyLock<Tables> = LazyLock::new(|| Tables {
        stops: STOPS.split(' ').map(stem).collect(),
        joined: JOINED
            .iter()
            .map(|(one, other, both)| ((stem(one), stem(other)), stem(both)))
            .collect(),
        meant: MEANT
            .iter()
            .map(|(one, others)| (stem(one), others.split(' ').map(stem).collect()))
            .collect(),
        extra: ["", PLACES, PEOPLE].map(|words| words.split(' ').map(stem).collect()),
        called: CALLED
            .iter()
            .map(|(words, names)| {
                let words: Vec<String> = text::words(words).iter().map(|it| stem(it)).collect();
                (words.join(" "), names.split(' ').map(str::to_owned).collect())
            })
            .collect(),
    });
    &TABLES
}

/// What people call something, and the names of the methods for it, the likeliest first. The words are those that are left of a query: no [`STOPS`], two as one where
/// they are [`JOINED`].
const CALLED: &[(&str, &str)] = &[
    ("active session", "account.getAuthorizations"),
    ("answer callback", "messages.setBotCallbackAnswer"),
    ("ban", "channels.editBanned"),
    ("block", "contacts.block"),
    ("change name", "account.updateProfile"),
    ("change username", "account.updateUsername channels.updateUsername"),
    ("copy message", "messages.forwardMessages"),
    ("create group", "messages.createChat channels.createChannel"),
    ("download", "upload.getFile"),
    ("download document", "upload.getFile"),
    ("download file", "upload.getFile"),
    ("download media", "upload.getFile"),
    ("download photo", "upload.getFile"),
    ("download video", "upload.getFile"),
    ("get member", "channels.getParticipants messages.getFullChat"),
    ("get update", "updates.getDifference updates.getState"),
    ("invite link", "messages.exportChatInvite messages.getExportedChatInvites"),
    ("join", "channels.joinChannel messages.importChatInvite"),
    ("join invite", "messages.importChatInvite messages.checkChatInvite"),
    ("join invite link", "messages.importChatInvite messages.checkChatInvite"),
    ("join link", "messages.importChatInvite channels.joinChannel messages.checkChatInvite"),
    ("kick", "channels.editBanned messages.deleteChatUser"),
    ("leave", "channels.leaveChannel messages.deleteChatUser"),
    ("list chat", "messages.getDialogs messages.getChats"),
    ("list member", "channels.getParticipants messages.getFullChat"),
    ("login", "auth.signIn auth.sendCode"),
    ("login code", "auth.sendCode auth.signIn"),
    ("login phone", "auth.sendCode auth.signIn"),
    ("mark read", "messages.readHistory channels.readHistory"),
    ("member", "channels.getParticipants messages.getFullChat"),
    ("mute", "account.updateNotifySettings channels.editBanned"),
    ("pin", "messages.updatePinnedMessage"),
    ("pin message", "messages.updatePinnedMessage"),
    ("promote", "channels.editAdmin messages.editChatAdmin"),
    ("remove member", "channels.editBanned messages.deleteChatUser"),
    ("remove user", "channels.editBanned messages.deleteChatUser"),
    ("send document", "messages.sendMedia"),
    ("send file", "messages.sendMedia"),
    ("send photo", "messages.sendMedia"),
    ("send video", "messages.sendMedia"),
    ("session", "account.getAuthorizations"),
    ("terminate session", "account.resetAuthorization"),
    ("unban", "channels.editBanned"),
    ("unblock", "contacts.unblock"),
    ("unmute", "account.updateNotifySettings channels.editBanned"),
    ("upload file", "upload.saveFilePart upload.saveBigFilePart"),
    ("user info", "users.getFullUser"),
];

/// Where something happens, and to whom: words that change little of what is asked for.
const PLACES: &str = "channel chat group supergroup";
const PEOPLE: &str = "bot member people person somebody someone user";

/// Words that every sentence has.
const STOPS: &str = "a an and are as at be been by can do does for from has have how i if in into is it \
                     its me my no not of on one or out that the their them then they this to up was \
                     what when where which who whose will with you your";

/// Two words that are one.
const JOINED: &[(&str, &str, &str)] = &[
    ("log", "in", "login"),
    ("log", "off", "logout"),
    ("log", "on", "login"),
    ("log", "out", "logout"),
    ("sign", "in", "login"),
    ("sign", "out", "logout"),
    ("sign", "up", "signup"),
    ("two", "factor", "2fa"),
    ("two", "step", "2fa"),
    ("user", "name", "username"),
    ("web", "site", "website"),
];

/// A word, and those that may stand for it in a text.
const MEANT: &[(&str, &str)] = &[
    ("2fa", "password"),
    ("avatar", "photo profile"),
    ("call", "phone"),
    ("change", "edit update set"),
    ("conversation", "chat dialog"),
    ("delete", "remove clear"),
    ("device", "authorization session"),
    ("download", "file get"),
    ("edit", "change update"),
    ("erase", "delete clear"),
    ("fetch", "get"),
    ("folder", "dialog filter"),
    ("gif", "animation"),
    ("group", "chat channel"),
    ("id", "access"),
    ("image", "photo"),
    ("kick", "ban remove"),
    ("list", "get"),
    ("load", "get"),
    ("login", "authorization auth"),
    ("logout", "end reset"),
    ("msg", "message"),
    ("mute", "notify notification ban"),
    ("name", "title username"),
    ("nickname", "username"),
    ("picture", "photo"),
    ("register", "signup"),
    ("remove", "delete clear"),
    ("rename", "title name edit"),
    ("session", "authorization device"),
    ("show", "get"),
    ("site", "web website"),
    ("supergroup", "channel megagroup"),
    ("tag", "hashtag"),
    ("topic", "forum thread"),
    ("unblock", "block"),
    ("upload", "save file"),
    ("user", "somebody member person"),
    ("web", "website site"),
    ("website", "web site"),
    ("write", "send"),
];

/// Modules in front of names, of ours and of other libraries.
pub(super) const NOISE: &str = "api chappe client constructors enums errors functions gramjs methods new \
                                pyrogram raw telegram telethon tl types";

/// What other libraries hang on to names.
pub(super) const TAILS: &str = "request error exception";
