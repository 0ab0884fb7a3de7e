//! Completing short and interrupted calls, over a seam that tests can script.

use crate::plant::planted;
use std::io;

/// One positioned system call. It may do less than asked, or be interrupted.
pub(super) trait RawFile {
    fn read_some(&self, offset: u64, out: &mut [u8]) -> io::Result<usize>;
    fn write_some(&self, offset: u64, data: &[u8]) -> io::Result<usize>;
}

/// Reads until `out` is full.
pub(super) fn read_all(file: &impl RawFile, mut offset: u64, mut out: &mut [u8]) -> io::Result<()> {
    while !out.is_empty() {
        match file.read_some(offset, out) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(_) if planted!("short-read-ignored") => return Ok(()),
            Ok(read) => {
                offset += read as u64;
                out = out.get_mut(read..).ok_or_else(overrun)?;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Writes until all of `data` is written.
pub(super) fn write_all(file: &impl RawFile, mut offset: u64, mut data: &[u8]) -> io::Result<()> {
    while !data.is_empty() {
        match file.write_some(offset, data) {
            // A call that writes nothing and reports no error would go on for ever.
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(_) if planted!("short-write-ignored") => return Ok(()),
            Ok(written) => {
                offset += written as u64;
                data = data.get(written..).ok_or_else(overrun)?;
            }
            Err(error)
                if error.kind() == io::ErrorKind::Interrupted
                    && !planted!("interrupt-is-an-error") => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Repeats a call that has no partial progress while it is interrupted.
pub(super) fn uninterrupted<T>(mut call: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match call() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            done => return done,
        }
    }
}

fn overrun() -> io::Error {
    io::Error::other("the operating system reports more bytes than were asked for")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;
    use std::cell::RefCell;

    /// Gives scripted results in turn, then does everything at once.
    struct Scripted {
        script: RefCell<Vec<io::Result<usize>>>,
        bytes: RefCell<Vec<u8>>,
    }

    impl Scripted {
        fn new(mut script: Vec<io::Result<usize>>) -> Scripted {
            script.reverse();
            Scripted {
                script: RefCell::new(script),
                bytes: RefCell::new(vec![0; 64]),
            }
        }

        fn step(&self, len: usize) -> io::Result<usize> {
            self.script.borrow_mut().pop().unwrap_or(Ok(len))
        }
    }

    impl RawFile for Scripted {
        fn read_some(&self, offset: u64, out: &mut [u8]) -> io::Result<usize> {
            let len = self.step(out.len())?;
            out[..len].copy_from_slice(&self.bytes.borrow()[offset as usize..][..len]);
            Ok(len)
        }

        fn write_some(&self, offset: u64, data: &[u8]) -> io::Result<usize> {
            let len = self.step(data.len())?;
            self.bytes.borrow_mut()[offset as usize..][..len].copy_from_slice(&data[..len]);
            Ok(len)
        }
    }

    fn interrupted() -> io::Result<usize> {
        Err(io::ErrorKind::Interrupted.into())
    }

    #[test]
    fn short_and_interrupted_writes_are_completed() {
        let data: Vec<u8> = (1..=40).collect();
        for script in [
            vec![Ok(1), interrupted(), Ok(38)],
            vec![interrupted(), Ok(20), interrupted(), interrupted(), Ok(19)],
            vec![Ok(39)],
        ] {
            let file = Scripted::new(script);
            write_all(&file, 3, &data).unwrap();
            assert_eq!(file.bytes.borrow()[3..43], data[..]);
            let mut back = vec![0; 40];
            file.script
                .borrow_mut()
                .extend([Ok(7), interrupted(), Ok(1)]);
            read_all(&file, 3, &mut back).unwrap();
            assert_eq!(back, data);
        }
    }

    #[test]
    fn no_progress_and_errors_end_the_call() {
        let full = || Err(io::ErrorKind::StorageFull.into());
        let kind = |script| {
            write_all(&Scripted::new(script), 0, &[1; 10])
                .unwrap_err()
                .kind()
        };
        assert_eq!(kind(vec![Ok(4), Ok(0)]), io::ErrorKind::WriteZero);
        assert_eq!(kind(vec![Ok(4), full()]), io::ErrorKind::StorageFull);
        let end = read_all(&Scripted::new(vec![Ok(4), Ok(0)]), 0, &mut [0; 10]).unwrap_err();
        assert_eq!(end.kind(), io::ErrorKind::UnexpectedEof);
        assert!(write_all(&Scripted::new(vec![Ok(11)]), 0, &[1; 11]).is_ok());
    }
}
