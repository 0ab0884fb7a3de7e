//! `lab damage replay`: one damage to the files again.

use std::fs;

use crate::cli::{Damage, DamageArgs};
use crate::console::Console;
use crate::damage;
use crate::failure::{Context, Exit, Failure};

pub(crate) fn run(args: &DamageArgs, console: &Console) -> Result<Exit, Failure> {
    let Damage::Replay { id, keep } = &args.what;
    let replayed = damage::replay(id).map_err(Failure::usage)?;
    if let Some(folder) = keep {
        fs::create_dir_all(folder).context(folder.display())?;
        for (name, bytes) in &replayed.files {
            let path = folder.join(name);
            fs::write(&path, bytes).context(path.display())?;
        }
        console.log(format!("the files are in {}", folder.display()));
    }
    super::faults::tell(id, &replayed.said, replayed.broken, console)
}
