//! The stage for programs: a story a line.

use std::fmt::Write as _;

use chappe::session::{Foreign, Format, foreign::Home};
use chappe_reference::recorded;
use serde_json::{Value as Json, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};

use crate::{
    check::check,
    scene,
    stage::{self, API_HASH, API_ID, Line, Stage},
};

/// Plays the story of each method that is named, and tells where the program has to go; tells of each
/// object what is wrong with this outcome of the last story. Ends with the standard input.
pub(crate) async fn serve() {
    stage::go_live();
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    let mut playing: Option<(String, Stage, u64)> = None;
    while let Some(line) = lines.next_line().await.unwrap() {
        let told = match (line.strip_prefix("check "), &playing) {
            (Some(outcome), Some((method, stage, before))) => {
                let recorded = recorded::recorded(method).expect("it was recorded before");
                let outcome = serde_json::from_str(outcome).unwrap();
                let calls = stage.server.faults().calls().await.unwrap().recent.into_iter();
                let since = calls.filter(|call| call.number > *before);
                let refusals: Vec<_> = since.filter_map(|call| call.error).collect();
                json!({ "wrong": check(recorded, outcome, &refusals).err() })
            }
            (Some(_), None) => panic!("check what?"),
            (None, _) => {
                let (told, stage) = set(&line).await;
                let before = stage.last_call().await.number;
                playing = Some((line, stage, before));
                told
            }
        };
        println!("{told}");
    }
}

/// Plays a story up to its request.
async fn set(method: &str) -> (Json, Stage) {
    let recorded =
        recorded::recorded(method).unwrap_or_else(|| panic!("{method} was not recorded"));
    let (stage, scene) = scene::set(method).await;
    if recorded.bound.is_none() {
        assert_eq!(scene.request, recorded.request, "the story ends in another request");
    }
    (told(&stage, &scene.caller, method), stage)
}

/// What a program needs to know.
fn told(stage: &Stage, line: &Line, method: &str) -> Json {
    let (announcement, key) = (stage.server.announcement(), line.kept().key);
    let address = stage.server.address_of(line.dc).unwrap();
    let mut session = Foreign::new(line.dc, *key.as_bytes());
    session.address = Some(address.to_string());
    let telethon = session.write(Format::Telethon).unwrap();
    // GramJS keeps no port above 32,767, and reads none: its program is told otherwise.
    session.address = Some(format!("{}:80", address.ip()));
    let gramjs = session.write(Format::GramJs).unwrap();
    let address = address.to_string();
    let pem = stage.server.public_key_pem();
    let home = Home::Own { address: &address, public_key_pem: pem };
    let ours = session.into_session(home).unwrap().to_bytes().unwrap();
    json!({
        "method": method,
        "address": address,
        "dc_id": line.dc,
        "server": announcement,
        "api_id": API_ID,
        "api_hash": API_HASH,
        "caller": line.asker,
        "sessions": {
            "chappe": hex(ours.as_ref()),
            "gramjs": gramjs.as_str(),
            "telethon": telethon.as_str(),
        },
    })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
