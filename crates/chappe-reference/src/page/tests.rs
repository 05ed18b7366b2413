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
