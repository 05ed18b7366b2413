//! The method reference: pages about every method, type, constructor and error of Telegram.
//!
//! What the pages say comes from the schema, from the facts about methods and from the words
//! under `schema/docs`. Each thing that has a page has one address, see [`Kind::address`].

mod address;
pub mod core_types;
pub mod document;
pub mod elsewhere;
pub mod example;
pub mod json;
pub mod layers;
pub mod model;
pub mod page;
pub mod recorded;
pub mod search;
pub mod site;
mod start;
pub mod twins;

pub use address::Kind;
pub use model::Reference;
pub use recorded::{Also, Asker, Bound, Recorded, Refused};
pub use start::code_class;
