//! Methods and constructors that only older layers have, and what one takes instead of them.

use chappe_schema::Definition;
use chappe_schema::layers::{self, History, Moment};

use super::order;

/// A method or constructor that the newest layer lacks.
#[derive(Debug)]
pub struct Gone {
    /// Its last form.
    pub definition: Definition,
    /// When it went.
    pub moment: Moment,
    /// What stands for it now, each with a page: the first in general, the others in special cases.
    pub see: Vec<&'static str>,
    /// What it was and what became of it, in a sentence.
    pub about: String,
}

impl Gone {
    /// Its whole TL name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.definition.name
    }

    fn new(gone: layers::Gone) -> Self {
        let name = gone.last.name.as_str();
        let mut see: Vec<&'static str> = Vec::new();
        // What a constructor was is told by the one inside of what stands for it.
        for rename in &gone.renames {
            see.extend([Some(rename.newer), rename.inside].into_iter().flatten());
        }
        if see.is_empty() {
            let heirs = HEIRS.iter().filter(|(older, _)| *older == name);
            see.extend(heirs.map(|(_, newer)| *newer));
        }
        let was = match gone.last.is_function {
            true => "A method".to_owned(),
            false => format!("A constructor of `{}`", gone.last.result),
        };
        let when = match gone.moment.after {
            Some(after) if after + 1 < gone.moment.by => gone.moment.to_string(),
            _ => format!("in {}", gone.moment),
        };
        let instead: Vec<String> = see.iter().map(|name| format!("`{name}`")).collect();
        let instead = match instead.as_slice() {
            [] => String::new(),
            names => format!(": see {}", names.join(", ")),
        };
        let about = format!("{was} that was removed {when}{instead}.");
        Self { moment: gone.moment, see, about, definition: gone.last }
    }
}

/// All of them, sorted like everything else.
pub(super) fn gone() -> Vec<Gone> {
    let mut gone: Vec<Gone> = History::get().gone().into_iter().map(Gone::new).collect();
    gone.sort_by(|a, b| order(a.name()).cmp(&order(b.name())));
    gone
}

/// What went without another name for the same bytes, and what does it now: found by comparing the
/// layers around.
const HEIRS: &[(&str, &str)] = &[
    ("channels.clickSponsoredMessage", "messages.clickSponsoredMessage"),
    ("channels.reportSponsoredMessage", "messages.reportSponsoredMessage"),
    ("channels.viewSponsoredMessage", "messages.viewSponsoredMessage"),
    ("emojiStatusUntil", "emojiStatus"),
    ("messageActionSetSameChatWallPaper", "messageActionSetChatWallPaper"),
    ("messageInteractionCounters", "postInteractionCountersMessage"),
    ("payments.getUserStarGift", "payments.getSavedStarGift"),
    ("payments.getUserStarGifts", "payments.getSavedStarGifts"),
    ("payments.userStarGifts", "payments.savedStarGifts"),
    ("phoneCallDiscardReasonAllowGroupCall", "phoneCallDiscardReasonMigrateConferenceCall"),
    ("stats.getBroadcastRevenueStats", "payments.getStarsRevenueStats"),
    ("stats.getBroadcastRevenueTransactions", "payments.getStarsTransactions"),
    ("stats.getBroadcastRevenueWithdrawalUrl", "payments.getStarsRevenueWithdrawalUrl"),
    ("updateChannelPinnedTopic", "updatePinnedForumTopic"),
    ("updateChannelPinnedTopics", "updatePinnedForumTopics"),
    ("userStarGift", "savedStarGift"),
    ("users.getIsPremiumRequiredToContact", "users.getRequirementsToContact"),
];

#[cfg(test)]
mod tests {
    use chappe_schema::layers::History;

    use super::HEIRS;
    use crate::Reference;

    #[test]
    fn what_stands_for_something_that_went_is_there() {
        let all = Reference::get();
        for gone in all.gone() {
            for name in &gone.see {
                assert!(all.kind_of(name).is_some(), "{}: {name}", gone.name());
            }
        }
        for (older, newer) in HEIRS {
            let gone = all.gone_thing(older).unwrap_or_else(|| panic!("{older} is not gone"));
            assert_eq!(gone.see, [*newer], "{older}");
        }
        let told = |name: &str| all.gone_thing(name).unwrap().about.as_str();
        let said =
            "A method that was removed between layers 214 and 216: see `messages.getForumTopics`.";
        assert_eq!(told("channels.getForumTopics"), said);
        assert_eq!(
            told("keyboardButtonUrl"),
            "A constructor of `KeyboardButton` that was removed in layer 229: see `keyboardInlineButton`, \
             `inlineButtonTypeUrl`."
        );
        assert!(History::get().life("messages.getForumTopics").is_some());
        let nothing = "A method that was removed between layers 158 and 186.";
        assert_eq!(told("help.getAppChangelog"), nothing);
    }
}
