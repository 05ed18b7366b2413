//! Since when a definition is known, and what became of it, as far as the held layers tell.
//!
//! Layers are held with gaps, and nothing is known before the oldest. So nothing here says "since
//! layer 207" of what is not in 204 and is in 207, when no layer between is held: a [`Moment`] has
//! both ends.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::LazyLock;

use super::diff::{Changed, Diff};
use super::{convert, history};
use crate::{Definition, parse};

/// Every definition of every held layer, by name.
#[derive(Debug)]
pub struct History {
    pub(super) held: Vec<i32>,
    /// Constructors, then methods.
    pub(super) names: [BTreeMap<&'static str, Vec<Version>>; 2],
    renames: Vec<Rename>,
}

/// One form of a definition, and the held layers that have it as bits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Version {
    line: &'static str,
    pub(super) layers: u64,
}

/// When something came to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment {
    /// The last held layer in which it was not so; `None` where the oldest held layer has it.
    pub after: Option<i32>,
    /// The first held layer in which it is so.
    pub by: i32,
}

/// What became of one definition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Life {
    /// What happened to it, the oldest first; it begins with [`What::Added`].
    pub steps: Vec<Step>,
}

/// Something that happened to a definition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// When.
    pub moment: Moment,
    /// What.
    pub what: What,
}

/// What happened to a definition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// It appeared, perhaps for some that went.
    Added(Vec<Rename>),
    /// It got another form.
    Changed(Box<Changed>),
    /// It went; the first of these stands for it in general, and the others in special cases.
    Removed(Vec<Rename>),
}

/// A definition that went, and the one that stands for it since.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rename {
    /// When the older one went.
    pub moment: Moment,
    /// Whether the newer one came for it: in the same held layer or in the one before.
    pub came: bool,
    /// The name that went.
    pub older: &'static str,
    /// The name that stands for it.
    pub newer: &'static str,
    /// The constructor inside of the newer one that holds what the older one said, if it is there.
    pub inside: Option<&'static str>,
}

/// Constructors that a type got and lost at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypeStep {
    /// When.
    pub moment: Moment,
    /// The names of the constructors that it got.
    pub gained: Vec<&'static str>,
    /// The names of those that it lost.
    pub lost: Vec<&'static str>,
}

impl History {
    /// The history of all held layers.
    #[must_use]
    pub fn get() -> &'static Self {
        static HISTORY: LazyLock<History> = LazyLock::new(History::read);
        &HISTORY
    }

    fn read() -> Self {
        let mut names = [BTreeMap::new(), BTreeMap::new()];
        for (is_function, line, layers) in history::lines() {
            let name = line.split(['#', ' ']).next().unwrap_or_default();
            let [constructors, methods] = &mut names;
            let names = if is_function { methods } else { constructors };
            names.entry(name).or_insert_with(Vec::new).push(Version { line, layers });
        }
        let mut history = Self { held: history::held().collect(), names, renames: Vec::new() };
        // The table also says what stands for what where both are there: that is no other name.
        let renames = convert::renames().flat_map(|(older, newer, inside)| {
            let [gone, there] = [older, newer].map(|name| history.presence(name));
            let moments = history.moments().skip(1);
            moments.filter_map(move |(place, moment)| {
                let is = |name: u64, place: usize| name >> place & 1 == 1;
                let went = is(gone, place - 1) && !is(gone, place) && is(there, place);
                let came = place < 2 || !is(there, place - 1) || !is(there, place - 2);
                went.then_some(Rename { moment, came, older, newer, inside })
            })
        });
        history.renames = renames.collect();
        history
    }

    /// The held layers, ascending.
    #[must_use]
    pub fn held(&self) -> &[i32] {
        &self.held
    }

    /// How many methods, constructors and types a held layer has.
    #[must_use]
    pub fn sizes(&self, layer: i32) -> Option<[usize; 3]> {
        let place = self.held.iter().position(|held| *held == layer)?;
        let [constructors, methods] = self.names.each_ref().map(|names| {
            let versions = names.values().flatten();
            versions.filter(|it| it.layers >> place & 1 == 1).collect::<Vec<_>>()
        });
        let types: BTreeSet<&str> = constructors.iter().map(|it| it.result()).collect();
        Some([methods.len(), constructors.len(), types.len()])
    }

    /// What became of a method or constructor of any held layer.
    #[must_use]
    pub fn life(&self, name: &str) -> Option<Life> {
        let [constructors, methods] = &self.names;
        let is_function = methods.contains_key(name);
        let versions = if is_function { methods } else { constructors }.get(name)?;
        let at = |place: usize| versions.iter().find(|it| it.layers >> place & 1 == 1);
        let mut steps = Vec::new();
        let mut before: Option<&Version> = None;
        for (place, moment) in self.moments() {
            let now = at(place);
            let what = match (before, now) {
                (None, Some(_)) => {
                    Some(What::Added(self.renamed(|it| it.newer == name && it.came)))
                }
                (Some(_), None) => {
                    Some(What::Removed(self.renamed(|it| it.older == name && it.moment == moment)))
                }
                (Some(before), Some(now)) if before.line != now.line => {
                    let changed = Changed::between(before.read(is_function), now.read(is_function));
                    changed.map(|changed| What::Changed(Box::new(changed)))
                }
                _ => None,
            };
            steps.extend(what.map(|what| Step { moment, what }));
            before = now;
        }
        Some(Life { steps })
    }

    /// Which constructors a type got and lost, the oldest step first; none where no held layer has
    /// the type.
    #[must_use]
    pub fn steps_of_type(&self, name: &str) -> Vec<TypeStep> {
        let [constructors, _] = &self.names;
        let of_type = |version: &Version| version.result() == name;
        let constructors = constructors.iter().filter_map(|(name, versions)| {
            let mut layers =
                versions.iter().filter(|it| of_type(it)).map(|it| it.layers).peekable();
            layers.peek()?;
            Some((*name, layers.fold(0, |all, layers| all | layers)))
        });
        let constructors: Vec<(&str, u64)> = constructors.collect();
        let is = |place: usize, layers: u64| layers >> place & 1 == 1;
        let steps = self.moments().filter_map(|(place, moment)| {
            let was = |layers: u64| place > 0 && is(place - 1, layers);
            let pick = |wanted: &dyn Fn(u64) -> bool| {
                let picked = constructors.iter().filter(|(_, layers)| wanted(*layers));
                picked.map(|(name, _)| *name).collect::<Vec<_>>()
            };
            let gained = pick(&|layers| is(place, layers) && !was(layers));
            let lost = pick(&|layers| !is(place, layers) && was(layers));
            let empty = gained.is_empty() && lost.is_empty();
            (!empty).then_some(TypeStep { moment, gained, lost })
        });
        steps.collect()
    }

    /// What is different in layer `to` from layer `from`; `None` where one of them is not held.
    #[must_use]
    pub fn diff(&self, from: i32, to: i32) -> Option<Diff> {
        let place = |layer: i32| self.held.iter().position(|held| *held == layer);
        let (before, after) = (place(from)?, place(to)?);
        let mut diff = Diff::new(from, to);
        let mut types = [BTreeSet::new(), BTreeSet::new()];
        let [constructors, methods] = &self.names;
        for (is_function, names) in [(true, methods), (false, constructors)] {
            for versions in names.values() {
                let at = |place: usize| versions.iter().find(|it| it.layers >> place & 1 == 1);
                let ends = [at(before), at(after)];
                if !is_function {
                    for (types, end) in types.iter_mut().zip(ends) {
                        types.extend(end.map(|end| end.result()));
                    }
                }
                match ends {
                    [None, Some(now)] => diff.added.push(now.read(is_function)),
                    [Some(before), None] => diff.removed.push(before.read(is_function)),
                    [Some(before), Some(now)] if before.line != now.line => {
                        let (before, now) = (before.read(is_function), now.read(is_function));
                        diff.changed.extend(Changed::between(before, now));
                    }
                    _ => {}
                }
            }
        }
        let [old, new] = types;
        diff.types_added = new.difference(&old).copied().collect();
        diff.types_removed = old.difference(&new).copied().collect();
        diff.renamed = self.renamed(|it| from < it.moment.by && it.moment.by <= to);
        Some(diff)
    }

    /// Each held layer by its place, as the moment at which something is first seen in it.
    fn moments(&self) -> impl Iterator<Item = (usize, Moment)> {
        let before = std::iter::once(None).chain(self.held.iter().map(|layer| Some(*layer)));
        let moments = before.zip(&self.held).map(|(after, by)| Moment { after, by: *by });
        moments.enumerate()
    }

    /// The held layers that have a name, as bits.
    fn presence(&self, name: &str) -> u64 {
        let versions = self.names.iter().filter_map(|names| names.get(name)).flatten();
        versions.fold(0, |all, version| all | version.layers)
    }

    fn renamed(&self, wanted: impl Fn(&Rename) -> bool) -> Vec<Rename> {
        self.renames.iter().filter(|rename| wanted(rename)).copied().collect()
    }
}

impl Version {
    #[expect(clippy::expect_used, reason = "the text is part of the program; tests read all of it")]
    pub(super) fn read(&self, is_function: bool) -> Definition {
        let section = if is_function { history::FUNCTIONS } else { "" };
        let schema = parse(&format!("{section}\n{}", self.line)).expect("a held definition parses");
        schema.definitions().first().expect("it is a definition").clone()
    }

    /// The id, as the line has it.
    pub(super) fn id(&self) -> u32 {
        let head = self.line.split([' ', ';']).next().unwrap_or_default();
        let (_, id) = head.split_once('#').unwrap_or_default();
        u32::from_str_radix(id, 16).unwrap_or_default()
    }

    /// The type of a constructor.
    fn result(&self) -> &'static str {
        let (_, result) = self.line.rsplit_once("= ").unwrap_or_default();
        let result = result.trim_end_matches(';');
        result.split_once(' ').map_or(result, |(result, _)| result)
    }
}

impl Life {
    /// When the definition appeared, for the last time if it was gone in between.
    #[must_use]
    pub fn since(&self) -> Option<Moment> {
        let mut steps = self.steps.iter().rev();
        steps.find(|step| matches!(step.what, What::Added(_))).map(|step| step.moment)
    }

    /// What the last change of its form was since it appeared.
    #[must_use]
    pub fn last_change(&self) -> Option<(Moment, &Changed)> {
        let since = self.steps.iter().rev();
        let mut since = since.take_while(|step| !matches!(step.what, What::Added(_)));
        since.find_map(|step| match &step.what {
            What::Changed(changed) => Some((step.moment, &**changed)),
            _ => None,
        })
    }

    /// When it went, if it is not in the newest held layer.
    #[must_use]
    pub fn until(&self) -> Option<Moment> {
        let last = self.steps.last().filter(|step| matches!(step.what, What::Removed(_)));
        last.map(|step| step.moment)
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.after {
            None => write!(f, "layer {} or before", self.by),
            Some(after) if after == self.by - 1 => write!(f, "layer {}", self.by),
            Some(after) => write!(f, "between layers {after} and {}", self.by),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::{History, Life, Moment, Step, What};
    use crate::Definition;
    use crate::layers::{Difference, Layers};

    fn since(name: &str) -> String {
        History::get().life(name).unwrap().since().unwrap().to_string()
    }

    fn names(definitions: &[Definition]) -> Vec<&str> {
        definitions.iter().map(|definition| definition.name.as_str()).collect()
    }

    #[test]
    fn since_when_is_never_more_than_the_held_layers_tell() {
        assert_eq!(since("account.resetWebAuthorization"), "layer 158 or before");
        assert_eq!(since("auth.firebasePnvIntent"), "layer 229");
        assert_eq!(since("stories.getAlbumStories"), "between layers 207 and 211");
        assert_eq!(since("account.businessChatLinks"), "between layers 158 and 186");
        assert!(History::get().life("account.resetWebAuthorisation").is_none());
    }

    #[test]
    fn a_life_tells_what_changed_and_when() {
        let life = History::get().life("messages.sendMessage").unwrap();
        let told: Vec<String> = life
            .steps
            .iter()
            .map(|step| match &step.what {
                What::Added(_) => format!("{}: added", step.moment),
                What::Changed(changed) => {
                    let said: Vec<String> =
                        changed.differences.iter().map(ToString::to_string).collect();
                    format!("{}: {}", step.moment, said.join("; "))
                }
                What::Removed(_) => format!("{}: removed", step.moment),
            })
            .collect();
        let want = [
            "layer 158 or before: added",
            "between layers 158 and 186: `invert_media:true` added, optional; \
             `reply_to:InputReplyTo` added, optional; \
             `quick_reply_shortcut:InputQuickReplyShortcut` added, optional; \
             `effect:long` added, optional; `reply_to_msg_id:int` removed; `top_msg_id:int` removed",
            "between layers 186 and 195: `allow_paid_floodskip:true` added, optional",
            "between layers 199 and 201: `allow_paid_stars:long` added, optional",
            "between layers 204 and 207: `suggested_post:SuggestedPost` added, optional",
            "between layers 216 and 218: `schedule_repeat_period:int` added, optional",
            "between layers 225 and 227: `rich_message:InputRichMessage` added, optional",
        ];
        assert_eq!(told, want);
        let (moment, changed) = life.last_change().unwrap();
        assert_eq!((moment.after, moment.by), (Some(225), 227));
        assert!(!changed.breaks());
    }

    #[test]
    fn what_moved_is_told_at_both_ends() {
        let history = History::get();
        let gone = history.life("channels.getForumTopics").unwrap();
        let [.., last] = &gone.steps[..] else { panic!() };
        let What::Removed(renames) = &last.what else { panic!("{last:?}") };
        assert_eq!((renames[0].newer, renames[0].inside), ("messages.getForumTopics", None));
        assert_eq!(gone.until().unwrap().to_string(), "between layers 214 and 216");
        let come = history.life("messages.getForumTopics").unwrap();
        let What::Added(renames) = &come.steps[0].what else { panic!("{come:?}") };
        assert_eq!(renames[0].older, "channels.getForumTopics");
        assert!(renames[0].came && come.until().is_none());
        // One package of layer 223 keeps the older name beside the newer.
        let come = history.life("messages.editChatCreator").unwrap();
        let What::Added(renames) = &come.steps[0].what else { panic!("{come:?}") };
        assert_eq!((renames[0].older, renames[0].moment.by), ("channels.editCreator", 224));
        let button = history.life("keyboardButtonUrl").unwrap();
        let What::Removed(renames) = &button.steps.last().unwrap().what else { panic!() };
        assert_eq!(renames[0].newer, "keyboardInlineButton");
        assert_eq!(renames[0].inside, Some("inlineButtonTypeUrl"));
        // What only stands for another, where both are there, is no other name.
        assert!(history.life("inputChannel").unwrap().until().is_none());
    }

    #[test]
    fn a_type_tells_which_constructors_it_got_and_lost() {
        let history = History::get();
        assert!(history.steps_of_type("NoSuchType").is_empty());
        let steps = history.steps_of_type("auth.SentCode");
        let told: Vec<String> = steps
            .iter()
            .map(|it| format!("{}: +{:?} -{:?}", it.moment, it.gained, it.lost))
            .collect();
        let want = [
            "layer 158 or before: +[\"auth.sentCode\", \"auth.sentCodeSuccess\"] -[]",
            "between layers 199 and 201: +[\"auth.sentCodePaymentRequired\"] -[]",
        ];
        assert_eq!(told, want);
        let chain = history.steps_of_type("messages.SponsoredMessages");
        assert!(chain.iter().all(|step| step.lost.is_empty()), "{chain:?}");
    }

    /// Counted before, from two packages and by ids: 156 new, 2 removed, 59 changed, 46 of which break
    /// nothing. The layer is the union of two revisions here, and nine definitions changed in `true`
    /// flags only, which have no part in an id.
    #[test]
    fn the_way_from_222_to_228_is_the_known_one() {
        let diff = History::get().diff(222, 228).unwrap();
        let other_id = diff.changed.iter().filter(|it| it.older.id != it.newer.id);
        let is_option = |it: &Difference| matches!(it, Difference::Added { optional: true, .. });
        let gained = other_id.clone().filter(|it| it.differences.iter().all(is_option)).count();
        assert_eq!(
            (diff.added.len(), diff.removed.len(), other_id.clone().count(), gained),
            (158, 2, 59, 44)
        );
        assert_eq!(diff.changed.len(), 68);
        assert_eq!(other_id.filter(|it| !it.breaks()).count(), 46);
        let gone = ["channels.editCreator", "channels.getFutureCreatorAfterLeave"];
        assert_eq!(names(&diff.removed), gone);
        let come = ["messages.editChatCreator", "messages.getFutureChatCreatorAfterLeave"];
        assert_eq!(diff.renamed.iter().map(|it| it.newer).collect::<Vec<_>>(), come);
        assert!(diff.breaks());
    }

    /// The diff of any two layers, applied to the first, gives the second.
    #[test]
    fn a_diff_leads_from_one_layer_to_the_other() {
        let (history, layers) = (History::get(), Layers::new());
        let lines = |layer: i32| {
            let schema = layers.schema(layer);
            let lines = schema.definitions().iter().map(|it| (it.name.clone(), it.clone()));
            lines.collect::<BTreeMap<String, Definition>>()
        };
        let types = |layer: i32| {
            let schema = layers.schema(layer);
            schema.types().map(str::to_owned).collect::<BTreeSet<String>>()
        };
        let held = history.held();
        let pairs = held.windows(2).map(|pair| (pair[0], pair[1]));
        for (from, to) in pairs.chain([(158, 230), (230, 158), (204, 228), (199, 199)]) {
            let diff = history.diff(from, to).unwrap();
            let mut now = lines(from);
            for gone in &diff.removed {
                assert_eq!(now.remove(&gone.name).unwrap().text, gone.text);
            }
            for changed in &diff.changed {
                assert_eq!(now[&changed.older.name].text, changed.older.text);
                now.insert(changed.newer.name.clone(), changed.newer.clone());
            }
            for added in &diff.added {
                assert!(now.insert(added.name.clone(), added.clone()).is_none());
            }
            let want = lines(to);
            assert_eq!(now.len(), want.len(), "{from} -> {to}");
            for (name, definition) in want {
                // What is left out of a diff has the same parameters, its flags in another order.
                let sorted = |it: &Definition| {
                    let mut params: Vec<String> =
                        it.text.split(' ').skip(1).map(str::to_owned).collect();
                    params.sort_unstable();
                    (it.id, params)
                };
                assert_eq!(sorted(&now[&name]), sorted(&definition), "{from} -> {to}");
            }
            let mut types_now = types(from);
            types_now.retain(|name| !diff.types_removed.contains(&name.as_str()));
            types_now.extend(diff.types_added.iter().map(|name| (*name).to_owned()));
            assert_eq!(types_now, types(to), "{from} -> {to}");
        }
        assert!(history.diff(158, 159).is_none() && history.diff(231, 230).is_none());
    }

    #[test]
    fn what_came_back_is_known_since_then() {
        let at = |by: i32, what: What| Step { moment: Moment { after: Some(by - 1), by }, what };
        let added = |by: i32| at(by, What::Added(Vec::new()));
        let mut life = Life { steps: vec![added(200), at(210, What::Removed(Vec::new()))] };
        assert_eq!(life.until().map(|moment| moment.by), Some(210));
        life.steps.push(added(220));
        assert_eq!(life.since().map(|moment| moment.by), Some(220));
        assert_eq!(life.until(), None);
    }

    #[test]
    fn a_diff_tells_only_what_got_another_name_on_its_way() {
        let renamed = |from: i32, to: i32| {
            let diff = History::get().diff(from, to).unwrap();
            diff.renamed.iter().any(|rename| rename.older == "channels.getForumTopics")
        };
        assert!(renamed(214, 216) && renamed(158, 230));
        assert!(!renamed(216, 230) && !renamed(158, 214));
    }

    /// Every life is told without a gap: the forms follow each other.
    #[test]
    fn every_life_follows_from_its_steps() {
        let (history, layers) = (History::get(), Layers::new());
        let mut names = BTreeSet::new();
        for layer in history.held() {
            names.extend(layers.schema(*layer).definitions().iter().map(|it| it.name.clone()));
        }
        assert!(names.len() > 2554);
        for name in names {
            let life = history.life(&name).unwrap();
            let mut there = false;
            for step in &life.steps {
                let comes = match step.what {
                    What::Added(_) => true,
                    What::Changed(_) => there,
                    What::Removed(_) => false,
                };
                assert_ne!((there, comes), (comes, !comes), "{name}: {step:?}");
                if !matches!(step.what, What::Changed(_)) {
                    assert_ne!(there, comes, "{name}: {step:?}");
                }
                there = comes;
            }
            assert_eq!(there, crate::api().find(&name).is_some(), "{name}");
            assert_eq!(there, life.until().is_none(), "{name}");
        }
    }
}
