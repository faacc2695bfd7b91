//! In place of `image` where images cannot be built: anywhere but on Linux.

use anyhow::{Result, bail};

use super::Lane;

pub(super) fn build(_: &Lane) -> Result<()> {
    bail!("images are built on Linux")
}

pub(super) fn step(_: &Lane) -> Result<()> {
    bail!("images are built on Linux")
}

pub(crate) fn command(_: &[&str]) -> Result<()> {
    bail!("images are built on Linux")
}

pub(crate) fn files(_: &str) -> Result<()> {
    bail!("images are built on Linux")
}
