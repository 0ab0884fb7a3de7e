//! Colours on a terminal. Nothing is said by colour alone: without it the same text is written.

/// What a piece of text is, and so which colour it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ink {
    /// Titles.
    Strong,
    /// What matters less.
    Faint,
    /// As it should be.
    Good,
    /// Worth a look.
    Notice,
    /// Damage.
    Bad,
    /// One of the colours of the 256-colour palette.
    Palette(u8),
    /// Text on one of these as a background.
    On(u8),
}

/// Colours text, or leaves it as it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Paint {
    pub(crate) on: bool,
}

impl Paint {
    /// The text in this ink.
    pub(crate) fn ink(self, ink: Ink, text: &str) -> String {
        if !self.on || text.is_empty() {
            return text.to_owned();
        }
        let code = match ink {
            Ink::Strong => "1".to_owned(),
            Ink::Faint => "2".to_owned(),
            Ink::Good => "32".to_owned(),
            Ink::Notice => "33".to_owned(),
            Ink::Bad => "1;31".to_owned(),
            Ink::Palette(colour) => format!("38;5;{colour}"),
            Ink::On(colour) => format!("38;5;16;48;5;{colour}"),
        };
        format!("\x1b[{code}m{text}\x1b[0m")
    }

    pub(crate) fn strong(self, text: &str) -> String {
        self.ink(Ink::Strong, text)
    }

    pub(crate) fn faint(self, text: &str) -> String {
        self.ink(Ink::Faint, text)
    }
}
