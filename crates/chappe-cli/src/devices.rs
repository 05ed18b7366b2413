//! `chappe account devices`: where the account is signed in.

use chappe::{Client, DeviceSession, DeviceSessions, Error, errors};
use serde_json::{Value, json};

use crate::args::{DevicesCommand, Global, ResetDevice};
use crate::connect::Target;
use crate::errors::failure;
use crate::interrupt::unless_interrupted;
use crate::output::{Cell, Exit, Failure, Output, good, notice, paint, printable};
use crate::prompt;
use crate::web::nearest;
use crate::when;

/// `chappe account devices ...`.
pub(crate) async fn devices(
    global: &Global,
    command: Option<DevicesCommand>,
    output: Output,
) -> Result<(), Failure> {
    let target = Target::new(global)?;
    let work = async {
        let client = target.resume().await?;
        match command.unwrap_or(DevicesCommand::List) {
            DevicesCommand::List => list(client, output).await,
            DevicesCommand::Reset(reset) => reset_some(client, &reset, global.yes, output).await,
            DevicesCommand::Ttl { days } => set_ttl(client, days, output).await,
            DevicesCommand::Confirm { hash } => confirm(client, hash, output).await,
        }
    };
    let after = "what was asked for may have happened: look with `chappe account devices`";
    unless_interrupted(work, after).await
}

async fn list(client: Client, output: Output) -> Result<(), Failure> {
    let devices = client.device_sessions().await.map_err(failure)?;
    client.close().await.map_err(failure)?;
    let value = json!({
        "devices": rows_json(&devices.sessions),
        "ttl_days": devices.ttl_days,
    });
    output.answer(&value, || table(&devices, output))?;
    if !output.is_json() {
        notice(&advice(&devices));
    }
    Ok(())
}

async fn reset_some(
    client: Client,
    reset: &ResetDevice,
    yes: bool,
    output: Output,
) -> Result<(), Failure> {
    let devices = client.device_sessions().await.map_err(failure)?.sessions;
    let ended = match reset.hash {
        Some(hash) => vec![reset_one(&client, &devices, hash, yes).await?],
        None => reset_others(&client, devices, yes).await?,
    };
    client.close().await.map_err(failure)?;
    let value = json!({ "reset": rows_json(&ended) });
    output.answer(&value, || match ended.is_empty() {
        true => "the account is signed in on no other device".to_owned(),
        false => {
            let line = |device| format!("{} {}", paint(good(), "signed out"), name(device));
            ended.iter().map(line).collect::<Vec<_>>().join("\n")
        }
    })
}

async fn reset_one(
    client: &Client,
    devices: &[DeviceSession],
    hash: i64,
    yes: bool,
) -> Result<DeviceSession, Failure> {
    let device = find(devices, hash, "sign this device out with `chappe logout`")?;
    prompt::confirm(&format!("Sign out {}?", name(device)), yes).await?;
    if let Err(error) = client.reset_device_session(hash).await {
        settle(client, error, |left| left.iter().all(|device| device.hash() != hash)).await?;
    }
    Ok(device.clone())
}

async fn reset_others(
    client: &Client,
    mut devices: Vec<DeviceSession>,
    yes: bool,
) -> Result<Vec<DeviceSession>, Failure> {
    devices.retain(|device| !device.is_current());
    if devices.is_empty() {
        return Ok(devices);
    }
    let question = match devices.len() {
        1 => "Sign out the one other device?".to_owned(),
        count => format!("Sign out all {count} other devices?"),
    };
    prompt::confirm(&question, yes).await?;
    if let Err(error) = client.reset_other_device_sessions().await {
        settle(client, error, |left| left.iter().all(DeviceSession::is_current)).await?;
    }
    Ok(devices)
}

async fn set_ttl(client: Client, days: i32, output: Output) -> Result<(), Failure> {
    client.set_device_session_ttl(days).await.map_err(explained)?;
    client.close().await.map_err(failure)?;
    output.answer(&json!({ "ttl_days": days }), || {
        let done = format!("a device that is not used for {} is signed out", count(days));
        paint(good(), &done)
    })
}

async fn confirm(client: Client, hash: i64, output: Output) -> Result<(), Failure> {
    let devices = client.device_sessions().await.map_err(failure)?.sessions;
    let device = find(&devices, hash, "another device of the account has to confirm this one")?;
    if device.is_password_pending() {
        return Err(Failure::new(
            Exit::Conflict,
            format!("{} has not given the password yet", name(device)),
        )
        .hint("not yours? `chappe account devices reset` shuts it out"));
    }
    if !client.confirm_device_session(hash).await.map_err(failure)? {
        return Err(not_found(&devices, hash));
    }
    client.close().await.map_err(failure)?;
    output.answer(&json!({ "confirmed": row_json(device) }), || {
        format!("{} {}", paint(good(), "confirmed"), name(device))
    })
}

/// The device of this hash; the current one is never meant.
fn find<'a>(
    devices: &'a [DeviceSession],
    hash: i64,
    instead: &str,
) -> Result<&'a DeviceSession, Failure> {
    match devices.iter().find(|device| device.hash() == hash) {
        Some(device) if !device.is_current() => Ok(device),
        Some(_) => Err(Failure::usage("0 is this device itself").hint(instead)),
        None => Err(not_found(devices, hash)),
    }
}

fn not_found(devices: &[DeviceSession], hash: i64) -> Failure {
    let failure = Failure::new(Exit::NotFound, format!("no device has the hash {hash}"));
    let others = devices.iter().filter(|device| !device.is_current());
    match nearest(others.map(DeviceSession::hash), hash) {
        Some(near) => failure.hint(format!("did you mean {near}?")),
        None => failure.hint("`chappe account devices` prints the hashes"),
    }
}

/// A lost answer may have been a yes: the list tells. What Telegram refused stays refused.
async fn settle(
    client: &Client,
    error: Error,
    gone: impl FnOnce(&[DeviceSession]) -> bool,
) -> Result<(), Failure> {
    if !error.is_unanswered() {
        return Err(explained(error));
    }
    match client.device_sessions().await {
        Ok(left) if gone(&left.sessions) => Ok(()),
        _ => Err(failure(error)
            .hint("it may have happened all the same: look with `chappe account devices`")),
    }
}

/// Adds what to do to what went wrong.
fn explained(error: Error) -> Failure {
    match error.is(errors::FRESH_RESET_AUTHORISATION_FORBIDDEN) {
        true => failure(error)
            .hint("`chappe account devices` shows in the last column when this one signed in"),
        false => failure(error),
    }
}

fn table(devices: &DeviceSessions, output: Output) -> String {
    let now = when::now();
    let head = [
        cell("HASH", "STATE"),
        cell("DEVICE", "SYSTEM"),
        cell("APP", "VERSION"),
        cell("IP", "COUNTRY"),
        cell("ACTIVE", "CREATED"),
    ];
    let row = |device: &DeviceSession| {
        let raw = device.raw();
        vec![
            cell(raw.hash, state(device)),
            cell(device.device_model(), device.system_version()),
            cell(device.app_name(), device.app_version()),
            cell(device.ip(), &place(device)),
            cell(when::ago(raw.date_active, now), &when::day(raw.date_created)),
        ]
    };
    let rows: Vec<_> = devices.sessions.iter().map(row).collect();
    output.table(&head, &rows)
}

fn cell(text: impl ToString, below: &str) -> Cell {
    Cell(text.to_string(), Some(below.to_owned()))
}

/// What is special about a device.
fn state(device: &DeviceSession) -> &'static str {
    match device {
        _ if device.is_current() => "this device",
        _ if device.is_password_pending() => "owes the password",
        _ if device.is_unconfirmed() => "unconfirmed",
        _ => "",
    }
}

fn place(device: &DeviceSession) -> String {
    let words = [device.country(), device.region()];
    words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(", ")
}

/// What a person should know beside the table.
fn advice(devices: &DeviceSessions) -> String {
    let mut text =
        format!("A device that is not used for {} is signed out.", count(devices.ttl_days));
    if devices.sessions.iter().any(DeviceSession::is_unconfirmed) {
        text.push_str(
            "\nUnconfirmed: is it yours? `chappe account devices confirm HASH`, \
             else `chappe account devices reset HASH`.",
        );
    }
    text
}

fn count(days: i32) -> String {
    format!("{days} day{}", if days == 1 { "" } else { "s" })
}

/// How a device is called in a sentence.
fn name(device: &DeviceSession) -> String {
    format!(
        "{} ({}, {})",
        printable(device.device_model()),
        printable(device.app_name()),
        printable(device.ip())
    )
}

fn rows_json(devices: &[DeviceSession]) -> Value {
    Value::Array(devices.iter().map(row_json).collect())
}

fn row_json(device: &DeviceSession) -> Value {
    let raw = device.raw();
    json!({
        "hash": raw.hash.to_string(),
        "current": device.is_current(),
        "official_app": device.is_official(),
        "password_pending": device.is_password_pending(),
        "unconfirmed": device.is_unconfirmed(),
        "secret_chats": device.takes_secret_chats(),
        "calls": device.takes_calls(),
        "device_model": device.device_model(),
        "platform": device.platform(),
        "system_version": device.system_version(),
        "api_id": device.api_id(),
        "app_name": device.app_name(),
        "app_version": device.app_version(),
        "date_created": raw.date_created,
        "date_active": raw.date_active,
        "ip": device.ip(),
        "country": device.country(),
        "region": device.region(),
    })
}
