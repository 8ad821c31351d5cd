//! What a trigger would do.

use chrono::{DateTime, SecondsFormat, Utc};
use scheduler_core::{TriggerPreview, Zone};
use serde::Serialize;
use utoipa::ToSchema;

use super::trigger::TriggerShape;

/// A trigger to preview.
#[derive(ToSchema)]
#[schema(example = json!({"trigger": "0 9 * * mon-fri", "timezone": "Europe/Berlin", "count": 3}))]
#[allow(dead_code)] // describes what `Fields` reads
pub(crate) struct PreviewRequest {
    /// When it fires.
    trigger: TriggerShape,
    /// The time zone of a trigger that is given as text and does not name one.
    #[schema(min_length = 1, max_length = 255)]
    timezone: Option<String>,
    /// How many fire times to list (default: 10).
    #[schema(minimum = 1, maximum = 100)]
    count: Option<u8>,
}

/// What a trigger means, and when it fires.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Preview {
    /// The trigger as it would be stored.
    trigger: String,
    /// The trigger in English.
    description: String,
    /// The time zone of local times.
    #[schema(value_type = String, example = "Europe/Berlin")]
    timezone: &'static str,
    /// The next fire times.
    fires: Vec<PreviewFire>,
    /// Properties of the trigger that may be unintended.
    warnings: Vec<String>,
    /// `true` if the search was completed: otherwise there may be more fire times and warnings. A job is rejected if
    /// not even its first fire time is found.
    complete: bool,
}

/// A fire time.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PreviewFire {
    /// The instant.
    utc: DateTime<Utc>,
    /// The same instant in local time.
    #[schema(format = DateTime, example = "2026-11-25T09:00:00+01:00")]
    local: String,
}

impl Preview {
    /// Creates a preview in the zone of the trigger, or else in `default`.
    pub(crate) fn new(preview: TriggerPreview, default: Zone) -> Self {
        let zone = preview.trigger.zone().unwrap_or(default);
        let local = |utc: DateTime<Utc>| {
            utc.with_timezone(&zone)
                .to_rfc3339_opts(SecondsFormat::AutoSi, false)
        };
        let fires = preview.fires.into_iter().map(|utc| PreviewFire {
            utc,
            local: local(utc),
        });
        Self {
            trigger: preview.trigger.to_string(),
            description: preview.trigger.describe(),
            timezone: zone.name(),
            fires: fires.collect(),
            warnings: preview.warnings,
            complete: preview.is_complete,
        }
    }
}
