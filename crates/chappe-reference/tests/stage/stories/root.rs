//! What stands around other methods.

use serde_json::json;

use crate::stage::{DESK, Scene, Stage, introduction};

const SESSION: &str =
    "Message ids count in one session: in another one nothing came before this request.";

pub(super) async fn play(stage: &mut Stage, method: &str) -> Option<Scene> {
    let query = json!({ "_": "help.getNearestDc" });
    Some(match method {
        "initConnection" => {
            let request = introduction(DESK, query)["query"].take();
            stage
                .nobody()
                .await
                .asks("A device says what it is, in front of its first request.", request)
        }
        "invokeWithLayer" => {
            let story = "A device says which layer it speaks and what it is, and asks where it is.";
            let request = introduction(DESK, query);
            stage.nobody().await.asks(story, request).wrong(json!({ "layer": 1 }))
        }
        "invokeAfterMsg" | "invokeAfterMsgs" => {
            let mut claude = stage.claude().await;
            let offline =
                |offline: bool| json!({ "_": "account.updateStatus", "offline": offline });
            claude.call("account.updateStatus", offline(false)).await;
            let before = stage.last_call().await.msg_id.to_string();
            let mut request = json!({ "query": offline(true) });
            match method {
                "invokeAfterMsg" => request["msg_id"] = json!(before),
                _ => request["msg_ids"] = json!([before]),
            }
            let story = "Claude's client said that he is online. That he went offline has to come after it.";
            claude.asks(story, request).bound(SESSION)
        }
        "invokeWithBusinessConnection" => {
            let query = json!({ "_": "messages.sendMessage", "peer": { "_": "inputPeerSelf" },
                                "message": "We open at nine.", "random_id": "1794" });
            let story = "No business account has connected this bot: the local Telegram knows no such connections.";
            let request = json!({ "connection_id": "QnVzaW5lc3NDb25uZWN0", "query": query });
            stage.bot().await.asks(story, request).refused()
        }
        "invokeWithoutUpdates" => {
            let story = "A second connection of Claude's only wants to know who he is.";
            let query = json!({ "_": "users.getUsers", "id": [{ "_": "inputUserSelf" }] });
            stage.claude().await.asks(story, json!({ "query": query }))
        }
        _ => return None,
    })
}
