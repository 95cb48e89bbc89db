//! A file whose bytes are locks.
//!
//! Open file description locks (fcntl(2), Linux 3.15) belong to the opened file, so the kernel
//! frees them when the process ends in whatever way, two openings of one file conflict even within
//! a process, and one descriptor holds any number of them.

use std::fs::{File, OpenOptions};
use std::io;
use std::ops::Range;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, fcntl};
use nix::libc;

pub(super) struct LockFile(File);

impl LockFile {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600);
        options.open(path).map(Self)
    }

    /// Locks one byte; false when another opening of the file holds it.
    pub(super) fn try_lock(&self, at: u64) -> io::Result<bool> {
        match self.set(libc::F_WRLCK, at) {
            Ok(()) => Ok(true),
            Err(Errno::EAGAIN | Errno::EACCES) => Ok(false),
            Err(errno) => Err(errno.into()),
        }
    }

    pub(super) fn unlock(&self, at: u64) -> io::Result<()> {
        self.set(libc::F_UNLCK, at).map_err(io::Error::from)
    }

    /// Some range within `within` that another opening holds, if there is one.
    pub(super) fn foreign(&self, within: Range<u64>) -> io::Result<Option<Range<u64>>> {
        if within.is_empty() {
            return Ok(None);
        }
        let mut lock = request(libc::F_WRLCK, &within);
        fcntl(&self.0, FcntlArg::F_OFD_GETLK(&mut lock))?;
        if i32::from(lock.l_type) == libc::F_UNLCK {
            return Ok(None);
        }
        let start = u64::try_from(lock.l_start).unwrap_or(0);
        let end = match u64::try_from(lock.l_len) {
            Ok(length) if length > 0 => start.saturating_add(length),
            _ => within.end,
        };
        Ok(Some(start.max(within.start)..end.min(within.end)))
    }

    /// How many bytes of `within` other openings hold. One system call for each range held.
    pub(super) fn count_foreign(&self, within: Range<u64>) -> io::Result<u64> {
        let mut unknown = vec![within];
        let mut count = 0;
        while let Some(range) = unknown.pop() {
            if let Some(held) = self.foreign(range.clone())? {
                count += held.end - held.start;
                unknown.push(range.start..held.start);
                unknown.push(held.end..range.end);
            }
        }
        Ok(count)
    }

    fn set(&self, kind: i32, at: u64) -> Result<(), Errno> {
        fcntl(
            &self.0,
            FcntlArg::F_OFD_SETLK(&request(kind, &(at..at + 1))),
        )
        .map(drop)
    }
}

fn request(kind: i32, range: &Range<u64>) -> libc::flock {
    libc::flock {
        l_type: i16::try_from(kind).unwrap_or(i16::MAX),
        l_whence: i16::try_from(libc::SEEK_SET).unwrap_or(0),
        l_start: i64::try_from(range.start).unwrap_or(i64::MAX),
        l_len: i64::try_from(range.end - range.start).unwrap_or(i64::MAX),
        l_pid: 0,
    }
}

#[cfg(test)]
mod tests {
    use super::LockFile;

    #[test]
    fn a_byte_has_one_holder_and_is_free_after_the_file_is_closed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("locks");
        let (one, two) = (
            LockFile::open(&path).unwrap(),
            LockFile::open(&path).unwrap(),
        );
        assert!(one.try_lock(7).unwrap());
        assert!(!two.try_lock(7).unwrap());
        drop(one);
        assert!(two.try_lock(7).unwrap());
    }

    #[test]
    fn foreign_ranges_are_counted_and_own_ones_are_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("locks");
        let (one, two) = (
            LockFile::open(&path).unwrap(),
            LockFile::open(&path).unwrap(),
        );
        for at in [0, 1, 2, 5, 9] {
            assert!(one.try_lock(at).unwrap());
        }
        assert!(two.try_lock(3).unwrap());
        assert_eq!(two.foreign(0..10).unwrap(), Some(0..3));
        assert_eq!(two.count_foreign(0..10).unwrap(), 5);
        assert_eq!(two.count_foreign(1..6).unwrap(), 3);
        assert_eq!(one.count_foreign(0..10).unwrap(), 1);
        one.unlock(1).unwrap();
        assert_eq!(two.count_foreign(0..10).unwrap(), 4);
    }
}
