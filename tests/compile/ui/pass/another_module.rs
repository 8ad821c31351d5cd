//! A function and its jobs are imported together, from a module or through a re-export.

use scheduler_core::prelude::*;

mod jobs {
    pub mod mail {
        use scheduler_core::prelude::*;

        #[task]
        pub async fn send_reminder(user_id: i64, text: String) {
            let _ = (user_id, text);
        }

        #[task]
        pub(in crate::jobs) fn hidden(count: u8) {
            let _ = count;
        }

        #[task]
        pub(super) fn nearby(count: u8) {
            let _ = count;
        }
    }

    pub use mail::send_reminder;

    pub fn more() -> [scheduler_core::Job; 2] {
        [mail::hidden::job(1), mail::nearby::job(2)]
    }
}

use jobs::mail::send_reminder as remind;
use jobs::send_reminder;

fn main() {
    let _: Job = send_reminder::job(42, "stand-up".into());
    let _: Job = remind::job(42, "stand-up".into())
        .id("again")
        .cron("45 8 * * mon-fri");
    let _: Job = jobs::mail::send_reminder::job(42, "stand-up".into());
    let _ = jobs::more();
    drop(send_reminder(42, "called by hand".into()));
}
