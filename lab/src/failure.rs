//! How a command ends: one exit code for each thing that a caller would do next.

use std::fmt;

/// What the process tells the shell. A part of the command line's contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Everything asked for was done, and every check passed.
    Passed = 0,
    /// The lab itself failed: a bug, or the operating system refused.
    Lab = 1,
    /// The command line, a scenario or a data file is wrong.
    Usage = 2,
    /// A threshold of the scenario was not met.
    Threshold = 3,
    /// A result was wrong: a digest differs, an acknowledged commit is lost, damage was found.
    Wrong = 4,
    /// Something that the run needs is not there. The message names it.
    Missing = 5,
    /// The budget was used up. What had been measured is kept.
    Budget = 6,
    /// Stopped by the user. What had been measured is kept.
    Interrupted = 130,
}

impl Exit {
    /// The graver of two outcomes: wrong results outrank everything, a missed threshold little.
    pub(crate) fn worse(self, other: Exit) -> Exit {
        if self.gravity() >= other.gravity() {
            self
        } else {
            other
        }
    }

    fn gravity(self) -> u8 {
        match self {
            Exit::Passed => 0,
            Exit::Threshold => 1,
            Exit::Missing => 2,
            Exit::Usage => 3,
            Exit::Budget => 4,
            Exit::Interrupted => 5,
            Exit::Lab => 6,
            Exit::Wrong => 7,
        }
    }
}

/// Why a command could not be carried out. Only `main` prints it.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    pub(crate) message: String,
    /// The message is a finished report of several lines, to be printed as it stands.
    pub(crate) rendered: bool,
}

impl Failure {
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Failure {
        Failure {
            exit,
            message: message.into(),
            rendered: false,
        }
    }

    pub(crate) fn lab(message: impl Into<String>) -> Failure {
        Failure::new(Exit::Lab, message)
    }

    pub(crate) fn usage(message: impl Into<String>) -> Failure {
        Failure::new(Exit::Usage, message)
    }

    pub(crate) fn wrong(message: impl Into<String>) -> Failure {
        Failure::new(Exit::Wrong, message)
    }

    pub(crate) fn missing(message: impl Into<String>) -> Failure {
        Failure::new(Exit::Missing, message)
    }

    /// A bad scenario, already drawn with its place.
    pub(crate) fn rendered(message: String) -> Failure {
        Failure {
            exit: Exit::Usage,
            message,
            rendered: true,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// Says what was being done when the operating system refused.
pub(crate) trait Context<T> {
    /// Turns the error into a failure of the lab, "`what`: reason".
    fn context(self, what: impl fmt::Display) -> Result<T, Failure>;
}

impl<T, E: fmt::Display> Context<T> for Result<T, E> {
    fn context(self, what: impl fmt::Display) -> Result<T, Failure> {
        self.map_err(|error| Failure::lab(format!("{what}: {error}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_results_outrank_everything() {
        for other in [
            Exit::Passed,
            Exit::Lab,
            Exit::Usage,
            Exit::Threshold,
            Exit::Missing,
        ] {
            assert_eq!(Exit::Wrong.worse(other), Exit::Wrong);
            assert_eq!(other.worse(Exit::Wrong), Exit::Wrong);
        }
        assert_eq!(Exit::Passed.worse(Exit::Threshold), Exit::Threshold);
    }
}
