//! How a process follows its machine's wall clock: a state machine, readings in, wall time out.
//!
//! ```text
//!              under STEP_US_MIN ahead: followed at once
//!   Following ── more ahead ──▶ Ahead: goes on by the time that passes
//!      ▲  ▲                       │ lasts SETTLE_US: followed, a jump ──▶ Following
//!      │  └── steps back again ───┘
//!      └── caught up ── Behind: never back, but slower until the machine has caught up
//! ```
//!
//! Not here: what services do about a jump (it counts as downtime).

/// Less than this is the work of a time service, and is followed without a word.
pub(super) const STEP_US_MIN: i64 = 5_000_000;
/// A step ahead that lasts so long is followed: a machine that slept, or was corrected.
pub(super) const SETTLE_US: i64 = 60_000_000;
/// A longer step ahead is not followed by a running process: a clock that is off by more is wrong
/// now, or was when the process started.
pub(super) const FOLLOWED_US_MAX: i64 = 31 * 24 * 3600 * 1_000_000;
/// While the machine is behind, time is slower by this part.
pub(super) const SLOWER_BY: i64 = 10;

const SECOND_US: i64 = 1_000_000;

/// What the machine's clocks show at one instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reading {
    /// Microseconds since the Unix epoch.
    pub(super) wall_us: i64,
    /// Microseconds since some instant; never steps.
    pub(super) steady_us: i64,
}

/// A wall time that follows a machine's.
#[derive(Debug, Default)]
pub(super) struct Steps {
    /// Wall time that was given at a steady time, from which the present follows; none before
    /// the first reading.
    base: Option<Reading>,
    mode: Mode,
    /// How far the machine is ahead of what was given last.
    ahead_us: i64,
    jumps: u64,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Mode {
    #[default]
    Following,
    /// The machine stepped ahead by so much, at a steady time.
    Ahead {
        by_us: i64,
        since_us: i64,
    },
    Behind,
}

impl Steps {
    /// The wall time at a reading. Readings come in the order of their steady time.
    pub(super) fn take(&mut self, read: Reading) -> i64 {
        let Some(base) = self.base else {
            self.base = Some(read);
            return read.wall_us;
        };
        let passed_us = read.steady_us.saturating_sub(base.steady_us).max(0);
        let slower_us = if self.mode == Mode::Behind { passed_us / SLOWER_BY } else { 0 };
        let due_us = base.wall_us.saturating_add(passed_us - slower_us);
        let before_us = self.ahead_us;
        self.ahead_us = read.wall_us.saturating_sub(due_us);
        if self.is_back() && before_us > -STEP_US_MIN {
            metrics::counter!("worldbus_wall_clock_steps_back_total").increment(1);
            let back_s = -self.ahead_us / SECOND_US;
            tracing::warn!(back_s, "the machine's wall clock stepped back; going on, but slower");
        }
        let (mode, now_us) = self.next(due_us, read);
        if mode != self.mode || mode == Mode::Following {
            // Behind, what is slower counts from where it began.
            self.base = Some(Reading { wall_us: now_us, ..read });
        }
        self.mode = mode;
        now_us
    }

    /// What follows from how far the machine is ahead of the time that is due.
    fn next(&mut self, due_us: i64, read: Reading) -> (Mode, i64) {
        match (self.mode, self.ahead_us) {
            (_, ..0) => (Mode::Behind, due_us),
            (_, 0..STEP_US_MIN) => (Mode::Following, read.wall_us),
            (Mode::Ahead { by_us, since_us }, ahead_us)
                if ahead_us.abs_diff(by_us) < STEP_US_MIN.unsigned_abs() =>
            {
                let lasts = read.steady_us.saturating_sub(since_us) >= SETTLE_US;
                if !lasts || ahead_us > FOLLOWED_US_MAX {
                    return (self.mode, due_us);
                }
                self.jumps += 1;
                let ahead_s = ahead_us / SECOND_US;
                tracing::warn!(ahead_s, "following a wall clock that was set ahead; as downtime");
                (Mode::Following, read.wall_us)
            }
            (_, by_us) => {
                metrics::counter!("worldbus_wall_clock_steps_ahead_total").increment(1);
                let ahead_s = by_us / SECOND_US;
                tracing::warn!(ahead_s, "the machine's wall clock stepped ahead; not followed yet");
                (Mode::Ahead { by_us, since_us: read.steady_us }, due_us)
            }
        }
    }

    /// Whether the wall time does not go as the time that passes.
    pub(super) fn is_slower(&self) -> bool {
        self.mode == Mode::Behind
    }

    fn is_back(&self) -> bool {
        self.ahead_us <= -STEP_US_MIN
    }

    /// How often a step ahead was followed.
    pub(super) fn jumps(&self) -> u64 {
        self.jumps
    }

    /// Why the time that was given last is not the machine's.
    pub(super) fn fault(&self) -> Option<String> {
        let by_s = self.ahead_us.abs() / SECOND_US;
        match self.mode {
            Mode::Ahead { by_us, .. } if by_us > FOLLOWED_US_MAX => Some(format!(
                "the machine's wall clock stepped ahead by {by_s} s, which is too far to follow; \
                 correct it, or restart this process if it is right"
            )),
            Mode::Ahead { .. } => Some(format!(
                "the machine's wall clock stepped ahead by {by_s} s; correct it: it is followed, \
                 as after a downtime, when this has lasted for {} s",
                SETTLE_US / SECOND_US
            )),
            Mode::Behind if self.is_back() => Some(format!(
                "the machine's wall clock is {by_s} s behind; time goes on slower until it has \
                 caught up; restart this process to follow it at once"
            )),
            Mode::Behind | Mode::Following => None,
        }
    }
}
