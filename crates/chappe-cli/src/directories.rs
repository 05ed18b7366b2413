//! The platform's own directories, and who may look into them.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy as _;

use crate::output::Failure;

/// Where accounts are kept.
pub(crate) fn data() -> Result<PathBuf, Failure> {
    let strategy = etcetera::choose_base_strategy().map_err(|_| {
        Failure::usage("there is no home directory to keep the session in")
            .hint("name a file: --session FILE")
    })?;
    Ok(strategy.data_dir().join("chappe"))
}

/// Where the configuration file is looked for.
pub(crate) fn config() -> Result<PathBuf, Failure> {
    let strategy = etcetera::choose_base_strategy().map_err(|_| {
        Failure::usage("there is no home directory to look for the configuration file in")
            .hint("name it: --config FILE")
    })?;
    Ok(strategy.config_dir().join("chappe"))
}

/// Makes a directory that only its owner can look into; one that exists is left as it is.
pub(crate) fn make_private(directory: &Path) -> io::Result<()> {
    if directory.as_os_str().is_empty() || directory.exists() {
        return Ok(());
    }
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(directory)
}

/// Whether an error says that something is not there, or that what it would be in is no folder: a home may be
/// `/dev/null`.
pub(crate) fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// Whether somebody else than the owner may read the file, as far as the platform tells.
pub(crate) fn is_open_to_others(file: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::metadata(file).is_ok_and(|found| found.permissions().mode() & 0o077 != 0)
    }
    #[cfg(not(unix))]
    {
        let _ = file;
        false
    }
}
