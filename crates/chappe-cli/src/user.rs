//! A user, for people and for programs. The phone number is nobody's business in either.

use chappe::api::types::User;
use serde_json::{Value, json};

use crate::output::{bold, paint, printable};

/// The name that people know a user by.
pub(crate) fn name(user: &User) -> String {
    let words = [user.first_name.as_deref(), user.last_name.as_deref()];
    let name = words.into_iter().flatten().collect::<Vec<_>>().join(" ");
    match (&user.username, name.is_empty()) {
        (Some(username), true) => format!("@{}", printable(username)),
        (_, true) => format!("user {}", user.id),
        (_, false) => printable(&name),
    }
}

/// Who a user is, in one line.
pub(crate) fn describe(user: &User) -> String {
    let mut text = paint(bold(), &name(user));
    if let Some(username) = &user.username {
        text.push_str(&format!("  @{}", printable(username)));
    }
    text.push_str(&format!("  id {}", user.id));
    if user.bot {
        text.push_str("  (bot)");
    }
    text
}

/// A user for programs. The phone number stays out of it: a log may keep what is printed.
pub(crate) fn user_json(user: &User) -> Value {
    json!({
        "id": user.id,
        "first_name": user.first_name.as_deref(),
        "last_name": user.last_name.as_deref(),
        "username": user.username.as_deref(),
        "bot": user.bot,
    })
}
