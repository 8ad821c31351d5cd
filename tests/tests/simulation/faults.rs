//! Everything that can go wrong between a process and its store, call by call.

use crate::dice::Dice;
use crate::process::Millis;

/// The state of the connection to the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Weather {
    /// All calls are answered quickly.
    #[default]
    Calm,
    /// Now and then a call fails, its answer is lost, or it takes long.
    Rough,
    /// Every call fails at once.
    Down,
    /// No call is answered, and none reaches the store.
    Silent,
    /// Every call is carried out, and no answer arrives.
    Deaf,
}

impl Weather {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Calm => "calm",
            Self::Rough => "rough",
            Self::Down => "down",
            Self::Silent => "silent",
            Self::Deaf => "deaf",
        }
    }

    /// Draws the fate of the next call.
    pub(crate) fn fate(self, dice: &mut Dice) -> Fate {
        let mut fate = Fate::default();
        match self {
            Self::Calm => {
                if dice.chance(20) {
                    fate.before = dice.between(1, 3);
                    fate.after = dice.between(0, 2);
                }
            }
            Self::Rough => {
                fate.before = dice.between(0, 4);
                fate.after = dice.between(0, 4);
                match dice.roll(20) {
                    0 => fate.kind = Kind::Refused,
                    1 | 2 => fate.kind = Kind::AnswerLost,
                    3 => fate.before = dice.between(20, 2_500),
                    4 => fate.after = dice.between(20, 2_500),
                    5 if dice.chance(20) => fate.kind = Kind::NeverArrives,
                    6 if dice.chance(20) => fate.kind = Kind::NeverAnswers,
                    _ => {}
                }
            }
            Self::Down => fate.kind = Kind::Refused,
            Self::Silent => fate.kind = Kind::NeverArrives,
            Self::Deaf => fate.kind = Kind::NeverAnswers,
        }
        fate
    }
}

/// The fate of one call.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Fate {
    pub(crate) kind: Kind,
    /// How long the request is on its way.
    pub(crate) before: Millis,
    /// How long the answer is on its way.
    pub(crate) after: Millis,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Kind {
    #[default]
    Answered,
    /// The call fails and was not carried out.
    Refused,
    /// The call fails, but was carried out.
    AnswerLost,
    /// The call is never answered, and was not carried out.
    NeverArrives,
    /// The call is never answered, but was carried out.
    NeverAnswers,
}
