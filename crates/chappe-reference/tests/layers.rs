//! The pages of the layers and their feed.

use chappe_reference::layers::{feed, page, pages};

#[test]
fn every_held_layer_has_a_page_that_says_what_it_changed() {
    let held = chappe_schema::layers::History::get().held();
    let layers: Vec<i32> = pages().iter().rev().map(|page| page.layer).collect();
    assert_eq!(layers, held);
    let newest = page(230).unwrap();
    assert_eq!(newest.sizes, [850, 1704, 650]);
    assert_eq!(newest.sources[0].package, "grammers-tl-types");
    let diff = newest.diff.as_ref().unwrap();
    assert_eq!((diff.from, diff.to), (229, 230));
    assert_eq!((diff.added.len(), diff.changed.len(), diff.removed.len()), (84, 6, 1));
    let said = "Since layer 229, methods and constructors: 84 added, 6 changed, 1 removed.";
    assert_eq!(newest.counts().as_deref(), Some(said));
    assert_eq!(Some(newest.summary().as_str()), newest.about);
    let oldest = page(158).unwrap();
    assert!(
        oldest.diff.is_none()
            && oldest.counts().is_none()
            && oldest.summary().starts_with("The oldest layer")
    );
    assert!(page(159).is_none());
}

/// RFC 4287, 4.1.1 and 4.1.2: what a feed and an entry must have.
#[test]
fn the_feed_is_what_readers_of_feeds_want() {
    let text = feed();
    assert_eq!(text, feed(), "the same each time");
    let count = |what: &str| text.matches(what).count();
    let entries = pages().len();
    assert!(text.starts_with("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<feed xmlns="));
    assert_eq!((count("<entry>"), count("</entry>")), (entries, entries));
    for tag in ["id", "title", "updated"] {
        assert_eq!(count(&format!("<{tag}>")), entries + 1, "{tag}");
        assert_eq!(count(&format!("</{tag}>")), entries + 1, "{tag}");
    }
    let mut ids: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("<id>")).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), entries + 1);
    // An UUID has 36 letters.
    assert!(ids.iter().all(|id| id.len() == "urn:uuid:".len() + 36 + "</id>".len()), "{ids:?}");
    let dates = text.lines().filter_map(|line| line.strip_prefix("<updated>"));
    for date in dates {
        let [day, rest] = date.split('T').collect::<Vec<_>>()[..] else { panic!("{date}") };
        assert_eq!((day.len(), rest), (10, "00:00:00Z</updated>"));
    }
    assert_eq!(count("<author><name>"), 1);
    // Nothing in it is markup by mistake: what is not ours was escaped.
    assert_eq!(text.matches('&').count(), count("&amp;") + count("&lt;") + count("&gt;"));
    assert!(text.contains("npm @mtcute/tl 218.0.1"));
    // An entry begins with what the layer brought.
    let said = "<summary>Brings a wallet for TON in the namespaces wallet and toncenter,";
    assert!(text.contains(said), "{text}");
}
