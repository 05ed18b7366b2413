//! The stories, by namespace.

mod account;
pub(crate) mod also;
mod auth;
mod messages;
mod rest;
mod root;
mod unused;

use crate::stage::{Scene, Stage};

/// Plays the story of a method up to its request; `None` if it has none.
pub(crate) async fn play(stage: &mut Stage, method: &str) -> Option<Scene> {
    let scene = match method.split_once('.').map_or("", |(namespace, _)| namespace) {
        _ if unused::is_about(method) => Some(unused::play(stage, method).await),
        "" => Box::pin(root::play(stage, method)).await,
        "account" => Box::pin(account::play(stage, method)).await,
        "auth" => Box::pin(auth::play(stage, method)).await,
        "messages" => Box::pin(messages::play(stage, method)).await,
        _ => Box::pin(rest::play(stage, method)).await,
    };
    scene.map(|scene| scene.of(method))
}
