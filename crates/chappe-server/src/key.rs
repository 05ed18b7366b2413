//! The server's RSA key: generated once, kept in the data directory, never one of Telegram's.

use std::{
    fs,
    io::{self, Write as _},
    path::Path,
};

use chappe_crypto::rsa::{self, PrivateKey, PublicKey};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

use crate::Error;

/// The name of the key within the data directory.
const FILE: &str = "server-key.pem";

/// Loads the key of a data directory, or makes one.
///
/// # Errors
/// When the file cannot be used, or holds one of Telegram's keys.
pub(crate) fn load(
    directory: Option<&Path>,
    rng: &mut impl CryptoRng,
) -> Result<PrivateKey, Error> {
    let Some(directory) = directory else {
        return Ok(PrivateKey::generate(rng));
    };
    let path = directory.join(FILE);
    let unusable = |source| Error::Data { path: Box::new(path.clone()), source: Box::new(source) };
    match fs::read_to_string(&path).map(Zeroizing::new) {
        Ok(pem) => read(&path, &pem),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let key = PrivateKey::generate(rng);
            write(directory, FILE, key.to_pem().as_bytes()).map_err(unusable)?;
            Ok(key)
        }
        Err(error) => Err(unusable(error)),
    }
}

/// The fingerprint as 16 hexadecimal digits.
pub(crate) fn fingerprint(key: &PrivateKey) -> String {
    format!("{:016x}", key.public().fingerprint())
}

/// Reads the server's key, and explains what else is found in its place.
fn read(path: &Path, pem: &str) -> Result<PrivateKey, Error> {
    let unusable =
        |source| Error::Key { path: Box::new(path.to_owned()), source: Box::new(source) };
    let public = match PrivateKey::from_pem(pem) {
        Ok(key) => {
            refuse_production(path, key.public())?;
            return Ok(key);
        }
        Err(error) => PublicKey::from_pem(pem).map_err(|_| unusable(error))?,
    };
    refuse_production(path, &public)?;
    Err(unusable(chappe_crypto::Error::Pem))
}

/// Refuses the keys that clients hold for Telegram itself: a client that takes this server for
/// Telegram must fail.
fn refuse_production(path: &Path, key: &PublicKey) -> Result<(), Error> {
    if rsa::is_production_key(key.fingerprint()) {
        return Err(Error::ProductionKey(Box::new(path.to_owned())));
    }
    Ok(())
}

/// Writes the file whole or not at all, readable by its owner only.
pub(crate) fn write(directory: &Path, name: &str, content: &[u8]) -> io::Result<()> {
    let draft = directory.join(format!("{name}.new"));
    match fs::remove_file(&draft) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&draft)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(&draft, directory.join(name))
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng;

    use super::*;

    #[test]
    fn a_key_is_made_once_and_kept_to_its_owner() {
        let directory = tempfile::tempdir().unwrap();
        let first = load(Some(directory.path()), &mut ChaCha20Rng::from_seed([1; 32])).unwrap();
        let again = load(Some(directory.path()), &mut ChaCha20Rng::from_seed([2; 32])).unwrap();
        assert_eq!(fingerprint(&first), fingerprint(&again));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = fs::metadata(directory.path().join(FILE)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    #[test]
    fn fingerprints_have_no_leading_zero() {
        let key = load(None, &mut ChaCha20Rng::from_seed([3; 32])).unwrap();
        let digits = fingerprint(&key);
        assert_eq!(digits.len(), 16);
        assert!(!digits.starts_with('0'));
    }

    #[test]
    fn telegrams_own_keys_are_refused() {
        for key in [PublicKey::production(), PublicKey::test()] {
            let directory = tempfile::tempdir().unwrap();
            fs::write(directory.path().join(FILE), key.to_pem()).unwrap();
            let loaded = load(Some(directory.path()), &mut ChaCha20Rng::from_seed([4; 32]));
            assert!(matches!(loaded, Err(Error::ProductionKey(_))));
        }
    }

    #[test]
    fn what_is_no_private_key_is_refused() {
        let other = PrivateKey::generate(&mut ChaCha20Rng::from_seed([5; 32]));
        for text in ["", "not a key", &other.public().to_pem()] {
            let directory = tempfile::tempdir().unwrap();
            fs::write(directory.path().join(FILE), text).unwrap();
            let loaded = load(Some(directory.path()), &mut ChaCha20Rng::from_seed([6; 32]));
            assert!(matches!(loaded, Err(Error::Key { .. })));
        }
    }
}
