//! Mounting and shutting down: the part that only Linux has, and only with the right to mount.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
pub(super) use linux::{Image, Tmpfs, shut_down};

#[cfg(not(target_os = "linux"))]
mod elsewhere;
#[cfg(not(target_os = "linux"))]
pub(super) use elsewhere::{Image, Tmpfs, shut_down};
