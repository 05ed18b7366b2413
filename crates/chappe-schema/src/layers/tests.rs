//! Every definition of every held layer through lift and lower.

use std::collections::BTreeSet;

use bytes::Bytes;
use serde_json::{Value as Json, json};

use super::convert::Conversion;
use super::{LayerError, Layers, Wrapper, unwrap};
use crate::value::random::Random;
use crate::value::{Object, Value, encode_call};
use crate::{Definition, Schema, Type};

/// All definitions but those of `Vector` and `Bool`, which the codec knows by heart.
fn standing_alone(schema: &Schema) -> impl Iterator<Item = &Definition> {
    let is_core = |it: &&Definition| it.id == chappe_tl::VECTOR || it.result == Type::Bool;
    schema.definitions().iter().filter(move |it| it.is_function || !is_core(it))
}

/// The type under which a definition stands alone.
fn ty(definition: &Definition) -> Type {
    if definition.is_function { Type::Query } else { definition.result.clone() }
}

fn encode(value: &Value<'_>, ty: &Type) -> Bytes {
    let mut bytes = Vec::new();
    value.encode(ty, &mut bytes).unwrap_or_else(|error| panic!("{ty}: {error}"));
    bytes.into()
}

/// Whether every constructor inside is the same in the other schema.
fn is_common(value: &Value<'_>, other: &Schema) -> bool {
    match value {
        Value::Object(object) => {
            let definition = object.definition();
            other.get(definition.id).is_some_and(|it| it.text == definition.text)
                && object.fields().all(|(_, value)| is_common(value, other))
        }
        Value::Vector(items) => items.iter().all(|item| is_common(item, other)),
        _ => true,
    }
}

/// Requires that what both schemas know came through: fields of the same name and type in
/// constructors of the same name.
fn same_where_known(before: &Object<'_>, after: &Object<'_>, other: &Schema) {
    let Some(between) = other.find(before.name()) else { return };
    assert_eq!(before.name(), after.name());
    for (name, value) in before.fields() {
        let ty = |definition: &Definition| {
            let param = definition.params.iter().find(|param| param.name == name);
            param.map(|param| (param.ty.clone(), param.flag.is_some()))
        };
        if ty(between) != ty(before.definition()) || !is_common(value, other) {
            continue;
        }
        assert_eq!(after.get(name), Some(value), "{}.{name}", before.name());
    }
}

/// A value of each layer goes up and comes back: decodable with the layer's own schema, equal
/// where the newest layer knows all of it.
#[test]
fn every_definition_of_every_layer_survives() {
    let layers = Layers::new();
    let newest = layers.schema(layers.newest());
    let mut refused = BTreeSet::new();
    for layer in layers.held() {
        let schema = layers.schema(layer);
        let mut random = Random::new(&schema, 17);
        let (lift, lower) = (Conversion::lift(&newest), Conversion::lower(&schema));
        for definition in standing_alone(&schema) {
            let value = Value::Object(random.object(definition));
            let ty = ty(definition);
            let above = match newest.find(&definition.name) {
                Some(found) if !found.is_function => found.result.clone(),
                _ => ty.clone(),
            };
            let lifted = match lift.value(&value, &above) {
                Ok(lifted) => lifted,
                Err(LayerError::Inexpressible { name, .. } | LayerError::MethodGone(name)) => {
                    refused.insert(name);
                    continue;
                }
                Err(error) => panic!("layer {layer}: {}: {error}", definition.name),
            };
            // Readable by the newest layer, and the same again from there.
            let bytes = encode(&lifted, &above);
            assert_eq!(Value::decode(&newest, &above, &bytes).unwrap(), lifted);
            let lowered = match lower.value(&lifted, &ty) {
                Ok(lowered) => lowered,
                Err(error) => panic!("layer {layer}: {}: {error}", definition.name),
            };
            let bytes = encode(&lowered, &ty);
            assert_eq!(Value::decode(&schema, &ty, &bytes).unwrap(), lowered);
            if is_common(&value, &newest) {
                assert_eq!(lowered, value, "layer {layer}: {}", definition.text);
            }
            let (Value::Object(before), Value::Object(after)) = (&value, &lowered) else {
                panic!()
            };
            same_where_known(before, after, &newest);
        }
    }
    // What is gone for good, and nothing more.
    assert_eq!(refused.into_iter().collect::<Vec<_>>(), GONE);
}

/// Definitions of older layers that the newest layer cannot express in their own type, where
/// they stand alone: mostly answers, which nobody sends to a server.
const GONE: [&str; 31] = [
    "appWebViewResultUrl",
    "broadcastRevenueBalances",
    "broadcastRevenueTransactionProceeds",
    "broadcastRevenueTransactionRefund",
    "broadcastRevenueTransactionWithdrawal",
    "channels.clickSponsoredMessage",
    "channels.reportSponsoredMessage",
    "channels.viewSponsoredMessage",
    "help.getAppChangelog",
    "messageInteractionCounters",
    "messageUserVote",
    "messageUserVoteInputOption",
    "messageUserVoteMultiple",
    "messages.getAllChats",
    "payments.getUserStarGift",
    "payments.getUserStarGifts",
    "payments.userStarGifts",
    "premiumGiftOption",
    "simpleWebViewResultUrl",
    "stats.broadcastRevenueStats",
    "stats.broadcastRevenueTransactions",
    "stats.broadcastRevenueWithdrawalUrl",
    "stats.getBroadcastRevenueStats",
    "stats.getBroadcastRevenueTransactions",
    "stats.getBroadcastRevenueWithdrawalUrl",
    "updateBroadcastRevenueTransactions",
    "updateChannelPinnedTopic",
    "updateChannelPinnedTopics",
    "updateGroupInvitePrivacyForbidden",
    "userStarGift",
    "users.getIsPremiumRequiredToContact",
];

/// A value of the newest layer comes down to every layer, or the error names it.
#[test]
fn every_definition_of_the_newest_layer_comes_down() {
    let layers = Layers::new();
    let newest = layers.schema(layers.newest());
    for layer in layers.held() {
        let schema = layers.schema(layer);
        let lower = Conversion::lower(&schema);
        let mut random = Random::new(&newest, 23);
        for definition in standing_alone(&newest) {
            let value = Value::Object(random.object(definition));
            let ty = ty(definition);
            match lower.value(&value, &ty) {
                Ok(lowered) => {
                    let bytes = encode(&lowered, &ty);
                    assert_eq!(Value::decode(&schema, &ty, &bytes).unwrap(), lowered);
                    if is_common(&value, &schema) {
                        assert_eq!(lowered, value, "layer {layer}: {}", definition.text);
                    }
                }
                Err(LayerError::MethodGone(name)) => assert!(schema.find(&name).is_none()),
                Err(LayerError::Inexpressible { name, expected, .. }) => {
                    let unknown_type = schema.constructors(&expected).is_empty();
                    let unknown = schema.find(&name).is_none();
                    assert!(unknown_type || unknown, "layer {layer}: {name} as {expected}");
                }
                Err(error) => panic!("layer {layer}: {}: {error}", definition.name),
            }
        }
    }
}

fn lower_json(layer: i32, ty: &str, json: Json) -> Result<Json, LayerError> {
    let layers = Layers::new();
    let boxed = Type::Boxed(ty.to_owned());
    let bytes = encode(&Value::from_json(crate::api(), &boxed, &json).unwrap(), &boxed);
    let lowered = layers.lower_as(layer, ty, &bytes)?;
    Ok(Value::decode(&layers.schema(layer), &boxed, &lowered).unwrap().to_json())
}

fn button(text: &str, kind: Json) -> Json {
    json!({ "_": "keyboardInlineButton", "text": text, "type": kind })
}

#[test]
fn buttons_before_and_after_their_split() {
    let markup = json!({
        "_": "replyInlineMarkup",
        "rows": [{ "_": "keyboardInlineButtonRow", "buttons": [
            button("Log in", json!({
                "_": "inlineButtonTypeUrlAuth", "url": "https://example.com", "button_id": 3,
            })),
            button("Press", json!({ "_": "inlineButtonTypeCallback", "data": "AQI=" })),
            button("Off", json!({ "_": "inlineButtonTypeDisabled" })),
        ] }],
    });
    let want = json!({
        "_": "replyInlineMarkup",
        "rows": [{ "_": "keyboardButtonRow", "buttons": [
            {
                "_": "keyboardButtonUrlAuth", "text": "Log in", "url": "https://example.com",
                "button_id": 3,
            },
            { "_": "keyboardButtonCallback", "text": "Press", "data": "AQI=" },
            { "_": "keyboardButton", "text": "Off" },
        ] }],
    });
    for layer in [198, 214, 228] {
        assert_eq!(lower_json(layer, "ReplyMarkup", markup.clone()).unwrap(), want, "{layer}");
    }
    assert_eq!(lower_json(229, "ReplyMarkup", markup.clone()).unwrap(), markup);
    // And up again, from a bot that sends a login button of its layer.
    let layers = Layers::new();
    let schema = layers.schema(198);
    let mut rows = want["rows"].clone();
    rows[0]["buttons"][0] = json!({
        "_": "inputKeyboardButtonUrlAuth", "text": "Log in", "url": "https://example.com",
        "bot": { "_": "inputUserSelf" },
    });
    let send = json!({
        "peer": { "_": "inputPeerSelf" }, "message": "hello", "random_id": 1,
        "reply_markup": { "_": "replyInlineMarkup", "rows": rows },
    });
    let request = encode_call(&schema, "messages.sendMessage", &send).unwrap();
    let lifted = layers.lift(198, &request.into()).unwrap();
    let call = Object::decode_call(crate::api(), &lifted.body).unwrap().to_json();
    let buttons = &call["reply_markup"]["rows"][0]["buttons"];
    assert_eq!(buttons[0]["type"]["_"], "inputInlineButtonTypeUrlAuth");
    assert_eq!(buttons[0]["type"]["bot"]["_"], "inputUserSelf");
    assert_eq!(buttons[1], markup["rows"][0]["buttons"][1]);
    assert_eq!(buttons[2], markup["rows"][0]["buttons"][2]);
}

#[test]
fn methods_that_moved() {
    let layers = Layers::new();
    let schema = layers.schema(204);
    let delete = json!({
        "channel": { "_": "inputChannel", "channel_id": 5, "access_hash": 6 }, "top_msg_id": 7,
    });
    let request = encode_call(&schema, "channels.deleteTopicHistory", &delete).unwrap();
    let lifted = layers.lift(204, &request.into()).unwrap();
    assert_eq!(
        Object::decode_call(crate::api(), &lifted.body).unwrap().to_json(),
        json!({
            "_": "messages.deleteTopicHistory",
            "peer": { "_": "inputPeerChannel", "channel_id": "5", "access_hash": "6" },
            "top_msg_id": 7,
        })
    );
    assert_eq!(lifted.returns.theirs(), lifted.returns.ours());
    let gone = json!({ "peer": { "_": "inputPeerSelf" } });
    let request = encode_call(&schema, "stats.getBroadcastRevenueStats", &gone).unwrap();
    let error = layers.lift(204, &request.into()).unwrap_err().to_string();
    assert_eq!(
        error,
        "the method `stats.getBroadcastRevenueStats` is gone and nothing took its place"
    );
}

/// The type of the answer is the caller's, also where the method answers another one today.
#[test]
fn answers_of_another_type() {
    let layers = Layers::new();
    let schema = layers.schema(198);
    let join = json!({ "channel": { "_": "inputChannelEmpty" } });
    let request = encode_call(&schema, "channels.joinChannel", &join).unwrap().into();
    let returns = layers.lift(198, &request).unwrap().returns;
    assert_eq!(returns.theirs().to_string(), "Updates");
    assert_eq!(returns.ours().to_string(), "messages.ChatInviteJoinResult");
    let answer =
        json!({ "_": "messages.chatInviteJoinResultOk", "updates": { "_": "updatesTooLong" } });
    let answer = Value::from_json(crate::api(), returns.ours(), &answer).unwrap();
    let lowered = layers.lower(&returns, &encode(&answer, returns.ours())).unwrap();
    let value = Value::decode(&schema, returns.theirs(), &lowered).unwrap();
    assert_eq!(value.to_json(), json!({ "_": "updatesTooLong" }));
}

#[test]
fn what_a_layer_does_not_know_is_left_out_or_named() {
    // An update that layer 198 does not know: dropped from a list, refused alone.
    let unknown = json!({ "_": "updateManagedBot", "user_id": 1, "bot_id": 2, "qts": 3 });
    let list = |update: &Json| {
        json!({
            "_": "updates", "updates": [update, { "_": "updateConfig" }], "users": [],
            "chats": [], "date": 1, "seq": 2,
        })
    };
    let lowered = lower_json(198, "Updates", list(&unknown)).unwrap();
    assert_eq!(lowered["updates"], json!([{ "_": "updateConfig" }]));
    let alone = json!({ "_": "updateShort", "update": unknown, "date": 1 });
    let error = lower_json(198, "Updates", alone).unwrap_err().to_string();
    assert_eq!(error, "layer 198 cannot express `updateManagedBot` as Update");
    // Media that layer 198 does not know is unsupported media, fields are dropped.
    let user =
        json!({ "_": "user", "id": 5, "stories_max_id": { "_": "recentStory", "max_id": 9 } });
    let lowered = lower_json(198, "User", user).unwrap();
    assert_eq!(lowered, json!({ "_": "user", "id": "5", "stories_max_id": 9 }));
}

#[test]
fn what_is_the_same_passes_unchanged() {
    let layers = Layers::new();
    let bytes: Bytes = encode_call(crate::api(), "help.getConfig", &Json::Null).unwrap().into();
    for layer in layers.held() {
        let lifted = layers.lift(layer, &bytes).unwrap();
        assert_eq!(lifted.body.as_ptr(), bytes.as_ptr(), "layer {layer}");
    }
}

#[test]
fn the_nearest_layer_serves() {
    let layers = Layers::new();
    for (announced, want) in [
        (100, 158),
        (158, 158),
        (181, 158),
        (194, 186),
        (198, 198),
        (200, 199),
        (212, 211),
        (226, 225),
        (230, 230),
        (232, 230),
        (i32::MIN, 158),
        (i32::MAX, 230),
    ] {
        assert_eq!(layers.nearest(announced), want);
        assert_eq!(layers.schema(announced).layer(), Some(want));
    }
}

#[test]
fn requests_of_another_layer_are_errors() {
    let layers = Layers::new();
    let unknown = Bytes::from_static(&[1, 2, 3, 4]);
    assert!(matches!(layers.lift(198, &unknown), Err(LayerError::Value(_))));
    assert!(matches!(layers.lift(230, &unknown), Err(LayerError::Value(_))));
    let trailing = Bytes::from_static(&[0x6b, 0x18, 0xf9, 0xc4, 0]);
    assert!(matches!(layers.lift(198, &trailing), Err(LayerError::Value(_))));
}

#[test]
fn wrappers_come_off() {
    let init = json!({
        "_": "initConnection", "api_id": 12345, "device_model": "Test", "system_version": "1.0",
        "app_version": "0.1", "system_lang_code": "en", "lang_pack": "", "lang_code": "en",
        "params": { "_": "jsonObject", "value": [
            { "_": "jsonObjectValue", "key": "tz_offset", "value": { "_": "jsonNumber", "value": 3600.0 } },
        ] },
        "query": { "_": "invokeAfterMsg", "msg_id": 7, "query": { "_": "help.getConfig" } },
    });
    let layer = json!({ "layer": 198, "query": init });
    let bytes = encode_call(crate::api(), "invokeWithLayer", &layer).unwrap();
    let (wrappers, inner) = unwrap(&bytes.into()).unwrap();
    assert_eq!(inner, [0x6b, 0x18, 0xf9, 0xc4][..]);
    let [Wrapper::InvokeWithLayer(198), Wrapper::InitConnection(init), Wrapper::InvokeAfterMsg(7)] =
        &wrappers[..]
    else {
        panic!("{wrappers:?}")
    };
    assert_eq!((init.api_id, init.device_model.as_str()), (12345, "Test"));
    assert_eq!(init.params.as_ref().unwrap()["value"][0]["value"]["value"], json!(3600.0));
    // What is inside may be anything, also of a layer that nobody knows.
    let foreign = Bytes::from_static(&[0xb7, 0x59, 0x94, 0xbf, 9, 9, 9, 9, 9]);
    let (wrappers, inner) = unwrap(&foreign).unwrap();
    assert_eq!((wrappers, inner), (vec![Wrapper::InvokeWithoutUpdates], foreign.slice(4..)));
    assert_eq!(unwrap(&Bytes::new()).unwrap(), (vec![], Bytes::new()));
    // A wrapper that ends too soon, and wrappers without end.
    assert!(unwrap(&Bytes::from_static(&[0x0d, 0x0d, 0x9b, 0xda, 1])).is_err());
    assert!(unwrap(&0xbf94_59b7_u32.to_le_bytes().repeat(1000).into()).is_err());
}

/// The wrappers have the same ids in all layers that know them: `unwrap` relies on it.
#[test]
fn the_wrappers_never_changed() {
    let layers = Layers::new();
    for layer in layers.held() {
        let schema = layers.schema(layer);
        for wrapper in schema.functions().filter(|method| method.is_generic()) {
            assert_eq!(crate::api().get(wrapper.id).unwrap().text, wrapper.text, "layer {layer}");
        }
    }
}
