//! What is different between two layers, and what of it breaks a program.
//!
//! A program that was written against the older layer breaks where it cannot stay as it is: a
//! definition went, a parameter went or has another name or type, one is wanted that was not there,
//! the answer is of another type. What a program may ignore does not break it: new definitions, new
//! optional parameters, a parameter of a method that may be left out from now on. What may be absent
//! from a constructor from now on does, as a program reads it there.

use std::fmt;

use super::life::Rename;
use crate::{Definition, Param, Type};

/// What is different in one layer from another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diff {
    /// The layer that is looked from.
    pub from: i32,
    /// The layer that is looked at.
    pub to: i32,
    /// What only `to` has: methods, then constructors, each by name.
    pub added: Vec<Definition>,
    /// What both have in different forms, in the same order.
    pub changed: Vec<Changed>,
    /// What only `from` has, in the same order.
    pub removed: Vec<Definition>,
    /// What stands for the removed ones.
    pub renamed: Vec<Rename>,
    /// The types that only `to` has, by name.
    pub types_added: Vec<&'static str>,
    /// The types that only `from` has, by name.
    pub types_removed: Vec<&'static str>,
}

/// A definition in two forms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    /// The older form.
    pub older: Definition,
    /// The newer form.
    pub newer: Definition,
    /// In what they differ, in the order of the parameters; never empty.
    pub differences: Vec<Difference>,
}

/// One thing in which two forms of a definition differ. It prints itself as a phrase with code in
/// backticks.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Difference {
    /// A parameter that was not there.
    Added {
        /// Its name.
        param: String,
        /// Its type, without the condition.
        ty: Type,
        /// Whether it may be left out.
        optional: bool,
    },
    /// Another bit, or another flag word, says that the parameter is there.
    Flag {
        /// Its name.
        param: String,
    },
    /// What must have been there may be left out.
    MadeOptional {
        /// The parameter's name.
        param: String,
    },
    /// What may have been left out must be there.
    MadeRequired {
        /// The parameter's name.
        param: String,
    },
    /// A parameter that is gone.
    Removed {
        /// Its name.
        param: String,
        /// Its type, without the condition.
        ty: Type,
    },
    /// A parameter of the same type that has another name, at the same place.
    Renamed {
        /// The older name.
        from: String,
        /// The newer name.
        to: String,
    },
    /// The parameters that both have are on the wire in another order.
    Reordered,
    /// A method answers another type; a constructor is of another type.
    Result {
        /// The older type.
        from: Type,
        /// The newer type.
        to: Type,
    },
    /// A parameter of another type.
    Type {
        /// Its name.
        param: String,
        /// The older type, without the condition.
        from: Type,
        /// The newer type, without the condition.
        to: Type,
    },
    /// Nothing but which flag words there are: the id is another one.
    Words,
}

impl Diff {
    pub(super) fn new(from: i32, to: i32) -> Self {
        let (added, removed, changed, renamed) = Default::default();
        let (types_added, types_removed) = Default::default();
        Self { from, to, added, changed, removed, renamed, types_added, types_removed }
    }

    /// Whether a program that was written against `from` may break: see the module's words.
    #[must_use]
    pub fn breaks(&self) -> bool {
        !self.removed.is_empty() || self.changed.iter().any(Changed::breaks)
    }
}

impl Changed {
    /// Compares two forms; `None` where a program cannot tell them apart.
    pub(super) fn between(older: Definition, newer: Definition) -> Option<Self> {
        let differences = differences(&older, &newer);
        (!differences.is_empty()).then_some(Self { older, newer, differences })
    }

    /// Whether a program that uses the older form may break: see the module's words.
    #[must_use]
    pub fn breaks(&self) -> bool {
        self.differences.iter().any(|it| it.breaks(self.newer.is_function))
    }
}

impl Difference {
    /// Whether a program breaks that uses the older form of a method or of a constructor.
    #[must_use]
    pub fn breaks(&self, is_function: bool) -> bool {
        match self {
            Self::Added { optional, .. } => !optional,
            Self::Flag { .. } | Self::Reordered | Self::Words => false,
            Self::MadeOptional { .. } => !is_function,
            Self::MadeRequired { .. }
            | Self::Removed { .. }
            | Self::Renamed { .. }
            | Self::Result { .. }
            | Self::Type { .. } => true,
        }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Added { param, ty, optional: true } => {
                write!(f, "`{param}:{ty}` added, optional")
            }
            Self::Added { param, ty, optional: false } => write!(f, "`{param}:{ty}` added"),
            Self::Flag { param } => write!(f, "`{param}` has another flag"),
            Self::MadeOptional { param } => write!(f, "`{param}` is optional now"),
            Self::MadeRequired { param } => write!(f, "`{param}` is required now"),
            Self::Removed { param, ty } => write!(f, "`{param}:{ty}` removed"),
            Self::Renamed { from, to } => write!(f, "`{from}` is called `{to}` now"),
            Self::Reordered => f.write_str("another order of the parameters"),
            Self::Result { from, to } => write!(f, "`{from}` became `{to}`"),
            Self::Type { param, from, to } => write!(f, "`{param}` was `{from}`, is `{to}`"),
            Self::Words => f.write_str("other flag words"),
        }
    }
}

/// In what two forms differ. Flag words are no parameters of their own: what they do is said with the
/// parameters that they are for.
fn differences(older: &Definition, newer: &Definition) -> Vec<Difference> {
    let [old, new] = [older, newer].map(|definition| {
        let params = definition.params.iter().filter(|param| param.ty != Type::Nat);
        params.collect::<Vec<&Param>>()
    });
    let renamed = |from: &&&Param, to: &&Param| {
        let is_gone = new.iter().all(|param| param.name != from.name);
        let is_new = old.iter().all(|param| param.name != to.name);
        is_gone && is_new && from.ty == to.ty && from.flag.is_some() == to.flag.is_some()
    };
    // The name at the same place, counted without flag words.
    let names: Vec<(&str, &str)> = old
        .iter()
        .zip(&new)
        .filter(|(from, to)| from.ty != Type::True && renamed(from, to))
        .map(|(from, to)| (from.name.as_str(), to.name.as_str()))
        .collect();
    let mut found = Vec::new();
    for to in &new {
        let param = to.name.clone();
        if let Some((from, _)) = names.iter().find(|(_, name)| *name == to.name) {
            found.push(Difference::Renamed { from: (*from).to_owned(), to: param });
            continue;
        }
        let Some(from) = old.iter().find(|from| from.name == to.name) else {
            let (ty, optional) = (to.ty.clone(), to.flag.is_some());
            found.push(Difference::Added { param, ty, optional });
            continue;
        };
        if from.ty != to.ty {
            let (from, to) = (from.ty.clone(), to.ty.clone());
            found.push(Difference::Type { param: param.clone(), from, to });
        }
        found.extend(match (from.flag, to.flag) {
            (None, Some(_)) => Some(Difference::MadeOptional { param }),
            (Some(_), None) => Some(Difference::MadeRequired { param }),
            _ if word(older, from) != word(newer, to) => Some(Difference::Flag { param }),
            _ => None,
        });
    }
    for from in old.iter().filter(|from| {
        let is_renamed = names.iter().any(|(name, _)| *name == from.name);
        !is_renamed && new.iter().all(|to| to.name != from.name)
    }) {
        found.push(Difference::Removed { param: from.name.clone(), ty: from.ty.clone() });
    }
    let order = |these: &[&Param], those: &[&Param]| {
        let on_wire = these.iter().filter(|param| param.ty != Type::True);
        let common = on_wire.filter(|param| those.iter().any(|it| it.name == param.name));
        common.map(|param| param.name.clone()).collect::<Vec<_>>()
    };
    if order(&old, &new) != order(&new, &old) {
        found.push(Difference::Reordered);
    }
    if older.result != newer.result {
        let (from, to) = (older.result.clone(), newer.result.clone());
        found.push(Difference::Result { from, to });
    }
    let words = |definition: &Definition| {
        let words = definition.params.iter().filter(|param| param.ty == Type::Nat);
        words.map(|param| param.name.clone()).collect::<Vec<_>>()
    };
    if found.is_empty() && words(older) != words(newer) {
        found.push(Difference::Words);
    }
    found
}

/// The flag word's name and the bit of a parameter's condition.
fn word<'d>(definition: &'d Definition, param: &Param) -> Option<(&'d str, u8)> {
    let flag = param.flag?;
    Some((definition.params.get(flag.field)?.name.as_str(), flag.bit))
}

#[cfg(test)]
mod tests {
    use super::Changed;
    use crate::parse;

    /// What differs between two lines of TL, and whether it breaks, first for a method.
    fn check(older: &str, newer: &str, want: &[&str], breaks: [bool; 2]) {
        for (section, breaks) in ["---functions---", "---types---"].into_iter().zip(breaks) {
            let read = |line: &str| {
                let schema = parse(&format!("{section}\na#1 {line};")).unwrap();
                schema.definitions()[0].clone()
            };
            let changed = Changed::between(read(older), read(newer));
            let said = changed.iter().flat_map(|it| &it.differences).map(ToString::to_string);
            assert_eq!(said.collect::<Vec<_>>(), want, "{older} -> {newer}");
            assert_eq!(changed.is_some_and(|it| it.breaks()), breaks, "{section} {older} {newer}");
        }
    }

    #[test]
    fn every_difference_is_named_and_judged() {
        check("b:int = A", "b:int = A", &[], [false; 2]);
        check("b:int = A", "b:int c:long = A", &["`c:long` added"], [true; 2]);
        let gained = ["`c:long` added, optional"];
        check("b:int = A", "flags:# b:int c:flags.0?long = A", &gained, [false; 2]);
        let gained = ["`c:true` added, optional"];
        check("flags:# b:int = A", "flags:# c:flags.0?true b:int = A", &gained, [false; 2]);
        check("b:int c:long = A", "b:int = A", &["`c:long` removed"], [true; 2]);
        check("b:int = A", "b:long = A", &["`b` was `int`, is `long`"], [true; 2]);
        check("b:int = A", "c:int = A", &["`b` is called `c` now"], [true; 2]);
        let other = ["`c:long` added", "`b:int` removed"];
        check("b:int = A", "c:long = A", &other, [true; 2]);
        let optional = ["`b` is optional now"];
        check("b:int = A", "flags:# b:flags.0?int = A", &optional, [false, true]);
        let required = ["`b` is required now"];
        check("flags:# b:flags.0?int = A", "flags:# b:int = A", &required, [true; 2]);
        let flag = ["`b` has another flag"];
        check("flags:# b:flags.0?int = A", "flags:# b:flags.1?int = A", &flag, [false; 2]);
        let flag = ["`b` has another flag"];
        let [one, two] = ["flags:# b:flags.0?int = A", "flags:# flags2:# b:flags2.0?int = A"];
        check(one, two, &flag, [false; 2]);
        let order = ["another order of the parameters"];
        check("b:int c:int = A", "c:int b:int = A", &order, [false; 2]);
        let [one, two] = [
            "flags:# b:flags.0?true c:flags.1?true = A",
            "flags:# c:flags.1?true b:flags.0?true = A",
        ];
        check(one, two, &[], [false; 2]);
        check("b:int = A", "flags:# b:int = A", &["other flag words"], [false; 2]);
        check("b:int = A", "b:int = B", &["`A` became `B`"], [true; 2]);
    }
}
