//! Checks login data for programs in other languages: a JSON object a line on standard input, a
//! verdict a line on standard output.
//!
//! `{"kind": "query", "token": "123:ABC", "data": "id=42&..", "now": 1700000000}` is answered by
//! `{"ok": {"id": 42, ..}}` or `{"error": "Hash", "message": ".."}`. Kinds: `query`, `json` and
//! `auth_result` of a Login Widget; `init_data`; `third_party` (with `bot_id`, and for `key`
//! `production`, `test` or 64 hexadecimal digits); `sign_widget` and `sign_init_data`, which
//! answer `{"ok": {"query": ".."}}`.

use std::{
    io::{self, BufRead, Write},
    time::{Duration, SystemTime},
};

use chappe_login::{BotToken, Error, Fields, InitData, Login, MiniApp, ThirdParty, Widget};
use serde_json::{Value, json};

fn main() -> io::Result<()> {
    let mut out = io::stdout().lock();
    for line in io::stdin().lock().lines() {
        let verdict = match serde_json::from_str(&line?) {
            Ok(asked) => answer(&asked).unwrap_or_else(refusal),
            Err(error) => json!({"error": "Asked", "message": error.to_string()}),
        };
        writeln!(out, "{verdict}")?;
        out.flush()?;
    }
    Ok(())
}

fn answer(asked: &Value) -> Result<Value, Error> {
    let text = |name: &str| asked[name].as_str().unwrap_or_default();
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(asked["now"].as_u64().unwrap_or(0));
    let (token, data) = (|| BotToken::new(text("token")), text("data"));
    let widget = || token().map(|token| Widget::new(&token));
    let mini_app = || token().map(|token| MiniApp::new(&token));
    let answer = match text("kind") {
        "query" => login(&widget()?.check(Fields::from_query(data)?, now)?),
        "json" => login(&widget()?.check(Fields::from_json(data)?, now)?),
        "auth_result" => login(&widget()?.check(Fields::from_auth_result(data)?, now)?),
        "init_data" => init_data(&mini_app()?.check(data, now)?),
        "third_party" => {
            let bot_id = asked["bot_id"].as_i64().unwrap_or(0);
            init_data(&ThirdParty::new(bot_id, &key(text("key"))?)?.check(data, now)?)
        }
        "sign_widget" => signed(&widget()?.sign(Fields::from_query(data)?)),
        "sign_init_data" => signed(&mini_app()?.sign(Fields::from_query(data)?)),
        kind => return Ok(json!({"error": "Asked", "message": format!("no kind {kind:?}")})),
    };
    Ok(json!({ "ok": answer }))
}

fn refusal(error: Error) -> Value {
    let name = format!("{error:?}");
    let name = name.split(|c: char| !c.is_alphanumeric()).next();
    json!({"error": name, "message": error.to_string()})
}

fn key(text: &str) -> Result<[u8; 32], Error> {
    match text {
        "production" => return Ok(ThirdParty::PRODUCTION),
        "test" => return Ok(ThirdParty::TEST),
        _ => {}
    }
    let mut key = [0; 32];
    for (index, byte) in key.iter_mut().enumerate() {
        let digits = text.get(2 * index..2 * index + 2).ok_or(Error::Key)?;
        *byte = u8::from_str_radix(digits, 16).map_err(|_| Error::Key)?;
    }
    Ok(key)
}

fn login(login: &Login) -> Value {
    json!({
        "id": login.id,
        "first_name": login.first_name,
        "last_name": login.last_name,
        "username": login.username,
        "photo_url": login.photo_url,
        "auth_date": unix(login.auth_date),
    })
}

fn init_data(data: &InitData) -> Value {
    json!({
        "user_id": data.user.as_ref().map(|user| user.id),
        "first_name": data.user.as_ref().map(|user| &user.first_name),
        "is_premium": data.user.as_ref().map(|user| user.is_premium),
        "chat_id": data.chat.as_ref().map(|chat| chat.id),
        "start_param": data.start_param,
        "query_id": data.query_id,
        "auth_date": unix(data.auth_date),
    })
}

fn signed(fields: &Fields) -> Value {
    json!({ "query": fields.to_query() })
}

fn unix(time: SystemTime) -> Option<u64> {
    time.duration_since(SystemTime::UNIX_EPOCH).ok().map(|since| since.as_secs())
}
