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

#[test]
fn a_type_shows_a_value_of_it() {
    let page = html(Kind::Type, "WebAuthorization").unwrap();
    assert!(page.contains("From an answer of the local Telegram to"), "{page}");
    let page = html(Kind::Type, "InputPeer").unwrap();
    assert!(page.contains("id=\"json\"") && page.contains("you make it yourself"), "{page}");
}

#[test]
fn what_any_method_may_answer_is_said_of_it() {
    let page = html(Kind::Error, "FLOOD_WAIT_X").unwrap();
    assert!(page.contains("Any method may.") && !page.contains("0 methods"), "{page}");
}

#[test]
fn a_username_is_offered_only_where_a_peer_is_and_by_clients_that_resolve_it() {
    let says =
        |name: &str| html(Kind::Method, name).unwrap().matches("also takes a username").count();
    assert_eq!(says("messages.sendMessage"), 3);
    assert_eq!(says("account.resetWebAuthorization"), 0);
}

#[test]
fn an_error_shows_the_requests_that_were_answered_with_it() {
    let page = html(Kind::Error, "PHONE_CODE_INVALID").unwrap();
    assert!(page.contains("id=\"seen\"") && page.contains("methods/auth.signIn.html"), "{page}");
    assert!(page.contains("&quot;00000&quot;"), "{page}");
    assert!(!html(Kind::Error, "FLOOD_WAIT_X").unwrap().contains("id=\"seen\""));
}

#[test]
fn what_many_methods_answer_unfolds_on_its_own_page_alone() {
    let unfolds =
        |kind, name| html(kind, name).unwrap().matches("<details class=\"choice\"").count();
    // The second one has room for all of it.
    for name in ["messages.sendMessage", "messages.editChatTitle"] {
        assert_eq!(unfolds(Kind::Method, name), 0, "{name}");
        let page = html(Kind::Method, name).unwrap();
        assert!(page.contains("../constructors/updateShortSentMessage.html"), "{page}");
    }
    assert_eq!(unfolds(Kind::Type, "Updates"), 7);
    assert_eq!(unfolds(Kind::Method, "account.getWebAuthorizations"), 1);
}

#[test]
fn an_id_of_older_layers_stands_on_the_page_that_is_found_by_it() {
    let ids = chappe_schema::layers::History::get().older_ids();
    let mut pages = std::collections::BTreeMap::new();
    for it in &ids {
        let query = format!("{:08x}", it.id);
        let hits = crate::search::index().find(&query, 9);
        let hit = hits.iter().find(|hit| hit.name == it.name).unwrap();
        let page =
            pages.entry((hit.kind, it.name)).or_insert_with(|| html(hit.kind, it.name).unwrap());
        let said = format!("<code>#{query}</code> ({it})");
        assert!(page.contains(&said), "{} says nothing of {said}", it.name);
    }
    // Also where there is no room for all that happened to it.
    assert!(
        pages[&(Kind::Constructor, "user")].contains("<code>#020b1422</code> (layers 201 to 216)")
    );
}
