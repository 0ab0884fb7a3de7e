//! By way of the kernel's own calls.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::io::Errno;
use rustix::ioctl::{self, Opcode, Setter};
use rustix::mount::{MountFlags, UnmountFlags, mount, unmount};

use crate::failure::Context;

use super::super::cut::{call, tool};
use super::super::{Stop, skip};

/// `FS_IOC_SHUTDOWN` of `linux/fs.h`: the same number for every file system that has it.
const SHUTDOWN: Opcode = ioctl::opcode::read::<u32>(b'X', 125);
/// Without writing the file system's journal first: as if the power had gone.
const NO_FLUSH: u32 = 2;

/// How often, and after what pause, a file system is unmounted again that is in use: a process that another lane starts
/// holds every open file until it has become its own program.
const BUSY_TRIES: u32 = 500;
const BUSY_PAUSE: Duration = Duration::from_millis(10);

/// A file system in a file, on a loop device.
pub(in super::super) struct Image {
    file: PathBuf,
    folder: PathBuf,
    device: String,
    kind: &'static str,
}

impl Image {
    /// Makes the file system. It is not mounted yet.
    pub(in super::super) fn make(
        folder: &Path,
        kind: &'static str,
        bytes: u64,
    ) -> Result<Image, Stop> {
        let program = format!("mkfs.{kind}");
        tool(&program)?;
        let file = folder.join(format!("{kind}.image"));
        let mounted = folder.join(format!("{kind}-mounted"));
        std::fs::create_dir_all(&mounted).context(mounted.display())?;
        let made = File::create(&file).context(file.display())?;
        made.set_len(bytes).context(file.display())?;
        let name = file.display().to_string();
        // Without these, making the file system writes tables that are never used.
        let options: &[&str] = match kind {
            "ext4" => &["-q", "-F", "-E", "lazy_itable_init=1", &name],
            _ => &["-q", "-f", &name],
        };
        call(&program, options)?;
        let device = call("losetup", &["--find", "--show", &name])?;
        Ok(Image {
            file,
            folder: mounted,
            device,
            kind,
        })
    }

    /// Where it is mounted.
    pub(in super::super) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(in super::super) fn mount(&self) -> Result<(), Stop> {
        mount(
            &*self.device,
            &*self.folder,
            self.kind,
            MountFlags::NOATIME,
            None,
        )
        .map_err(|error| skip(format!("mounting {} is not possible: {error}", self.kind)))
    }

    pub(in super::super) fn unmount(&self) -> Result<(), Stop> {
        let mut result = unmount(&*self.folder, UnmountFlags::empty());
        for _ in 0..BUSY_TRIES {
            if result != Err(Errno::BUSY) {
                break;
            }
            std::thread::sleep(BUSY_PAUSE);
            result = unmount(&*self.folder, UnmountFlags::empty());
        }
        Ok(result.context(format_args!("unmounting {}", self.folder.display()))?)
    }
}

impl Drop for Image {
    fn drop(&mut self) {
        // Whatever fails here, the next experiment makes an image of its own.
        let _ = unmount(&*self.folder, UnmountFlags::DETACH);
        let _ = call("losetup", &["--detach", &self.device]);
        let _ = std::fs::remove_file(&self.file);
    }
}

/// A file system in memory of a stated size.
pub(in super::super) struct Tmpfs {
    folder: PathBuf,
}

impl Tmpfs {
    pub(in super::super) fn mount(folder: &Path, bytes: u64) -> Result<Tmpfs, Stop> {
        let folder = folder.join("tmpfs-mounted");
        std::fs::create_dir_all(&folder).context(folder.display())?;
        let tmpfs = Tmpfs { folder };
        tmpfs.call(MountFlags::empty(), bytes)?;
        Ok(tmpfs)
    }

    /// Changes its size, with everything in it kept.
    pub(in super::super) fn resize(&self, bytes: u64) -> Result<(), Stop> {
        call(
            "mount",
            &[
                "-o",
                &format!("remount,size={bytes}"),
                &self.folder.display().to_string(),
            ],
        )?;
        Ok(())
    }

    fn call(&self, flags: MountFlags, bytes: u64) -> Result<(), Stop> {
        let data = std::ffi::CString::new(format!("size={bytes}")).context("the size")?;
        mount("tmpfs", &*self.folder, "tmpfs", flags, &*data)
            .map_err(|error| skip(format!("mounting a tmpfs is not possible: {error}")))
    }

    pub(in super::super) fn folder(&self) -> &Path {
        &self.folder
    }
}

impl Drop for Tmpfs {
    fn drop(&mut self) {
        let _ = unmount(&*self.folder, UnmountFlags::DETACH);
    }
}

/// Shuts the file system down that this folder is in. Nothing that is not on its medium survives.
#[expect(unsafe_code, reason = "there is no safe wrapper of this ioctl")]
pub(in super::super) fn shut_down(folder: &Path) -> Result<(), Stop> {
    let folder = File::open(folder).context(folder.display())?;
    // SAFETY: the opcode takes a pointer to a `u32` and reads it; `Setter` passes one that lives for
    // the call.
    let result = unsafe { ioctl::ioctl(&folder, Setter::<SHUTDOWN, u32>::new(NO_FLUSH)) };
    match result {
        Ok(()) => Ok(()),
        Err(error @ (Errno::NOTTY | Errno::PERM | Errno::OPNOTSUPP)) => Err(skip(format!(
            "the file system cannot be shut down: {error}"
        ))),
        Err(error) => Err(crate::failure::Failure::lab(format!("shutting down: {error}")).into()),
    }
}
