//! Several accounts on one machine.

use std::net::TcpListener;

use serde_json::Value;

use crate::telegram::{Telegram, chappe, refused, stderr, stdout};

/// The accounts that are listed, by the value of a field.
fn listed(telegram: &Telegram, field: &str) -> Vec<(String, Value)> {
    let value = telegram.json(&["accounts"]);
    let rows = value["accounts"].as_array().unwrap().iter();
    rows.map(|row| (row["name"].as_str().unwrap().to_owned(), row[field].clone())).collect()
}

fn names(telegram: &Telegram) -> Vec<String> {
    listed(telegram, "name").into_iter().map(|(name, _)| name).collect()
}

/// Signs a new person in.
fn sign_up(telegram: &Telegram, account: &str, phone: &str, first_name: &str) -> Value {
    let sign_up = ["login", "--phone", phone, "--code", "22222", "--first-name", first_name];
    telegram.json(&[&["--account", account][..], &sign_up].concat())
}

#[test]
fn accounts_live_side_by_side_and_one_is_chosen() {
    let telegram = Telegram::start();
    let nobody = telegram.run(&["accounts"]);
    assert!(nobody.status.success() && stdout(&nobody).contains("chappe login"));
    telegram.login();
    let ada = sign_up(&telegram, "work", "9996620042", "Ada");
    let first = telegram.json(&["whoami"]);
    assert_ne!(first["id"], ada["id"]);
    assert_eq!(telegram.json(&["--account", "work", "whoami"]), ada);
    assert_eq!(names(&telegram), ["default", "work"]);
    assert_eq!(listed(&telegram, "user_id")[1].1, ada["id"]);
    assert_eq!(listed(&telegram, "first_name")[1].1, "Ada");
    assert!(listed(&telegram, "signed_in").iter().all(|(_, signed_in)| *signed_in == true));

    assert!(telegram.run(&["accounts", "use", "work"]).status.success());
    assert_eq!(telegram.json(&["whoami"]), ada);
    assert_eq!(telegram.json(&["--account", "default", "whoami"]), first);
    let chosen = listed(&telegram, "chosen");
    assert_eq!((&chosen[0].1, &chosen[1].1), (&false.into(), &true.into()));
    let mut command = telegram.command(&["--json", "whoami"]);
    let output = command.env("TELEGRAM_ACCOUNT", "default").output().unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&output.stdout).unwrap(), first);

    // The choice follows the name, and ends with the account.
    assert!(telegram.run(&["accounts", "rename", "work", "ada"]).status.success());
    assert_eq!(telegram.json(&["whoami"]), ada);
    assert_eq!(names(&telegram), ["default", "ada"]);
    refused(&telegram.run(&["accounts", "rename", "ada", "default"]), 5, &["already"]);
    refused(&telegram.run(&["accounts", "remove", "ada"]), 2, &["--yes", "(Ada)", "logout"]);
    let removed = telegram.json(&["accounts", "remove", "ada", "--yes"]);
    assert_eq!(removed["removed"]["user_id"], ada["id"]);
    assert_eq!(telegram.json(&["whoami"]), first);
    assert_eq!(names(&telegram), ["default"]);
}

#[test]
fn the_list_dials_nobody_and_names_no_phone_number() {
    let mut telegram = Telegram::start();
    telegram.login();
    sign_up(&telegram, "work", "9996620042", "Ada");
    telegram.server.kill().unwrap();
    let output = telegram.run(&["accounts"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let text = stdout(&output);
    assert!(text.lines().all(|line| line.split('\t').count() == 5), "{text}");
    assert!(text.contains("work\t\tAda\t127.0.0.1:"), "{text}");
    let list = telegram.json(&["accounts", "list"]).to_string();
    assert!(!list.contains("9996620042") && !text.contains("9996620042"), "{list}");
}

#[test]
fn a_mistyped_account_finds_its_neighbour() {
    let telegram = Telegram::start();
    telegram.login();
    sign_up(&telegram, "work", "9996620042", "Ada");
    for arguments in [
        &["--account", "wrok", "whoami"][..],
        &["--account", "wrok", "web", "list"],
        &["accounts", "use", "wrok"],
        &["accounts", "rename", "wrok", "home"],
        &["accounts", "remove", "wrok", "--yes"],
    ] {
        refused(&telegram.run(arguments), 3, &["no account `wrok`", "did you mean `work`?"]);
    }
    let strange = telegram.run(&["--account", "elsewhere", "whoami"]);
    refused(&strange, 3, &["there are default, work", "chappe --account elsewhere login"]);
    refused(&telegram.run(&["--account", "../work", "whoami"]), 2, &["lower-case letters"]);
}

#[test]
fn accounts_of_one_server_are_not_those_of_another() {
    let (first, second) = (Telegram::start(), Telegram::start());
    first.login();
    sign_up(&first, "work", "9996620042", "Ada");
    // The same person at the same machine.
    let key = first.path("second.pem");
    std::fs::copy(second.path("server.pem"), &key).unwrap();
    let at_second = |arguments: &[&str]| {
        let mut command = chappe(first.directory.path());
        command.args(["--server", second.announcement["address"].as_str().unwrap()]);
        command.arg("--server-key").arg(&key).args(arguments).output().unwrap()
    };
    refused(&at_second(&["whoami"]), 4, &["no session yet"]);
    refused(&at_second(&["--account", "work", "whoami"]), 3, &["no account `work`"]);
    assert!(first.run(&["accounts", "use", "work"]).status.success());
    let bob = ["login", "--phone", "9996620043", "--code", "22222", "--first-name", "Bob"];
    let output = at_second(&bob);
    assert!(output.status.success(), "{}", stderr(&output));
    let mut all = names(&first);
    all.sort_unstable();
    assert_eq!(all, ["default", "default", "work"]);
    let chosen: Vec<_> = listed(&first, "chosen").into_iter().map(|(_, chosen)| chosen).collect();
    assert_eq!(chosen.iter().filter(|chosen| **chosen == true).count(), 2, "one a server");
}

#[test]
fn a_session_file_counts_before_an_account_unless_that_is_typed() {
    let telegram = Telegram::start();
    telegram.login();
    let file = telegram.path("else.session");
    let file = file.to_str().unwrap();
    let both = telegram.run(&["--session", file, "--account", "default", "whoami"]);
    refused(&both, 2, &["--session", "--account"]);
    let run = |variables: &[(&str, &str)], arguments: &[&str]| {
        telegram.command(arguments).envs(variables.iter().copied()).output().unwrap()
    };
    let output = run(&[("TELEGRAM_SESSION", file)], &["whoami"]);
    refused(&output, 4, &["no session yet", "else.session"]);
    let output = run(&[("TELEGRAM_ACCOUNT", "default")], &["--session", file, "whoami"]);
    refused(&output, 4, &["else.session"]);
    let output = run(&[("TELEGRAM_SESSION", file)], &["--account", "default", "whoami"]);
    assert!(output.status.success(), "{}", stderr(&output));
}

#[test]
fn an_account_in_use_stays_where_it_is() {
    let telegram = Telegram::start();
    telegram.login();
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap().to_string();
    let mut holder = telegram.command_at(&address, &["call", "help.getNearestDc"]).spawn().unwrap();
    let _socket = silent.accept().unwrap();
    refused(&telegram.run(&["accounts", "remove", "default", "--yes"]), 5, &["in use by chappe"]);
    refused(&telegram.run(&["accounts", "rename", "default", "work"]), 5, &["in use by chappe"]);
    holder.kill().unwrap();
    holder.wait().unwrap();
    // Somebody is about to sign in under the new name.
    let login = ["--account", "work", "login", "--phone", "9996620042"];
    let mut holder = telegram.command_at(&address, &login).spawn().unwrap();
    let _socket = silent.accept().unwrap();
    refused(&telegram.run(&["accounts", "rename", "default", "work"]), 5, &["in use by chappe"]);
    holder.kill().unwrap();
    holder.wait().unwrap();
    assert!(telegram.run(&["accounts", "rename", "default", "work"]).status.success());
    // Whoever never chose uses what was the default.
    assert!(telegram.json(&["whoami"])["id"].is_number());
}
