//! `lab faults replay`: one cell of the fault matrix again.

use crate::cli::{Again, AgainArgs, Format};
use crate::console::Console;
use crate::failure::{Exit, Failure};
use crate::faults;

pub(crate) fn run(args: &AgainArgs, console: &Console) -> Result<Exit, Failure> {
    let Again::Replay { id } = &args.what;
    let (said, broken) = faults::replay(id).map_err(Failure::usage)?;
    tell(id, &said, broken, console)
}

/// What was judged again, in the form that is wanted.
pub(super) fn tell(id: &str, said: &str, broken: bool, console: &Console) -> Result<Exit, Failure> {
    let text = match console.format {
        Format::Json | Format::Ndjson => {
            serde_json::json!({ "id": id, "said": said, "broken": broken }).to_string()
        }
        Format::Human | Format::Md => said.to_owned(),
    };
    console.result(&(text + "\n"))?;
    Ok(if broken { Exit::Wrong } else { Exit::Passed })
}
