//! What several test programs need.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The program that counts, up to date, beside the lab that the tests run and built like it.
pub(crate) fn lab_forensic() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let status = Command::new(env!("CARGO"))
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .args(["build", "--quiet", "--locked", "--profile", "test"])
            .args(["--features", "forensics", "--bin", "lab-forensic"])
            .status()
            .expect("cargo");
        assert!(status.success(), "lab-forensic cannot be built: {status}");
        let name = format!("lab-forensic{}", std::env::consts::EXE_SUFFIX);
        let path = Path::new(env!("CARGO_BIN_EXE_lab")).with_file_name(name);
        assert!(path.is_file(), "{} was not built", path.display());
        path
    })
}
