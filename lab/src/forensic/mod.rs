//! What the build that counts can tell: accounts of single calls, and the counts of a scenario's phases.
//!
//! Times come from the plain build, counts from the forensic one. The two are one program built twice;
//! the plain one finds the other beside itself.

pub(crate) mod account;
pub(crate) mod explain;
pub(crate) mod overlay;

use std::path::PathBuf;
use std::process::{Command, ExitStatus};

use crate::failure::{Context, Exit, Failure};

/// Name of the build that counts.
const NAME: &str = "lab-forensic";

/// The environment variable that names that program where it is not beside this one.
pub(crate) const VARIABLE: &str = "VELLUM_LAB_FORENSIC";

/// Whether this is it.
pub(crate) const HERE: bool = vellum::forensics::ENABLED;

/// The program that counts, if it was built.
pub(crate) fn program() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os(VARIABLE) {
        return Some(PathBuf::from(named)).filter(|path| path.is_file());
    }
    let here = std::env::current_exe().ok()?;
    let name = format!("{NAME}{}", std::env::consts::EXE_SUFFIX);
    Some(here.with_file_name(name)).filter(|path| path.is_file())
}

/// What to do about a program that is not there.
pub(crate) fn missing(what: &str) -> String {
    format!(
        "{what} needs {NAME}, the build that counts, beside this program or where {VARIABLE} says; build it with `make forensic`"
    )
}

/// Has the program that counts carry out exactly what was typed.
pub(crate) fn hand_over(what: &str) -> Result<Exit, Failure> {
    let program = program().ok_or_else(|| Failure::missing(missing(what)))?;
    let status = Command::new(&program)
        .args(std::env::args_os().skip(1))
        .status()
        .context(program.display())?;
    Ok(exit_of(status))
}

/// How another lab ended.
fn exit_of(status: ExitStatus) -> Exit {
    let known = [
        Exit::Passed,
        Exit::Usage,
        Exit::Threshold,
        Exit::Wrong,
        Exit::Missing,
    ];
    let code = status.code();
    let exit = known.into_iter().find(|exit| code == Some(*exit as i32));
    exit.unwrap_or(Exit::Lab)
}
