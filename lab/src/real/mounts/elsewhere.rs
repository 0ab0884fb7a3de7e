//! Where there is no Linux: every experiment that mounts is skipped by name.

use std::path::Path;

use super::super::{Stop, skip};

const WHY: &str = "only Linux can do this";

pub(in super::super) struct Image;

impl Image {
    pub(in super::super) fn make(_: &Path, _: &'static str, _: u64) -> Result<Image, Stop> {
        Err(skip(WHY))
    }

    pub(in super::super) fn folder(&self) -> &Path {
        Path::new("")
    }

    pub(in super::super) fn mount(&self) -> Result<(), Stop> {
        Err(skip(WHY))
    }

    pub(in super::super) fn unmount(&self) -> Result<(), Stop> {
        Err(skip(WHY))
    }
}

pub(in super::super) struct Tmpfs;

impl Tmpfs {
    pub(in super::super) fn mount(_: &Path, _: u64) -> Result<Tmpfs, Stop> {
        Err(skip(WHY))
    }

    pub(in super::super) fn resize(&self, _: u64) -> Result<(), Stop> {
        Err(skip(WHY))
    }

    pub(in super::super) fn folder(&self) -> &Path {
        Path::new("")
    }
}

pub(in super::super) fn shut_down(_: &Path) -> Result<(), Stop> {
    Err(skip(WHY))
}
