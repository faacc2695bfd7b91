//! Commands on the clock as events: the segment for those who compute with it, and what was done
//! for people. Not here: what a command does (`clockwork`, `world`).

use super::emission::Emission;
use super::{Agenda, At};
use crate::clock::command::Verb;
use crate::clock::history::{History, Made};
use worldbus_events::v1;
use worldbus_world::{Segment, Span, WallTime};

impl Agenda {
    /// `time.clock_changed` of a segment.
    pub(super) fn announcement(
        &self,
        segment: &Segment,
        made: Option<&Made>,
        number: i64,
        wall: WallTime,
    ) -> Emission {
        let curve = segment.curve.map(|curve| v1::ClockCurve {
            cycle_us: curve.cycle_us(),
            offset_us: curve.offset_us(),
            units: curve.units(),
            starts_us: curve.pieces().iter().map(|piece| piece.start_us).collect(),
            slopes: curve.pieces().iter().map(|piece| piece.slope).collect(),
        });
        let changed = v1::ClockChanged {
            epoch: segment.epoch,
            anchor_wall_us: segment.anchor_wall.0,
            anchor_game_us: segment.anchor_game.0,
            scale_numerator: segment.num,
            scale_denominator: segment.den,
            paused: segment.paused,
            reason: made.map_or("", |made| made.command.name()).to_owned(),
            revision: segment.rev,
            anchor_rest: segment.rest,
            curve,
            actor: made.map(|made| made.by.actor.clone()).unwrap_or_default(),
            continues_wall_us: segment.continues.map(|wall| wall.0),
        };
        self.emission(&changed, segment.epoch, number, wall)
    }

    /// What a command did, where its segment begins.
    pub(super) fn command(&self, history: &History, span: &Span, at: At) -> Option<Emission> {
        let made = history.made(at.epoch)?;
        let old = span.before?;
        let (epoch, game_us) = (at.epoch, at.game.0);
        let (reason, actor) = (made.by.reason.clone(), made.by.actor.clone());
        let emission = match made.command {
            Verb::Pause => {
                let event = v1::Paused { epoch, game_us, reason, actor };
                self.emission(&event, epoch, at.game.minutes(), at.wall)
            }
            Verb::Resume => {
                let event = v1::Resumed { epoch, game_us, reason, actor };
                self.emission(&event, epoch, at.game.minutes(), at.wall)
            }
            Verb::Set | Verb::Skip => {
                let (from_game_us, to_game_us) = (old.0, game_us);
                let event = v1::Jumped { epoch, from_game_us, to_game_us, reason, actor };
                self.emission(&event, epoch, at.game.minutes(), at.wall)
            }
            Verb::Scale => {
                let mut segments = history.clock().segments().iter();
                let before = segments.rfind(|segment| segment.epoch < epoch)?;
                let event = v1::ScaleChanged {
                    old_numerator: before.num,
                    old_denominator: before.den,
                    new_numerator: span.segment.num,
                    new_denominator: span.segment.den,
                    epoch,
                    game_us,
                    reason,
                    actor,
                    curved: span.segment.curve.is_some(),
                };
                self.emission(&event, epoch, at.game.minutes(), at.wall)
            }
            Verb::Start | Verb::Continue | Verb::Schedule | Verb::Cancel | Verb::Request => {
                return None;
            }
        };
        Some(emission)
    }
}
