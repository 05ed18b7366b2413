//! What a person at a terminal is asked, and told.

use crate::telegram::Telegram;
use crate::terminal::Terminal;

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
