//! `chappe serve` and `chappe demo`: what they announce, refuse and keep.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::telegram::{Telegram, chappe, control, interrupt, refused, serve, stderr, stdout};

#[test]
fn the_demo_tells_the_whole_story() {
    let home = TempDir::new().unwrap();
    let output = chappe(home.path()).args(["demo", "--json"]).output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    let text = stdout(&output);
    let steps: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let names: Vec<&str> = steps.iter().map(|step| step["step"].as_str().unwrap()).collect();
    assert_eq!(
        names,
        [
            "serve",
            "key_exchange",
            "send_code",
            "sign_in",
            "list",
            "reset",
            "list_again",
            "reset_again",
            "bot_key_exchange",
            "bot_sign_in",
            "bot_reset",
            "sign_out"
        ]
    );
    assert!(steps.iter().all(|step| step["ms"].is_number()));
    let rows = |step: usize| steps[step]["web_authorizations"].as_array().unwrap();
    assert_eq!(steps[5]["result"], true);
    assert_eq!(rows(4).len(), rows(6).len() + 1);
    assert!(rows(6).iter().all(|row| row["hash"] != steps[5]["hash"]));
    assert_eq!(steps[7]["error"]["name"], "HASH_INVALID");
    assert_eq!(steps[10]["error"]["name"], "BOT_METHOD_INVALID");
    assert!(steps[10]["error"]["explained"].as_str().is_some_and(|words| !words.is_empty()));

    let people = chappe(home.path()).arg("demo").output().unwrap();
    assert!(people.status.success());
    assert!(stdout(&people).contains("account.resetWebAuthorization"));
}

#[test]
fn serve_announces_itself_in_one_line() {
    let telegram = Telegram::start();
    let said = &telegram.announcement;
    let address: SocketAddr = said["address"].as_str().unwrap().parse().unwrap();
    assert!(address.ip().is_loopback() && address.port() != 0);
    assert_eq!(said["layer"], 230);
    assert!(said["dc_id"].is_number());
    assert!(said["rsa_public_key_pem"].as_str().unwrap().contains("RSA PUBLIC KEY"));
    let fingerprint = said["rsa_fingerprint"].as_str().unwrap();
    assert!(fingerprint.len() == 16 && !fingerprint.starts_with('0'), "{fingerprint}");
    assert!(said["accounts"][0]["user_id"].is_number());
    assert!(said["bots"][0]["token"].is_string() && said["bots"][0]["username"].is_string());
}

#[test]
fn serve_runs_several_data_centres() {
    let telegram = Telegram::start_with(&["--dcs", "3", "--ipv6"]);
    let said = &telegram.announcement;
    let dcs: Vec<(i64, SocketAddr)> = said["dcs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|dc| (dc["id"].as_i64().unwrap(), dc["address"].as_str().unwrap().parse().unwrap()))
        .collect();
    let ids: Vec<_> = dcs.iter().map(|(id, address)| (*id, address.is_ipv6())).collect();
    let [v4, v6] = [false, true];
    assert_eq!(ids, [(1, v4), (1, v6), (2, v4), (2, v6), (3, v4), (3, v6)]);
    assert_eq!((&said["dc_id"], &said["address"]), (&2.into(), &dcs[2].1.to_string().into()));
    for (_, address) in &dcs {
        TcpStream::connect(address).unwrap();
    }
    assert!(said["bots"].as_array().unwrap().iter().any(|bot| bot["dc_id"] == 1));
    telegram.login();
    let nearest = telegram.json(&["call", "help.getNearestDc"]);
    assert_eq!((&nearest["this_dc"], &nearest["nearest_dc"]), (&2.into(), &2.into()));
}

#[test]
fn serve_prints_what_it_sends_to_phones() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chappe"));
    command.args(["serve", "--json"]).stdin(Stdio::null()).stdout(Stdio::piped());
    let mut server = command.spawn().unwrap();
    let mut lines = BufReader::new(server.stdout.take().unwrap()).lines();
    let mut next = || serde_json::from_str::<Value>(&lines.next().unwrap().unwrap()).unwrap();
    let announcement = next();
    let directory = TempDir::new().unwrap();
    let pem = announcement["rsa_public_key_pem"].as_str().unwrap();
    std::fs::write(directory.path().join("server.pem"), pem).unwrap();
    let telegram = Telegram { server, announcement, directory };
    telegram.login();
    let letter = &next()["letter"];
    let account = &telegram.announcement["accounts"][0];
    assert_eq!((&letter["to"], &letter["code"]), (&account["phone"], &account["code"]));
    assert_eq!(letter["way"], "sms");
}

#[test]
fn data_centre_2_is_one_of_several_or_alone() {
    let home = TempDir::new().unwrap();
    let output = chappe(home.path()).args(["serve", "--dcs", "0"]).output().unwrap();
    refused(&output, 2, &["--dcs"]);
    let telegram = Telegram::start_with(&["--dcs", "1"]);
    let only = telegram.announcement["dcs"].as_array().unwrap();
    assert_eq!((only.len(), &only[0]["id"]), (1, &2.into()));
    assert_eq!(only[0]["address"], telegram.announcement["address"]);
}

#[test]
fn the_seeded_web_sessions_hold_every_awkward_row() {
    let telegram = Telegram::start();
    telegram.login();
    let value = telegram.json(&["web", "list"]);
    let rows = value["web_authorizations"].as_array().unwrap();
    assert!(rows.len() >= 5);
    let any = |test: &dyn Fn(&Value) -> bool| rows.iter().any(test);
    assert!(any(&|row| row["hash"].as_str().unwrap().starts_with('-')));
    assert!(any(&|row| row["hash"] == "4457235"));
    assert!(any(&|row| row["date_active"] == 0));
    assert!(any(&|row| !row["region"].as_str().unwrap().is_ascii()));
    assert!(any(&|row| row["domain"].as_str().unwrap().len() >= 254));
    let bots: Vec<&Value> = rows.iter().map(|row| &row["bot_id"]).collect();
    assert!(bots.iter().any(|bot| bots.iter().filter(|other| other == &bot).count() == 2));
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_serve_in_good_order() {
    let (mut child, _) = serve(&[]);
    interrupt(&child);
    assert!(child.wait().unwrap().success());
}

#[test]
fn serve_keeps_to_the_loopback_interface_and_its_data() {
    let home = TempDir::new().unwrap();
    let output = chappe(home.path()).args(["serve", "--listen", "0.0.0.0:0"]).output().unwrap();
    refused(&output, 2, &["--danger-expose-to-network"]);
    for address in ["[::]:0", "[::ffff:0.0.0.0]:0", "192.0.2.1:4430"] {
        let output = chappe(home.path()).args(["serve", "--listen", address]).output().unwrap();
        refused(&output, 2, &["--danger-expose-to-network"]);
    }
}

#[test]
fn what_serve_cannot_use_is_named() {
    let telegram = Telegram::start();
    let run = |option: &str, value: &str| {
        let mut command = chappe(telegram.directory.path());
        command.args(["serve", option, value]).output().unwrap()
    };
    let taken = telegram.announcement["address"].as_str().unwrap();
    refused(&run("--listen", taken), 5, &[taken, "port 0"]);
    refused(&run("--listen", "4430"), 2, &["HOST:PORT"]);
    let data = |name: &str, file: &str, text: &str| {
        let directory = telegram.path(name);
        std::fs::create_dir(&directory).unwrap();
        std::fs::write(directory.join(file), text).unwrap();
        (run("--data", directory.to_str().unwrap()), directory.join(file))
    };
    let (output, file) = data("a", "chappe.sqlite", "a letter to somebody");
    refused(&output, 1, &[file.to_str().unwrap(), "no database"]);
    let (output, file) = data("b", "server-key.pem", "a letter to somebody");
    refused(&output, 1, &[file.to_str().unwrap(), "PEM"]);
    refused(&run("--data", file.to_str().unwrap()), 1, &["not a directory"]);
}

/// What was acknowledged survives a kill: a reset web session stays reset, an account stays
/// signed in, and the server keeps its key.
#[test]
fn a_killed_server_loses_nothing_that_it_acknowledged() {
    let data = TempDir::new().unwrap();
    let options = ["--data", data.path().to_str().unwrap()];
    let mut telegram = Telegram::start_with(&options);
    telegram.login();
    telegram.json(&["web", "reset", "4457235", "--yes"]);
    telegram.server.kill().unwrap();
    telegram.server.wait().unwrap();
    let key = telegram.announcement["rsa_fingerprint"].clone();
    let (server, announcement) = serve(&options);
    telegram.server = server;
    telegram.announcement = announcement;
    assert_eq!(telegram.announcement["rsa_fingerprint"], key);
    let value = telegram.json(&["web", "list"]);
    let rows = value["web_authorizations"].as_array().unwrap();
    assert!(rows.len() >= 4 && rows.iter().all(|row| row["hash"] != "4457235"));
}

#[test]
fn a_served_telegram_fails_on_demand() {
    let telegram = Telegram::start_with(&["--control"]);
    let url = telegram.announcement["control"].as_str().unwrap();
    let refuse = r#"{"fault": {"rpc_error": {"code": 400, "text": "PHONE_NUMBER_BANNED"}},
                     "method": "auth.sendCode", "times": 1}"#;
    assert_eq!(control(url, "POST", "/faults", refuse).0, 201);
    let phone = telegram.announcement["accounts"][0]["phone"].as_str().unwrap();
    let output = telegram.run(&["login", "--phone", phone, "--code", "1"]);
    assert!(!output.status.success() && stderr(&output).contains("PHONE_NUMBER_BANNED"));
    telegram.login();
    let (status, fault) = control(url, "DELETE", "/faults/1", "");
    assert_eq!((status, &fault["struck"]), (200, &1.into()));
}

#[test]
fn a_control_port_is_not_exposed() {
    let home = TempDir::new().unwrap();
    let output = chappe(home.path())
        .args(["serve", "--danger-expose-to-network", "--control", "0.0.0.0:0"])
        .output()
        .unwrap();
    refused(&output, 2, &["control port", "127.0.0.1", "--control"]);
}

#[test]
fn pages_and_a_dashboard_are_served_on_this_machine_only() {
    let telegram =
        Telegram::start_with(&["--web", "--dashboard", "--bot-domain", "@MyShopBot=localhost"]);
    let said = &telegram.announcement;
    let web = said["web"].as_str().unwrap();
    assert!(web.starts_with("http://127.0.0.1:") && !web.ends_with(":0"), "{web}");
    let (dashboard, key) = said["dashboard"].as_str().unwrap().split_once("key=").unwrap();
    assert!(dashboard.starts_with("http://127.0.0.1:") && key.len() >= 20, "{dashboard}");
    assert!(said["bots"].as_array().unwrap().iter().any(|bot| bot["username"] == "MyShopBot"));
    for url in [web, dashboard] {
        let host = url.strip_prefix("http://").unwrap().split('/').next().unwrap();
        let mut stream = TcpStream::connect(host).unwrap();
        write!(
            stream,
            "GET /js/telegram-widget.js HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        // The dashboard shows nothing without its key.
        let status = answer.split(' ').nth(1).unwrap();
        assert_eq!(status == "200", url == web, "{answer}");
    }

    let home = TempDir::new().unwrap();
    let serve = |options: &[&str]| chappe(home.path()).arg("serve").args(options).output().unwrap();
    for option in ["--web", "--dashboard"] {
        refused(&serve(&[option, "0.0.0.0:0"]), 2, &["127.0.0.1", "free port"]);
    }
    refused(&serve(&["--bot-domain", "MyShopBot"]), 2, &["MyShopBot=localhost"]);
    refused(&serve(&["--bot-domain", "MyShopBot=http://localhost/"]), 2, &["localhost"]);
}
