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
