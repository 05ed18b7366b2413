//! Methods and constructors that only older layers have, and what one takes instead of them.

use chappe_schema::layers::{self, History, Moment};
use chappe_schema::words::words;
use chappe_schema::{Definition, Param, api};

use super::{Reference, order};

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

    /// When it went, as part of a sentence: `in layer 224`, `between layers 214 and 216`.
    #[must_use]
    pub fn when(&self) -> String {
        when(self.moment)
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
        let instead: Vec<String> = see.iter().map(|name| format!("`{name}`")).collect();
        let instead = match instead.as_slice() {
            [] => String::new(),
            names => format!(": see {}", names.join(", ")),
        };
        let about = format!("{was} that was removed {}{instead}.", when(gone.moment));
        Self { moment: gone.moment, see, about, definition: gone.last }
    }
}

/// All of them, sorted like everything else.
pub(super) fn gone() -> Vec<Gone> {
    let mut gone: Vec<Gone> = History::get().gone().into_iter().map(Gone::new).collect();
    gone.sort_by(|a, b| order(a.name()).cmp(&order(b.name())));
    gone
}

fn when(moment: Moment) -> String {
    match moment.after {
        Some(after) if after + 1 < moment.by => moment.to_string(),
        _ => format!("in {moment}"),
    }
}

/// What a parameter or field means. Of what is gone, it is what it means in what stands for it, if that has it: the
/// words that many share are about those of today.
pub(crate) fn meaning(definition: &Definition, param: &Param) -> Option<&'static str> {
    let gone = Reference::get().gone_thing(&definition.name);
    let heirs = gone.into_iter().flat_map(|gone| &gone.see).filter_map(|name| api().find(name));
    let kept = heirs.filter_map(|heir| {
        let same = |it: &&Param| {
            let is_as_needed = it.flag.is_none() == param.flag.is_none();
            it.name == param.name && it.ty == param.ty && is_as_needed
        };
        words().param(heir, heir.params.iter().find(same)?)
    });
    kept.chain(words().param(definition, param)).next()
}

/// What went and is no rename of the layers' converter, and what does it now: found by comparing the layers around.
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

    use super::{HEIRS, meaning};
    use crate::Reference;
    use crate::model::params;

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
            // It came when that went, or before.
            let came = History::get().life(newer).and_then(|life| life.since()).unwrap();
            assert!(came.by <= gone.moment.by, "{older}: {newer} came later");
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
        let nothing = "A method that was removed between layers 158 and 186.";
        assert_eq!(told("help.getAppChangelog"), nothing);
    }

    #[test]
    fn a_parameter_of_what_went_means_what_it_means_in_what_stands_for_it() {
        let said = |name: &str, param: &str| {
            let definition = &Reference::get().gone_thing(name).unwrap().definition;
            let param = params(definition).find(|it| it.name == param).unwrap();
            meaning(definition, param).unwrap_or_default()
        };
        // It is the advertisement's, no number that protects from sending twice.
        for name in ["channels.clickSponsoredMessage", "channels.viewSponsoredMessage"] {
            assert_eq!(said(name, "random_id"), "`random_id` of the advertisement");
        }
        assert_eq!(said("channels.deleteTopicHistory", "top_msg_id"), "Id of the topic");
        // The second of those that stand for it has this.
        assert_eq!(said("keyboardButtonUrl", "url"), "URL to open");
        // What may be absent now had to be there.
        assert_eq!(said("emojiStatusUntil", "until"), "");
        // What stands for it has none of this name; the shared words are there for it.
        let channel = "The channel or supergroup: id and access hash";
        assert_eq!(said("channels.getForumTopics", "channel"), channel);
    }
}
