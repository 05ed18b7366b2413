//! Every client in its own layer: requests are lifted to the newest layer, answers lowered.
//!
//! The schemas are data: `schema/api.tl` and, for what differed before, `schema/layers/`.
//! One algorithm over [`Value`]s converts between any two layers by names:
//! - a field that the target does not know is dropped, an optional one that the source does
//!   not know stays absent, and one that must be present gets its type's plainest value;
//! - a constructor is found by its name, by the table `schema/layers/renames.txt`, or else
//!   replaced: in a vector it is left out, in an optional field the field is, and elsewhere an
//!   `...Unsupported` or `...Empty` constructor or the one with most fields in common stands
//!   for it. Updates are never replaced by another one: an update that a layer does not know
//!   is an error that names it, and the server does not send it;
//! - a value that became part of an object, or was, is wrapped or unwrapped.
//!
//! Bytes of which every constructor is the same in both layers pass unchanged. Layers above
//! the newest held one are served in the newest: clients that announce a layer of tomorrow
//! read what the server knows today, and their own new constructors are refused by id.
//!
//! [`History`] tells from the same data since when a definition is known, what changed in it, and
//! in what any two held layers differ.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use chappe_tl::Reader;

use crate::value::{Object, Value, ValueError};
use crate::{Schema, Type};

mod convert;
mod diff;
mod gone;
mod history;
mod life;
mod sources;
#[cfg(test)]
mod tests;
mod wrapper;

use convert::Conversion;
pub use diff::{Changed, Diff, Difference};
pub use gone::{Gone, OlderId};
pub use life::{History, Life, Moment, Rename, Step, TypeStep, What};
pub use sources::{LayerSource, sources};
pub use wrapper::{InitConnection, Wrapper, unwrap};

/// The schemas of all held layers, each parsed when it is first asked for.
#[derive(Debug)]
pub struct Layers {
    newest: Arc<Schema>,
    held: BTreeMap<i32, OnceLock<Arc<Schema>>>,
}

/// A request in the newest layer, and what its caller expects as the answer.
#[derive(Clone, Debug)]
pub struct Lifted {
    /// The request's bytes in the newest layer.
    pub body: Bytes,
    /// How the answer gets back.
    pub returns: Returns,
}

/// The type of an answer in two layers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Returns {
    layer: i32,
    ours: Type,
    theirs: Type,
}

/// A request or an answer that the other layer cannot express.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LayerError {
    /// No constructor of the other layer can stand for this one.
    #[error("layer {layer} cannot express `{name}` as {expected}")]
    Inexpressible {
        /// The constructor or the kind of value.
        name: String,
        /// The type in which the other layer would need it.
        expected: String,
        /// The other layer.
        layer: i32,
    },
    /// The newest layer has no method for this one of the caller's layer.
    #[error("the method `{0}` is gone and nothing took its place")]
    MethodGone(String),
    /// The bytes are not a value of the layer that they claim to be of.
    #[error(transparent)]
    Value(#[from] ValueError),
}

impl Layers {
    /// Prepares all held layers; nothing is parsed yet but the newest.
    #[must_use]
    pub fn new() -> Self {
        let held = history::held().map(|layer| (layer, OnceLock::new())).collect();
        Self { newest: Arc::new(crate::api().clone()), held }
    }

    /// The layer of requests that were lifted and answers to be lowered.
    #[must_use]
    pub fn newest(&self) -> i32 {
        self.newest.layer().unwrap_or_default()
    }

    /// The layers whose schemas are held, ascending.
    pub fn held(&self) -> impl Iterator<Item = i32> {
        self.held.keys().copied()
    }

    /// The held layer that serves a client of this one: itself, the nearest below, or for one
    /// older than all the oldest.
    #[must_use]
    pub fn nearest(&self, announced: i32) -> i32 {
        let below = self.held.range(..=announced).next_back();
        below.or_else(|| self.held.iter().next()).map_or_else(|| self.newest(), |(layer, _)| *layer)
    }

    /// The schema that serves a client of this layer, see [`Layers::nearest`].
    #[must_use]
    pub fn schema(&self, announced: i32) -> Arc<Schema> {
        let layer = self.nearest(announced);
        match self.held.get(&layer) {
            Some(slot) if layer != self.newest() => {
                Arc::clone(slot.get_or_init(|| Arc::new(history::schema(layer))))
            }
            _ => Arc::clone(&self.newest),
        }
    }

    /// Turns a request of a client of this layer into one of the newest layer. What is of the
    /// newest layer already is not read: that it decodes is for its method to see.
    ///
    /// # Errors
    /// `Value` when the bytes are no request of that layer, `MethodGone`, `Inexpressible`.
    pub fn lift(&self, announced: i32, request: &Bytes) -> Result<Lifted, LayerError> {
        let layer = self.nearest(announced);
        if layer == self.newest() {
            let ours = self.result(request)?;
            let returns = Returns { layer, theirs: ours.clone(), ours };
            return Ok(Lifted { body: request.clone(), returns });
        }
        let schema = self.schema(layer);
        let call = Object::decode_call(&schema, request)?;
        let theirs = call.result().clone();
        let conversion = Conversion::lift(&self.newest);
        let (body, ours) = if conversion.passes(&call) {
            (request.clone(), self.result(request)?)
        } else {
            let lifted = conversion.call(&call)?;
            let mut body = Vec::with_capacity(request.len());
            lifted.encode(&mut body)?;
            (body.into(), lifted.result().clone())
        };
        Ok(Lifted { body, returns: Returns { layer, ours, theirs } })
    }

    /// Turns the answer to a lifted request into the caller's layer.
    ///
    /// # Errors
    /// `Value` when the bytes are not of the declared type, `Inexpressible`.
    pub fn lower(&self, returns: &Returns, answer: &Bytes) -> Result<Bytes, LayerError> {
        self.lower_between(returns.layer, &returns.ours, &returns.theirs, answer)
    }

    /// Turns a value of a type that both layers call by this name into a client's layer: the
    /// type of what is pushed is `Updates`.
    ///
    /// # Errors
    /// As [`Layers::lower`]; an update that the layer does not know is `Inexpressible`.
    pub fn lower_as(&self, announced: i32, ty: &str, bytes: &Bytes) -> Result<Bytes, LayerError> {
        let ty = Type::Boxed(ty.to_owned());
        self.lower_between(self.nearest(announced), &ty, &ty, bytes)
    }

    /// What a request of the newest layer answers; its parameters are read only when they
    /// decide about that.
    fn result(&self, request: &Bytes) -> Result<Type, ValueError> {
        let method = Reader::new(request).peek_u32().and_then(|id| self.newest.get(id));
        match method {
            Some(method) if method.is_function && !method.is_generic() => Ok(method.result.clone()),
            _ => Ok(Object::decode_call(&self.newest, request)?.result().clone()),
        }
    }

    fn lower_between(
        &self,
        layer: i32,
        ours: &Type,
        theirs: &Type,
        bytes: &Bytes,
    ) -> Result<Bytes, LayerError> {
        if layer == self.newest() {
            return Ok(bytes.clone());
        }
        let schema = self.schema(layer);
        let mut input = Reader::new(bytes);
        let value = Value::read(&self.newest, ours, &mut input)?;
        input.finish().map_err(ValueError::from)?;
        let conversion = Conversion::lower(&schema);
        if ours == theirs && conversion.passes_value(&value) {
            return Ok(bytes.clone());
        }
        let mut out = Vec::with_capacity(bytes.len());
        conversion.value(&value, theirs)?.encode(theirs, &mut out)?;
        Ok(out.into())
    }
}

impl Default for Layers {
    fn default() -> Self {
        Self::new()
    }
}

impl Returns {
    /// The held layer of the caller.
    #[must_use]
    pub fn layer(&self) -> i32 {
        self.layer
    }

    /// The type of the answer in the newest layer.
    #[must_use]
    pub fn ours(&self) -> &Type {
        &self.ours
    }

    /// The type of the answer that the caller expects.
    #[must_use]
    pub fn theirs(&self) -> &Type {
        &self.theirs
    }
}
