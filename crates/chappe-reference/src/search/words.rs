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
    /// What people call something: the methods for it, or the error.
    pub(super) called: BTreeMap<String, Vec<String>>,
    /// What may be left out of a query to find it there, one after the other.
    pub(super) extra: [Vec<String>; 4],
    /// Words of messages, and what they are about.
    pub(super) sayings: Vec<(Vec<String>, Vec<String>)>,
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
        extra: ["", EVERY, PLACES, PEOPLE].map(|words| words.split(' ').map(stem).collect()),
        sayings: SAYINGS
            .iter()
            .map(|(words, names)| {
                let words = words.split(' ').map(stem).collect();
                (words, names.iter().map(|name| (*name).to_owned()).collect())
            })
            .collect(),
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

/// What people call something, and the names of the methods for it, or of the error, the likeliest first. The words are
/// those that are left of a query: no [`STOPS`], two as one where they are [`JOINED`].
pub(super) const CALLED: &[(&str, &str)] = &[
    ("2fa", "account.getPassword auth.checkPassword account.updatePasswordSettings"),
    ("2fa password", "account.getPassword auth.checkPassword account.updatePasswordSettings"),
    ("active session", "account.getAuthorizations"),
    ("add member", "channels.inviteToChannel messages.addChatUser"),
    ("account limit", "help.getAppConfig help.getConfig"),
    ("admin", "channels.getParticipants channels.editAdmin"),
    ("answer callback", "messages.setBotCallbackAnswer"),
    ("archive", "folders.editPeerFolders"),
    ("ban", "channels.editBanned"),
    ("bio", "account.updateProfile"),
    ("block", "contacts.block"),
    ("boost", "premium.getBoostsList premium.getBoostsStatus premium.applyBoost"),
    ("bot command", "bots.setBotCommands bots.getBotCommands"),
    ("bot token", "auth.importBotAuthorization"),
    ("button", "messages.sendMessage messages.getBotCallbackAnswer"),
    ("buy gift", "payments.getStarGifts payments.sendStarsForm payments.getPaymentForm"),
    ("buy star gift", "payments.getStarGifts payments.sendStarsForm payments.getPaymentForm"),
    ("call", "phone.requestCall phone.createGroupCall"),
    ("catch", "updates.getDifference updates.getState"),
    ("change bio", "account.updateProfile"),
    ("change name", "account.updateProfile"),
    ("change owner", "messages.editChatCreator"),
    ("change password", "account.updatePasswordSettings"),
    ("change username", "account.updateUsername channels.updateUsername"),
    ("channel difference", "updates.getChannelDifference"),
    ("channel info", "channels.getFullChannel"),
    ("clear", "messages.deleteHistory channels.deleteHistory"),
    ("clear history", "messages.deleteHistory channels.deleteHistory"),
    ("click button", "messages.getBotCallbackAnswer"),
    ("close poll", "messages.editMessage"),
    ("comment", "messages.getDiscussionMessage messages.getReplies"),
    ("connect website", "account.getWebAuthorizations account.resetWebAuthorization"),
    ("copy message", "messages.forwardMessages"),
    ("create group", "messages.createChat channels.createChannel"),
    ("device", "account.getAuthorizations"),
    ("difference", "updates.getDifference updates.getChannelDifference"),
    ("disconnect website", "account.resetWebAuthorization account.resetWebAuthorizations"),
    ("download", "upload.getFile"),
    ("download document", "upload.getFile"),
    ("download file", "upload.getFile"),
    ("download media", "upload.getFile"),
    ("download photo", "upload.getFile"),
    ("download video", "upload.getFile"),
    ("draft", "messages.saveDraft messages.getAllDrafts"),
    ("emoji status", "account.updateEmojiStatus"),
    ("export data", "account.initTakeoutSession"),
    ("find phone", "contacts.resolvePhone contacts.importContacts"),
    ("flood", "FLOOD_WAIT_X"),
    ("folder", "messages.getDialogFilters messages.updateDialogFilter folders.editPeerFolders"),
    ("forgot password", "auth.requestPasswordRecovery account.resetPassword"),
    ("get admin", "channels.getParticipants messages.getFullChat"),
    ("get entity", "contacts.resolveUsername users.getUsers channels.getChannels"),
    ("get info", "channels.getFullChannel messages.getFullChat users.getFullUser"),
    ("get member", "channels.getParticipants messages.getFullChat"),
    ("get message", "messages.getMessages channels.getMessages messages.getHistory"),
    ("get message link", "messages.getMessages channels.getMessages channels.exportMessageLink"),
    ("get update", "updates.getDifference updates.getState"),
    ("get user info", "users.getFullUser users.getUsers"),
    ("gift", "payments.getStarGifts payments.getSavedStarGifts payments.sendStarsForm"),
    ("go online", "account.updateStatus"),
    ("group call", "phone.createGroupCall phone.joinGroupCall phone.getGroupCall"),
    ("hide member", "channels.toggleParticipantsHidden"),
    ("history", "messages.getHistory"),
    ("info", "channels.getFullChannel messages.getFullChat users.getFullUser"),
    ("inline bot", "messages.getInlineBotResults messages.setInlineBotResults"),
    ("inline keyboard", "messages.sendMessage messages.editMessage"),
    ("inline query", "messages.getInlineBotResults messages.setInlineBotResults"),
    ("invite link", "messages.exportChatInvite messages.getExportedChatInvites"),
    ("invite member", "channels.inviteToChannel messages.addChatUser"),
    ("invoice", "payments.getPaymentForm payments.exportInvoice messages.sendMedia"),
    ("join", "channels.joinChannel messages.importChatInvite"),
    ("join invite", "messages.importChatInvite messages.checkChatInvite"),
    ("join invite link", "messages.importChatInvite messages.checkChatInvite"),
    ("join link", "messages.importChatInvite channels.joinChannel messages.checkChatInvite"),
    (
        "join request",
        "messages.getChatInviteImporters messages.hideChatJoinRequest messages.hideAllChatJoinRequests",
    ),
    ("kick", "channels.editBanned messages.deleteChatUser"),
    ("last seen", "account.setPrivacy account.updateStatus"),
    ("leave", "channels.leaveChannel messages.deleteChatUser"),
    ("limit", "help.getAppConfig help.getConfig"),
    ("list admin", "channels.getParticipants messages.getFullChat"),
    ("list chat", "messages.getDialogs messages.getChats"),
    ("list member", "channels.getParticipants messages.getFullChat"),
    ("list message", "messages.getHistory messages.getMessages"),
    ("login", "auth.signIn auth.sendCode"),
    ("login bot", "auth.importBotAuthorization"),
    ("login bot token", "auth.importBotAuthorization"),
    ("login code", "auth.sendCode auth.signIn"),
    ("login phone", "auth.sendCode auth.signIn"),
    (
        "login website",
        "messages.requestUrlAuth messages.acceptUrlAuth account.getWebAuthorizations",
    ),
    ("login widget", "messages.requestUrlAuth messages.acceptUrlAuth account.getWebAuthorizations"),
    ("logout device", "account.resetAuthorization auth.resetAuthorizations"),
    ("logout everywhere", "auth.resetAuthorizations"),
    ("logout other device", "auth.resetAuthorizations account.resetAuthorization"),
    ("make admin", "channels.editAdmin messages.editChatAdmin"),
    ("mark read", "messages.readHistory channels.readHistory"),
    ("member", "channels.getParticipants messages.getFullChat"),
    ("mention", "messages.getUnreadMentions"),
    (
        "message read",
        "messages.getOutboxReadDate messages.getMessageReadParticipants messages.readHistory",
    ),
    ("mini app", "messages.requestWebView messages.requestAppWebView messages.requestMainWebView"),
    ("miss update", "updates.getDifference updates.getChannelDifference"),
    ("mute", "account.updateNotifySettings channels.editBanned"),
    ("new message", "updates.getDifference"),
    ("online", "account.updateStatus"),
    (
        "paid message",
        "ALLOW_PAYMENT_REQUIRED_X messages.sendMessage channels.updatePaidMessagesPrice",
    ),
    ("password", "account.getPassword account.updatePasswordSettings auth.checkPassword"),
    ("pay", "payments.getPaymentForm payments.sendPaymentForm payments.sendStarsForm"),
    ("payment invoice", "payments.getPaymentForm payments.exportInvoice"),
    (
        "pend join request",
        "messages.getChatInviteImporters messages.hideChatJoinRequest messages.hideAllChatJoinRequests",
    ),
    ("phone number", "contacts.resolvePhone account.changePhone"),
    ("photo", "channels.editPhoto messages.editChatPhoto photos.uploadProfilePhoto"),
    ("pin", "messages.updatePinnedMessage"),
    ("pin message", "messages.updatePinnedMessage"),
    ("post story", "stories.sendStory"),
    ("premium", "users.getUsers help.getPremiumPromo help.getAppConfig"),
    ("premium limit", "help.getAppConfig help.getConfig"),
    ("press button", "messages.getBotCallbackAnswer"),
    ("privacy", "account.getPrivacy account.setPrivacy"),
    ("privacy setting", "account.getPrivacy account.setPrivacy account.getGlobalPrivacySettings"),
    ("promote", "channels.editAdmin messages.editChatAdmin"),
    ("rate limit", "FLOOD_WAIT_X"),
    ("react", "messages.sendReaction"),
    ("react message", "messages.sendReaction"),
    (
        "reaction",
        "messages.sendReaction messages.getMessageReactionsList messages.getAvailableReactions",
    ),
    ("read message", "messages.readHistory messages.getMessageReadParticipants"),
    (
        "read receipt",
        "messages.getMessageReadParticipants messages.readHistory messages.getOutboxReadDate",
    ),
    ("remove member", "channels.editBanned messages.deleteChatUser"),
    ("remove user", "channels.editBanned messages.deleteChatUser"),
    ("reply", "messages.sendMessage"),
    ("reply message", "messages.sendMessage"),
    ("resolve peer", "contacts.resolveUsername users.getUsers channels.getChannels"),
    ("revoke invite link", "messages.editExportedChatInvite messages.deleteExportedChatInvite"),
    ("saved message", "messages.getSavedDialogs messages.getHistory messages.getSavedHistory"),
    ("saved message topic", "messages.getSavedDialogs messages.getSavedHistory"),
    (
        "schedule message",
        "messages.getScheduledHistory messages.sendMessage messages.sendScheduledMessages",
    ),
    ("search", "messages.search messages.searchGlobal contacts.search"),
    ("secret", "messages.requestEncryption messages.acceptEncryption messages.sendEncrypted"),
    ("send document", "messages.sendMedia"),
    ("send file", "messages.sendMedia"),
    ("send gift", "payments.sendStarsForm payments.getStarGifts payments.checkCanSendGift"),
    ("send location", "messages.sendMedia"),
    ("send message forum topic", "messages.sendMessage messages.getForumTopics"),
    ("send message topic", "messages.sendMessage messages.getForumTopics"),
    ("send photo", "messages.sendMedia"),
    ("send poll", "messages.sendMedia"),
    ("send sticker", "messages.sendMedia"),
    ("send video", "messages.sendMedia"),
    ("send voice", "messages.sendMedia"),
    ("session", "account.getAuthorizations"),
    ("set 2fa password", "account.updatePasswordSettings"),
    ("set bio", "account.updateProfile"),
    ("set bot command", "bots.setBotCommands"),
    ("set password", "account.updatePasswordSettings"),
    ("set photo", "channels.editPhoto messages.editChatPhoto photos.uploadProfilePhoto"),
    ("star", "payments.getStarsStatus payments.getStarsTransactions"),
    ("star balance", "payments.getStarsStatus"),
    ("start group call", "phone.createGroupCall"),
    ("sticker pack", "messages.getStickerSet stickers.createStickerSet"),
    ("sticker set", "messages.getStickerSet stickers.createStickerSet"),
    ("stop poll", "messages.editMessage"),
    ("story", "stories.sendStory stories.getPeerStories"),
    ("story viewer", "stories.getStoryViewsList stories.getStoriesViews"),
    ("takeout", "account.initTakeoutSession account.finishTakeoutSession"),
    ("terminate session", "account.resetAuthorization"),
    ("thread", "messages.getReplies messages.getForumTopics"),
    ("timezone", "help.getTimezonesList"),
    ("todo", "messages.sendMedia messages.toggleTodoCompleted messages.appendTodoList"),
    ("todo list", "messages.sendMedia messages.toggleTodoCompleted messages.appendTodoList"),
    ("too many request", "FLOOD_WAIT_X"),
    ("topic", "messages.getForumTopics messages.createForumTopic"),
    ("transfer ownership", "messages.editChatCreator"),
    ("unban", "channels.editBanned"),
    ("unblock", "contacts.unblock"),
    ("unmute", "account.updateNotifySettings channels.editBanned"),
    ("unread", "messages.getPeerDialogs messages.getDialogs"),
    ("unread count", "messages.getPeerDialogs messages.getDialogs"),
    ("upload file", "upload.saveFilePart upload.saveBigFilePart"),
    ("user info", "users.getFullUser"),
    ("video call", "phone.requestCall phone.createGroupCall"),
    ("view story", "stories.getPeerStories stories.readStories"),
    ("voice call", "phone.requestCall phone.createGroupCall"),
    ("vote", "messages.sendVote"),
    ("vote poll", "messages.sendVote messages.getPollVotes"),
    ("web app", "messages.requestWebView messages.requestAppWebView messages.requestMainWebView"),
    ("webapp", "messages.requestWebView messages.requestAppWebView messages.requestMainWebView"),
    (
        "website",
        "account.getWebAuthorizations account.resetWebAuthorization messages.acceptUrlAuth",
    ),
];

/// What messages of other libraries say instead of an error's name, and what people say of what happened to them:
/// all of these words, in any order, and what to read then.
pub(super) const SAYINGS: &[(&str, &[&str])] = &[
    ("wait seconds required", &["FLOOD_WAIT_X"]),
    ("find input entity", &["Peers and access hashes"]),
    ("two different ip addresses", &["AUTH_KEY_DUPLICATED"]),
    ("missed messages", &["updates.getDifference", "updates.getChannelDifference"]),
    ("503 timeout", &["Timeout", "Timedout"]),
    ("503 timedout", &["Timedout", "Timeout"]),
    ("phone number banned", &["PHONE_NUMBER_BANNED"]),
    ("two steps verification enabled", &["SESSION_PASSWORD_NEEDED"]),
];

/// What changes nothing of what is asked for.
const EVERY: &str = "all every each";

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
/// Also the addresses of Telegram's own pages, and what people say in front of a name.
pub(super) const NOISE: &str = "api chappe client constructor constructors core enums error errors functions \
                                gramjs grammers http https layer method methods namespace new org pyrogram raw \
                                rpcerrorlist telegram telethon tl type types";

/// What other libraries hang on to names.
pub(super) const TAILS: &str = "request error exception";
