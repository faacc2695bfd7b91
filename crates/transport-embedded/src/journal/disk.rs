//! What the journal asks of the disk, within the one directory of its log. The real one is here;
//! tests have one that fails, tears and loses what was not synced (`simulated`).
//!
//! Not here: what is written, and what an error means.

use std::fmt::Debug;
use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use crate::store::private;

/// A directory of files.
pub(crate) trait Disk: Debug + Send + Sync {
    /// The names of what is in it, in no order.
    fn list(&self) -> io::Result<Vec<String>>;
    /// Opens a file to read and write; one that is not there is created, one that is becomes empty.
    fn create(&self, name: &str) -> io::Result<Arc<dyn DiskFile>>;
    /// Opens a file that is there to read and write.
    fn open(&self, name: &str) -> io::Result<Arc<dyn DiskFile>>;
    /// Replaces what has the new name.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;
    /// Removes a file.
    fn remove(&self, name: &str) -> io::Result<()>;
    /// Makes what was created, renamed and removed durable.
    fn sync(&self) -> io::Result<()>;
}

/// An open file. Reads and writes have a position, so that threads can share it.
pub(crate) trait DiskFile: Debug + Send + Sync {
    /// How long it is.
    fn bytes(&self) -> io::Result<u64>;
    /// Fills the buffer, or fails with `UnexpectedEof`.
    fn read_at(&self, buffer: &mut [u8], position: u64) -> io::Result<()>;
    /// Writes all; after an error any part of it may be written.
    fn write_at(&self, bytes: &[u8], position: u64) -> io::Result<()>;
    /// Makes it so long, of zeros that what is written replaces without a lack of space; whether
    /// that can be had other than by writing zeros.
    fn reserve(&self, bytes: u64) -> io::Result<bool>;
    /// Makes its data durable, and its length.
    fn sync(&self) -> io::Result<()>;
}

/// A directory of the file system.
#[derive(Debug)]
pub(crate) struct Real {
    pub(crate) dir: PathBuf,
    /// Without it nothing is durable: for tests on copies of a log.
    pub(crate) sync: bool,
}

#[derive(Debug)]
struct RealFile {
    file: File,
    sync: bool,
}

impl Real {
    fn file(&self, file: File) -> Arc<dyn DiskFile> {
        Arc::new(RealFile { file, sync: self.sync })
    }
}

impl Disk for Real {
    fn list(&self) -> io::Result<Vec<String>> {
        let entries = std::fs::read_dir(&self.dir)?;
        // A name that is no text is not one of ours.
        let names = entries.map(|entry| Ok(entry?.file_name().into_string().unwrap_or_default()));
        names.collect()
    }

    fn create(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        let file = private::create_file(&self.dir.join(name))?;
        file.set_len(0)?;
        Ok(self.file(file))
    }

    fn open(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        let path = self.dir.join(name);
        worldbus_files::check_file(&path)?;
        Ok(self.file(File::options().read(true).write(true).open(path)?))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        std::fs::rename(self.dir.join(from), self.dir.join(to))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        std::fs::remove_file(self.dir.join(name))
    }

    fn sync(&self) -> io::Result<()> {
        if self.sync { worldbus_files::sync_dir(&self.dir) } else { Ok(()) }
    }
}

impl DiskFile for RealFile {
    fn bytes(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    #[cfg(unix)]
    fn read_at(&self, buffer: &mut [u8], position: u64) -> io::Result<()> {
        std::os::unix::fs::FileExt::read_exact_at(&self.file, buffer, position)
    }

    #[cfg(unix)]
    fn write_at(&self, bytes: &[u8], position: u64) -> io::Result<()> {
        std::os::unix::fs::FileExt::write_all_at(&self.file, bytes, position)
    }

    #[cfg(windows)]
    fn read_at(&self, mut buffer: &mut [u8], mut position: u64) -> io::Result<()> {
        while !buffer.is_empty() {
            match std::os::windows::fs::FileExt::seek_read(&self.file, buffer, position)? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                read => (buffer, position) = (&mut buffer[read..], position + read as u64),
            }
        }
        Ok(())
    }

    #[cfg(windows)]
    fn write_at(&self, mut bytes: &[u8], mut position: u64) -> io::Result<()> {
        while !bytes.is_empty() {
            match std::os::windows::fs::FileExt::seek_write(&self.file, bytes, position)? {
                0 => return Err(io::ErrorKind::WriteZero.into()),
                written => (bytes, position) = (&bytes[written..], position + written as u64),
            }
        }
        Ok(())
    }

    fn reserve(&self, bytes: u64) -> io::Result<bool> {
        worldbus_files::reserve(&self.file, bytes)
    }

    fn sync(&self) -> io::Result<()> {
        if self.sync { self.file.sync_data() } else { Ok(()) }
    }
}
