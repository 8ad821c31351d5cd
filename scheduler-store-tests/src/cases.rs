//! The list of cases, which is the only place that names them.

use std::pin::Pin;

use crate::failure::Done;
use crate::stage::Stage;

/// A case of the suite.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) run: for<'a> fn(&'a Stage) -> Pin<Box<dyn Future<Output = Done> + Send + 'a>>,
}

/// Generates one test per case, named after it, from a set-up: an async function, or a closure that returns a future,
/// that makes a [`Subject`](crate::Subject).
///
/// Expands to functions, so a second set-up in the same file needs a module of its own. See the
/// [crate documentation](crate) for an example.
#[doc(hidden)]
#[macro_export]
macro_rules! __store_tests {
    ($set_up:expr $(,)?) => {
        $crate::__store_tests_cases! { tests [$set_up] }
    };
}

/// Passes the list of cases to the macro that makes the tests or the table.
#[doc(hidden)]
#[macro_export]
macro_rules! __store_tests_cases {
    ($($what:tt)*) => {
        $crate::__store_tests_each! {
            $($what)*
            jobs {
                a_job_is_kept_as_it_was_inserted,
                an_unknown_job_is_none,
                jobs_are_inserted_all_or_none,
                a_job_is_replaced_only_on_request,
                a_replaced_job_skips_pending_fire_times,
                a_replaced_job_counts_live_runs,
                one_id_twice_in_a_batch_is_refused,
                a_static_job_is_not_replaced,
                ids_of_every_kind_are_kept,
                arguments_of_256_kib_are_kept,
                every_policy_is_kept,
                every_trigger_is_kept,
                instants_are_kept_to_the_microsecond,
            }
            listing {
                jobs_are_listed_by_id_in_pages,
                jobs_are_listed_by_the_prefix_of_their_ids,
                jobs_are_listed_by_what_they_are,
                jobs_are_listed_by_next_run,
            }
            replacing {
                job_with_an_unchanged_trigger_carries_on,
                ended_job_makes_room_under_its_id,
            }
            edits {
                an_edit_sees_the_stored_job_and_changes_it,
                an_edit_records_skipped_fire_times,
                a_paused_job_is_not_claimed_until_resumed,
                a_job_whose_trigger_ended_stays_finished,
                a_removed_job_skips_pending_fire_times,
                a_stale_revision_removes_nothing,
                live_runs_of_a_removed_job_count_for_the_next,
                a_batch_of_drops_keeps_more_than_it_counts,
            }
            claims {
                a_fire_time_is_claimed_once,
                a_claim_moves_watermark_and_next_fire_time,
                a_claimed_run_has_all_that_it_needs,
                jitter_delays_the_start,
                a_claim_keeps_to_its_limit,
                a_node_claims_only_what_it_can_run,
                late_fire_times_are_missed,
                the_newest_fire_times_are_caught_up,
                a_full_executor_leaves_its_jobs_due,
                a_claim_decides_as_the_plan_does,
                the_next_due_job_is_the_earliest,
            }
            queued {
                queued_runs_start_in_order,
                a_manual_run_does_not_overtake_queued_runs,
                the_queue_is_bounded,
                grace_is_judged_again_when_a_run_starts,
                a_queue_with_grace_keeps_to_slots_and_capacity,
                late_runs_of_other_jobs_keep_no_room_from_one_that_may_start,
                a_paused_job_holds_its_queue,
                a_higher_limit_starts_queued_runs,
                queued_runs_need_a_node_that_can_run_them,
                the_newest_fire_time_replaces_the_cancelled_run,
                only_the_oldest_run_is_cancelled,
                caught_up_fire_times_are_not_stopped_by_each_other,
                a_run_beside_a_queue_is_cancelled,
                no_run_is_cancelled_while_a_slot_is_free,
            }
            manual {
                a_manual_run_starts_at_its_holder,
                a_manual_run_without_holder_waits_for_a_node,
                manual_runs_keep_to_the_limits,
                a_manual_run_needs_a_job,
                a_stale_revision_runs_nothing,
                a_paused_or_finished_job_runs_manually,
                a_manual_run_passes_runs_that_a_pause_holds,
                a_queued_run_ends_when_cancelled,
                cancellation_of_a_live_run_is_listed_for_its_node,
                cancellation_of_a_run_between_attempts_is_listed,
                released_run_whose_cancellation_was_requested_has_ended,
                a_run_that_is_not_open_cannot_be_cancelled,
            }
            ends {
                a_success_is_recorded,
                every_end_is_recorded,
                a_retry_keeps_the_slot_and_counts_up,
                the_last_ten_attempts_are_kept,
                retries_are_counted_over_releases,
                a_lost_attempt_is_no_failure,
                a_cancelled_run_that_fails_is_not_tried_again,
                a_late_end_changes_nothing,
                the_same_end_twice_is_recorded_once,
                a_body_that_goes_on_holds_the_slot,
                an_ended_run_is_not_cancelled_while_its_body_goes_on,
                a_retry_after_a_body_waits_for_it,
                a_retry_can_be_called_off_while_the_body_goes_on,
            }
            releasing {
                a_released_run_before_its_start_counts_no_attempt,
                a_released_run_between_attempts_keeps_them,
                released_runs_start_before_queued_ones,
                only_the_holder_releases,
                a_run_of_a_removed_job_released_has_ended,
                a_run_between_attempts_ends_with_its_job,
                a_tried_run_ends_when_its_job_is_replaced,
                a_tried_run_ends_when_a_manual_run_takes_its_place,
                a_tried_run_ends_when_a_newer_one_takes_its_place,
            }
            repair {
                watermarks_ahead_of_now_are_set_to_now,
                a_finished_one_off_stays_finished,
                runs_ahead_of_now_are_kept,
                a_watermark_set_back_by_an_edit_runs_nothing_twice,
                a_queued_fire_time_is_not_queued_twice,
                a_fire_time_that_comes_again_stops_and_skips_nothing,
                a_clock_that_came_back_runs_nothing_twice,
                a_job_added_again_runs_nothing_twice,
            }
            history {
                runs_are_listed_newest_first_in_pages,
                runs_are_filtered,
                drops_are_listed_newest_first,
                skipped_pages_go_on_among_records_of_one_instant,
                old_records_are_pruned,
                records_beyond_the_limit_are_pruned,
            }
            definitions {
                new_definitions_are_added,
                unchanged_definitions_keep_pending_fire_times,
                a_changed_trigger_is_rescheduled,
                changed_policies_keep_fire_times,
                an_edit_survives_until_the_code_changes,
                definitions_that_flip_are_reported,
                a_dynamic_job_is_not_taken_for_one_of_the_code,
            }
            together {
                a_second_handle_sees_the_same,
                two_claims_at_once_take_each_fire_time_once,
                two_claims_at_once_share_many_jobs,
                a_claim_and_a_manual_run_keep_to_the_limit,
                two_manual_runs_keep_to_the_limit,
                two_promotions_keep_to_the_limit,
                a_promotion_and_a_cancellation_do_not_both_win,
                free_slots_are_filled_and_no_more,
                two_inserts_of_one_id_make_one_job,
                two_edits_at_once_are_both_kept,
                a_removal_of_what_was_seen_and_an_edit_do_not_both_win,
                two_starts_at_once_add_each_definition_once,
            }
            leases {
                a_node_joins_and_is_listed,
                a_node_whose_lease_ran_out_is_fenced,
                a_lost_run_is_tried_again_as_the_next_attempt,
                a_run_is_lost_three_times_and_no_more,
                a_run_that_may_not_be_tried_again_is_lost,
                a_node_that_leaves_is_gone,
                a_node_that_leaves_runs_behind_keeps_its_lease,
                a_claim_and_a_take_over_keep_to_the_limit,
                a_node_is_not_the_only_one_while_another_is_entered,
            }
        }
    };
}

/// Makes the tests or the table.
#[doc(hidden)]
#[macro_export]
macro_rules! __store_tests_each {
    (tests [$set_up:expr] $($theme:ident { $($case:ident,)* })*) => {
        $($(
            #[test]
            fn $case() -> ::core::result::Result<(), $crate::CaseFailure> {
                $crate::run_as_test(::core::stringify!($case), $set_up)
            }
        )*)*
    };
    (table $($theme:ident { $($case:ident,)* })*) => {
        &[$($(
            Case {
                name: stringify!($case),
                run: |stage| Box::pin($crate::$theme::$case(stage)),
            },
        )*)*]
    };
}

/// All cases.
pub(crate) const CASES: &[Case] = crate::__store_tests_cases! { table };
