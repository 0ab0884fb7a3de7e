//! A scenario of any text: it is taken, or refused with a message that shows the place.

/// What became of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is not UTF-8, which reading a file refuses before.
    NotText,
    /// It is a scenario.
    Taken,
    /// It is none, and the message says why.
    Refused,
}

/// The input is the text.
pub fn run(data: &[u8]) -> Outcome {
    let Ok(text) = std::str::from_utf8(data) else {
        return Outcome::NotText;
    };
    let result = vellum_lab::untrusted::scenario(text);
    assert_eq!(
        result,
        vellum_lab::untrusted::scenario(text),
        "the same text, told twice"
    );
    match result {
        Ok(()) => Outcome::Taken,
        Err(message) => {
            assert!(!message.trim().is_empty(), "refused without a word");
            Outcome::Refused
        }
    }
}
