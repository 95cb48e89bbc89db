//! The limits of open streams, exact across the generations of a switch.
//!
//! A slot is a locked byte: byte `n` of the file `global` is the n-th stream of all, and each user
//! has a run of bytes in the file `users`. Because the kernel holds the locks, a generation that
//! dies gives its slots back, and no two generations can hold the same one.

#[cfg_attr(not(target_os = "linux"), path = "locks_private.rs")]
mod locks;
#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashMap};
use std::io;
use std::ops::Range;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sha2::{Digest, Sha256};

use super::config::Limits;
use super::request_id::RequestId;
use locks::LockFile;

/// Bytes of the file `global` that any generation, with whatever limit, may use.
const GLOBAL: Range<u64> = 0..1 << 32;
/// Bytes each user has in the file `users`; more than the largest limit per user.
const USER_BITS: u32 = 16;

/// All slots of this process, and sight of the other generation's.
pub struct Slots {
    limits: Limits,
    global: LockFile,
    users: LockFile,
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    global: BTreeSet<u64>,
    users: HashMap<u64, BTreeSet<u64>>,
}

/// Why there is no slot.
#[derive(Debug)]
pub enum Refused {
    /// The user has as many streams as one user may.
    User,
    /// There are as many streams as there may be.
    Global,
    /// The kernel would not lock.
    Locks(io::Error),
}

/// The right to one open stream, given back when it is dropped.
pub struct Slot {
    slots: Arc<Slots>,
    global: u64,
    user: u64,
    user_at: u64,
}

impl Slots {
    /// Opens the slots in `folder`, which generations that share limits must share.
    ///
    /// # Errors
    ///
    /// When the folder or its two files cannot be made.
    pub fn open(folder: &Path, limits: Limits) -> io::Result<Arc<Self>> {
        std::fs::create_dir_all(folder)?;
        Ok(Arc::new(Self {
            limits,
            global: LockFile::open(&folder.join("global"))?,
            users: LockFile::open(&folder.join("users"))?,
            held: Mutex::default(),
        }))
    }

    /// Slots that no other process can reach. Nothing stays on disk: the locks live on the opened
    /// files, whose names are removed at once.
    ///
    /// # Errors
    ///
    /// When the folder for temporary files cannot be used.
    pub fn open_private(limits: Limits) -> io::Result<Arc<Self>> {
        let name = format!(
            "geodeploy-{}-{}",
            std::process::id(),
            RequestId::unique().as_str()
        );
        let folder = std::env::temp_dir().join(name);
        std::fs::DirBuilder::new().mode(0o700).create(&folder)?;
        let slots = Self::open(&folder, limits);
        std::fs::remove_dir_all(&folder)?;
        slots
    }

    /// Takes a slot for one stream of `user`.
    ///
    /// # Errors
    ///
    /// The limit that is reached: the user's is looked at first, then the global one.
    pub fn acquire(self: &Arc<Self>, user: &str) -> Result<Slot, Refused> {
        let user = first_byte_of(user);
        let per_user = user..user + (1 << USER_BITS);
        let mut held = self.held();
        let none = BTreeSet::new();
        let own = held.users.get(&user).unwrap_or(&none);
        let user_at = claim(&self.users, own, per_user, self.limits.streams_per_user)
            .map_err(Refused::Locks)?
            .ok_or(Refused::User)?;
        let global = match claim(&self.global, &held.global, GLOBAL, self.limits.streams) {
            Ok(Some(global)) => global,
            refused => {
                give_back(&self.users, user_at);
                return Err(refused.err().map_or(Refused::Global, Refused::Locks));
            }
        };
        held.global.insert(global);
        held.users.entry(user).or_default().insert(user_at);
        Ok(Slot {
            slots: Arc::clone(self),
            global,
            user,
            user_at,
        })
    }

    /// Open streams of all generations.
    ///
    /// # Errors
    ///
    /// When the kernel does not tell what the other generation holds.
    pub fn active(&self) -> io::Result<u64> {
        // Both looks happen under one lock, so that a slot changing hands is not seen twice.
        let held = self.held();
        Ok(held.global.len() as u64 + self.global.count_foreign(GLOBAL)?)
    }

    /// Open streams of this process.
    #[must_use]
    pub fn own(&self) -> u64 {
        self.held().global.len() as u64
    }

    /// The limits in force.
    #[must_use]
    pub fn limits(&self) -> Limits {
        self.limits
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        // Every critical section leaves the sets whole, so a poisoned lock is still good.
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut held = self.slots.held();
        held.global.remove(&self.global);
        if let Some(own) = held.users.get_mut(&self.user) {
            own.remove(&self.user_at);
            if own.is_empty() {
                held.users.remove(&self.user);
            }
        }
        give_back(&self.slots.global, self.global);
        give_back(&self.slots.users, self.user_at);
    }
}

/// Locks the first free byte of the first `limit` in `span`, unless `limit` are taken.
fn claim(
    file: &LockFile,
    own: &BTreeSet<u64>,
    span: Range<u64>,
    limit: u32,
) -> io::Result<Option<u64>> {
    let limit = u64::from(limit);
    if own.len() as u64 >= limit {
        return Ok(None);
    }
    let end = span.start + limit;
    let mut at = span.start;
    loop {
        at = first_gap(own, at);
        if at >= end {
            return Ok(None);
        }
        if file.try_lock(at)? {
            // A generation with a larger limit may hold bytes beyond ours.
            let beyond = file.foreign(end..span.end)?.is_some();
            if beyond && own.len() as u64 + 1 + file.count_foreign(span.clone())? > limit {
                file.unlock(at)?;
                return Ok(None);
            }
            return Ok(Some(at));
        } else if let Some(taken) = file.foreign(at..end)? {
            at = if taken.start <= at { taken.end } else { at };
        }
    }
}

/// The first number from `at` on that is not in `own`.
fn first_gap(own: &BTreeSet<u64>, at: u64) -> u64 {
    let row = own
        .range(at..)
        .zip(at..)
        .take_while(|(held, expected)| *held == expected);
    at + row.count() as u64
}

fn give_back(file: &LockFile, at: u64) {
    if let Err(error) = file.unlock(at) {
        tracing::error!(%error, at, "a stream's slot could not be unlocked");
    }
}

/// The start of the user's run of bytes. 47 bits of a hash tell users apart: among 200 users at
/// once two meet with a chance of 1e-10, and the second is then refused, never admitted beyond a limit.
fn first_byte_of(user: &str) -> u64 {
    let digest = Sha256::digest(user.as_bytes());
    let mut head = [0; 8];
    head.copy_from_slice(&digest[..8]);
    (u64::from_be_bytes(head) >> (USER_BITS + 1)) << USER_BITS
}
