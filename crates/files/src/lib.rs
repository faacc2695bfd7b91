//! Files and directories that are for one user: the one who runs the process. What is stored is
//! all that a world's services and players did. On Windows a folder's own rights decide.
//!
//! Not for: reading what a person named (`worldbus_service::file`), and what is in the files.
#![allow(clippy::disallowed_methods, reason = "this is the adapter to the disk")]

use std::io;
use std::path::Path;

/// Creates a directory and those above it that are missing, for this user alone; all of them are
/// durable when this returns. One that is there stays as it is: others may keep theirs in it.
///
/// # Errors
/// The operating system's.
pub fn create_dir(dir: &Path) -> io::Result<()> {
    let missing = |dir: &&Path| !dir.as_os_str().is_empty() && !dir.exists();
    let created: Vec<&Path> = dir.ancestors().take_while(missing).collect();
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir)?;
    // Each name lasts once the directory above it is synced; the topmost first.
    for created in created.into_iter().rev() {
        let above = created.parent().filter(|above| !above.as_os_str().is_empty());
        sync_dir(above.unwrap_or(Path::new(".")))?;
    }
    Ok(())
}

/// Makes durable what was created, renamed and removed in a directory.
///
/// # Errors
/// The operating system's. What is durable is unknown then.
#[cfg(unix)]
pub fn sync_dir(dir: &Path) -> io::Result<()> {
    std::fs::File::open(dir)?.sync_all()
}

/// Makes the names of a directory and of those above it durable, as far as this user may.
///
/// # Errors
/// The operating system's. What is durable is unknown then.
pub fn sync_above(dir: &Path) -> io::Result<()> {
    for above in dir.canonicalize()?.ancestors().skip(1) {
        match sync_dir(above).map_err(|error| (error.kind(), error)) {
            // Another user made it, or the file system has no such call: no one can do more here.
            Err((io::ErrorKind::PermissionDenied | io::ErrorKind::InvalidInput, _)) => {}
            synced => synced.map_err(|(_, error)| error)?,
        }
    }
    Ok(())
}

/// Nothing to do: a directory cannot be synced.
///
/// # Errors
/// None.
#[cfg(not(unix))]
pub fn sync_dir(_: &Path) -> io::Result<()> {
    Ok(())
}

/// Makes a file so long and has the disk keep space for all of it, as zeros that are not written:
/// what is written there later lacks none. Whether that is so; else the file may be longer, without
/// such space, as on file systems that cannot.
///
/// # Errors
/// The operating system's, as `StorageFull` if there is no such space.
#[cfg(target_os = "linux")]
pub fn reserve(file: &std::fs::File, bytes: u64) -> io::Result<bool> {
    use rustix::fs::{FallocateFlags, fallocate};
    use rustix::io::Errno;

    match fallocate(file, FallocateFlags::empty(), 0, bytes) {
        Ok(()) => Ok(true),
        Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Does nothing: this system has no such call, or another one.
///
/// # Errors
/// None.
#[cfg(not(target_os = "linux"))]
pub fn reserve(_: &std::fs::File, _: u64) -> io::Result<bool> {
    Ok(false)
}

/// Refuses a name at which there is something else than a file: through a link another's file would
/// be changed, and a FIFO would be waited for.
///
/// # Errors
/// `InvalidInput` for what is there and no regular file; else the operating system's.
pub fn check_file(path: &Path) -> io::Result<()> {
    match std::fs::symlink_metadata(path) {
        Ok(found) if !found.is_file() => {
            let kind = if found.is_symlink() { "a symbolic link" } else { "not a regular file" };
            Err(io::Error::new(io::ErrorKind::InvalidInput, kind))
        }
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Takes the rights of others to what an older version created: a file, or a directory that holds
/// nothing else. What is missing is left out; what belongs to another user stays as it is, with a
/// warning.
#[cfg(unix)]
pub fn tighten(path: &Path) {
    use std::os::unix::fs::PermissionsExt as _;

    let Ok(metadata) = std::fs::metadata(path) else { return };
    if metadata.permissions().mode() & OTHERS == 0 {
        return;
    }
    let mode = if metadata.is_dir() { 0o700 } else { 0o600 };
    if let Err(error) = std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)) {
        let path = path.display();
        tracing::warn!(%path, %error, "others may read this; run `chmod go= {path}`");
    }
}

/// Rights of group and others.
#[cfg(unix)]
const OTHERS: u32 = 0o077;

/// Leaves the rights to the folder.
#[cfg(not(unix))]
pub fn tighten(_: &Path) {}

#[cfg(all(test, unix))]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).map_or(0, |metadata| metadata.permissions().mode() & 0o777)
    }

    #[test]
    fn what_is_created_or_tightened_is_for_its_user_alone() {
        let folder = tempfile::tempdir().unwrap();
        let (dir, file) = (folder.path().join("a/b"), folder.path().join("file"));
        create_dir(&dir).unwrap();
        assert_eq!((mode(&dir), mode(dir.parent().unwrap())), (0o700, 0o700));
        fs::write(&file, "").unwrap();
        for (path, wanted) in [(&file, 0o600), (&dir, 0o700)] {
            fs::set_permissions(path, fs::Permissions::from_mode(wanted | 0o055)).unwrap();
            tighten(path);
            assert_eq!(mode(path), wanted);
        }
        tighten(&folder.path().join("missing"));
    }

    #[test]
    fn reserved_file_is_zeros_as_long_as_asked_for_and_new_directories_are_synced() {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("a/b/c");
        create_dir(&dir).unwrap();
        sync_above(&dir).unwrap();
        let path = dir.join("file");
        let file = fs::File::create(&path).unwrap();
        if reserve(&file, 10_000).unwrap() {
            assert_eq!(fs::read(&path).unwrap(), vec![0; 10_000]);
        }
        assert!(sync_above(&folder.path().join("missing")).is_err());
    }

    #[test]
    fn name_of_a_link_or_a_directory_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        check_file(&file).unwrap();
        fs::write(&file, "").unwrap();
        check_file(&file).unwrap();
        symlink(&file, &link).unwrap();
        assert_eq!(check_file(&link).unwrap_err().to_string(), "a symbolic link");
        assert_eq!(check_file(folder.path()).unwrap_err().to_string(), "not a regular file");
    }
}
