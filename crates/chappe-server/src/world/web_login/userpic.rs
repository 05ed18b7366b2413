//! The pictures of people and bots: initials on a colour, named so that the name says all of it.
//!
//! Nobody uploads pictures here. A picture has an address all the same, for what a site is told
//! about a person has one; who looks at it learns no more than the initials that it shows.

use crate::world::{User, World, base64url};

/// The most initials that are shown.
const INITIALS: usize = 2;

/// How many colours there are; a user's follows from the user id, as in Telegram's applications.
pub(crate) const COLOURS: u8 = 7;

/// Where pictures are, below the pages. Observed: Telegram's own are at `t.me/i/userpic/320/`.
pub(crate) const USERPICS: &str = "/i/userpic/320/";

/// A picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Userpic {
    /// Which of the colours.
    pub(crate) colour: u8,
    /// What stands on it.
    pub(crate) initials: String,
}

impl Userpic {
    /// The picture of a user.
    pub(crate) fn of(user: &User) -> Self {
        let names = [&user.first_name, &user.last_name];
        let initials = names
            .into_iter()
            .filter_map(|name| name.chars().find(|c| c.is_alphanumeric()))
            .take(INITIALS)
            .flat_map(char::to_uppercase)
            .collect();
        let colour = user.id.rem_euclid(COLOURS.into());
        Self { colour: u8::try_from(colour).unwrap_or_default(), initials }
    }

    /// Its path below the pages.
    pub(crate) fn path(&self) -> String {
        format!("{USERPICS}{}{}.svg", self.colour, base64url(self.initials.as_bytes()))
    }
}

impl World {
    /// Says where the pages are, if there are some: `http://host:port`.
    pub(crate) fn set_web(&mut self, base: Option<&str>) {
        self.web = base.map(Into::into);
    }

    /// The address of a user's picture, if there are pages to show it.
    pub(crate) fn userpic(&self, user: &User) -> Option<String> {
        let base = self.web.as_deref()?;
        Some(format!("{base}{}", Userpic::of(user).path()))
    }
}
