//! Golden vectors of the API's wire form, hostile nesting, and the sizes of the large types.

use chappe_api::{
    InitConnection, InvokeWithLayer, LAYER, account, enums, errors, help, messages, types,
};
use chappe_tl::{Bytes, Decode, DecodeErrorKind, Encode, Function, Raw};

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn a_wrapped_call() {
    let query = InitConnection::new(12345, "Test", "1.0", "0.1", "en", "", "en", help::GetConfig);
    let call = InvokeWithLayer { layer: LAYER, query };
    let bytes = call.to_bytes();
    assert_eq!(
        hex(&bytes),
        "0d0d9bdae6000000a95ecdc10000000039300000045465737400000003312e3003302e3102656e0000000000\
         02656e006b18f9c4"
    );
    let raw = InvokeWithLayer::<Raw>::from_bytes(&bytes).unwrap();
    let inner = InitConnection::<Raw>::from_bytes(&raw.query.0).unwrap();
    assert_eq!((inner.api_id, inner.query), (12345, Raw(help::GetConfig.to_bytes())));
}

#[test]
fn web_authorizations() {
    let hash = -81_985_529_216_486_895;
    assert_eq!(hex(&account::GetWebAuthorizations.to_bytes()), "6f6d2e18");
    assert_eq!(
        hex(&account::ResetWebAuthorization { hash }.to_bytes()),
        "efb9012d1132547698badcfe"
    );
    assert_eq!(hex(&account::ResetWebAuthorizations.to_bytes()), "94252d68");
    let answer = types::account::WebAuthorizations {
        authorizations: vec![types::WebAuthorization {
            hash,
            bot_id: 7_342_037_359,
            domain: "example.com".into(),
            browser: "Firefox".into(),
            platform: "Linux".into(),
            date_created: 1_700_000_000,
            date_active: 1_700_003_600,
            ip: "203.0.113.7".into(),
            region: "Example City, Nowhere".into(),
        }],
        users: vec![types::UserEmpty { id: 7_342_037_359 }.into()],
    };
    let bytes = answer.to_bytes();
    assert_eq!(
        hex(&bytes),
        "fcc956ed15c4b51c0100000052f4f8a61132547698badcfe6f999eb5010000000b6578616d706c652e636f6d\
         0746697265666f78054c696e7578000000f1536510ff53650b3230332e302e3131332e37154578616d706c65\
         20436974792c204e6f7768657265000015c4b51c010000007a4bbcd36f999eb501000000"
    );
    type Answer = <account::GetWebAuthorizations as Function>::Return;
    assert_eq!(Answer::from_bytes(&bytes).unwrap(), answer);
}

#[test]
fn facts_of_methods() {
    type Reset = account::ResetWebAuthorization;
    assert_eq!(Reset::NAME, "account.resetWebAuthorization");
    assert_eq!(<Reset as Function>::ID, Reset::ID);
    assert_eq!(Reset::ERRORS, [errors::HASH_INVALID]);
    const { assert!(Reset::CALLERS.user && !Reset::CALLERS.bot && !Reset::CALLERS.signed_out) };
    const { assert!(chappe_api::auth::SendCode::CALLERS.signed_out) };
    const { assert!(!chappe_api::bots::SetBotCommands::CALLERS.user) };
    const { assert!(messages::SendMessage::CALLERS.business) };
    assert_eq!(errors::FLOOD_WAIT_X.code, 420);
}

#[test]
fn unknown_flag_bits_are_ignored() {
    let count = types::ReactionCount {
        chosen_order: Some(3),
        reaction: types::ReactionEmoji { emoticon: "a".into() }.into(),
        count: 5,
    };
    let mut bytes = count.to_bytes().to_vec();
    assert_eq!(bytes[4..8], [1, 0, 0, 0], "the flags follow the constructor id");
    // A newer layer adds a `true`: its bit alone is on the wire.
    bytes[7] |= 0x40;
    assert_eq!(types::ReactionCount::from_bytes(&bytes.into()).unwrap(), count);
}

#[test]
fn generic_methods_cut_anywhere_are_an_error_or_a_shorter_query() {
    let query = InitConnection::new(12345, "Test", "1.0", "0.1", "en", "", "en", help::GetConfig);
    let bytes = InvokeWithLayer { layer: LAYER, query }.to_bytes();
    for cut in 0..bytes.len() {
        let cut_short = bytes.slice(..cut);
        let whole = InvokeWithLayer::<InitConnection<help::GetConfig>>::from_bytes(&cut_short);
        assert_eq!(whole.unwrap_err().kind(), DecodeErrorKind::UnexpectedEnd, "at {cut}");
        // A query that is not looked into ends where its input does.
        let raw = InvokeWithLayer::<Raw>::from_bytes(&cut_short);
        assert_eq!(raw.is_ok_and(|call| call.query.0 == bytes[8..cut]), cut >= 8, "at {cut}");
    }
}

#[test]
fn a_large_answer_cut_anywhere_is_an_error() {
    let text = "x".repeat(300);
    let message = |id| {
        let peer = types::PeerUser { user_id: 7 };
        let mut message = types::Message::new(id, peer, 1_700_000_000, text.as_str());
        message.entities = Some(vec![types::MessageEntityBold { offset: 0, length: 9 }.into()]);
        message.reactions = Some(types::MessageReactions::new(vec![types::ReactionCount::new(
            enums::Reaction::Paid,
            2,
        )]));
        message.effect = Some(Box::new(9));
        message.from_rank = Some(Box::new("rank".into()));
        message.saved_peer_id = Some(Box::new(types::PeerChat { chat_id: 5 }.into()));
        enums::Message::from(message)
    };
    let mut user = types::User::new(7);
    user.first_name = Some("A".into());
    user.photo = Some(types::UserProfilePhoto::new(1, 2).into());
    let answer: enums::messages::Messages = types::messages::Messages {
        messages: (0..3).map(message).collect(),
        topics: Vec::new(),
        chats: vec![
            types::Chat::new(5, "title", enums::ChatPhoto::Empty, 1, 1_700_000_000, 1).into(),
        ],
        users: vec![user.into()],
    }
    .into();
    let bytes = answer.to_bytes();
    assert!(bytes.len() > 1_000);
    assert_eq!(enums::messages::Messages::from_bytes(&bytes).unwrap(), answer);
    for cut in 0..bytes.len() {
        assert!(enums::messages::Messages::from_bytes(&bytes.slice(..cut)).is_err(), "at {cut}");
    }
}

#[test]
fn an_unknown_constructor_is_named() {
    let error = enums::Peer::from_bytes(&Bytes::from_static(&[1, 2, 3, 4])).unwrap_err();
    let expected = DecodeErrorKind::UnknownConstructor { id: 0x0403_0201, expected: "Peer" };
    assert_eq!((error.kind(), error.offset()), (expected, 0));
}

#[test]
fn nesting_is_bounded() {
    let mut text = enums::RichText::TextEmpty;
    for _ in 0..63 {
        text = types::TextBold { text: Box::new(text) }.into();
    }
    assert_eq!(enums::RichText::from_bytes(&text.to_bytes()).unwrap(), text);

    let mut bomb = Vec::new();
    for _ in 0..1_000_000 {
        bomb.extend(types::TextBold::ID.to_le_bytes());
    }
    let error = enums::RichText::from_bytes(&bomb.into()).unwrap_err();
    assert_eq!(error.kind(), DecodeErrorKind::TooDeep);
}

#[test]
fn announced_items_reserve_nothing() {
    let mut bomb = types::messages::Messages::ID.to_le_bytes().to_vec();
    bomb.extend(chappe_tl::VECTOR.to_le_bytes());
    bomb.extend(u32::MAX.to_le_bytes());
    let error = enums::messages::Messages::from_bytes(&bomb.into()).unwrap_err();
    assert_eq!(error.kind(), DecodeErrorKind::TooManyItems { count: u32::MAX });
}

#[test]
fn large_types_stay_small() {
    for (size, limit) in [
        (size_of::<types::Message>(), 400),
        (size_of::<enums::Message>(), 400),
        (size_of::<enums::Update>(), 64),
        (size_of::<enums::Updates>(), 64),
    ] {
        assert!(size <= limit, "{size} > {limit}");
    }
}
