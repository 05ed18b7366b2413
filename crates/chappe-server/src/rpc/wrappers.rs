//! What stands around a method: `invokeWithLayer`, `initConnection` and their like
//! (core.telegram.org/api/invoking). They are read in any order, as clients nest them.

use bytes::Bytes;
use chappe_api::errors;
use chappe_mtproto::message;
use chappe_schema::layers::{InitConnection, Wrapper, unwrap};
use chappe_tl::service::GzipPacked;

use super::layer;
use crate::{
    failure::{Failure, Outcome},
    world::{Caller, Device, World},
};

/// How often a request may be compressed inside of its wrappers; clients do so once.
const MAX_PACKED: usize = 2;

/// How much is kept of each text about a device, in characters. Assumed: no device has more to say.
const DEVICE_TEXT: usize = 128;

/// The wrappers that are implemented.
pub(super) const NAMES: [&str; 6] = [
    "initConnection",
    "invokeAfterMsg",
    "invokeAfterMsgs",
    "invokeWithBusinessConnection",
    "invokeWithLayer",
    "invokeWithoutUpdates",
];

/// A request, taken out of its wrappers.
#[derive(Debug, Default)]
pub(super) struct Envelope {
    /// What `invokeWithLayer` announces.
    pub(super) layer: Option<i32>,
    /// What `initConnection` introduces.
    pub(super) device: Option<Device>,
    /// Whether the session wants no updates for this.
    pub(super) without_updates: bool,
    /// Whether a bot speaks for a business account.
    pub(super) business: bool,
    /// Whether this belongs to an export of the account's data.
    pub(super) takeout: bool,
    /// What must have ended before.
    pub(super) after: Vec<i64>,
    /// The method itself, in the caller's layer.
    pub(super) query: Bytes,
}

impl Envelope {
    /// Takes every wrapper off.
    pub(super) fn open(body: &Bytes) -> Outcome<Self> {
        let mut envelope = Self { query: body.clone(), ..Self::default() };
        for _ in 0..=MAX_PACKED {
            let (wrappers, query) =
                unwrap(&envelope.query).map_err(|_| errors::INPUT_FETCH_ERROR)?;
            for wrapper in wrappers {
                envelope.add(wrapper)?;
            }
            let packed = layer::id(&query)? == GzipPacked::ID;
            envelope.query = message::inflate(query).map_err(|_| errors::INPUT_FETCH_ERROR)?;
            if !packed {
                return Ok(envelope);
            }
        }
        Err(errors::INPUT_FETCH_ERROR.into())
    }

    fn add(&mut self, wrapper: Wrapper) -> Outcome<()> {
        match wrapper {
            Wrapper::InitConnection(device) => self.device = Some(read(*device)),
            Wrapper::InvokeAfterMsg(msg_id) => self.after.push(msg_id),
            Wrapper::InvokeAfterMsgs(msg_ids) => self.after.extend(msg_ids),
            Wrapper::InvokeWithLayer(layer) => self.layer = Some(layer),
            Wrapper::InvokeWithTakeout(_) => self.takeout = true,
            Wrapper::InvokeWithoutUpdates => self.without_updates = true,
            Wrapper::Other(name) if name == "invokeWithBusinessConnection" => self.business = true,
            _ => return Err(errors::METHOD_INVALID.into()),
        }
        Ok(())
    }

    /// Writes down what the caller said of itself.
    pub(super) fn introduce(&self, world: &mut World, caller: Caller) -> Outcome<()> {
        if let Some(layer) = self.layer {
            if !layer::is_spoken(layer) {
                return Err(errors::CONNECTION_LAYER_INVALID.into());
            }
            world.set_layer(caller.auth_key_id, layer)?;
            world.session(caller).layer = Some(layer);
        }
        if let Some(device) = &self.device {
            check(device)?;
            world.set_device(caller.auth_key_id, device)?;
        }
        Ok(())
    }

    /// Checks that what must have ended before has ended, and well.
    /// (core.telegram.org/api/invoking#invokeaftermsg)
    ///
    /// Requests of a session run in the order of their arrival, so one that did not end by now was
    /// not received: the client is told to try again instead of being kept waiting.
    pub(super) fn check_order(&self, world: &mut World, caller: Caller) -> Outcome<()> {
        let ended = &world.session(caller).ended;
        for before in &self.after {
            match ended.iter().rev().find(|(msg_id, _)| msg_id == before) {
                Some((_, true)) => {}
                Some((_, false)) => return Err(errors::MSG_WAIT_FAILED.into()),
                None => return Err(Failure::PREDECESSOR_MISSING.into()),
            }
        }
        Ok(())
    }
}

/// Takes over what a device tells of itself. What is too long is cut: it is kept, and shown to
/// every device of the account.
fn read(device: InitConnection) -> Device {
    let shorten = |text: String| match text.char_indices().nth(DEVICE_TEXT) {
        Some((end, _)) => text[..end].to_owned(),
        None => text,
    };
    Device {
        api_id: device.api_id,
        device_model: shorten(device.device_model),
        system_version: shorten(device.system_version),
        app_version: shorten(device.app_version),
        system_lang_code: shorten(device.system_lang_code),
        lang_pack: shorten(device.lang_pack),
        lang_code: shorten(device.lang_code),
    }
}

/// Refuses a device that leaves out what must be told.
fn check(device: &Device) -> Outcome<()> {
    let refusal = if device.api_id <= 0 {
        errors::CONNECTION_API_ID_INVALID
    } else if device.device_model.is_empty() {
        errors::CONNECTION_DEVICE_MODEL_EMPTY
    } else if device.system_version.is_empty() {
        errors::CONNECTION_SYSTEM_EMPTY
    } else if device.app_version.is_empty() {
        errors::CONNECTION_APP_VERSION_EMPTY
    } else {
        return Ok(());
    };
    Err(refusal.into())
}
