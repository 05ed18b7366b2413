//! `messages`: chats, buttons, consents to logins on sites.

use std::net::Ipv4Addr;

use chappe_server::browser::{Browser, NewLogin};
use serde_json::{Value as Json, json};

use crate::stage::{Line, Scene, Stage};

const BROTHERS: &str = "Claude and Ignace wrote each other three messages.";
const SITE: &str =
    "Claude wants to log in to a travel site in his browser, which waits for his yes.";

pub(super) async fn play(stage: &mut Stage, method: &str) -> Option<Scene> {
    Some(match method {
        "messages.acceptUrlAuth" => {
            let browser = browser(stage, |login| login.write().phone()).await;
            let request =
                json!({ "write_allowed": true, "share_phone_number": true, "url": browser.link() });
            let other = json!({ "url": "tg://oauth?token=none" });
            stage.claude().await.asks(SITE, request).wrong(other)
        }
        "messages.checkUrlAuthMatchCode" => {
            let browser = browser(stage, NewLogin::match_code_first).await;
            let request = json!({ "url": browser.link(), "match_code": browser.match_code() });
            let story = "The browser shows an emoji, and Claude picked the same one in his app.";
            stage.claude().await.asks(story, request)
        }
        "messages.declineUrlAuth" => {
            let browser = browser(stage, |login| login).await;
            let story = "Somebody typed in Claude's number on a site, and it was not him.";
            stage.claude().await.asks(story, json!({ "url": browser.link() }))
        }
        "messages.requestUrlAuth" => {
            let browser = browser(stage, |login| login.write().phone().match_code()).await;
            let request = json!({ "url": browser.link() });
            stage
                .claude()
                .await
                .asks(SITE, request)
                .wrong(json!({ "url": "tg://oauth?token=none" }))
        }
        "messages.deleteMessages" => {
            let (claude, ignace) = stage.brothers().await;
            claude.asks(BROTHERS, json!({ "revoke": true, "id": [1, 2] })).with(ignace)
        }
        "messages.editMessage" => {
            let (claude, ignace) = stage.brothers().await;
            let request = json!({ "peer": ignace.peer(), "id": 1,
                                  "message": "Can you see the arms of the station at Belleville?" });
            let story = "Claude named the wrong hill in a message to Ignace.";
            claude.asks(story, request).wrong(json!({ "id": 2 })).with(ignace)
        }
        "messages.getBotCallbackAnswer" => {
            let (claude, mut bot) = stage.claude_and_bot().await;
            let id = buttons(&mut bot, &claude).await;
            let request = json!({ "peer": bot.peer(), "msg_id": id, "data": "TGlsbGU=" });
            let story =
                "A bot asked Claude for a destination, and he pressed the button for Lille.";
            claude.asks(story, request).wrong(json!({ "msg_id": 99 })).meanwhile(async move {
                if let Some(query) = bot.update("updateBotCallbackQuery").await {
                    let answer = json!({ "query_id": query["query_id"], "cache_time": 0,
                                         "message": "Two seats to Lille are booked." });
                    bot.call("messages.setBotCallbackAnswer", answer).await;
                }
                bot.rest().await;
            })
        }
        "messages.setBotCallbackAnswer" => {
            let (mut claude, mut bot) = stage.claude_and_bot().await;
            let id = buttons(&mut bot, &claude).await;
            let press = json!({ "peer": bot.peer(), "msg_id": id, "data": "TGlsbGU=" });
            claude.begin("messages.getBotCallbackAnswer", press);
            let pressed = tokio::spawn(claude.rest());
            let query = bot.update("updateBotCallbackQuery").await.unwrap();
            let request = json!({ "alert": true, "query_id": query["query_id"], "cache_time": 0,
                                  "message": "Two seats to Lille are booked." });
            let story = "Claude pressed the button for Lille below a message of this bot.";
            bot.asks(story, request).wrong(json!({ "query_id": "1" })).meanwhile(async move {
                pressed.await.unwrap();
            })
        }
        "messages.getDialogs" => {
            let (claude, ignace) = stage.brothers().await;
            let request = json!({ "offset_date": 0, "offset_id": 0, "limit": 20, "hash": 0,
                                  "offset_peer": { "_": "inputPeerEmpty" } });
            claude.asks(BROTHERS, request).with(ignace)
        }
        "messages.getHistory" => {
            let (claude, ignace) = stage.brothers().await;
            let request = json!({ "peer": ignace.peer(), "offset_id": 0, "offset_date": 0, "limit": 20,
                                  "add_offset": 0, "max_id": 0, "min_id": 0, "hash": 0 });
            claude
                .asks(BROTHERS, request)
                .wrong(json!({ "peer": { "_": "inputPeerEmpty" } }))
                .with(ignace)
        }
        "messages.getMessages" => {
            let (claude, ignace) = stage.brothers().await;
            let ids = [2, 9].map(|id| json!({ "_": "inputMessageID", "id": id }));
            let story = "Claude and Ignace wrote each other three messages; there is no ninth.";
            claude.asks(story, json!({ "id": ids })).with(ignace)
        }
        "messages.getPeerDialogs" => {
            let (claude, ignace) = stage.brothers().await;
            let request = json!({ "peers": [{ "_": "inputDialogPeer", "peer": ignace.peer() }] });
            claude.asks(BROTHERS, request).wrong(json!({ "peers": [] })).with(ignace)
        }
        "messages.readHistory" => {
            let (claude, ignace) = stage.brothers().await;
            let story = "Ignace wrote two messages that Claude had not read yet.";
            claude.asks(story, json!({ "peer": ignace.peer(), "max_id": 3 })).with(ignace)
        }
        "messages.sendMessage" => {
            let (claude, ignace) = (stage.claude().await, stage.ignace().await);
            let request = json!({ "peer": ignace.peer(), "message": "Condé is ours again.",
                                  "random_id": "1794081517940830" });
            let story = "Claude has news for his brother Ignace.";
            claude.asks(story, request).wrong(json!({ "message": "" })).with(ignace)
        }
        "messages.setTyping" => {
            let (claude, ignace) = stage.brothers().await;
            let action = json!({ "_": "sendMessageTypingAction" });
            let story = "Claude begins to write to Ignace.";
            claude.asks(story, json!({ "peer": ignace.peer(), "action": action })).with(ignace)
        }
        "messages.startBot" => {
            let (claude, bot) = (stage.claude().await, stage.bot().await);
            let request = json!({ "bot": bot.user(), "peer": bot.peer(), "random_id": "17940815",
                                  "start_param": "lille" });
            let story = "Claude followed the link t.me/ColumbusDemoBot?start=lille.";
            claude.asks(story, request).wrong(json!({ "start_param": "" })).with(bot)
        }
        _ => return None,
    })
}

/// A browser that begins to log in to the site of the bot.
async fn browser(stage: &Stage, asks: impl FnOnce(NewLogin) -> NewLogin) -> Browser {
    let address = Ipv4Addr::new(192, 0, 2, 17).into();
    let login = NewLogin::at(stage.bot_name()).from("Firefox 140", "Linux", address);
    stage.server.log_in(asks(login)).await.unwrap()
}

/// Lets a bot send somebody a message with two buttons; gives the id that it has for who gets it.
async fn buttons(bot: &mut Line, to: &Line) -> i64 {
    let button = |text: &str, data: &str| {
        let does = json!({ "_": "inlineButtonTypeCallback", "data": data });
        json!({ "_": "keyboardInlineButton", "text": text, "type": does })
    };
    let buttons: Json = [button("Lille", "TGlsbGU="), button("Landau", "TGFuZGF1")].into();
    let rows = json!([{ "_": "keyboardInlineButtonRow", "buttons": buttons }]);
    let message = json!({ "peer": to.peer(), "message": "Where do you want to go?", "random_id": 1,
                          "reply_markup": { "_": "replyInlineMarkup", "rows": rows } });
    bot.send(message).await
}
