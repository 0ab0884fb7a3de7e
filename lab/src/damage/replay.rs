//! One damage again, by the name that a violation printed.

use std::fmt;
use std::str::FromStr;

use super::image::{Image, LOG, NAME};
use super::probe::probes;
use super::sweep::{Came, Victim};
use super::ways::Way;

/// A damage: `older-pages.4096.1:35` is place 35 of this way in the database of 4096-byte pages and seed 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Id {
    pub(super) way: Way,
    pub(super) page_size: usize,
    pub(super) seed: u64,
    pub(super) place: usize,
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = self.way.word();
        write!(f, "{word}.{}.{}:{}", self.page_size, self.seed, self.place)
    }
}

impl FromStr for Id {
    type Err = ();

    fn from_str(text: &str) -> Result<Id, ()> {
        let (source, place) = text.split_once(':').ok_or(())?;
        let mut parts = source.split('.');
        let way = parts.next().ok_or(())?;
        let mut number = || parts.next()?.parse::<u64>().ok();
        let (page_size, seed) = (number().ok_or(())?, number().ok_or(())?);
        let known = page_size.is_power_of_two() && (4096..=65_536).contains(&page_size);
        if !known || parts.next().is_some() {
            return Err(());
        }
        Ok(Id {
            way: Way::ALL
                .into_iter()
                .find(|known| known.word() == way)
                .ok_or(())?,
            page_size: page_size as usize,
            seed,
            place: place.parse().map_err(|_| ())?,
        })
    }
}

/// A damage, done again.
pub(crate) struct Replayed {
    pub(crate) said: String,
    pub(crate) broken: bool,
    /// Name and bytes of each file, as damaged.
    pub(crate) files: Vec<(&'static str, Vec<u8>)>,
}

/// What a damage came to, in words.
///
/// # Errors
/// If the text names no damage.
pub(crate) fn replay(text: &str) -> Result<Replayed, String> {
    let wrong = || {
        format!(
            "`{text}` names no damage; take the name from the finding of a run, such as older-pages.4096.1:35"
        )
    };
    let id: Id = text.parse().map_err(|()| wrong())?;
    let made = |error: vellum::Error| format!("making the database: {error}");
    let image = Image::new(id.seed, id.page_size).map_err(made)?;
    let places = id.way.places(&image);
    if id.place >= places {
        return Err(format!(
            "{text}: there are {places} places, numbered from 0"
        ));
    }
    let probes = probes(&image).map_err(made)?;
    let victim = Victim::new(&image, &probes).map_err(made)?;
    victim.keep();
    let came = id.way.damage(&victim, &image, id.place);
    let (said, broken) = match came {
        Came::Refused(rule) => (format!("refused: {rule}"), false),
        Came::Harmless => ("every answer is as before".to_owned(), false),
        Came::NeverRead => ("nothing reads the place".to_owned(), false),
        Came::Shortened => (
            "the newest commits are gone without a word".to_owned(),
            !id.way.may_shorten(),
        ),
        Came::Forged => (
            "byte for byte what the engine writes for other contents".to_owned(),
            false,
        ),
        Came::Silent => ("an answer changed without a word".to_owned(), true),
    };
    let (database, log) = victim.damaged();
    Ok(Replayed {
        said: format!(
            "{}, place {}{}: {said}",
            id.way.name(),
            id.place,
            id.way.said(&image, id.place)
        ),
        broken,
        files: vec![(NAME, database), (LOG, log)],
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn every_damage_has_a_name_that_leads_back() {
        for way in Way::ALL {
            let id = Id {
                way,
                page_size: 8192,
                seed: 3,
                place: 12,
            };
            assert_eq!(id.to_string().parse(), Ok(id));
        }
        for wrong in [
            "",
            "bits",
            "bits.4096.1",
            "bits.4000.1:3",
            "bist.4096.1:3",
            "bits.4096.1:x",
        ] {
            assert!(wrong.parse::<Id>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_damage_is_judged_again_and_kept() {
        let replayed = replay("zeroed-pages.4096.1:5").unwrap();
        assert!(
            !replayed.broken && replayed.said.contains("refused"),
            "{}",
            replayed.said
        );
        let database = &replayed.files[0].1;
        assert!(database[5 * 4096..6 * 4096].iter().all(|byte| *byte == 0));
        assert!(replay("zeroed-pages.4096.1:999999").is_err());
    }
}
