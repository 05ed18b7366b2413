//! Every caller in its own layer: requests are lifted to ours, answers lowered to theirs.

use std::{collections::BTreeSet, sync::LazyLock};

use bytes::Bytes;
use chappe_api::errors;
use chappe_schema::layers::{LayerError, Layers, Returns};

use crate::{
    failure::{Failure, Outcome, Stop},
    world::World,
};

/// How far a layer may be ahead of ours: such a client is served in ours.
const AHEAD: i32 = 50;

/// The schemas of all layers.
static LAYERS: LazyLock<Layers> = LazyLock::new(Layers::new);

/// How an answer gets back to its caller; `None` when the caller speaks our layer.
pub(super) type Back = Option<Returns>;

/// Whether a client that announces this layer is served.
pub(super) fn is_spoken(layer: i32) -> bool {
    let oldest = LAYERS.held().next().unwrap_or(chappe_api::LAYER);
    (oldest..=chappe_api::LAYER + AHEAD).contains(&layer)
}

/// The layer of a session: the one that it announced, or else the last one of its key.
pub(super) fn of(world: &World, auth_key_id: i64, session_id: i64) -> Outcome<i32> {
    if let Some(layer) = world.session_layer(auth_key_id, session_id) {
        return Ok(layer);
    }
    let layer = world.key_state(auth_key_id)?.and_then(|key| key.layer);
    Ok(layer.ok_or(errors::CONNECTION_NOT_INITED)?)
}

/// Turns a request into our layer.
pub(super) fn lift(layer: i32, query: &Bytes) -> Outcome<(Bytes, Back)> {
    if is_ours(layer) {
        return Ok((query.clone(), None));
    }
    let id = id(query)?;
    if !LAYERS.schema(layer).get(id).is_some_and(|method| method.is_function) {
        return Err(Failure::unknown_method(id).into());
    }
    match LAYERS.lift(layer, query) {
        Ok(lifted) => Ok((lifted.body, Some(lifted.returns))),
        Err(LayerError::MethodGone(_)) => Err(errors::METHOD_INVALID.into()),
        Err(_) => Err(errors::INPUT_FETCH_ERROR.into()),
    }
}

/// Turns an answer into the caller's layer.
pub(super) fn lower(back: &Back, answer: Bytes) -> Outcome<Bytes> {
    let Some(returns) = back else { return Ok(answer) };
    LAYERS.lower(returns, &answer).map_err(|error| {
        tracing::warn!(%error, layer = returns.layer(), "an answer does not fit the layer");
        Stop::Undone
    })
}

/// Turns updates into a session's layer; `None` if that layer does not know them.
pub(super) fn lower_updates(layer: i32, updates: &Bytes) -> Option<Bytes> {
    if is_ours(layer) {
        return Some(updates.clone());
    }
    LAYERS.lower_as(layer, "Updates", updates).ok()
}

/// Whether this is the id of a method of our layer.
pub(super) fn is_method(id: u32) -> bool {
    chappe_schema::api().get(id).is_some_and(|method| method.is_function)
}

/// The name of the method that a request of this layer begins with.
pub(super) fn method(layer: i32, query: &Bytes) -> Option<String> {
    let id = id(query).ok()?;
    let schema = LAYERS.schema(layer);
    let found = schema.get(id).or_else(|| chappe_schema::api().get(id));
    found.filter(|method| method.is_function).map(|method| method.name.clone())
}

/// The ids of the constructors of this name in all layers.
pub(super) fn ids_of(constructor: &str) -> BTreeSet<u32> {
    let held = LAYERS.held().chain([chappe_api::LAYER]);
    held.filter_map(|layer| LAYERS.schema(layer).find(constructor).map(|found| found.id)).collect()
}

/// The constructor id that a request begins with.
pub(super) fn id(query: &Bytes) -> Outcome<u32> {
    let id = query.first_chunk().map(|bytes| u32::from_le_bytes(*bytes));
    Ok(id.ok_or(errors::INPUT_FETCH_ERROR)?)
}

fn is_ours(layer: i32) -> bool {
    layer >= chappe_api::LAYER
}
