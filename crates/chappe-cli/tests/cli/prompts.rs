//! What a person at a terminal is asked, and told.

use crate::telegram::{Telegram, refused, stderr, stdout};
use crate::terminal::Terminal;

/// The link that is shown below a QR code.
fn link(terminal: &mut Terminal) -> String {
    let picture = terminal.expect("tg://login?token=");
    assert!(picture.lines().filter(|line| line.contains('█')).count() > 15, "{picture}");
    let token = terminal.expect("\n");
    format!("tg://login?token={}", token.trim())
}

#[test]
fn a_person_is_asked_for_what_was_not_given() {
    let telegram = Telegram::start();
    let account = &telegram.announcement["accounts"][0];
    let (phone, code) = (account["phone"].as_str().unwrap(), account["code"].as_str().unwrap());
    let mut terminal = Terminal::start(telegram.command(&["login"]));
    terminal.expect("Phone number");
    terminal.enter(phone);
    terminal.expect("The code was sent");
    terminal.enter("00000");
    terminal.expect("The code is wrong");
    terminal.enter(code);
    let (exit, shown) = terminal.end();
    assert_eq!(exit, 0, "{shown}");
    assert!(shown.contains("signed in as"), "{shown}");

    let mut terminal = Terminal::start(telegram.command(&["logout"]));
    terminal.expect("Sign out");
    terminal.enter("n");
    let (exit, shown) = terminal.end();
    assert!(exit == 1 && shown.contains("nothing was changed"), "{shown}");
    let mut terminal = Terminal::start(telegram.command(&["logout"]));
    terminal.expect("Sign out");
    terminal.enter("y");
    let (exit, shown) = terminal.end();
    assert!(exit == 0 && shown.contains("signed out"), "{shown}");
}

#[test]
fn a_person_types_a_new_password_twice_and_the_current_one_until_it_is_right() {
    let telegram = Telegram::start();
    telegram.login();
    let mut terminal = Terminal::start(telegram.command(&["account", "password", "set"]));
    terminal.expect("New password");
    terminal.enter("correct horse");
    terminal.expect("Once more");
    terminal.enter("correct hors");
    terminal.expect("not the same");
    terminal.enter("correct horse");
    terminal.expect("Once more");
    terminal.enter("correct horse");
    terminal.expect("Hint");
    terminal.enter("animal");
    let (exit, shown) = terminal.end();
    assert!(exit == 0 && shown.contains("the password is set"), "{shown}");
    assert!(shown.contains("password email ADDRESS") && !shown.contains("horse"), "{shown}");

    let mut terminal = Terminal::start(telegram.command(&["account", "password", "remove"]));
    terminal.expect("Current password");
    terminal.enter("wrong");
    terminal.expect("The password is wrong");
    terminal.enter("correct horse");
    terminal.expect("Remove the password?");
    terminal.enter("y");
    let (exit, shown) = terminal.end();
    assert!(exit == 0 && shown.contains("the password is removed"), "{shown}");

    let mut terminal = Terminal::start(telegram.command(&["account", "devices"]));
    terminal.expect("this device");
    let (exit, shown) = terminal.end();
    assert!(exit == 0 && shown.contains("180 days"), "{shown}");
}

#[test]
fn a_code_is_scanned_by_a_device_that_is_signed_in() {
    let telegram = Telegram::start();
    telegram.login();
    let second = ["--account", "second", "login", "--qr"];
    let mut terminal = Terminal::start(telegram.command(&second));
    terminal.expect("Settings > Devices");
    let link = link(&mut terminal);
    refused(&telegram.run(&["login", "--accept", &link]), 2, &["--yes", "sign in as"]);
    refused(&telegram.run(&["login", "--accept", "tg://login", "--yes"]), 2, &["tg://login?token"]);
    let accepted = telegram.json(&["login", "--accept", &link, "--yes"]);
    assert!(accepted["accepted"]["device_model"].is_string(), "{accepted}");
    let (exit, shown) = terminal.end();
    assert!(exit == 0 && shown.contains("signed in as"), "{shown}");
    let same = [telegram.json(&["whoami"]), telegram.json(&["--account", "second", "whoami"])];
    assert_eq!(same[0], same[1]);
    // It served once.
    let again = telegram.run(&["login", "--accept", &link, "--yes"]);
    refused(&again, again.status.code().unwrap(), &["AUTH_TOKEN", "the one shown now"]);
    assert!(!stdout(&again).contains("accepted"));
}

#[test]
fn a_person_is_told_exactly_what_ends_before_it_does() {
    let telegram = Telegram::start();
    telegram.login();
    let ask = |words: &[&str], question: &str, answer: &str| {
        let words = [&["web", "reset"], words].concat();
        let mut terminal = Terminal::start(telegram.command(&words));
        let before = terminal.expect(question);
        terminal.enter(answer);
        let (exit, shown) = terminal.end();
        (before, exit, shown)
    };
    let (_, exit, shown) = ask(
        &["4457235"],
        "Log out of travel.example.com (@ColumbusDemoBot), Firefox 128, Linux?",
        "n",
    );
    assert!(exit == 1 && shown.contains("nothing was changed"), "{shown}");

    let both = "Log out of travel.example.com in 2 browsers, and block @ColumbusDemoBot?";
    let (listed, exit, shown) = ask(&["travel.example.com", "--block-bot"], both, "y");
    assert!(listed.contains("Firefox 128, Linux") && listed.contains("Safari 18, iOS"), "{listed}");
    assert!(exit == 0 && shown.contains("blocked @ColumbusDemoBot"), "{shown}");
    assert!(shown.contains("the site's affair"), "{shown}");

    let (listed, exit, shown) = ask(&["--all"], "Log out of all 4 sites?", "y");
    // A name is not cut where somebody has to agree to it.
    assert_eq!(listed.matches("a-name-that-is-as-long").count(), 4, "{listed}");
    assert!(exit == 0 && shown.matches("logged out of").count() == 4, "{shown}");
    let (exit, shown) = Terminal::start(telegram.command(&["web", "list"])).end();
    assert!(exit == 0 && shown.contains("no site is logged in to"), "{shown}");
}

#[test]
fn a_person_says_which_of_several_is_meant() {
    let telegram = Telegram::start();
    telegram.login();
    for (answer, exit_code, words) in [
        ("2", 0, "Safari 18, iOS"),
        ("3", 2, "none of the numbers"),
        ("0", 2, "none of the numbers"),
    ] {
        let mut terminal =
            Terminal::start(telegram.command(&["web", "show", "travel.example.com"]));
        terminal.expect("Which one, 1 to 2");
        terminal.enter(answer);
        let (exit, shown) = terminal.end();
        assert!(exit == exit_code && shown.contains(words), "{shown}");
    }
    let mut watch = Terminal::start(telegram.command(&["web", "watch"]));
    watch.expect("Watching 6 web sessions; Telegram is asked every 60 seconds. Ctrl-C stops.");
}

#[test]
fn a_program_gets_the_link_as_json() {
    let telegram = Telegram::start();
    telegram.login();
    let mut command = telegram.command(&["--json", "--account", "second", "login", "--qr"]);
    let mut child = command
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let mut words = std::io::BufReader::new(child.stderr.take().unwrap());
    std::io::BufRead::read_line(&mut words, &mut line).unwrap();
    let said: serde_json::Value = serde_json::from_str(&line).unwrap();
    let seconds = said["qr"]["expires_in"].as_u64().unwrap();
    // Half a minute. The server's time is known by its answers, and by as much as one took it is behind.
    assert!((1..=60).contains(&seconds), "{said}");
    let output = telegram.run(&["login", "--accept", said["qr"]["url"].as_str().unwrap(), "--yes"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let output = child.wait_with_output().unwrap();
    let user: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(user["id"], telegram.announcement["accounts"][0]["user_id"]);
}

#[test]
fn a_code_that_does_not_come_is_sent_in_the_next_way() {
    let telegram = Telegram::start_with(&["--control"]);
    telegram.order("15550100200", r#"{"ways": ["sms", "sms_word", "call"], "timeout": 1}"#);
    let mut terminal = Terminal::start(telegram.command(&["login", "--phone", "15550100200"]));
    let shown = terminal.expect("`cancel` gives up.");
    assert!(shown.contains("sent by SMS") && shown.contains("An empty line"), "{shown}");
    assert!(shown.contains("in 1 second at the earliest"), "{shown}");
    // Whoever is in a hurry is told how long it takes.
    let shown = loop {
        terminal.enter("");
        let shown = terminal.expect_one(&["can be sent again in", "gives up."]);
        if shown.ends_with("gives up.") {
            break shown;
        }
    };
    assert!(shown.contains("as a word that begins with"), "{shown}");
    terminal.enter("12345");
    terminal.expect("The code is wrong");
    terminal.enter(&telegram.letter("15550100200"));
    terminal.expect("Whoever signs up accepts these terms");
    terminal.expect("First name");
    terminal.enter("Ada");
    terminal.expect("Last name");
    terminal.enter("");
    let (exit, shown) = terminal.end();
    assert!(exit == 0 && shown.contains("signed in as Ada"), "{shown}");
}

#[test]
fn a_sign_in_is_cancelled_and_says_so() {
    let telegram = Telegram::start();
    let mut terminal = Terminal::start(telegram.command(&["login", "--phone", "9996620042"]));
    terminal.expect("Code:");
    terminal.enter("cancel");
    let (exit, shown) = terminal.end();
    assert!(exit == 1 && shown.contains("cancelled; the code is void"), "{shown}");
}

#[test]
fn a_mistyped_phone_number_is_asked_for_again() {
    let telegram = Telegram::start();
    let mut terminal = Terminal::start(telegram.command(&["login"]));
    terminal.expect("chappe login --qr");
    terminal.expect("Phone number");
    terminal.enter("12");
    terminal.expect("PHONE_NUMBER_INVALID");
    terminal.expect("Phone number");
    terminal.enter("9996620042");
    terminal.expect("Code:");
    terminal.enter("22222");
    terminal.expect("First name");
}

#[test]
fn an_email_address_is_set_up_before_the_code() {
    let telegram = Telegram::start_with(&["--control"]);
    telegram.order("9996620042", r#"{"set_up_email": true}"#);
    let mut terminal = Terminal::start(telegram.command(&["login", "--phone", "9996620042"]));
    terminal.expect("codes are sent there from now on");
    terminal.enter("not an address");
    terminal.expect("The address is");
    terminal.enter("ada@example.org");
    terminal.expect("A code was sent to");
    terminal.expect("Code of the email");
    terminal.enter("other");
    terminal.expect("Email address");
    terminal.enter("ada@example.com");
    terminal.expect("Code of the email");
    terminal.enter("000000");
    terminal.expect("The code is wrong");
    terminal.expect("Code of the email");
    terminal.enter(&telegram.letter("ada@example.com"));
    terminal.expect("Code:");
    terminal.enter("22222");
    terminal.expect("First name");
    terminal.enter("Ada");
    terminal.expect("Last name");
    terminal.enter("Lovelace");
    let (exit, shown) = terminal.end();
    assert!(exit == 0 && shown.contains("signed in as Ada Lovelace"), "{shown}");
}

#[test]
fn terms_that_want_a_yes_get_one_from_a_person() {
    let telegram = Telegram::start_with(&["--control"]);
    let terms = r#"{"terms": {"text": "Be kind.\nBe brief.", "min_age": 16, "popup": true}}"#;
    telegram.order("9996620042", terms);
    let login = ["login", "--phone", "9996620042", "--code", "22222", "--first-name", "Ada"];
    refused(&telegram.run(&login), 2, &["Be kind.", "16 years", "--yes"]);
    let mut terminal = Terminal::start(telegram.command(&login));
    terminal.expect("Be brief.");
    terminal.expect("Do you accept");
    terminal.enter("n");
    let (exit, shown) = terminal.end();
    assert!(exit == 1 && shown.contains("nothing was changed"), "{shown}");
    assert!(telegram.run(&[&login[..], &["--yes"]].concat()).status.success());
}

#[test]
fn an_account_that_wants_money_is_explained() {
    let telegram = Telegram::start_with(&["--control"]);
    telegram.order("9996620042", r#"{"payment": true}"#);
    let output = telegram.run(&["login", "--phone", "9996620042"]);
    refused(&output, 4, &["paid for the SMS", "--qr"]);
}

/// Gives the demonstration account a password, and a recovery address if one is named.
fn protect(telegram: &Telegram, email: Option<&str>) {
    let mut terminal =
        Terminal::start(telegram.command(&["account", "password", "set", "--hint", "animal"]));
    terminal.expect("New password");
    terminal.enter("correct horse");
    terminal.expect("Once more");
    terminal.enter("correct horse");
    let (exit, shown) = terminal.end();
    assert_eq!(exit, 0, "{shown}");
    let Some(email) = email else { return };
    let mut terminal = Terminal::start(telegram.command(&["account", "password", "email", email]));
    terminal.expect("Current password");
    terminal.enter("correct horse");
    terminal.expect("Code");
    terminal.enter(&telegram.letter(email));
    let (exit, shown) = terminal.end();
    assert_eq!(exit, 0, "{shown}");
}

#[test]
fn a_password_is_asked_for_behind_a_code_that_was_scanned() {
    let telegram = Telegram::start();
    telegram.login();
    protect(&telegram, None);
    let second = ["--account", "second", "login", "--qr"];
    let mut terminal = Terminal::start(telegram.command(&second));
    let link = link(&mut terminal);
    assert!(telegram.run(&["login", "--accept", &link, "--yes"]).status.success());
    terminal.expect("two-step verification");
    terminal.expect("Password (hint: animal)");
    terminal.enter("battery staple");
    terminal.expect("The password is wrong");
    terminal.enter("");
    let (exit, shown) = terminal.end();
    assert!(exit == 4 && shown.contains("no recovery email"), "{shown}");
    // Only the password is missing: the next process goes on there.
    let mut terminal = Terminal::start(telegram.command(&second[..3]));
    terminal.expect("goes on");
    terminal.expect("Password (hint: animal)");
    terminal.enter("correct horse");
    let (exit, shown) = terminal.end();
    assert!(exit == 0 && shown.contains("signed in as"), "{shown}");
    assert!(!shown.contains("correct horse"), "{shown}");
}

#[test]
fn a_forgotten_password_is_recovered_by_email() {
    let telegram = Telegram::start_with(&["--control"]);
    telegram.login();
    protect(&telegram, Some("ada@example.org"));
    let account = &telegram.announcement["accounts"][0];
    let (phone, code) = (account["phone"].as_str().unwrap(), account["code"].as_str().unwrap());
    let login = ["--account", "second", "login", "--phone", phone, "--code", code];
    refused(&telegram.run(&login), 2, &["--password-stdin"]);
    let mut terminal = Terminal::start(telegram.command(&login));
    terminal.expect("Forgotten? An empty line");
    terminal.enter("");
    terminal.expect("A recovery code was sent to");
    terminal.enter("back");
    terminal.expect("Password (hint: animal)");
    terminal.enter("");
    terminal.expect("A recovery code was sent to");
    terminal.enter("000000");
    terminal.expect("The recovery code is wrong");
    terminal.enter(&telegram.letter("ada@example.org"));
    terminal.expect("Choose a new password");
    terminal.enter("battery staple");
    terminal.expect("Once more");
    terminal.enter("battery staple");
    terminal.expect("Hint for the new password");
    terminal.enter("");
    let (exit, shown) = terminal.end();
    assert!(exit == 0 && shown.contains("signed in as"), "{shown}");
    assert!(!shown.contains("battery"), "{shown}");
}

#[test]
fn only_a_yes_is_a_yes_and_ctrl_c_changes_nothing() {
    let telegram = Telegram::start();
    telegram.login();
    let reset = ["web", "reset", "shop.example.net"];
    let mut terminal = Terminal::start(telegram.command(&reset));
    terminal.expect("Log out of shop.example.net");
    terminal.enter("nay");
    terminal.expect("`nay` is neither yes nor no");
    terminal.enter("");
    let (exit, shown) = terminal.end();
    assert!(exit == 1 && shown.contains("nothing was changed"), "{shown}");

    let mut terminal = Terminal::start(telegram.command(&reset));
    terminal.expect("Log out of shop.example.net");
    terminal.enter("\u{3}");
    let (exit, shown) = terminal.end();
    assert_eq!(exit, 130, "{shown}");
    assert!(shown.contains("error: interrupted\n  nothing was changed"), "{shown}");

    let mut terminal = Terminal::start(telegram.command(&reset));
    terminal.expect("Log out of shop.example.net");
    terminal.enter("Yes");
    let (exit, shown) = terminal.end();
    assert!(exit == 0 && shown.contains("logged out of"), "{shown}");
}

#[test]
fn ctrl_c_at_a_question_says_how_to_go_on() {
    let telegram = Telegram::start();
    let mut terminal = Terminal::start(telegram.command(&["login"]));
    terminal.expect("Phone number");
    terminal.enter("\u{3}");
    let (exit, shown) = terminal.end();
    assert_eq!(exit, 130, "{shown}");
    assert!(shown.contains("error: interrupted\n  start again with `chappe login`"), "{shown}");
    assert!(!shown.contains("IO error"), "{shown}");
}
