//! What each layer changed: the pages `layers/N` and the feed.

use std::fmt::Write as _;
use std::sync::LazyLock;

use chappe_schema::layers::{Diff, History, LayerSource, sources};
use chappe_schema::words::words;

/// The page of a held layer.
#[derive(Debug)]
pub struct LayerPage {
    /// The layer.
    pub layer: i32,
    /// Its number as text, the page's name.
    pub name: String,
    /// What it brought, in words; `None` for the oldest.
    pub about: Option<&'static str>,
    /// The day from which this repository holds it, as `2026-11-23`.
    pub day: &'static str,
    /// The difference from the held layer before; `None` for the oldest, where knowledge begins.
    pub diff: Option<Diff>,
    /// How many methods, constructors and types the layer has.
    pub sizes: [usize; 3],
    /// The packages that its schema was taken from.
    pub sources: Vec<LayerSource>,
}

/// The pages of the held layers, the newest first.
#[must_use]
pub fn pages() -> &'static [LayerPage] {
    static PAGES: LazyLock<Vec<LayerPage>> = LazyLock::new(|| {
        let held = History::get().held();
        let before: Vec<Option<i32>> =
            std::iter::once(None).chain(held.iter().copied().map(Some)).collect();
        let pages = held.iter().zip(before).collect::<Vec<_>>().into_iter().rev();
        pages.filter_map(|(layer, before)| LayerPage::new(*layer, before)).collect()
    });
    &PAGES
}

/// The page of a layer, if it is held.
#[must_use]
pub fn page(layer: i32) -> Option<&'static LayerPage> {
    pages().iter().find(|page| page.layer == layer)
}

impl LayerPage {
    /// `None` for a layer without a source; a test of the schema's sees to it that there is none.
    fn new(layer: i32, before: Option<i32>) -> Option<Self> {
        let history = History::get();
        let sources: Vec<LayerSource> = sources(layer).collect();
        Some(Self {
            layer,
            name: layer.to_string(),
            about: words().layer(layer),
            day: sources.iter().map(|source| source.day).max()?,
            diff: before.and_then(|before| history.diff(before, layer)),
            sizes: history.sizes(layer)?,
            sources,
        })
    }

    /// What the layer brought, in a sentence; of the oldest, how much it has.
    #[must_use]
    pub fn summary(&self) -> String {
        let [methods, constructors, types] = self.sizes;
        self.about.map_or_else(
            || {
                format!(
                    "The oldest layer that is known here: {methods} methods, {constructors} \
                     constructors and {types} types."
                )
            },
            str::to_owned,
        )
    }

    /// How much the layer changed, in a sentence; `None` for the oldest.
    #[must_use]
    pub fn counts(&self) -> Option<String> {
        let diff = self.diff.as_ref()?;
        let counts = [
            (diff.added.len(), "added"),
            (diff.changed.len(), "changed"),
            (diff.removed.len(), "removed"),
        ];
        let counts = counts.iter().filter(|(count, _)| *count > 0);
        let counts: Vec<String> = counts.map(|(count, how)| format!("{count} {how}")).collect();
        let what = match counts.as_slice() {
            [] => "nothing changed".to_owned(),
            counts => format!("methods and constructors: {}", counts.join(", ")),
        };
        Some(format!("Since layer {}, {what}.", diff.from))
    }
}

/// The Atom feed of the layers, the newest first.
///
/// No package says on which day Telegram published a layer, so none is claimed: `updated` is the
/// day from which this repository holds the layer, which is when its page came to be.
#[must_use]
pub fn feed() -> String {
    let pages = pages();
    let newest = pages.iter().map(|page| page.day).max().unwrap_or_default();
    let mut feed = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n\
         <feed xmlns=\"http://www.w3.org/2005/Atom\">\n\
         <id>{FEED}000</id>\n\
         <title>Layers of Telegram's API</title>\n\
         <subtitle>What each layer changed, as far as packages tell. A date is the day from which \
         chappe knows the layer.</subtitle>\n\
         <updated>{newest}T00:00:00Z</updated>\n\
         <author><name>chappe</name></author>\n\
         <link rel=\"alternate\" type=\"text/html\" href=\"index.html\"/>\n\
         <link rel=\"self\" type=\"application/atom+xml\" href=\"feed.xml\"/>\n"
    );
    for page in pages {
        let sources: Vec<String> = page.sources.iter().map(source).collect();
        // Writing to a string cannot fail.
        _ = write!(
            feed,
            "<entry>\n<id>{FEED}{layer}</id>\n<title>Layer {layer}</title>\n\
             <updated>{day}T00:00:00Z</updated>\n\
             <link rel=\"alternate\" type=\"text/html\" href=\"{layer}.html\"/>\n\
             <summary>{summary} {counts}From {sources}.</summary>\n</entry>\n",
            layer = page.layer,
            day = page.day,
            // Readers of feeds show text as it is.
            summary = escaped(&page.summary().replace('`', "")),
            counts = page.counts().map(|counts| format!("{counts} ")).unwrap_or_default(),
            sources = escaped(&sources.join(", ")),
        );
    }
    feed.push_str("</feed>\n");
    feed
}

/// A source as a person says it: `PyPI kurigram 2.2.26`.
#[must_use]
pub fn source(source: &LayerSource) -> String {
    format!("{} {} {}", source.registry, source.package, source.version)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// The names of the feed and its entries, but for the last three digits: the number of the layer, none
/// for the feed. They stay what they are wherever the site is.
const FEED: &str = "urn:uuid:8f0c7a52-3e1d-4b6e-9a47-000000000";

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn words_in_the_feed_are_no_markup() {
        assert_eq!(escaped("a < b & c > <d>"), "a &lt; b &amp; c &gt; &lt;d&gt;");
    }
}
