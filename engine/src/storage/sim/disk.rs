//! Everything in a directory, and the changes that lead from one state of it to the next.

use std::sync::Arc;

use super::image::{Image, mix};
use xxhash_rust::xxh3::xxh3_64;

/// Which file is meant, whatever its name is now.
pub type FileNumber = usize;

/// A change of what is on the disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// An empty file got a name. Files are numbered as they are created.
    Create {
        /// The new file.
        file: FileNumber,
        /// Its name.
        name: Arc<str>,
    },
    /// Bytes were written.
    Write {
        /// The file.
        file: FileNumber,
        /// Where, in bytes from its start.
        offset: u64,
        /// What.
        data: Arc<[u8]>,
    },
    /// The length was set.
    SetLen {
        /// The file.
        file: FileNumber,
        /// Its new length in bytes.
        len: u64,
    },
    /// A file got another name, and lost what had it.
    Rename {
        /// The name before.
        from: Arc<str>,
        /// The name after.
        to: Arc<str>,
    },
    /// A file lost its name.
    Remove {
        /// The name.
        name: Arc<str>,
    },
}

impl Change {
    /// The file whose bytes or length it changes; `None` for a change of names.
    pub fn file(&self) -> Option<FileNumber> {
        match self {
            Change::Write { file, .. } | Change::SetLen { file, .. } => Some(*file),
            Change::Create { .. } | Change::Rename { .. } | Change::Remove { .. } => None,
        }
    }
}

/// All files of a directory, with their names.
#[derive(Clone, Debug, Default)]
pub struct Disk {
    files: Vec<Image>,
    /// Sorted by name.
    names: Vec<(Arc<str>, FileNumber)>,
}

impl Disk {
    /// Carries out a change. One that no longer fits, as the change before it was lost, is left out.
    pub fn apply(&mut self, change: &Change) {
        match change {
            Change::Create { file, name } => {
                self.image(*file);
                self.bind(name, *file);
            }
            Change::Write { file, offset, data } => self.image(*file).write(*offset, data),
            Change::SetLen { file, len } => self.image(*file).set_len(*len),
            Change::Rename { from, to } => {
                if let Some(file) = self.unbind(from) {
                    self.bind(to, file);
                }
            }
            Change::Remove { name } => {
                self.unbind(name);
            }
        }
    }

    /// Puts a file there, replacing what had its name.
    pub fn put(&mut self, name: &str, image: Image) {
        self.files.push(image);
        self.bind(&Arc::from(name), self.files.len() - 1);
    }

    /// The number of the file with this name.
    pub fn number(&self, name: &str) -> Option<FileNumber> {
        let place = self.place(name).ok()?;
        self.names.get(place).map(|(_, file)| *file)
    }

    /// The file with this number.
    pub fn file(&self, number: FileNumber) -> Option<&Image> {
        self.files.get(number)
    }

    /// The file with this name.
    pub fn named(&self, name: &str) -> Option<&Image> {
        self.file(self.number(name)?)
    }

    /// All names and files, in the order of the names.
    pub fn entries(&self) -> impl Iterator<Item = (&str, &Image)> {
        let entries = self.names.iter();
        entries.filter_map(|(name, file)| Some((&**name, self.files.get(*file)?)))
    }

    /// How many files there are or were.
    pub fn files(&self) -> usize {
        self.files.len()
    }

    /// A number that two disks with different names or bytes share only by chance.
    pub fn digest(&self) -> u64 {
        self.entries().fold(0, |sum, (name, image)| {
            mix(sum ^ xxh3_64(name.as_bytes())).wrapping_add(image.digest())
        })
    }

    pub(super) fn replace(&mut self, number: FileNumber, image: Image) {
        if let Some(place) = self.files.get_mut(number) {
            *place = image;
        }
    }

    /// A file exists without a name from its first change on: its bytes may be durable before its name is.
    fn image(&mut self, number: FileNumber) -> &mut Image {
        if self.files.len() <= number {
            self.files.resize(number + 1, Image::default());
        }
        &mut self.files[number]
    }

    fn place(&self, name: &str) -> Result<usize, usize> {
        self.names
            .binary_search_by(|(other, _)| (**other).cmp(name))
    }

    fn bind(&mut self, name: &Arc<str>, file: FileNumber) {
        match self.place(name) {
            Ok(place) => self.names[place].1 = file,
            Err(place) => self.names.insert(place, (Arc::clone(name), file)),
        }
    }

    fn unbind(&mut self, name: &str) -> Option<FileNumber> {
        let place = self.place(name).ok()?;
        Some(self.names.remove(place).1)
    }
}
