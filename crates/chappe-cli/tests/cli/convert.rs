//! Sessions of other libraries, in and out.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Output, Stdio};

use serde_json::Value;

use crate::telegram::{Telegram, refused, stderr, stdout};
#[cfg(unix)]
use crate::terminal::Terminal;

const TEXTS: [&str; 5] = ["gramjs", "telethon", "pyrogram", "mtcute", "mtkruto"];
const FILES: [&str; 5] = ["chappe", "telethon-file", "pyrogram-file", "gotd", "tdata"];

/// Runs a command with this on its standard input.
fn piped(telegram: &Telegram, arguments: &[&str], input: &[u8]) -> Output {
    let mut command = telegram.command(arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    child.wait_with_output().unwrap()
}

fn export(telegram: &Telegram, format: &str) -> PathBuf {
    let path = telegram.path(&format!("session.{format}"));
    let written = ["session", "export", "--format", format, "-o", path.to_str().unwrap()];
    let output = telegram.run(&written);
    assert!(output.status.success(), "{format}: {}", stderr(&output));
    path
}

/// Expects none of these secrets in what was printed.
fn hides(output: &Output, secrets: &[&str]) {
    let text = stdout(output) + &stderr(output);
    for secret in secrets {
        assert!(!text.contains(secret.trim()), "a session is printed");
    }
}

#[test]
fn a_session_goes_through_every_format_and_is_still_signed_in() {
    let telegram = Telegram::start();
    telegram.login();
    let me = telegram.json(&["whoami"]);
    for format in TEXTS.into_iter().chain(FILES) {
        let file = export(&telegram, format);
        let shown = telegram.json(&["session", "show", file.to_str().unwrap()]);
        assert_eq!(shown["format"], format);
        assert_eq!(shown["dc_id"], 2);
        assert!(shown["user_id"].is_null() || shown["user_id"] == me["id"], "{shown}");

        let account = format!("from-{format}");
        let import = ["--json", "--account", &account, "session", "import", file.to_str().unwrap()];
        let output = telegram.run(&import);
        assert!(output.status.success(), "{format}: {}", stderr(&output));
        let imported: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(imported["user"]["id"], me["id"], "{format}");
        assert_eq!(telegram.json(&["--account", &account, "whoami"]), me, "{format}");
    }
    let list = telegram.json(&["accounts"]);
    assert_eq!(list["accounts"].as_array().unwrap().len(), 11);
    assert!(list["accounts"].as_array().unwrap().iter().all(|row| row["user_id"] == me["id"]));
}

#[test]
fn a_session_is_not_printed_unless_somebody_asks_for_it_in_so_many_words() {
    let telegram = Telegram::start();
    telegram.login();
    let secret = std::fs::read_to_string(export(&telegram, "telethon")).unwrap();
    refused(&telegram.run(&["session", "export", "--format", "telethon"]), 2, &["--reveal", "-o"]);
    let file = telegram.path("session.telethon");
    let file = file.to_str().unwrap();
    for arguments in [
        &["session", "show"][..],
        &["session", "show", file],
        &["--json", "session", "show", file],
        &["-vv", "--account", "copy", "session", "import", file],
        &["-vv", "session", "convert", file, "--to", "gramjs", "-o", file, "--yes"],
    ] {
        let output = telegram.run(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", stderr(&output));
        let key = std::fs::read_to_string(file).unwrap();
        hides(&output, &[&secret, &key]);
    }
    let output = telegram.run(&["session", "export", "--format", "telethon", "--reveal"]);
    assert_eq!(stdout(&output), secret);
    // Its id names a key and opens nothing; it is the same whatever the format.
    let key_id = &telegram.json(&["session", "show"])["key_id"];
    assert_eq!(key_id.as_str().unwrap().len(), 16);
    assert_eq!(telegram.json(&["session", "show", file])["key_id"], *key_id);
}

#[cfg(unix)]
#[test]
fn what_is_written_is_for_its_owner_and_replaces_nothing_unasked() {
    use std::os::unix::fs::PermissionsExt as _;
    let telegram = Telegram::start();
    telegram.login();
    let file = export(&telegram, "gramjs");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    std::fs::write(&file, "a letter").unwrap();
    let path = file.to_str().unwrap();
    let again = ["session", "export", "--format", "gramjs", "-o", path];
    refused(&telegram.run(&again), 5, &[path, "--yes"]);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "a letter");
    assert!(telegram.run(&[&again[..], &["--yes"]].concat()).status.success());
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(std::fs::read_to_string(&file).unwrap().starts_with('1'));
    // An account that is signed in is not replaced unasked, either.
    refused(&telegram.run(&["session", "import", path]), 5, &["signed in", "--account", "--yes"]);
    assert!(telegram.run(&["session", "import", path, "--yes"]).status.success());
}

#[test]
fn a_session_comes_by_standard_input_and_never_by_the_command_line() {
    let telegram = Telegram::start();
    telegram.login();
    let secret = std::fs::read_to_string(export(&telegram, "gramjs")).unwrap();
    let secret = secret.trim();
    for command in [&["session", "import", secret][..], &["session", "show", secret]] {
        let output = telegram.run(command);
        refused(&output, 2, &["shell's history", "standard input"]);
        hides(&output, &[secret]);
    }
    let import = ["--account", "copy", "session", "import"];
    let output = piped(&telegram, &import, format!("  {secret}\n\n").as_bytes());
    assert!(output.status.success(), "{}", stderr(&output));
    hides(&output, &[secret]);
    let output = piped(&telegram, &["session", "convert", "-", "--to", "mtcute", "--reveal"], b"");
    refused(&output, 2, &["standard input is empty"]);
    let half = &secret.as_bytes()[..100];
    let output = piped(&telegram, &["--account", "half", "session", "import"], half);
    refused(&output, 2, &["no session of gramjs", "copy it again"]);
    hides(&output, &[std::str::from_utf8(half).unwrap()]);
    refused(&telegram.run(&["--account", "half", "whoami"]), 3, &["no account `half`"]);
    let output = piped(&telegram, &["session", "show", "-"], b"Dear Ada, how are you?");
    refused(&output, 2, &["no session", "--format"]);
    let wrong = ["session", "show", "-", "--format", "telethon"];
    refused(&piped(&telegram, &wrong, secret.as_bytes()), 2, &["gramjs"]);
    refused(&telegram.run(&["session", "show", "--format", "tdlib"]), 2, &["gramjs", "telethon"]);
}

#[cfg(unix)]
#[test]
fn a_person_pastes_a_session_that_is_not_shown() {
    let telegram = Telegram::start();
    telegram.login();
    let secret = std::fs::read_to_string(export(&telegram, "gramjs")).unwrap();
    let import = ["--account", "copy", "session", "import"];
    let mut terminal = Terminal::start(telegram.command(&import));
    terminal.expect("Session string");
    terminal.enter(secret.trim());
    let (exit, shown) = terminal.end();
    assert!(exit == 0 && shown.contains("signed in as"), "{shown}");
    assert!(!shown.contains(secret.trim()), "{shown}");
}

#[test]
fn a_session_that_was_signed_out_is_not_imported() {
    let telegram = Telegram::start();
    telegram.login();
    let file = export(&telegram, "telethon");
    let file = file.to_str().unwrap();
    assert!(telegram.run(&["logout", "--yes"]).status.success());
    refused(
        &telegram.run(&["session", "export", "--format", "gramjs", "--reveal"]),
        4,
        &["nobody"],
    );
    refused(&telegram.run(&["session", "show"]), 4, &["nobody is signed in"]);
    let output = telegram.run(&["--account", "copy", "session", "import", file]);
    refused(&output, 4, &["chappe login"]);
    refused(&telegram.run(&["--account", "copy", "whoami"]), 3, &["no account `copy`"]);
    // Unless nobody asks Telegram.
    let import = ["--account", "copy", "session", "import", file, "--offline"];
    assert!(telegram.run(&import).status.success());
    refused(&telegram.run(&["--account", "copy", "whoami"]), 4, &["chappe --account copy login"]);
}

#[test]
fn what_a_format_wants_and_has_no_room_for_is_told() {
    let telegram = Telegram::start();
    telegram.login();
    let me = telegram.json(&["whoami"])["id"].to_string();
    let telethon = export(&telegram, "telethon");
    let telethon = telethon.to_str().unwrap();
    let convert = |arguments: &[&str]| {
        let words = ["session", "convert", telethon, "--reveal", "--to"];
        telegram.run(&[&words[..], arguments].concat())
    };
    // Telethon does not say who is signed in, which Pyrogram keeps.
    refused(&convert(&["pyrogram"]), 2, &["who is signed in", "session import"]);
    let told = convert(&["pyrogram", "--user-id", &me, "--older"]);
    assert!(told.status.success(), "{}", stderr(&told));
    let exported = telegram.run(&["session", "export", "--format", "gramjs", "--reveal"]);
    assert!(stderr(&exported).contains("no room for"), "{}", stderr(&exported));
    assert!(stderr(&exported).contains("the user id"), "{}", stderr(&exported));
    assert_eq!(stdout(&convert(&["gramjs"])), stdout(&exported));
    let printed = telegram.run(&["session", "export", "--format", "gotd", "--reveal"]);
    refused(&printed, 2, &["no text", "-o FILE"]);
}

#[test]
fn a_session_of_a_local_telegram_does_not_go_to_production() {
    let telegram = Telegram::start();
    telegram.login();
    let file = export(&telegram, "telethon");
    let mut command = crate::telegram::chappe(telegram.directory.path());
    command.env("TELEGRAM_API_ID", "1").env("TELEGRAM_API_HASH", "0".repeat(32));
    command.args(["session", "import", file.to_str().unwrap()]);
    refused(&command.output().unwrap(), 2, &["--server"]);
}

/// A folder of Telegram Desktop with two accounts and the passcode `correct horse`.
fn locked_folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .join("chappe")
        .join("tests")
        .join("vectors")
        .join("foreign")
        .join("tdata-passcode")
}

#[test]
fn a_folder_of_telegram_desktop_opens_with_its_passcode() {
    let telegram = Telegram::start();
    let folder = locked_folder();
    let show = ["session", "show", folder.to_str().unwrap()];
    refused(&telegram.run(&show), 2, &["Local passcode", "--passcode-file"]);
    let passcode = telegram.path("passcode");
    let with = |text: &str| {
        std::fs::write(&passcode, text).unwrap();
        telegram.run(&[&show[..], &["--passcode-file", passcode.to_str().unwrap()]].concat())
    };
    refused(&with("wrong"), 4, &["the passcode is wrong"]);
    let output = with("correct horse\n");
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(stdout(&output).matches("tdata").count(), 2, "{}", stdout(&output));
    // Which of the two is meant has to be said.
    let import = ["session", "convert", folder.to_str().unwrap(), "--to", "gramjs", "--reveal"];
    let one = |number: &[&str]| {
        let flag = ["--passcode-file", passcode.to_str().unwrap()];
        telegram.run(&[&import[..], &flag, number].concat())
    };
    refused(&one(&[]), 2, &["2 accounts", "--number"]);
    refused(&one(&["--number", "3"]), 3, &["no account number 3"]);
    assert!(one(&["--number", "2"]).status.success());
}

#[test]
fn tdata_is_locked_by_a_passcode() {
    let telegram = Telegram::start();
    telegram.login();
    let passcode = telegram.path("passcode");
    std::fs::write(&passcode, "correct horse\nand a second line\n").unwrap();
    let locked = ["--new-passcode-file", passcode.to_str().unwrap()];
    let folder = telegram.path("locked");
    let to = |format, file| {
        let export = ["session", "export", "--format", format, "-o", file];
        telegram.run(&[&export[..], &locked].concat())
    };
    refused(&to("gramjs", "text"), 2, &["gramjs knows no passcode", "--new-passcode-file"]);
    let folder = folder.to_str().unwrap();
    let output = to("tdata", folder);
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(stderr(&output).contains("a folder of the name tdata"));
    hides(&output, &["correct horse"]);
    refused(&telegram.run(&["session", "show", folder]), 2, &["--passcode-file"]);
    let show = ["session", "show", folder, "--passcode-file", passcode.to_str().unwrap()];
    assert_eq!(telegram.json(&show)["user_id"], telegram.json(&["whoami"])["id"]);
    // An empty passcode would lock nothing.
    std::fs::write(&passcode, "\n").unwrap();
    let elsewhere = telegram.path("elsewhere");
    refused(&to("tdata", elsewhere.to_str().unwrap()), 2, &["is empty", "passcode"]);
    assert!(!elsewhere.exists());
}
