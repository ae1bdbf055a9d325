//! The suite's tests by name.

/// One noun's tests over a backend. A test that is missing here is dead code, and so refused by the lints.
macro_rules! noun {
    (activity, $backend:ty) => {
        crate::conformance::each! { $backend; activity {
            entries_are_numbered_from_one_and_listed_newest_first,
            pages_show_every_entry_once,
            refusals_are_kept_with_what_they_were_for,
            every_entry_has_a_hash_of_its_own_even_if_it_says_the_same,
            the_record_goes_on_after_a_restart,
            entries_made_at_once_leave_no_gap,
        } }
    };
    (analytics, $backend:ty) => {
        crate::conformance::each! { $backend; analytics {
            both_paths_mark_what_is_to_be_computed,
            the_most_urgent_of_what_was_asked_stands_until_it_is_computed,
        } }
    };
    (audit, $backend:ty) => {
        crate::conformance::each! { $backend; audit {
            a_cause_that_was_never_seen_is_a_gap_until_it_comes,
            each_effect_of_an_unseen_cause_is_an_orphan,
            a_batch_that_names_the_effect_before_its_cause_has_no_orphan,
            events_that_audit_has_not_got_to_are_on_the_way,
            an_event_that_audit_gave_up_on_is_missing_until_it_is_redriven,
        } }
    };
    (bus, $backend:ty) => {
        crate::conformance::each! { $backend; bus {
            a_repeated_event_is_delivered_once_and_another_with_its_id_is_refused,
            a_repeated_event_is_known_after_a_restart,
            a_batch_with_a_bad_entry_takes_the_others,
            what_could_not_be_published_is_a_letter_of_the_publisher,
            a_body_that_no_one_can_read_is_kept_as_it_is,
            the_publisher_buries_what_the_bus_refuses,
            nothing_is_sent_while_publishing_is_off,
        } }
    };
    (consumers, $backend:ty) => {
        crate::conformance::each! { $backend; consumers {
            consumers_are_listed_in_the_rules_order,
            a_name_that_is_no_consumers_is_not_paused,
            a_pause_holds_one_consumer_until_it_is_lifted,
            faults_are_the_failed_attempts_newest_first,
            a_status_counts_what_a_consumer_did_and_knows_nothing_of_an_idle_one,
            a_delivery_that_waits_for_its_next_attempt_is_retrying,
        } }
    };
    (delivery, $backend:ty) => {
        crate::conformance::each! { $backend; delivery {
            an_event_reaches_every_consumer_that_its_rules_name,
            an_outage_becomes_letters_after_three_attempts_and_redrives_clear_them,
            a_paused_consumer_keeps_its_backlog_through_a_restart,
        } }
    };
    (depth, $backend:ty) => {
        crate::conformance::each! { $backend; depth {
            the_depth_counts_what_is_open_by_consumer,
            groups_are_what_is_open_by_consumer_and_error_largest_first,
            a_groups_example_is_its_newest_message,
        } }
    };
    (effects, $backend:ty) => {
        crate::conformance::each! { $backend; effects {
            effects_are_the_events_that_name_the_cause_oldest_first,
            effects_end_at_five_hundred,
        } }
    };
    (events, $backend:ty) => {
        crate::conformance::each! { $backend; events {
            lists_page_through_everything_once_and_filters_narrow_them,
            events_are_listed_by_when_they_happened_newest_first,
            each_field_filter_narrows_and_together_they_narrow_further,
            from_is_in_the_span_and_to_is_not,
            pages_neither_skip_nor_repeat_events_of_the_same_instant,
            the_page_that_holds_the_last_event_has_no_next,
            an_event_that_arrives_while_paging_moves_nothing,
            facets_are_each_seen_value_once_in_order,
            an_event_comes_back_as_it_was_published,
        } }
    };
    (flags, $backend:ty) => {
        crate::conformance::each! { $backend; flags {
            before_any_change_both_are_on,
            a_publishers_own_flags_win_over_the_global_ones,
            a_publishers_own_flags_can_be_taken_back,
            a_change_is_refused_if_the_version_moved,
            of_two_changes_at_once_one_is_made,
            both_off_is_refused_and_changes_nothing,
            a_change_without_a_reason_is_refused,
            the_history_says_who_when_why_from_to_and_what_the_criteria_said,
            a_publishers_first_change_is_from_what_applied_to_it,
            every_scope_that_was_set_is_listed_the_global_one_first,
            flags_and_their_history_outlive_the_process,
        } }
    };
    (gauges, $backend:ty) => {
        crate::conformance::each! { $backend; gauges {
            open_letters_are_gauged,
            deliveries_in_flight_are_gauged_also_when_nothing_else_happens,
            what_is_older_than_the_minutes_is_known_by_the_hour,
        } }
    };
    (latency, $backend:ty) => {
        crate::conformance::each! { $backend; latency {
            latencies_are_measured_from_published_to_processed,
            percentiles_are_in_order_and_unknown_where_nothing_was_processed,
        } }
    };
    (ledger, $backend:ty) => {
        crate::conformance::each! { $backend; ledger {
            an_entry_tells_each_consumers_state,
            a_failed_attempt_is_told_with_when_the_next_is_due,
            open_events_are_listed_oldest_first_up_to_the_limit,
            the_summary_adds_up_whatever_became_of_the_events,
            an_event_that_was_never_published_has_no_entry,
        } }
    };
    (letters, $backend:ty) => {
        crate::conformance::each! { $backend; letters {
            each_filter_narrows_and_the_count_agrees,
            text_is_found_in_ids_users_messages_and_bodies,
            text_is_found_whatever_its_case_beyond_ascii_too,
            from_is_in_the_span_of_failures_and_to_is_not,
            letters_page_newest_first_without_gap_or_repeat,
            a_letter_tells_its_body_its_attempts_and_who_had_completed,
            a_consumer_that_has_not_got_to_the_event_has_not_done_it,
            questions_that_make_no_sense_are_refused,
        } }
    };
    (metrics, $backend:ty) => {
        crate::conformance::each! { $backend; metrics {
            metrics_count_exactly_what_happened_also_across_a_restart,
            the_peak_is_the_fullest_whole_minute,
            a_minute_that_the_span_cuts_is_no_whole_one,
            the_peaks_count_holds_the_running_minutes_events_too,
            counts_are_those_of_the_span,
        } }
    };
    (operations, $backend:ty) => {
        crate::conformance::each! { $backend; operations {
            a_dry_run_counts_and_changes_nothing,
            a_discarded_letter_is_set_aside_and_can_be_restored,
            letters_in_another_state_are_passed_over,
            the_selection_is_frozen_at_the_start,
            a_cancelled_operation_leaves_alone_what_it_had_not_begun,
            an_operation_that_ended_or_never_was_is_not_cancelled,
            operations_are_listed_newest_first,
            an_operations_items_are_read_by_status_and_page_by_page,
            a_letter_says_what_was_done_to_it_by_whom_and_why,
        } }
    };
    (parity, $backend:ty) => {
        crate::conformance::each! { $backend; parity {
            the_same_on_both_paths_matches_whichever_came_first,
            another_priority_or_other_types_differ,
            a_direct_call_without_its_event_is_pending_and_then_missing,
            where_only_the_direct_path_ran_nothing_is_missing,
            an_event_that_took_too_long_is_late,
            an_event_without_a_direct_call_is_extra,
            a_report_is_of_its_span_and_of_one_type_if_asked,
            parity_outlives_the_process,
        } }
    };
    (redrives, $backend:ty) => {
        crate::conformance::each! { $backend; redrives {
            bad_data_is_a_dead_letter_at_once_and_a_redrive_is_verified,
            a_redrive_is_done_when_the_consumer_completed,
            a_redrive_runs_only_the_consumer_that_gave_up,
            a_letter_that_is_being_redriven_is_not_sent_twice,
            a_redrive_of_the_publishers_letter_publishes_it,
            what_still_cannot_be_published_stays_open_with_the_reason,
            a_failed_redrive_of_the_publishers_letter_is_counted,
            a_redrive_goes_on_after_a_restart,
        } }
    };
    (series, $backend:ty) => {
        crate::conformance::each! { $backend; series {
            before_anything_was_counted_nothing_is_known,
            throughput_is_events_a_minute_and_nothing_is_made_up_for_a_quiet_one,
            throughput_by_type_and_by_consumer,
            a_wider_step_is_still_per_minute,
            errors_count_attempts_and_the_rate_is_their_share,
            one_consumers_series_is_its_own,
            a_step_that_is_no_whole_minute_is_refused,
        } }
    };
    (text, $backend:ty) => {
        crate::conformance::each! { $backend; text {
            text_is_found_in_ids_and_payloads_whatever_its_case,
            text_is_taken_literally,
            text_is_not_found_in_the_envelope,
            text_is_found_however_its_json_was_written,
            a_search_that_stops_at_its_limit_goes_on_from_there,
            a_text_filter_pages_like_any_other,
        } }
    };
    (transactions, $backend:ty) => {
        crate::conformance::each! { $backend; transactions {
            a_user_sees_only_their_own_transactions,
            uncategorized_transactions_are_paged_in_order_of_id,
            rules_come_first_to_apply_first_and_only_the_users_own,
            what_is_put_again_replaces_what_was_there,
            a_rule_gives_a_category_once_and_says_so_with_an_event,
        } }
    };
    (wishes, $backend:ty) => {
        crate::conformance::each! { $backend; wishes {
            an_operation_says_who_asked_and_why,
            an_operation_keeps_to_its_rate,
            wishes_that_make_no_sense_are_refused,
        } }
    };
}
pub(crate) use noun;

/// The tests of those nouns, or of all, over a backend.
macro_rules! conformance {
    ($backend:ty; $($noun:ident),+ $(,)?) => {
        $(crate::conformance::noun!($noun, $backend);)+
    };
    ($backend:ty) => {
        crate::conformance::conformance!(
            $backend;
            activity, analytics, audit, bus, consumers, delivery, depth, effects, events,
            flags, gauges, latency, ledger, letters, metrics, operations, parity, redrives,
            series, text, transactions, wishes,
        );
    };
}
pub(crate) use conformance;

/// A test for each name, in a module of the noun's name.
macro_rules! each {
    ($backend:ty; $noun:ident { $($name:ident),* $(,)? }) => {
        mod $noun {
            use super::*;
            $(
                #[tokio::test]
                async fn $name() {
                    crate::conformance::$noun::$name::<$backend>().await;
                }
            )*
        }
    };
}
pub(crate) use each;
