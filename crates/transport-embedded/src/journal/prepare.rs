//! Making the next segment ahead of its use, and removing old ones, on a thread of its own: both
//! take longer than a commit may.
//!
//! A segment can be used as soon as the disk has space for it. Until then it is filled with zeros,
//! a part at a time: overwriting them is the cheapest commit. Under a load that is faster than
//! that, the rest of it is written as it is, whose commits cost about twice as much; no publisher
//! waits for zeros. The thread never writes to a segment that was taken.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::journal::disk::{Disk, DiskFile};
use crate::journal::layout::Header;
use crate::journal::segments::{self, Made, Segment};
use crate::store::failure::Failure;

/// How long the thread waits between two parts that it fills: it has less of the disk than commits.
const FILL_PAUSE: Duration = Duration::from_millis(4);
/// What waits for the thread at the most: an order of the writer waits for so many removals, and
/// further segments are removed later.
const JOBS_MAX: usize = 4;

/// A segment that is there and holds nothing.
#[derive(Debug)]
pub(crate) struct Spare {
    pub(crate) segment: Segment,
    pub(crate) file: Arc<dyn DiskFile>,
}

/// Who makes segments: one at a time, one ahead.
#[derive(Debug)]
pub(crate) struct Preparer {
    shared: Arc<Shared>,
    /// What was asked for last.
    order: Option<Header>,
    /// `None` where tests want one order of all that is done.
    thread: Option<(SyncSender<Job>, JoinHandle<()>)>,
}

#[derive(Debug, Clone, Copy)]
enum Job {
    Make(Header),
    Remove(u64),
}

#[derive(Debug)]
struct Shared {
    disk: Arc<dyn Disk>,
    state: Mutex<State>,
    /// Why a segment could not be removed, for good.
    not_removed: Mutex<Option<Failure>>,
    changed: Condvar,
    stop: AtomicBool,
}

#[derive(Debug)]
enum State {
    Idle,
    Making,
    Ready(Ready),
    Failed(Failure),
}

#[derive(Debug)]
struct Ready {
    spare: Spare,
    /// Zeros were written up to here.
    filled: u64,
    /// A part is being filled now.
    is_filling: bool,
}

impl Preparer {
    /// Begins with what an earlier process prepared, if it did.
    pub(crate) fn start(
        disk: Arc<dyn Disk>,
        spare: Option<Spare>,
        with_thread: bool,
    ) -> Result<Self, Failure> {
        // How much of it is filled is not known; it is as good as it is.
        let ready = |spare: Spare| {
            let filled = spare.segment.bytes;
            State::Ready(Ready { spare, filled, is_filling: false })
        };
        let state = Mutex::new(spare.map_or(State::Idle, ready));
        let (changed, stop) = (Condvar::new(), AtomicBool::new(false));
        let not_removed = Mutex::default();
        let shared = Arc::new(Shared { disk, state, not_removed, changed, stop });
        let thread = if with_thread { Some(spawn(Arc::clone(&shared))?) } else { None };
        Ok(Self { shared, order: None, thread })
    }

    /// Has a segment made, unless one is there or under way.
    pub(crate) fn order(&mut self, header: Header) {
        let mut state = self.shared.lock();
        if matches!(*state, State::Making | State::Ready(_)) {
            return;
        }
        *state = State::Making;
        drop(state);
        self.order = Some(header);
        match &self.thread {
            // It waits for removals at the most.
            Some((jobs, _)) => drop(jobs.send(Job::Make(header))),
            None => {
                self.shared.make(header);
                while self.shared.fill() {}
            }
        }
    }

    /// Has a segment removed, durably; whether there was room for that.
    pub(crate) fn remove(&self, number: u64) -> bool {
        match &self.thread {
            Some((jobs, _)) => jobs.try_send(Job::Remove(number)).is_ok(),
            None => {
                self.shared.remove(number);
                true
            }
        }
    }

    /// Tries again what failed for lack of space.
    pub(crate) fn retry(&mut self) {
        let full = matches!(*self.shared.lock(), State::Failed(Failure::Full(_)));
        if let Some(header) = self.order.filter(|_| full) {
            self.order(header);
        }
    }

    /// Whether there is one; why not, if making it failed, or removing another.
    pub(crate) fn is_ready(&self) -> Result<bool, Failure> {
        if let Some(failure) = &*self.shared.not_removed() {
            return Err(failure.clone());
        }
        match &*self.shared.lock() {
            State::Ready(_) => Ok(true),
            State::Failed(failure) => Err(failure.clone()),
            State::Idle | State::Making => Ok(false),
        }
    }

    /// Waits for it and takes it. One that is smaller than the least is replaced by the wanted one.
    ///
    /// # Errors
    /// `Full` until [`Preparer::retry`] has succeeded; anything else is final.
    pub(crate) fn take(&mut self, bytes_min: u64, wanted: Header) -> Result<Spare, Failure> {
        loop {
            if matches!(*self.shared.lock(), State::Idle) {
                self.order(wanted);
            }
            let spare = Self::wait(&self.shared).inspect_err(|_| {
                // What is tried again has room for this one.
                self.order =
                    self.order.map(|order| if order.bytes < bytes_min { wanted } else { order });
            })?;
            if spare.segment.bytes >= bytes_min {
                return Ok(spare);
            }
            let name = segments::name(spare.segment.number);
            let disk = &self.shared.disk;
            let removed = disk.remove(&name).and_then(|()| disk.sync());
            removed.map_err(|error| Failure::Io(format!("{name}: {error}")))?;
        }
    }

    fn wait(shared: &Shared) -> Result<Spare, Failure> {
        let state = shared.lock();
        let making = |state: &mut State| match state {
            State::Making => true,
            State::Ready(ready) => ready.is_filling,
            State::Idle | State::Failed(_) => false,
        };
        let waited = shared.changed.wait_while(state, making);
        let mut state = waited.unwrap_or_else(PoisonError::into_inner);
        match &*state {
            State::Failed(failure) => Err(failure.clone()),
            _ => match std::mem::replace(&mut *state, State::Idle) {
                State::Ready(ready) => Ok(ready.spare),
                _ => Err(Failure::Io("no segment is being made".to_owned())),
            },
        }
    }
}

/// What is being made is given up.
impl Drop for Preparer {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Release);
        if let Some((jobs, thread)) = self.thread.take() {
            drop(jobs);
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn not_removed(&self) -> MutexGuard<'_, Option<Failure>> {
        self.not_removed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self, job: Job) {
        match job {
            Job::Make(header) => self.make(header),
            Job::Remove(number) => self.remove(number),
        }
    }

    /// Fills a part of what is ready, unless it was taken; whether there may be more.
    fn fill(&self) -> bool {
        // Marked under the lock: who takes it waits for this part.
        let (file, from, end) = match &mut *self.lock() {
            State::Ready(ready) if ready.filled < ready.spare.segment.bytes => {
                ready.is_filling = true;
                (Arc::clone(&ready.spare.file), ready.filled, ready.spare.segment.bytes)
            }
            _ => return false,
        };
        let filled = segments::fill(&*file, from, end);

        let mut state = self.lock();
        if let State::Ready(ready) = &mut *state {
            ready.is_filling = false;
            match filled {
                Ok(filled) => ready.filled = filled,
                // On file systems that copy on write zeros take space again.
                Err(Failure::Full(_)) => ready.filled = end,
                Err(failure) => *state = State::Failed(failure),
            }
        }
        drop(state);
        self.changed.notify_all();
        true
    }

    /// One at a time: its removal is durable before the next one goes.
    fn remove(&self, number: u64) {
        if self.not_removed().is_some() {
            return;
        }
        let name = segments::name(number);
        let removed = self.disk.remove(&name).and_then(|()| self.disk.sync());
        if let Err(error) = removed {
            *self.not_removed() = Some(Failure::Io(format!("{name}: removal: {error}")));
        }
    }

    fn make(&self, header: Header) {
        let made = segments::make(&*self.disk, header, &self.stop);
        let segment = Segment { number: header.segment, bytes: header.bytes };
        *self.lock() = match made {
            Ok(Made { file, filled }) => {
                State::Ready(Ready { spare: Spare { segment, file }, filled, is_filling: false })
            }
            Err(failure) => State::Failed(failure),
        };
        self.changed.notify_all();
    }
}

fn spawn(shared: Arc<Shared>) -> Result<(SyncSender<Job>, JoinHandle<()>), Failure> {
    let (jobs, received): (_, Receiver<Job>) = sync_channel(JOBS_MAX);
    let run = move || loop {
        // While there is something to fill, jobs come first.
        let job = match shared.fill() {
            true => received.recv_timeout(FILL_PAUSE),
            false => received.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        match job {
            Ok(job) => shared.run(job),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
    };
    let thread = std::thread::Builder::new().name("worldbus-segments".to_owned()).spawn(run)?;
    Ok((jobs, thread))
}
