//! Tests of the pages as text; the site as a whole is tested by `tests/site.rs`.

use super::{Kind, html};

#[test]
fn what_has_no_name_has_no_page() {
    for kind in Kind::ALL {
        assert_eq!(html(kind, "account.resetWebAuthorisation"), None);
        assert_eq!(html(kind, ""), None);
        assert_eq!(html(kind, "../index"), None);
    }
}

#[test]
fn a_value_that_a_server_answered_is_shown_where_there_is_one() {
    let page = html(Kind::Constructor, "webAuthorization").unwrap();
    assert!(page.contains("From an answer of the local Telegram to"), "{page}");
    assert!(page.contains("account.getWebAuthorizations.html"));
    let made_up = html(Kind::Constructor, "inputPeerUser").unwrap();
    assert!(!made_up.contains("From an answer of the local Telegram"));
    assert!(made_up.contains("access_hash&quot;"));
}
