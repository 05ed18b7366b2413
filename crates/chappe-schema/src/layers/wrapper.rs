//! What surrounds a request: the first of them says which layer the client speaks.

use bytes::Bytes;
use chappe_tl::Reader;

use crate::Type;
use crate::value::{Object, Value, ValueError};

/// A method whose parameter is another request.
///
/// Observed: the ids of these have not changed in any held layer, so that they can be read
/// before the layer is known.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Wrapper {
    /// `initConnection`: who the client is.
    InitConnection(Box<InitConnection>),
    /// `invokeAfterMsg`: run after this request.
    InvokeAfterMsg(i64),
    /// `invokeAfterMsgs`: run after all of these requests.
    InvokeAfterMsgs(Vec<i64>),
    /// `invokeWithLayer`: the client speaks this layer.
    InvokeWithLayer(i32),
    /// `invokeWithoutUpdates`: this session gets no updates.
    InvokeWithoutUpdates,
    /// `invokeWithTakeout`: part of the export with this id.
    InvokeWithTakeout(i64),
    /// Another wrapper by its name; its parameters were read over.
    Other(String),
}

/// What `initConnection` tells.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct InitConnection {
    /// The application's id.
    pub api_id: i32,
    /// The device.
    pub device_model: String,
    /// The operating system and its version.
    pub system_version: String,
    /// The application's version.
    pub app_version: String,
    /// The language of the operating system.
    pub system_lang_code: String,
    /// The language pack, empty for applications that are not official.
    pub lang_pack: String,
    /// The language of the application.
    pub lang_code: String,
    /// `params`, a JSONValue, in the JSON form of [`Value`].
    pub params: Option<serde_json::Value>,
}

/// Takes the wrappers off a request, the outermost first, and hands back what is inside. That
/// may be a `gzip_packed`, which no wrapper is: unpack it and call again.
///
/// # Errors
/// When a wrapper's parameters do not decode, and `TooDeep` for more than
/// [`chappe_tl::MAX_DEPTH`] wrappers.
pub fn unwrap(request: &Bytes) -> Result<(Vec<Wrapper>, Bytes), ValueError> {
    let schema = crate::api();
    let mut input = Reader::new(request);
    let mut wrappers = Vec::new();
    while let Some(definition) = input.peek_u32().and_then(|id| schema.get(id))
        && definition.is_generic()
    {
        input.u32()?;
        input.enter()?;
        let is_param = |ty: &Type| *ty != Type::Query;
        let call = Object::read_fields_while(schema, definition, &mut input, is_param)?;
        wrappers.push(Wrapper::from_call(&call));
    }
    Ok((wrappers, input.rest()))
}

impl Wrapper {
    fn from_call(call: &Object<'_>) -> Self {
        match (call.name(), first(call)) {
            ("initConnection", _) => Self::InitConnection(Box::new(InitConnection::from(call))),
            ("invokeAfterMsg", Some(Value::Long(id))) => Self::InvokeAfterMsg(*id),
            ("invokeAfterMsgs", Some(Value::Vector(ids))) => {
                let long = |value: &Value<'_>| match value {
                    Value::Long(id) => Some(*id),
                    _ => None,
                };
                Self::InvokeAfterMsgs(ids.iter().filter_map(long).collect())
            }
            ("invokeWithLayer", Some(Value::Int(layer))) => Self::InvokeWithLayer(*layer),
            ("invokeWithTakeout", Some(Value::Long(id))) => Self::InvokeWithTakeout(*id),
            ("invokeWithoutUpdates", _) => Self::InvokeWithoutUpdates,
            (name, _) => Self::Other(name.to_owned()),
        }
    }
}

impl From<&Object<'_>> for InitConnection {
    fn from(call: &Object<'_>) -> Self {
        let text = |field: &str| match call.get(field) {
            Some(Value::String(text)) => text.to_string(),
            _ => String::new(),
        };
        Self {
            api_id: match call.get("api_id") {
                Some(Value::Int(id)) => *id,
                _ => 0,
            },
            device_model: text("device_model"),
            system_version: text("system_version"),
            app_version: text("app_version"),
            system_lang_code: text("system_lang_code"),
            lang_pack: text("lang_pack"),
            lang_code: text("lang_code"),
            params: call.get("params").map(Value::to_json),
        }
    }
}

fn first<'a>(call: &'a Object<'_>) -> Option<&'a Value<'a>> {
    call.fields().next().map(|(_, value)| value)
}
