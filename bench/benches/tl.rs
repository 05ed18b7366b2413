//! Decoding and encoding a page of 100 messages against `grammers-tl-types` 0.11, with the
//! allocations of both.
//!
//! First a table of ratios, both sides timed in turns, with the bars that must hold; then
//! Criterion's own statistics of chappe's side.

use std::hint::black_box;
use std::time::Duration;

use chappe_api::{enums, types};
use chappe_bench::{Counting, Row, allocations, duel, report};
use chappe_tl::{Bytes, Decode, Encode};
use criterion::{Criterion, Throughput, criterion_group};
use grammers_tl_types::{Deserializable, Serializable, enums as peer};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// What the texts are cut from, as people write them: one byte, two and four per character.
const PROSE: &str = "The train is late again, I will be there in about half an hour. Да, конечно, \
    see you tomorrow at nine then. I have read the document that you sent, and I think that the \
    second part needs another look before we publish it: the numbers of the first table do not \
    add up to those of the last one. 🎉 Thanks to everyone who reported what did not work.";

const CHANNEL: i64 = 1_700_000_001;

fn page() -> enums::messages::Messages {
    types::messages::ChannelMessages {
        inexact: false,
        pts: 4_711,
        count: 98_765,
        offset_id_offset: None,
        messages: (0..100).map(|index| message(index).into()).collect(),
        topics: Vec::new(),
        chats: vec![channel().into()],
        users: (0..20).map(|index| user(index).into()).collect(),
    }
    .into()
}

fn message(index: i32) -> types::Message {
    let text = text(index);
    let length = text.encode_utf16().count() as i32;
    let peer = types::PeerChannel { channel_id: CHANNEL };
    let mut message = types::Message::new(10_000 + index, peer, 1_760_000_000 + index * 60, text);
    message.from_id = Some(types::PeerUser { user_id: author(index) }.into());
    if index % 2 == 0 {
        let second = types::MessageEntityItalic { offset: 12, length: length - 20 }.into();
        let first = types::MessageEntityBold { offset: 0, length: 9 }.into();
        message.entities = Some(vec![first, second]);
        message.reactions = Some(reactions(index));
    }
    if index % 4 == 1 {
        let mut header = types::MessageReplyHeader::new();
        header.reply_to_msg_id = Some(9_000 + index);
        message.reply_to = Some(Box::new(header.into()));
    }
    if index % 5 == 3 {
        let mut media = types::MessageMediaPhoto::new();
        media.photo = Some(photo(index).into());
        message.media = Some(Box::new(media.into()));
    }
    message
}

/// A text of 150 to 230 bytes.
fn text(index: i32) -> String {
    let letters: Vec<char> = PROSE.chars().collect();
    let mut text = String::new();
    let mut letters = letters.iter().cycle().skip(index as usize * 37 % letters.len());
    while text.len() < 150 + index as usize * 53 % 81 {
        text.extend(letters.next());
    }
    text
}

fn reactions(index: i32) -> types::MessageReactions {
    let reaction = |emoticon: &str| -> enums::Reaction {
        types::ReactionEmoji { emoticon: emoticon.into() }.into()
    };
    let recent = |user| {
        let peer = types::PeerUser { user_id: author(user) };
        types::MessagePeerReaction::new(peer, 1_760_000_500, reaction("👍"))
    };
    let mut reactions = types::MessageReactions::new(vec![
        types::ReactionCount::new(reaction("👍"), 12),
        types::ReactionCount::new(reaction("🔥"), 2),
    ]);
    reactions.recent_reactions = Some(vec![recent(index), recent(index + 1)]);
    reactions
}

fn photo(index: i32) -> types::Photo {
    let size = |r#type: &str, w, h, size| -> enums::PhotoSize {
        types::PhotoSize { r#type: r#type.into(), w, h, size }.into()
    };
    let stripped = types::PhotoStrippedSize { r#type: "i".into(), bytes: vec![1; 90].into() };
    let progressive = types::PhotoSizeProgressive {
        r#type: "y".into(),
        w: 1280,
        h: 960,
        sizes: vec![20_000, 60_000, 140_000, 210_000],
    };
    let sizes = vec![
        stripped.into(),
        size("m", 320, 240, 18_000),
        size("x", 800, 600, 90_000),
        progressive.into(),
    ];
    let id = 5_000_000_000_000 + i64::from(index);
    types::Photo::new(id, -id, vec![2_u8; 29], 1_760_000_000, sizes, 2)
}

fn channel() -> types::Channel {
    let photo = types::ChatPhoto::new(77, 2);
    let mut channel = types::Channel::new(CHANNEL, "Weekly planning", photo, 1_600_000_000);
    channel.access_hash = Some(-1);
    channel.username = Some("weekly_planning".into());
    channel.megagroup = true;
    channel.participants_count = Some(1_234);
    channel
}

fn user(index: i32) -> types::User {
    let mut user = types::User::new(author(index));
    user.access_hash = Some(i64::from(index) << 32);
    user.first_name = Some("Alexandra".into());
    user.last_name = Some("Example-Müller".into());
    user.phone = Some(format!("99966{index:05}").into());
    user.username = Some(format!("alexandra_{index}").into());
    let mut photo = types::UserProfilePhoto::new(99, 4);
    photo.stripped_thumb = Some(vec![3; 60].into());
    user.photo = Some(photo.into());
    user.status = Some(types::UserStatusOffline { was_online: 1_760_000_000 }.into());
    user
}

fn author(index: i32) -> i64 {
    5_000_000_000 + i64::from(index % 20)
}

fn ratios(page: &enums::messages::Messages, bytes: &Bytes) {
    let theirs = peer::messages::Messages::from_bytes(bytes).unwrap();
    assert_eq!(theirs.to_bytes(), *bytes, "both read and write the same page");

    let (mine, our_count) = allocations(|| enums::messages::Messages::from_bytes(bytes).unwrap());
    assert_eq!(mine, *page);
    let (_, their_count) = allocations(|| peer::messages::Messages::from_bytes(bytes).unwrap());
    println!("page of {} bytes", bytes.len());
    println!("allocations to decode: chappe {our_count}, grammers {their_count}");
    let (_, our_encode) = allocations(|| page.to_bytes());
    let (_, their_encode) = allocations(|| theirs.to_bytes());
    println!("allocations to encode: chappe {our_encode}, grammers {their_encode}");

    let slice = Duration::from_millis(1);
    let decode = duel(
        1_000,
        slice,
        || drop(black_box(enums::messages::Messages::from_bytes(black_box(bytes)))),
        || drop(black_box(peer::messages::Messages::from_bytes(black_box(bytes)))),
    );
    let encode = duel(
        1_000,
        slice,
        || drop(black_box(black_box(page).to_bytes())),
        || drop(black_box(black_box(&theirs).to_bytes())),
    );
    let row = |name: &str, (ours, theirs), bar| Row { name: name.into(), ours, theirs, bar };
    let bars = [row("decode and drop", decode, 1.8), row("encode", encode, 0.0)];
    report("grammers-tl-types 0.11", &bars);
    assert!(3 * our_count <= their_count, "a third of the allocations is the bar");
}

fn statistics(criterion: &mut Criterion) {
    let page = page();
    let bytes = page.to_bytes();
    let mut group = criterion.benchmark_group("messages.channelMessages");
    group.throughput(Throughput::Bytes(bytes.len() as u64));
    group.bench_function("decode", |b| {
        b.iter(|| enums::messages::Messages::from_bytes(black_box(&bytes)));
    });
    group.bench_function("encode", |b| b.iter(|| black_box(&page).to_bytes()));
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1));
    targets = statistics
}

fn main() {
    let page = page();
    let bytes = page.to_bytes();
    ratios(&page, &bytes);
    benches();
    Criterion::default().configure_from_args().final_summary();
}
