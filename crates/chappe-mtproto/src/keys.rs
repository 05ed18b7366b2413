//! The auth keys of one connection, each with its salts: the permanent one, and with perfect
//! forward secrecy the temporary ones that stand for it.
//!
//! See core.telegram.org/api/pfs.

use std::time::Duration;

use chappe_crypto::AuthKey;

use crate::salts::{Salt, Salts};

/// One auth key.
#[derive(Debug)]
pub(crate) struct Key {
    pub(crate) key: AuthKey,
    pub(crate) salts: Salts,
    /// When a temporary key ends.
    pub(crate) life: Option<Life>,
}

/// The life of a temporary key.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Life {
    /// The second of the server's clock in which it ends.
    pub(crate) expires_at: i64,
    /// The uptime at which its successor is due.
    pub(crate) renew: Duration,
    /// The uptime at which it ends.
    pub(crate) end: Duration,
}

/// All keys of a connection; a handful at most.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    permanent: Option<i64>,
    keys: Vec<Key>,
}

impl Keys {
    pub(crate) fn add_permanent(&mut self, key: AuthKey, salts: Vec<Salt>) {
        self.permanent = Some(key.id());
        self.keys.push(Key { key, salts: Salts::new(salts), life: None });
    }

    pub(crate) fn add_temporary(&mut self, key: AuthKey, salts: Vec<Salt>, life: Life) {
        self.keys.push(Key { key, salts: Salts::new(salts), life: Some(life) });
    }

    pub(crate) fn permanent(&self) -> Option<&Key> {
        self.get(self.permanent?)
    }

    pub(crate) fn get(&self, auth_key_id: i64) -> Option<&Key> {
        self.keys.iter().find(|key| key.key.id() == auth_key_id)
    }

    pub(crate) fn get_mut(&mut self, auth_key_id: i64) -> Option<&mut Key> {
        self.keys.iter_mut().find(|key| key.key.id() == auth_key_id)
    }

    /// Forgets a temporary key; the permanent one stays.
    pub(crate) fn remove(&mut self, auth_key_id: i64) {
        self.keys.retain(|key| key.life.is_none() || key.key.id() != auth_key_id);
    }

    pub(crate) fn len(&self) -> usize {
        self.keys.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_temporary_keys_are_forgotten() {
        let (permanent, temporary) = (AuthKey::from_bytes([1; 256]), AuthKey::from_bytes([2; 256]));
        let ids = [permanent.id(), temporary.id()];
        let life = Life { expires_at: 9, renew: Duration::ZERO, end: Duration::ZERO };
        let mut keys = Keys::default();
        keys.add_permanent(permanent, Vec::new());
        keys.add_temporary(temporary, Vec::new(), life);
        for id in ids {
            keys.remove(id);
        }
        assert_eq!(keys.len(), 1);
        assert_eq!(keys.permanent().map(|key| key.key.id()), Some(ids[0]));
    }
}
