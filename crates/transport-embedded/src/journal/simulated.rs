//! A disk in memory that fails, fills up, and loses what was not synced, as a seed decides.
//!
//! What it may do, and why the journal must survive it:
//! - any call fails, once: a disk that dies; the call may have been done in part;
//! - no space is left: quotas, full disks, limits of file sizes;
//! - at a power loss each sector of an unsynced write is there or not, whatever the others are:
//!   disks reorder, and tear at sectors of 512 or 4,096 bytes;
//! - each unsynced change of the directory is there or not;
//! - a fault of ours can be planted: syncs of files or of the directory that do nothing.
//!
//! Not here: what was synced and is lost, or changes by itself; tests do that to its bytes.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

use crate::journal::disk::{Disk, DiskFile};

/// How a call fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    Io,
    NoSpace,
    /// A part of a write is done, then no space is left.
    ShortWrite,
}

/// Syncs that do nothing: a fault of ours, planted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Planted {
    pub(crate) forgets_file_syncs: bool,
    pub(crate) forgets_directory_syncs: bool,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Simulated(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    files: Vec<Content>,
    names: BTreeMap<String, usize>,
    names_durable: BTreeMap<String, usize>,
    changes: Vec<Change>,
    calls: u64,
    fail: Option<(u64, Fault)>,
    /// Bytes that all files may have.
    room: Option<usize>,
    /// Whether space can be reserved without writing it.
    reserves: bool,
    planted: Planted,
}

#[derive(Debug, Default, Clone)]
struct Content {
    now: Vec<u8>,
    durable: Vec<u8>,
    /// Not synced: position and bytes; in their order.
    writes: Vec<(usize, Vec<u8>)>,
}

#[derive(Debug)]
enum Change {
    Name(String, usize),
    Rename(String, String),
    Remove(String),
}

impl Simulated {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    pub(crate) fn plant(&self, planted: Planted) {
        self.lock().planted = planted;
    }

    /// One that reserves space without writing it, as most do.
    pub(crate) fn reserving() -> Self {
        let this = Self::default();
        this.lock().reserves = true;
        this
    }

    /// Has the call fail that comes after so many others; how many there were is reset.
    pub(crate) fn fail(&self, after: u64, fault: Fault) {
        let mut state = self.lock();
        (state.calls, state.fail) = (0, Some((after, fault)));
    }

    /// Lets no call fail; how many there were.
    pub(crate) fn mend(&self) -> u64 {
        let mut state = self.lock();
        state.fail = None;
        std::mem::take(&mut state.calls)
    }

    pub(crate) fn set_room(&self, room: Option<usize>) {
        self.lock().room = room;
    }

    /// The bytes of a file.
    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        let state = self.lock();
        state.files[state.names[name]].now.clone()
    }

    /// A disk of which one file has other bytes.
    pub(crate) fn with(&self, name: &str, bytes: Vec<u8>) -> Self {
        let state = self.lock();
        let mut other =
            State { files: state.files.clone(), names: state.names.clone(), ..State::default() };
        let file = &mut other.files[state.names[name]];
        (file.durable, file.writes, file.now) = (bytes.clone(), Vec::new(), bytes);
        other.names_durable = other.names.clone();
        Self(Arc::new(Mutex::new(other)))
    }

    pub(crate) fn names(&self) -> Vec<String> {
        self.lock().names.keys().cloned().collect()
    }

    /// The disk after the power was lost, as `random` decides.
    pub(crate) fn after_power_loss(&self, mut random: impl FnMut() -> u64) -> Self {
        let state = self.lock();
        let sector = [512, 4096][(random() % 2) as usize];
        let mut files = Vec::new();
        for content in &state.files {
            let mut durable = content.durable.clone();
            // Some disks lose little of what is under way, some nearly all.
            let part = random() % 5;
            for (position, bytes) in &content.writes {
                let mut at = 0;
                while at < bytes.len() {
                    let next =
                        ((position + at + 1).next_multiple_of(sector) - position).min(bytes.len());
                    if random() % 4 < part {
                        put(&mut durable, position + at, &bytes[at..next]);
                    }
                    at = next;
                }
            }
            files.push(Content { now: durable.clone(), durable, writes: Vec::new() });
        }
        let mut names = state.names_durable.clone();
        for change in &state.changes {
            if random().is_multiple_of(2) {
                continue;
            }
            match change {
                Change::Name(name, file) => drop(names.insert(name.clone(), *file)),
                Change::Remove(name) => drop(names.remove(name)),
                Change::Rename(from, to) => {
                    let Some(&file) = names.get(from) else { continue };
                    names.remove(from);
                    names.insert(to.clone(), file);
                }
            }
        }
        let (names_durable, planted) = (names.clone(), state.planted);
        let reserves = state.reserves;
        let state = State { files, names, names_durable, planted, reserves, ..State::default() };
        Self(Arc::new(Mutex::new(state)))
    }

    /// Counts a call; the fault if it is to fail.
    fn call(&self) -> Option<Fault> {
        let mut state = self.lock();
        let call = state.calls;
        state.calls += 1;
        state.fail.filter(|(at, _)| *at == call).map(|(_, fault)| fault)
    }

    fn check(&self) -> io::Result<()> {
        match self.call() {
            None => Ok(()),
            Some(Fault::Io) => Err(io::Error::other("a fault of the disk")),
            Some(Fault::NoSpace | Fault::ShortWrite) => Err(io::ErrorKind::StorageFull.into()),
        }
    }
}

fn put(content: &mut Vec<u8>, position: usize, bytes: &[u8]) {
    let end = position + bytes.len();
    if content.len() < end {
        content.resize(end, 0);
    }
    content[position..end].copy_from_slice(bytes);
}

impl Disk for Simulated {
    fn list(&self) -> io::Result<Vec<String>> {
        self.check()?;
        Ok(self.names())
    }

    fn create(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        self.check()?;
        let mut state = self.lock();
        state.files.push(Content::default());
        let file = state.files.len() - 1;
        state.names.insert(name.to_owned(), file);
        state.changes.push(Change::Name(name.to_owned(), file));
        Ok(Arc::new(SimulatedFile { disk: self.clone(), file }))
    }

    fn open(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        self.check()?;
        let file = self.lock().names.get(name).copied();
        let file = file.ok_or(io::ErrorKind::NotFound)?;
        Ok(Arc::new(SimulatedFile { disk: self.clone(), file }))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.check()?;
        let mut state = self.lock();
        let file = state.names.remove(from).ok_or(io::ErrorKind::NotFound)?;
        state.names.insert(to.to_owned(), file);
        state.changes.push(Change::Rename(from.to_owned(), to.to_owned()));
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.check()?;
        let mut state = self.lock();
        state.names.remove(name).ok_or(io::ErrorKind::NotFound)?;
        state.changes.push(Change::Remove(name.to_owned()));
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        self.check()?;
        let mut state = self.lock();
        if !state.planted.forgets_directory_syncs {
            state.names_durable = state.names.clone();
            state.changes.clear();
        }
        Ok(())
    }
}

#[derive(Debug)]
struct SimulatedFile {
    disk: Simulated,
    file: usize,
}

impl DiskFile for SimulatedFile {
    fn bytes(&self) -> io::Result<u64> {
        self.disk.check()?;
        Ok(self.disk.lock().files[self.file].now.len() as u64)
    }

    fn read_at(&self, buffer: &mut [u8], position: u64) -> io::Result<()> {
        self.disk.check()?;
        let state = self.disk.lock();
        let now = &state.files[self.file].now;
        let part = now.get(position as usize..position as usize + buffer.len());
        buffer.copy_from_slice(part.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn write_at(&self, bytes: &[u8], position: u64) -> io::Result<()> {
        let fault = self.disk.call();
        let mut state = self.disk.lock();
        let used: usize = state.names.values().map(|&file| state.files[file].now.len()).sum();
        let position = position as usize;
        let grows = (position + bytes.len()).saturating_sub(state.files[self.file].now.len());
        let full = grows > 0 && state.room.is_some_and(|room| used + grows > room);
        let bytes = match fault {
            Some(Fault::ShortWrite) => &bytes[..bytes.len() / 2],
            // A disk that fails may have written all of it.
            Some(Fault::Io) => bytes,
            Some(Fault::NoSpace) => &[],
            None if full => &[],
            None => bytes,
        };
        let content = &mut state.files[self.file];
        put(&mut content.now, position, bytes);
        content.writes.push((position, bytes.to_vec()));
        match fault {
            Some(Fault::Io) => Err(io::Error::other("a fault of the disk")),
            Some(_) => Err(io::ErrorKind::StorageFull.into()),
            None if full => Err(io::ErrorKind::StorageFull.into()),
            None => Ok(()),
        }
    }

    fn reserve(&self, bytes: u64) -> io::Result<bool> {
        self.disk.check()?;
        if !self.disk.lock().reserves {
            return Ok(false);
        }
        let begin = self.disk.lock().files[self.file].now.len() as u64;
        self.write_at(&vec![0; bytes.saturating_sub(begin) as usize], begin)?;
        Ok(true)
    }

    fn sync(&self) -> io::Result<()> {
        self.disk.check()?;
        let mut state = self.disk.lock();
        if state.planted.forgets_file_syncs {
            return Ok(());
        }
        let content = &mut state.files[self.file];
        for (position, bytes) in std::mem::take(&mut content.writes) {
            put(&mut content.durable, position, &bytes);
        }
        Ok(())
    }
}
