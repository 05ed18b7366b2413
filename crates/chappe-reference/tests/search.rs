//! The search finds what a developer means, and in the pages the same as here.

use std::path::Path;
use std::process::Command;

use chappe_reference::Kind;
use chappe_reference::search::{Hit, index, older_script, script};
use programs::runs_here;

mod programs;

/// Queries, and what has to come first: a kind and a name.
const FIRST: &[(&str, &str)] = &[
    // Every spelling of a method.
    ("account.resetWebAuthorization", "method account.resetWebAuthorization"),
    ("ResetWebAuthorization", "method account.resetWebAuthorization"),
    ("reset_web_authorization", "method account.resetWebAuthorization"),
    ("account.reset_web_authorization", "method account.resetWebAuthorization"),
    ("resetwebauthorization", "method account.resetWebAuthorization"),
    ("resetwebauth", "method account.resetWebAuthorization"),
    ("reset web authorization", "method account.resetWebAuthorization"),
    ("account::ResetWebAuthorization", "method account.resetWebAuthorization"),
    ("chappe_api::account::ResetWebAuthorization", "method account.resetWebAuthorization"),
    ("functions.account.ResetWebAuthorizationRequest", "method account.resetWebAuthorization"),
    ("raw.functions.account.ResetWebAuthorization", "method account.resetWebAuthorization"),
    ("new Api.account.ResetWebAuthorization({ hash })", "method account.resetWebAuthorization"),
    ("Api.account.ResetWebAuthorization", "method account.resetWebAuthorization"),
    ("tl::functions::account::ResetWebAuthorization", "method account.resetWebAuthorization"),
    ("grammers_tl_types::functions::help::GetConfig", "method help.getConfig"),
    ("https://core.telegram.org/method/help.getConfig", "method help.getConfig"),
    ("method help.getConfig", "method help.getConfig"),
    ("ACCOUNT.RESETWEBAUTHORIZATION", "method account.resetWebAuthorization"),
    ("  account.resetWebAuthorization\n", "method account.resetWebAuthorization"),
    // Its id in every notation.
    ("0x2d01b9ef", "method account.resetWebAuthorization"),
    ("2d01b9ef", "method account.resetWebAuthorization"),
    ("2D01B9EF", "method account.resetWebAuthorization"),
    ("#2d01b9ef", "method account.resetWebAuthorization"),
    ("755087855", "method account.resetWebAuthorization"),
    ("997275b5", "constructor boolTrue"),
    ("2574415285", "constructor boolTrue"),
    ("-1720552011", "constructor boolTrue"),
    // An id of older layers, as programs say it.
    ("0x020b1422", "constructor user"),
    ("020B1422", "constructor user"),
    ("34280482", "constructor user"),
    ("-1495959709", "constructor messageReplyHeader"),
    ("constructor 0xa6d57763 not found", "constructor messageReplyHeader"),
    ("user#20b1422 flags:#", "constructor user"),
    // The first of two names, also where the index has the other one first.
    ("messages.sendMessage after messages.getHistory", "method messages.sendMessage"),
    ("messages.getHistory after messages.sendMessage", "method messages.getHistory"),
    // What only older layers have.
    ("channels.getForumTopics", "gone channels.getForumTopics"),
    ("functions.channels.GetForumTopicsRequest", "gone channels.getForumTopics"),
    ("keyboardButtonCallback", "gone keyboardButtonCallback"),
    ("KeyboardButtonUrl", "gone keyboardButtonUrl"),
    ("help.getAppChangelog", "gone help.getAppChangelog"),
    // What everything is made of.
    ("int", "core type int"),
    ("long", "core type long"),
    ("double", "core type double"),
    ("string", "core type string"),
    ("bytes", "core type bytes"),
    ("int128", "core type int128"),
    ("int256", "core type int256"),
    ("#", "core type #"),
    ("!X", "core type !X"),
    ("Bool", "type Bool"),
    ("true", "constructor true"),
    ("vector", "constructor vector"),
    ("Vector", "type Vector<t>"),
    // Slips of the finger.
    ("account.resetWebAuthorisation", "method account.resetWebAuthorization"),
    ("resetWebAuthorizaton", "method account.resetWebAuthorization"),
    ("restWebAuthorization", "method account.resetWebAuthorization"),
    ("messages.sendMesage", "method messages.sendMessage"),
    ("sednMessage", "method messages.sendMessage"),
    ("sendmassgae", "method messages.sendMessage"),
    ("getDialgs", "method messages.getDialogs"),
    // Types and constructors, told apart by case and by what they are.
    ("User", "type User"),
    ("user", "constructor user"),
    ("WebAuthorization", "type WebAuthorization"),
    ("webAuthorization", "constructor webAuthorization"),
    ("web_authorization", "type WebAuthorization"),
    ("types.WebAuthorization", "type WebAuthorization"),
    ("inputPeerSelf", "constructor inputPeerSelf"),
    ("InputPeer", "type InputPeer"),
    ("account.WebAuthorizations", "type account.WebAuthorizations"),
    // Namespaces and layers.
    ("account", "namespace account"),
    ("stories", "namespace stories"),
    ("layer 230", "layer 230"),
    ("229", "layer 229"),
    // Methods by a word.
    ("sendMessage", "method messages.sendMessage"),
    ("getWebAuth", "method account.getWebAuthorizations"),
    ("getconfig", "method help.getConfig"),
    ("getMe", "method users.getUsers"),
    // Words of the description.
    ("log out website", "method account.resetWebAuthorization"),
    ("logout", "method auth.logOut"),
    ("sign in", "method auth.signIn"),
    ("send a message", "method messages.sendMessage"),
    ("delete messages", "method messages.deleteMessages"),
    ("export login token", "method auth.exportLoginToken"),
    ("username to id", "method contacts.resolveUsername"),
    ("add user to group", "method messages.addChatUser"),
    // Errors.
    ("HASH_INVALID", "error HASH_INVALID"),
    ("hash invalid", "error HASH_INVALID"),
    ("HashInvalidError", "error HASH_INVALID"),
    ("FLOOD_WAIT_42", "error FLOOD_WAIT_X"),
    ("FloodWaitError", "error FLOOD_WAIT_X"),
    ("FLOOD_WAIT", "error FLOOD_WAIT_X"),
    ("PHONE_CODE_INVLID", "error PHONE_CODE_INVALID"),
    ("errors.PhoneCodeInvalid", "error PHONE_CODE_INVALID"),
    ("SESSION_PASSWORD_NEEDED", "error SESSION_PASSWORD_NEEDED"),
];

/// What somebody new types, in his own words, and what has to be among the first three.
const AMONG: &[(&str, &[&str])] = &[
    ("log in", &["method auth.sendCode", "method auth.signIn"]),
    ("login", &["method auth.sendCode", "method auth.signIn"]),
    ("log in with code", &["method auth.sendCode", "method auth.signIn"]),
    ("mute user", &["method account.updateNotifySettings", "method channels.editBanned"]),
    ("mute chat", &["method account.updateNotifySettings"]),
    ("kick", &["method channels.editBanned", "method messages.deleteChatUser"]),
    ("kick user from group", &["method channels.editBanned", "method messages.deleteChatUser"]),
    ("ban user from supergroup", &["method channels.editBanned"]),
    ("silent message", &["method messages.sendMessage"]),
    ("send silent", &["method messages.sendMessage"]),
    ("access hash", &["guide Peers and access hashes"]),
    ("download file", &["method upload.getFile"]),
    ("upload file", &["method upload.saveFilePart"]),
    ("join channel by link", &["method messages.importChatInvite", "method channels.joinChannel"]),
    ("get chat members", &["method channels.getParticipants"]),
    ("leave group", &["method channels.leaveChannel", "method messages.deleteChatUser"]),
    ("mark as read", &["method messages.readHistory", "method channels.readHistory"]),
    ("get updates", &["method updates.getDifference"]),
    ("list chats", &["method messages.getDialogs", "method messages.getChats"]),
    ("answer callback", &["method messages.setBotCallbackAnswer"]),
    ("unblock user", &["method contacts.unblock"]),
    ("active sessions", &["method account.getAuthorizations"]),
    ("terminate session", &["method account.resetAuthorization"]),
    ("send photo", &["method messages.sendMedia"]),
    ("create group", &["method messages.createChat", "method channels.createChannel"]),
    ("invite link", &["method messages.exportChatInvite"]),
    ("peers and access hashes", &["guide Peers and access hashes"]),
    ("start", &["guide Start"]),
    ("delete message", &["method messages.deleteMessages", "method channels.deleteMessages"]),
    ("deleteMessage", &["method messages.deleteMessages"]),
    ("reactions", &["method messages.sendReaction"]),
    ("react to a message", &["method messages.sendReaction"]),
    ("setMessageReaction", &["method messages.sendReaction"]),
    ("read receipts", &["method messages.getMessageReadParticipants"]),
    ("who read my message", &["method messages.getMessageReadParticipants"]),
    ("bot commands", &["method bots.setBotCommands"]),
    ("setMyCommands", &["method bots.setBotCommands"]),
    ("set bot commands", &["method bots.setBotCommands"]),
    ("2fa", &["method account.getPassword", "method auth.checkPassword"]),
    ("set 2fa password", &["method account.updatePasswordSettings"]),
    ("set password", &["method account.updatePasswordSettings"]),
    ("gift", &["method payments.getStarGifts"]),
    ("send gift", &["method payments.sendStarsForm"]),
    ("invite user to channel", &["method channels.inviteToChannel"]),
    ("add user to channel", &["method channels.inviteToChannel"]),
    ("add member", &["method channels.inviteToChannel", "method messages.addChatUser"]),
    ("approve join request", &["method messages.hideChatJoinRequest"]),
    ("approveChatJoinRequest", &["method messages.hideChatJoinRequest"]),
    ("banChatMember", &["method channels.editBanned"]),
    ("restrictChatMember", &["method channels.editBanned"]),
    ("promoteChatMember", &["method channels.editAdmin"]),
    ("getChatMember", &["method channels.getParticipant"]),
    ("getChatAdministrators", &["method channels.getParticipants"]),
    ("get admins", &["method channels.getParticipants"]),
    ("getChatMemberCount", &["method channels.getFullChannel"]),
    ("answerCallbackQuery", &["method messages.setBotCallbackAnswer"]),
    ("answerInlineQuery", &["method messages.setInlineBotResults"]),
    ("editMessageText", &["method messages.editMessage"]),
    ("edit message text", &["method messages.editMessage"]),
    ("sendPhoto", &["method messages.sendMedia"]),
    ("sendDocument", &["method messages.sendMedia"]),
    ("sendMediaGroup", &["method messages.sendMultiMedia"]),
    ("send album", &["method messages.sendMultiMedia"]),
    ("sendChatAction", &["method messages.setTyping"]),
    ("send location", &["method messages.sendMedia"]),
    ("send poll", &["method messages.sendMedia"]),
    ("sendPoll", &["method messages.sendMedia"]),
    ("vote in poll", &["method messages.sendVote"]),
    ("stop poll", &["method messages.editMessage"]),
    ("copyMessage", &["method messages.forwardMessages"]),
    ("forwardMessage", &["method messages.forwardMessages"]),
    ("pinChatMessage", &["method messages.updatePinnedMessage"]),
    ("unpin message", &["method messages.updatePinnedMessage"]),
    ("getChat", &["method messages.getFullChat", "method channels.getFullChannel"]),
    ("get channel info", &["method channels.getFullChannel"]),
    ("get user", &["method users.getUsers"]),
    ("get user info", &["method users.getFullUser"]),
    ("get entity", &["method contacts.resolveUsername"]),
    ("get me", &["method users.getUsers"]),
    ("leaveChat", &["method channels.leaveChannel"]),
    ("get history", &["method messages.getHistory"]),
    ("chat history", &["method messages.getHistory"]),
    ("iter_messages", &["method messages.getHistory"]),
    ("iter messages", &["method messages.getHistory"]),
    ("iter participants", &["method channels.getParticipants"]),
    ("iter dialogs", &["method messages.getDialogs"]),
    ("get chat history", &["method messages.getHistory"]),
    ("delete history", &["method messages.deleteHistory", "method channels.deleteHistory"]),
    ("clear chat", &["method messages.deleteHistory"]),
    ("search messages", &["method messages.search"]),
    ("global search", &["method messages.searchGlobal"]),
    ("search users", &["method contacts.search"]),
    ("find user by phone", &["method contacts.resolvePhone"]),
    ("phone number to user", &["method contacts.resolvePhone"]),
    ("import contacts", &["method contacts.importContacts"]),
    ("add contact", &["method contacts.addContact"]),
    ("delete contact", &["method contacts.deleteContacts"]),
    ("get contacts", &["method contacts.getContacts"]),
    ("send code", &["method auth.sendCode"]),
    ("resend code", &["method auth.resendCode"]),
    ("sign up", &["method auth.signUp"]),
    ("bot login", &["method auth.importBotAuthorization"]),
    ("login as bot", &["method auth.importBotAuthorization"]),
    ("bot token", &["method auth.importBotAuthorization"]),
    ("qr login", &["method auth.exportLoginToken"]),
    ("qr code", &["method auth.exportLoginToken"]),
    ("log out", &["method auth.logOut"]),
    ("log out everywhere", &["method auth.resetAuthorizations"]),
    ("log out other devices", &["method auth.resetAuthorizations"]),
    ("delete account", &["method account.deleteAccount"]),
    ("change phone number", &["method account.changePhone"]),
    ("privacy settings", &["method account.getPrivacy", "method account.setPrivacy"]),
    ("last seen", &["method account.setPrivacy"]),
    ("online status", &["method account.updateStatus"]),
    ("go online", &["method account.updateStatus"]),
    ("set bio", &["method account.updateProfile"]),
    ("change bio", &["method account.updateProfile"]),
    ("set profile photo", &["method photos.uploadProfilePhoto"]),
    ("change profile photo", &["method photos.uploadProfilePhoto"]),
    ("get profile photos", &["method photos.getUserPhotos"]),
    ("getUserProfilePhotos", &["method photos.getUserPhotos"]),
    ("chat photo", &["method channels.editPhoto", "method messages.editChatPhoto"]),
    ("setChatPhoto", &["method channels.editPhoto"]),
    ("change group title", &["method channels.editTitle", "method messages.editChatTitle"]),
    ("setChatTitle", &["method channels.editTitle"]),
    ("group description", &["method messages.editChatAbout"]),
    ("slow mode", &["method channels.toggleSlowMode"]),
    ("topics", &["method messages.getForumTopics"]),
    ("create topic", &["method messages.createForumTopic"]),
    ("story", &["method stories.sendStory"]),
    ("post story", &["method stories.sendStory"]),
    ("view stories", &["method stories.getPeerStories"]),
    ("schedule message", &["method messages.getScheduledHistory"]),
    ("scheduled messages", &["method messages.getScheduledHistory"]),
    ("reply to message", &["method messages.sendMessage"]),
    ("click button", &["method messages.getBotCallbackAnswer"]),
    ("press button", &["method messages.getBotCallbackAnswer"]),
    ("start bot", &["method messages.startBot"]),
    ("inline bot", &["method messages.getInlineBotResults"]),
    ("mini app", &["method messages.requestWebView"]),
    ("webapp", &["method messages.requestWebView"]),
    ("web app", &["method messages.requestWebView"]),
    ("stars balance", &["method payments.getStarsStatus"]),
    ("payment invoice", &["method payments.getPaymentForm"]),
    ("secret chat", &["method messages.requestEncryption"]),
    ("voice call", &["method phone.requestCall"]),
    ("group call", &["method phone.joinGroupCall"]),
    ("start group call", &["method phone.createGroupCall"]),
    ("folders", &["method messages.getDialogFilters"]),
    ("archive chat", &["method folders.editPeerFolders"]),
    ("unread count", &["method messages.getPeerDialogs"]),
    ("mark unread", &["method messages.markDialogUnread"]),
    ("draft", &["method messages.saveDraft"]),
    ("sticker set", &["method messages.getStickerSet"]),
    ("create sticker pack", &["method stickers.createStickerSet"]),
    ("custom emoji", &["method messages.getCustomEmojiDocuments"]),
    ("emoji status", &["method account.updateEmojiStatus"]),
    ("translate", &["method messages.translateText"]),
    ("transcribe voice", &["method messages.transcribeAudio"]),
    ("report spam", &["method messages.reportSpam"]),
    ("export invite link", &["method messages.exportChatInvite"]),
    ("createChatInviteLink", &["method messages.exportChatInvite"]),
    ("revoke invite link", &["method messages.editExportedChatInvite"]),
    ("transfer ownership", &["method messages.editChatCreator"]),
    ("admin log", &["method channels.getAdminLog"]),
    ("nearby people", &["method contacts.getLocated"]),
    ("web login", &["method account.getWebAuthorizations"]),
    ("connected websites", &["method account.getWebAuthorizations"]),
    ("disconnect website", &["method account.resetWebAuthorization"]),
    ("login widget", &["method messages.requestUrlAuth"]),
    ("takeout", &["method account.initTakeoutSession"]),
    ("export data", &["method account.initTakeoutSession"]),
    ("config", &["method help.getConfig"]),
    ("nearest dc", &["method help.getNearestDc"]),
    ("data centre", &["method help.getConfig"]),
    ("get difference", &["method updates.getDifference"]),
    ("missed updates", &["method updates.getDifference"]),
    ("channel difference", &["method updates.getChannelDifference"]),
    ("resolve username", &["method contacts.resolveUsername"]),
    ("check username", &["method account.checkUsername"]),
    ("block user", &["method contacts.block"]),
    ("flood", &["error FLOOD_WAIT_X"]),
    ("too many requests", &["error FLOOD_WAIT_X"]),
    ("rate limit", &["error FLOOD_WAIT_X"]),
    ("file reference expired", &["error FILE_REFERENCE_EXPIRED"]),
    ("peer id invalid", &["error PEER_ID_INVALID"]),
    ("auth key duplicated", &["error AUTH_KEY_DUPLICATED"]),
];

/// What developers bring from a traceback, an issue or a chat, as it stands there, and what has to be among the
/// first three.
const PASTED: &[(&str, &[&str])] = &[
    // Messages of Telethon.
    (
        "telethon.errors.rpcerrorlist.FloodWaitError: A wait of 42 seconds is required (caused by SendMessageRequest)",
        &["error FLOOD_WAIT_X", "method messages.sendMessage"],
    ),
    (
        "A wait of 42 seconds is required (caused by GetHistoryRequest)",
        &["error FLOOD_WAIT_X", "method messages.getHistory"],
    ),
    (
        "telethon.errors.common.TypeNotFoundError: Could not find a matching Constructor ID for the TLObject that was \
         supposed to be read with ID 020b1422. See the FAQ for more details. Remaining bytes: b'\"\\x14\\x0b\\x02W'",
        &["constructor user"],
    ),
    (
        "AuthKeyUnregisteredError: The key is not registered in the system (caused by GetUsersRequest)",
        &["error AUTH_KEY_UNREGISTERED", "method users.getUsers"],
    ),
    (
        "telethon.errors.rpcerrorlist.AuthKeyDuplicatedError: The authorization key (session file) was used under two \
         different IP addresses simultaneously, and can no longer be used. Use the same session exclusively",
        &["error AUTH_KEY_DUPLICATED"],
    ),
    (
        "SessionPasswordNeededError: Two-steps verification is enabled and a password is required (caused by SignInRequest)",
        &["error SESSION_PASSWORD_NEEDED", "method auth.signIn"],
    ),
    (
        "ChatWriteForbiddenError: You can't write in this chat (caused by SendMediaRequest)",
        &["error CHAT_WRITE_FORBIDDEN", "method messages.sendMedia"],
    ),
    (
        "UserPrivacyRestrictedError: The user's privacy settings do not allow you to do this (caused by InviteToChannelRequest)",
        &["error USER_PRIVACY_RESTRICTED", "method channels.inviteToChannel"],
    ),
    ("PeerFloodError: Too many requests (caused by InviteToChannelRequest)", &["error PEER_FLOOD"]),
    (
        "Could not find the input entity for PeerUser(user_id=5001000042) (PeerUser). Please read \
         https://docs.telethon.dev/en/stable/concepts/entities.html to find out more details.",
        &["guide Peers and access hashes"],
    ),
    (
        "The api_id/api_hash combination is invalid (caused by SendCodeRequest)",
        &["error API_ID_INVALID", "method auth.sendCode"],
    ),
    (
        "ERROR:telethon.client.updates:MessageNotModifiedError: Content of the message was not modified (caused by EditMessageRequest)",
        &["error MESSAGE_NOT_MODIFIED", "method messages.editMessage"],
    ),
    // Of Pyrogram and its forks.
    (
        "Telegram says: [420 FLOOD_WAIT_X] - A wait of 42 seconds is required (caused by \"messages.SendMessage\")",
        &["error FLOOD_WAIT_X", "method messages.sendMessage"],
    ),
    (
        "pyrogram.errors.exceptions.bad_request_400.PeerIdInvalid: Telegram says: [400 PEER_ID_INVALID] - The peer id being \
         used is invalid or not known yet. Make sure you meet the peer before interacting with it (caused by \
         \"messages.GetHistory\")",
        &["error PEER_ID_INVALID", "method messages.getHistory"],
    ),
    ("ValueError: The server sent an unknown constructor: 0x38116ee0", &["constructor message"]),
    ("KeyError: 940666592", &["constructor message"]),
    (
        "[400 BOT_METHOD_INVALID] - The method can't be used by bots (caused by \"messages.GetDialogs\")",
        &["error BOT_METHOD_INVALID", "method messages.getDialogs"],
    ),
    (
        "[406 CHANNEL_PRIVATE] - The channel/supergroup is not accessible",
        &["error CHANNEL_PRIVATE"],
    ),
    (
        "pyrogram.errors.exceptions.flood_420.SlowmodeWait: Telegram says: [420 SLOWMODE_WAIT_X]",
        &["error SLOWMODE_WAIT_X"],
    ),
    // Of grammers, GramJS, mtcute, TDLib, MadelineProto.
    (
        "request error: rpc error 400: USERNAME_NOT_OCCUPIED caused by contacts.resolveUsername",
        &["error USERNAME_NOT_OCCUPIED", "method contacts.resolveUsername"],
    ),
    (
        "Rpc(RpcError { code: 420, name: \"FLOOD_WAIT\", value: Some(31), caused_by: Some(3081741262) })",
        &["error FLOOD_WAIT_X"],
    ),
    (
        "RPCError: 400: CHANNEL_INVALID (caused by channels.GetChannels)",
        &["error CHANNEL_INVALID", "method channels.getChannels"],
    ),
    (
        "RPCError: -503: Timeout (caused by upload.GetFile)",
        &["error Timeout", "method upload.getFile"],
    ),
    (
        "UnhandledPromiseRejectionWarning: RPCError: 406: UPDATE_APP_TO_LOGIN (caused by auth.SendCode)",
        &["error UPDATE_APP_TO_LOGIN", "method auth.sendCode"],
    ),
    (
        "Error: A wait of 1337 seconds is required (caused by auth.SendCode)",
        &["error FLOOD_WAIT_X"],
    ),
    ("tl: RpcError (403 CHAT_ADMIN_REQUIRED)", &["error CHAT_ADMIN_REQUIRED"]),
    ("Unsupported constructor 4a992157", &["constructor inputStickeredMediaPhoto"]),
    (
        "{\"@type\":\"error\",\"code\":400,\"message\":\"MESSAGE_TOO_LONG\"}",
        &["error MESSAGE_TOO_LONG"],
    ),
    ("rpcDoRequest: rpc error code 500: RPC_MCGET_FAIL", &["error RPC_MCGET_FAIL"]),
    (
        "new Api.channels.GetForumTopics is not a constructor",
        &["gone channels.getForumTopics", "method messages.getForumTopics"],
    ),
    // Questions in words.
    ("how to get all members of a group", &["method channels.getParticipants"]),
    ("send message to forum topic", &["method messages.sendMessage"]),
    ("get message from link", &["method messages.getMessages"]),
    ("get user id from username", &["method contacts.resolveUsername"]),
    ("how to get access_hash of a user", &["guide Peers and access hashes"]),
    ("send message on behalf of business account", &["method invokeWithBusinessConnection"]),
    ("business connection", &["method invokeWithBusinessConnection"]),
    ("buy star gift", &["method payments.sendStarsForm", "method payments.getStarGifts"]),
    ("transfer gift to another user", &["method payments.transferStarGift"]),
    ("gift resale market", &["method payments.getResaleStarGifts"]),
    ("convert gift to stars", &["method payments.convertStarGift"]),
    ("set birthday", &["method account.updateBirthday"]),
    ("channel statistics", &["method stats.getBroadcastStats"]),
    ("who boosted my channel", &["method premium.getBoostsList"]),
    ("send paid media", &["method messages.sendMedia"]),
    ("todo list", &["method messages.sendMedia", "method messages.toggleTodoCompleted"]),
    ("story viewers", &["method stories.getStoryViewsList"]),
    ("saved messages topics", &["method messages.getSavedDialogs"]),
    ("is user premium", &["method users.getUsers"]),
    ("delete all messages from a user in group", &["method channels.deleteParticipantHistory"]),
    ("pending join requests", &["method messages.getChatInviteImporters"]),
    ("hide members of group", &["method channels.toggleParticipantsHidden"]),
    ("send as channel", &["method channels.getSendAs"]),
    ("when was my message read", &["method messages.getOutboxReadDate"]),
    ("link preview", &["method messages.getWebPagePreview"]),
    ("login with passkey", &["method auth.initPasskeyLogin"]),
    ("message effects", &["method messages.getAvailableEffects"]),
    ("custom emoji in message", &["constructor messageEntityCustomEmoji"]),
    ("catch up missed messages after restart", &["method updates.getDifference"]),
    ("account frozen", &["error FROZEN_METHOD_INVALID"]),
    (
        "PhoneMigrateError: The phone number a user is trying to use for authorization is associated with DC 4 (caused by SendCodeRequest)",
        &["error PHONE_MIGRATE_X", "method auth.sendCode"],
    ),
    ("paid messages", &["error ALLOW_PAYMENT_REQUIRED_X"]),
    ("premium limits", &["method help.getAppConfig"]),
    ("quote reply", &["constructor inputReplyToMessage"]),
];

/// More of them, for which only the order is compared.
const OTHERS: &[&str] = &[
    "420",
    "406",
    "-503",
    "phone_code_hash",
    "random_id",
    "hash",
    "x",
    "é",
    "???",
    "a",
    "getMessages",
    "two-step password",
    "log in with code",
    "picture of a group",
    "who reacted to a story",
    "websit authorizatin",
    "mute chat",
    "channels.",
    "12345",
    "0x0",
    "-",
    "FILE_REFERENCE_0_EXPIRED",
    "upload photo",
    "ban user from supergroup",
    "payments stars",
    "set emoji status please",
    "premium gift code",
    // What means something to a script, to a pattern or to who counts letters.
    "__proto__",
    "constructor",
    "(a+)+$ [^]* \\1 .{9}",
    "<script>alert(1)</script>",
    "İstanbul ß ſ K",
    "\u{2028}User\0\u{1b}[2J",
    "🚲 sendMessage 🚲",
    "x 1 x 2 x 3 x 4 x 5 x 6",
    "-00000",
    "4294967296",
];

fn told(hit: &Hit<'_>) -> String {
    format!("{} {}", hit.kind.word(), hit.name)
}

fn find(query: &str, limit: usize) -> Vec<String> {
    index().find(query, limit).iter().map(told).collect()
}

#[test]
fn what_is_meant_comes_first() {
    let mut missed = Vec::new();
    for (query, want) in FIRST {
        let found = find(query, 5);
        if found.first().map(String::as_str) != Some(*want) {
            missed.push(format!("{query}: {want} expected, found {found:#?}"));
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

#[test]
fn what_somebody_new_means_is_among_the_first_three() {
    let mut missed = Vec::new();
    for (query, wants) in AMONG.iter().chain(PASTED) {
        let found = find(query, 3);
        if !wants.iter().all(|want| found.iter().any(|it| it == want)) {
            missed.push(format!("{query}: {wants:?} expected, found {found:#?}"));
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

#[test]
fn what_is_not_there_is_not_found() {
    for query in ["", " ", "???", "é", "qqqqqqqqqq", "0x00000001"] {
        assert!(find(query, 5).is_empty(), "{query}: {:?}", find(query, 5));
    }
    // What stands behind 1,024 letters is not looked at.
    let behind = format!("{}sendMessage", "qqqqqqqq ".repeat(114));
    assert!(find(&behind, 5).is_empty(), "{:?}", find(&behind, 5));
    let long = "resetWebAuthorization".repeat(10_000);
    assert!(find(&long, 5).len() <= 5);
    assert!(find("message", 0).is_empty());
}

#[test]
fn names_come_before_parameters_and_methods_before_constructors() {
    let found = index().find("phone_code_hash", 40);
    let first = found.iter().position(|hit| hit.param == Some("phone_code_hash")).unwrap();
    assert!(found[..first].iter().all(|hit| hit.kind == Kind::Error), "{found:#?}");
    let with: Vec<&Hit<'_>> = found.iter().filter(|it| it.param.is_some()).collect();
    let constructor = with.iter().position(|hit| hit.kind == Kind::Constructor).unwrap();
    assert!(constructor >= 8, "{with:#?}");
    assert!(with[..constructor].iter().all(|hit| hit.kind == Kind::Method));
    // All errors of a code, and nothing else before them.
    let all = index().find("420", 100);
    let flood = all.iter().take_while(|hit| hit.kind == Kind::Error).count();
    let facts = chappe_schema::facts();
    let facts = facts.errors.keys().filter(|name| facts.codes(name).contains(&420)).count();
    assert_eq!(flood, facts, "{all:#?}");
}

/// Everything is found by its own name, and nothing stands before it.
#[test]
fn everything_is_first_under_its_own_name() {
    let reference = chappe_reference::Reference::get();
    let names = reference.methods().iter().map(|it| (Kind::Method, it.name()));
    let names = names.chain(reference.types().iter().map(|it| (Kind::Type, it.name)));
    let names = names.chain(reference.errors().iter().map(|it| (Kind::Error, it.name)));
    // Each tenth is enough to see it: a query looks at all.
    for (kind, name) in names.step_by(10) {
        let found = index().find(name, 1);
        assert_eq!((found[0].kind, found[0].name), (kind, name));
    }
}

#[test]
fn the_index_is_small() {
    let script = script();
    assert!(script.len() < 400_000, "{} bytes", script.len());
    let older = older_script();
    assert!(older.len() < 20_000, "{} bytes", older.len());
    assert!(script.is_ascii() || !script.contains(['\u{2028}', '\u{2029}']));
}

#[test]
fn a_name_is_one_thing_or_several_and_never_a_guess() {
    let named = |name: &str| index().named(name).iter().map(told).collect::<Vec<String>>();
    for (query, want) in FIRST {
        let found = named(query);
        assert!(found.is_empty() || found.contains(&(*want).to_owned()), "{query}: {found:?}");
    }
    assert_eq!(named("reset_web_authorization"), ["method account.resetWebAuthorization"]);
    assert_eq!(named("user"), ["constructor user"]);
    assert_eq!(named("USER"), ["type User"]);
    // What is there comes instead of what was.
    assert_eq!(named("getForumTopics"), ["method messages.getForumTopics"]);
    assert_eq!(named("channels.getForumTopics"), ["gone channels.getForumTopics"]);
    assert_eq!(named("FLOOD_WAIT_42"), ["error FLOOD_WAIT_X"]);
    // There is one without a number, too.
    assert_eq!(named("FILE_REFERENCE_3_EXPIRED"), ["error FILE_REFERENCE_X_EXPIRED"]);
    assert_eq!(named("0x997275b5"), ["constructor boolTrue"]);
    assert_eq!(named("telethon.errors.rpcerrorlist.FloodWaitError"), ["error FLOOD_WAIT_X"]);
    assert_eq!(named("pyrogram.errors.FloodWait"), ["error FLOOD_WAIT_X"]);
    let several = named("getMessages");
    assert_eq!(several, ["method messages.getMessages", "method channels.getMessages"]);
    for none in ["account.resetWebAuthorisation", "reset", "", "???", "0x1"] {
        assert!(named(none).is_empty(), "{none}: {:?}", named(none));
    }
}

/// Node runs the pages' script with the pages' index.
#[test]
fn the_script_of_the_pages_finds_the_same_in_the_same_order() {
    const RUN: &str = "
        const { readFileSync } = require('node:fs');
        const vm = require('node:vm');
        const [folder] = process.argv.slice(1);
        for (const name of ['search-index.js', 'search.js']) {
          vm.runInThisContext(readFileSync(folder + '/' + name, 'utf8'), name);
        }
        chappeSearch('warm', 1);
        const queries = JSON.parse(readFileSync(folder + '/queries.json', 'utf8'));
        const first = (query) => chappeSearch(query, 1).map((hit) => hit.kind + ' ' + hit.name).join();
        const without = queries.map((query) => [chappeSearch.wantsOlder(query), first(query)]);
        vm.runInThisContext(readFileSync(folder + '/search-older.js', 'utf8'), 'search-older.js');
        const missed = queries.filter((query, place) => {
          const [wanted, before] = without[place];
          return first(query) !== before && !wanted;
        });
        const asked = without.filter(([wanted]) => wanted).length;
        const found = queries.map((query) => {
          const hits = chappeSearch(query, 40);
          return hits.map((hit) => [hit.kind + ' ' + hit.name, hit.about, hit.address, hit.why]);
        });
        console.log(JSON.stringify({ found, missed, asked }));";
    if !runs_here("the script of the pages", "node", &["--version"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("search-index.js", &script());
    write("search-older.js", &older_script());
    write("search.js", chappe_reference::search::SCRIPT);
    let long = ["a", "(a+)+$", "sendMessage ", "ß", "🚲"].map(|it| it.repeat(10_000 / it.len()));
    let queries = FIRST
        .iter()
        .map(|(query, _)| *query)
        .chain(AMONG.iter().chain(PASTED).map(|(query, _)| *query));
    let queries = queries.chain(OTHERS.iter().copied());
    let queries = queries.chain(long.iter().map(String::as_str));
    let behind = [15, 100, 114].map(|it| format!("{}sendMessage", "qqqqqqqq ".repeat(it)));
    let queries: Vec<&str> = queries.chain(behind.iter().map(String::as_str)).collect();
    let asked = serde_json::to_string(&queries).unwrap();
    write("queries.json", &asked);
    let mut node = Command::new("node");
    let output = node.args(["-e", RUN, "--"]).arg(Path::new(folder.path())).output();
    let output = output.unwrap();
    let words = String::from_utf8_lossy(&output.stderr);
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout).expect(&words);
    // Who needs what only older layers have loads it, and few others.
    assert_eq!(answer["missed"], serde_json::json!([]));
    let asked = answer["asked"].as_u64().unwrap();
    assert!((10..queries.len() as u64 / 4).contains(&asked), "{asked} of {}", queries.len());
    for (query, theirs) in queries.iter().zip(answer["found"].as_array().unwrap()) {
        let ours: Vec<serde_json::Value> = index()
            .find(query, 40)
            .iter()
            .map(|hit| {
                let why = hit.older.map(|layers| format!("id of {layers}"));
                let why = why.or_else(|| hit.param.map(|param| format!("param {param}")));
                serde_json::json!([told(hit), hit.about, hit.link(), why.unwrap_or_default()])
            })
            .collect();
        assert_eq!(theirs.as_array().unwrap(), &ours, "{query}");
    }
}
