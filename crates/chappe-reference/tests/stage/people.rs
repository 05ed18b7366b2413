//! Who is on the stage.

use chappe_mtproto::connection::Config;
use serde_json::json;

use crate::{
    line::Device,
    stage::{API_HASH, API_ID, DESK, HOME, Line, PHONE, Stage, send_code},
};

/// The test number of Ignace, and its code.
pub(crate) const IGNACE: (&str, &str) = ("9996621805", "22222");

/// A test number that has no account.
pub(crate) const STRANGER: (&str, &str) = ("9996621844", "22222");

impl Stage {
    /// Claude, the owner of the demonstration account: he has six logins on the sites of three bots.
    pub(crate) async fn claude(&mut self) -> Line {
        self.claude_on(DESK).await
    }

    /// Claude on one of his devices.
    pub(crate) async fn claude_on(&mut self, device: Device) -> Line {
        let mut line = self.silent(HOME, Config::default()).await;
        line.introduce(device).await;
        let (phone, code) = self.account();
        sign_in(&mut line, &phone, &code).await;
        line
    }

    /// The number and the code of Claude.
    pub(crate) fn account(&self) -> (String, String) {
        let account = &self.server.accounts()[0];
        (account.phone.clone(), account.code.clone())
    }

    /// Claude's brother Ignace, who just signed up.
    pub(crate) async fn ignace(&mut self) -> Line {
        let mut line = self.silent(HOME, Config::default()).await;
        line.introduce(PHONE).await;
        let hash = send_code(&mut line, IGNACE.0, json!({ "_": "codeSettings" })).await;
        let typed =
            json!({ "phone_number": IGNACE.0, "phone_code_hash": hash, "phone_code": IGNACE.1 });
        line.call("auth.signIn", typed).await;
        let name = json!({ "phone_number": IGNACE.0, "phone_code_hash": hash,
                           "first_name": "Ignace", "last_name": "Chappe" });
        let answer = line.call("auth.signUp", name).await;
        line.signed_in(&answer);
        line
    }

    /// The token of a bot that lives where everybody does.
    pub(crate) fn token(&self) -> String {
        let mut bots = self.server.bots().iter();
        bots.find(|bot| bot.dc_id == HOME).unwrap().token.clone()
    }

    /// The username of this bot.
    pub(crate) fn bot_name(&self) -> String {
        let mut bots = self.server.bots().iter();
        bots.find(|bot| bot.dc_id == HOME).unwrap().username.clone()
    }

    /// The bot.
    pub(crate) async fn bot(&mut self) -> Line {
        let mut line = self.silent(HOME, Config::default()).await;
        line.introduce(Device { model: "Server", system: "Linux 6.12", app: "1.0" }).await;
        let import = json!({ "flags": 0, "api_id": API_ID, "api_hash": API_HASH,
                             "bot_auth_token": self.token() });
        let answer = line.call("auth.importBotAuthorization", import).await;
        line.signed_in(&answer);
        line
    }

    /// Claude and a bot that he wrote `/start` to.
    pub(crate) async fn claude_and_bot(&mut self) -> (Line, Line) {
        let (mut claude, bot) = (self.claude().await, self.bot().await);
        claude.say(&bot, "/start").await;
        (claude, bot)
    }

    /// Claude and Ignace, who wrote to each other.
    pub(crate) async fn brothers(&mut self) -> (Line, Line) {
        let (mut claude, mut ignace) = (self.claude().await, self.ignace().await);
        claude.say(&ignace, "Can you see the arms of the station at Montmartre?").await;
        self.pass(90).await;
        ignace.say(&claude, "Clearly. Three signals a minute, none of them lost.").await;
        self.pass(30).await;
        ignace.say(&claude, "Shall I pass the news on to Lille?").await;
        self.pass(600).await;
        (claude, ignace)
    }
}

impl Line {
    /// Writes a message to somebody; gives the id that it has for who writes.
    pub(crate) async fn say(&mut self, to: &Self, text: &str) -> i64 {
        self.send(json!({ "peer": to.peer(), "message": text, "random_id": text.len() })).await
    }

    /// Sends a message; gives its id.
    pub(crate) async fn send(&mut self, message: serde_json::Value) -> i64 {
        let updates = self.call("messages.sendMessage", message).await;
        updates["updates"][0]["id"].as_i64().unwrap()
    }
}

/// Signs somebody in who has an account and no password.
async fn sign_in(line: &mut Line, phone: &str, code: &str) {
    let hash = send_code(line, phone, json!({ "_": "codeSettings" })).await;
    let typed = json!({ "phone_number": phone, "phone_code_hash": hash, "phone_code": code });
    let answer = line.call("auth.signIn", typed).await;
    line.signed_in(&answer);
}
