//! The configuration file, and what counts before it.

use std::fs;
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

use crate::telegram::{Telegram, chappe, refused, stderr, stdout};

/// Writes the configuration file of this home, for its owner only.
fn configure(home: &TempDir, text: &str) {
    let folder = home.path().join("config").join("chappe");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("config.toml"), text).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let owner_only = fs::Permissions::from_mode(0o600);
        fs::set_permissions(folder.join("config.toml"), owner_only).unwrap();
    }
}

fn run(home: &TempDir, arguments: &[&str]) -> Output {
    chappe(home.path()).args(arguments).output().unwrap()
}

fn setting(mut command: Command, key: &str) -> (Value, Value) {
    let output = command.args(["config", "show", "--json"]).output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    let value: Value = serde_json::from_slice(&output.stdout).unwrap();
    (value[key]["value"].clone(), value[key]["from"].clone())
}

#[test]
fn a_local_telegram_can_be_configured_once_and_for_all() {
    let telegram = Telegram::start();
    telegram.login();
    let address = telegram.announcement["address"].as_str().unwrap();
    // The key is looked for beside the file, not where the command happens to run.
    fs::create_dir_all(telegram.path("config/chappe")).unwrap();
    fs::copy(telegram.path("server.pem"), telegram.path("config/chappe/key.pem")).unwrap();
    configure(&telegram.directory, &format!("server = \"{address}\"\nserver_key = \"key.pem\"\n"));
    let output = run(&telegram.directory, &["--json", "whoami"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let user: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(user["id"], telegram.announcement["accounts"][0]["user_id"]);
    let production = run(&telegram.directory, &["--server", "production", "whoami"]);
    refused(&production, 2, &["TELEGRAM_API_ID", "config.toml"]);
}

#[test]
fn what_is_typed_counts_before_the_environment_and_that_before_the_file() {
    let home = TempDir::new().unwrap();
    let command = || chappe(home.path());
    assert_eq!(setting(command(), "account"), ("default".into(), "default".into()));
    configure(&home, "account = \"of-file\"\napi_id = 7\n");
    assert_eq!(setting(command(), "account"), ("of-file".into(), "file".into()));
    let with_variable = || {
        let mut command = command();
        command.env("TELEGRAM_ACCOUNT", "of-variable");
        command
    };
    assert_eq!(setting(with_variable(), "account"), ("of-variable".into(), "environment".into()));
    let mut typed = with_variable();
    typed.args(["--account", "of-flag"]);
    assert_eq!(setting(typed, "account"), ("of-flag".into(), "flag".into()));
    // The file says which account it is, so choosing another would change nothing.
    refused(&run(&home, &["accounts", "use", "default"]), 5, &["configuration file", "account"]);
}

#[test]
fn nothing_secret_is_shown() {
    let home = TempDir::new().unwrap();
    configure(&home, "api_id = 424242\napi_hash = \"5EC7E7\"\n");
    for arguments in [&["config", "show"][..], &["--json", "config", "show"]] {
        let output = run(&home, arguments);
        let text = stdout(&output) + &stderr(&output);
        assert!(output.status.success() && text.contains("not shown"), "{text}");
        assert!(!text.contains("424242") && !text.contains("5EC7E7"), "{text}");
    }
    let path = stdout(&run(&home, &["config", "path"]));
    assert!(path.trim_end().ends_with("config.toml"), "{path}");
}

#[test]
fn a_mistake_in_the_file_is_told_by_line_and_stops_no_server() {
    let home = TempDir::new().unwrap();
    configure(&home, "# mine\napi_hsh = \"5EC7E7\"\n");
    for arguments in [&["whoami"][..], &["accounts"], &["config", "show"]] {
        let output = run(&home, arguments);
        refused(&output, 2, &["config.toml, line 2", "did you mean `api_hash`?"]);
        assert!(!stderr(&output).contains("5EC7E7"));
    }
    // What needs no account needs no file.
    assert!(run(&home, &["config", "path"]).status.success());
    assert!(run(&home, &["completions", "bash"]).status.success());
    let missing = home.path().join("nowhere.toml");
    let output = run(&home, &["--config", missing.to_str().unwrap(), "accounts"]);
    refused(&output, 2, &["nowhere.toml", "config path"]);
}

#[cfg(unix)]
#[test]
fn a_hash_that_others_can_read_is_warned_about() {
    use std::os::unix::fs::PermissionsExt as _;
    let home = TempDir::new().unwrap();
    configure(&home, "api_hash = \"5EC7E7\"\n");
    let quiet = run(&home, &["accounts"]);
    assert!(quiet.status.success() && stderr(&quiet).is_empty(), "{}", stderr(&quiet));
    let file = home.path().join("config").join("chappe").join("config.toml");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    let warned = run(&home, &["accounts"]);
    assert!(warned.status.success());
    assert!(stderr(&warned).contains("chmod 600"), "{}", stderr(&warned));
}

#[test]
fn every_shell_gets_its_script() {
    let home = TempDir::new().unwrap();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let output = run(&home, &["completions", shell]);
        assert!(output.status.success() && stdout(&output).contains("CHAPPE_COMPLETE"), "{shell}");
    }
    refused(&run(&home, &["completions", "dos"]), 2, &["bash"]);
}

#[test]
fn a_shell_completes_commands_and_the_accounts_of_this_machine() {
    let home = TempDir::new().unwrap();
    let complete = |words: &[&str]| {
        let mut command = chappe(home.path());
        command.env("CHAPPE_COMPLETE", "fish").args(["--", "chappe"]).args(words);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", stderr(&output));
        stdout(&output)
    };
    assert!(complete(&["acc"]).contains("accounts"));
    assert!(!complete(&["--account", "w"]).contains("work"));
    let folder = home.path().join("data").join("chappe").join("telegram");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("work.session"), "").unwrap();
    fs::write(folder.join("home.session"), "").unwrap();
    for words in [&["--account", "w"][..], &["accounts", "use", "w"], &["whoami", "--account", "w"]]
    {
        let shown = complete(words);
        assert!(shown.contains("work") && !shown.contains("home"), "{words:?}: {shown}");
    }
}

#[test]
fn the_variables_of_other_libraries_name_the_application() {
    let home = TempDir::new().unwrap();
    let hash = "0123456789abcdef0123456789abcdef";
    let theirs = |id: &str| {
        let mut command = chappe(home.path());
        command.env("TG_API_ID", id).env("TG_API_HASH", hash);
        command
    };
    configure(&home, "api_id = 7\n");
    let shown = ("(set, not shown)".into(), "environment".into());
    assert_eq!(setting(theirs("8"), "api_id"), shown);
    assert_eq!(setting(theirs("8"), "api_hash"), shown);
    // Nobody signed in is the first thing that is missing, so that the application was found.
    refused(&theirs("8").arg("whoami").output().unwrap(), 4, &["no session yet"]);
    // The hash in the place of the id is not repeated.
    let output = theirs(hash).arg("whoami").output().unwrap();
    refused(&output, 2, &["TG_API_ID wants a number"]);
    assert!(!stderr(&output).contains(hash));
    let mut ours = theirs(hash);
    ours.env("TELEGRAM_API_ID", "9");
    assert_eq!(setting(ours, "api_id"), shown);
}

#[test]
fn a_variable_that_is_set_to_nothing_is_not_set() {
    let home = TempDir::new().unwrap();
    let mut command = chappe(home.path());
    for name in [
        "TELEGRAM_ACCOUNT",
        "TELEGRAM_API_ID",
        "TELEGRAM_API_HASH",
        "TELEGRAM_SESSION",
        "CHAPPE_SERVER",
        "CHAPPE_CONFIG",
        "CHAPPE_TIMEOUT",
        "CHAPPE_VERBOSE",
        "CHAPPE_JSON",
    ] {
        command.env(name, "");
    }
    let output = command.arg("accounts").output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    // What is typed is meant.
    refused(&run(&home, &["--account", "", "accounts"]), 2, &["--account", "such as work"]);
}

#[test]
fn a_session_where_its_place_should_be_is_not_repeated() {
    let home = TempDir::new().unwrap();
    // What other libraries keep in a variable of this name: 353 letters for Telethon.
    let theirs = format!("1{}", "Ab3_".repeat(88));
    for arguments in
        [&["whoami"][..], &["accounts"], &["config", "show"], &["--json", "web", "list"]]
    {
        let mut command = chappe(home.path());
        command.env("TELEGRAM_SESSION", &theirs).args(arguments);
        let output = command.output().unwrap();
        refused(&output, 2, &["looks like a session itself", "chappe session import -"]);
        assert!(!stderr(&output).contains("Ab3_Ab3_"), "{}", stderr(&output));
    }
    let long = home.path().join("a".repeat(200)).join("b".repeat(200));
    let output = run(&home, &["--session", long.to_str().unwrap(), "session", "show"]);
    assert!(!stderr(&output).contains("looks like"), "{}", stderr(&output));
}

#[cfg(unix)]
#[test]
fn who_has_no_folder_for_a_home_has_neither_accounts_nor_a_configuration() {
    let home = TempDir::new().unwrap();
    let mut command = chappe(home.path());
    command.env("HOME", "/dev/null").env_remove("XDG_DATA_HOME").env_remove("XDG_CONFIG_HOME");
    let output = command.arg("accounts").output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(stdout(&output).contains("no account yet"), "{output:?}");
}

#[test]
fn who_may_not_write_into_the_home_is_told_of_another_place() {
    let home = TempDir::new().unwrap();
    fs::write(home.path().join("file"), "").unwrap();
    let mut command = chappe(home.path());
    command.env("XDG_DATA_HOME", home.path().join("file"));
    command.env("TELEGRAM_API_ID", "1").env("TELEGRAM_API_HASH", "0".repeat(32));
    refused(&command.arg("whoami").output().unwrap(), 1, &["cannot make", "--session FILE"]);
}
