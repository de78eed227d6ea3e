"""The 44 checks of OWASP ASVS 5.0, level 2, that a machine can make: each names its tests, or says why there is none yet.

The list is that of the project's checklist for access (section 4.4), with one line per check: 70 requirements.
"""

import ast
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Check:
    ids: str
    what: str
    tests: tuple[str, ...] = ()  # file::function, under tests/
    reason: str = ""  # why there is no test yet


def check(ids: str, what: str, *tests: str, reason: str = "") -> Check:
    return Check(ids, what, tests, reason)


TYPED, TREE, ANSWERS = "access/test_typed.py", "access/test_tree.py", "access/test_responses.py"
PUBLIC, MATRIX, TENANTS = "access/test_production.py", "access/test_matrix.py", "access/test_tenants.py"
FIELDS, REMOVED = "access/test_fields.py", "access/test_removed.py"
SECURITY, SESSIONS = "accounts/test_security.py", "accounts/test_sessions.py"
BAD_FILES, UPLOAD = "machines/engine/reading/test_bad_files.py", "machines/views/test_upload.py"

CHECKS = [
    check("1.2.1", "text is shown as text, everywhere", f"{TYPED}::test_what_others_typed_is_shown_as_text",
          f"{TYPED}::test_what_is_sent_by_a_form", "machines/views/test_hostile.py::test_pages"),
    check("1.2.3", "data for scripts by json_script", f"{TREE}::test_templates_trust_no_text",
          "dashboards/test_graph_view.py::test_the_component_escapes_what_people_wrote"),
    check("1.2.4", "SQL in every parameter", f"{TYPED}::test_what_stands_in_the_address",
          f"{TYPED}::test_what_is_sent_by_a_form", f"{TYPED}::test_numbers_in_the_path"),
    check("", "no SQL by hand (lint)", f"{TREE}::test_no_file_runs_text_or_unpickles_or_writes_sql"),
    check("1.2.5, 1.3.2", "no shell, no eval, no exec (lint)",
          f"{TREE}::test_no_file_runs_text_or_unpickles_or_writes_sql", f"{TREE}::test_the_rule_finds",
          f"{TREE}::test_scripts_make_no_code_of_text"),
    check("1.2.10", "no cell runs in a spreadsheet", "accounts/test_log.py::test_no_cell_runs_in_a_spreadsheet"),
    check("1.3.6", "fetching an address refuses private ones", reason="nothing on this site fetches an address yet"),
    check("1.5.1", "no external entities in a workbook", f"{BAD_FILES}::test_27_entities"),
    check("1.5.2", "no pickle outside the runner (lint)", f"{TREE}::test_no_file_runs_text_or_unpickles_or_writes_sql"),
    check("2.2.2", "what the browser limits, the server limits",
          "access/test_limits.py::test_limits_hold_without_a_browser",
          f"{UPLOAD}::test_a_name_may_not_be_too_long"),
    check("2.3.1", "steps in their order", "models/test_machine_states.py::test_every_transition_from_every_state",
          "api/test_predict.py::test_a_machine_that_is_not_trained"),
    check("2.3.3, 2.3.4", "all or nothing, once, at the same time too",
          "accounts/test_invites_rules.py::test_6_of_sixteen_at_once_as_many_get_in_as_it_is_for",
          "machines/services/test_training.py::test_of_two_starts_at_once_one_wins",
          "machines/test_training_races.py::test_work_and_machine_end_together"),
    check("2.4.1", "429 and Retry-After", "access/test_limits.py::test_what_costs_is_limited",
          "accounts/test_sign_in.py::test_too_many_requests_meet_a_page",
          "api/test_keys.py::test_a_key_that_asks_too_often_waits"),
    check("3.2.1", "files of people are attachments", f"{ANSWERS}::test_files_are_attachments"),
    check("3.3.1, 3.3.2, 3.3.3, 3.3.4", "cookies of this host, Secure, HttpOnly, SameSite",
          f"{PUBLIC}::test_the_session_cookie_is_for_this_host_and_https_only",
          f"{PUBLIC}::test_every_cookie_is_secure"),
    check("3.4.1", "HSTS for a year", f"{PUBLIC}::test_https_is_demanded_for_a_year"),
    check("3.4.3, 3.4.6", "no unsafe-inline, no frames", "test_house.py::test_headers",
          f"{ANSWERS}::test_every_page_has_type_and_headers",
          "dashboards/test_templates.py::test_templates_keep_to_the_content_security_policy"),
    check("3.4.4, 3.4.5", "nosniff and Referrer-Policy, on errors too",
          f"{ANSWERS}::test_every_page_has_type_and_headers", f"{ANSWERS}::test_errors_have_the_headers_too"),
    check("3.5.1, 3.5.3", "CSRF on every unsafe view; a GET changes nothing",
          f"{ANSWERS}::test_a_form_from_elsewhere_is_refused", f"{MATRIX}::test_matrix"),
    check("3.7.2", "next leads nowhere else", f"{TYPED}::test_next_leads_nowhere_else",
          "accounts/test_sign_in.py::test_it_never_leads_elsewhere"),
    check("4.1.1", "type and charset everywhere", f"{ANSWERS}::test_every_page_has_type_and_headers"),
    check("5.2.1, 5.2.2, 5.2.3", "size, type and packed size of files", f"{UPLOAD}::test_too_large",
          f"{UPLOAD}::test_bad_files_are_refused_with_a_sentence", f"{BAD_FILES}::test_27_zip_bomb",
          f"{BAD_FILES}::test_28_gzip_bomb", "config/test_limits.py::test_far_too_large"),
    check("5.3.1, 5.3.2", "outside the web root, under names of our own",
          "machines/services/test_datasets.py::test_no_name_of_a_file_reaches_the_disk",
          "machines/test_storage.py::test_a_path_out_of_the_storage_is_refused",
          f"{PUBLIC}::test_no_debug_no_trace_no_listing_no_git"),
    check("5.4.1, 5.4.2", "safe names of downloads", "machines/views/test_detail.py::test_names_of_downloads_are_plain",
          f"{ANSWERS}::test_files_are_attachments"),
    check("6.2.1, 6.2.4, 6.2.9, 6.2.12", "8 characters, known lists, 64 and more",
          f"{SECURITY}::test_a_weak_password_is_refused",
          f"{SECURITY}::test_a_long_or_strange_password_is_taken_whole"),
    check("6.3.1", "sign-in is throttled", "accounts/test_sign_in.py::test_too_many_attempts_have_to_wait"),
    check("6.3.3", "a second factor", "accounts/test_second_factor.py::test_it_works",
          "accounts/test_second_factor.py::test_a_code_counts_once"),
    check("7.2.4", "a new session id at sign-in", "accounts/test_sign_in.py::test_the_session_gets_a_new_id"),
    check("7.3.1, 7.3.2", "sessions end, idle or not", f"{SESSIONS}::test_after_a_time_without_use_it_ends",
          f"{SESSIONS}::test_it_ends_however_much_it_is_used"),
    check("7.4.1, 7.4.2, 7.4.3", "signing out, closing and a new password end sessions",
          f"{SESSIONS}::test_signing_out_kills_the_session", f"{SESSIONS}::test_a_changed_password_kills_the_others",
          f"{SESSIONS}::test_a_deactivated_person_is_out_at_the_next_click"),
    check("7.5.1", "the password again for another address", "accounts/test_reauth.py::test_it_is_asked_for"),
    check("7.5.2", "own sessions are listed and ended", f"{SESSIONS}::test_it_works",
          f"{SESSIONS}::test_all_others_end_at_once"),
    check("8.2.1, 8.2.2, 8.2.3", "functions, rows and fields", f"{MATRIX}::test_matrix", f"{MATRIX}::test_keys",
          f"{TENANTS}::test_ids_swapped_in_the_path", f"{FIELDS}::test_extra_fields_make_no_difference"),
    check("8.3.1, 8.3.2", "decided by the server, and at once",
          "access/test_queries.py::test_views_calls_and_tasks_fetch_by_the_rule",
          f"{REMOVED}::test_every_page_and_form_is_gone", f"{REMOVED}::test_it_holds_at_once"),
    check("8.4.1", "tenants cannot reach each other", f"{TENANTS}::test_a_request_replayed_by_the_other_leads_nowhere",
          f"{TENANTS}::test_ids_swapped_in_query_form_and_json"),
    check("11.4.2", "Argon2 at its present cost", f"{PUBLIC}::test_passwords_are_hashed_by_argon2_at_its_current_cost",
          f"{SECURITY}::test_passwords_are_kept_as_argon2"),
    check("13.4.1, 13.4.2, 13.4.3, 13.4.4, 13.4.5", "no .git, no debug, no listing, no TRACE, no open manual",
          f"{PUBLIC}::test_no_debug_no_trace_no_listing_no_git", f"{ANSWERS}::test_trace_is_no_method",
          f"{MATRIX}::test_keys"),
    check("14.2.1", "no secret in addresses or logs", f"{ANSWERS}::test_no_secret_is_logged",
          "accounts/test_invites_rules.py::test_12_the_token_is_in_no_log_no_referrer_and_no_address_to_come",
          "api/test_keys.py::test_a_key_in_the_address_is_ignored"),
    check("14.3.2", "no-store on private pages", f"{ANSWERS}::test_what_is_private_stays_in_no_browser"),
    check("15.3.3", "mass assignment", f"{FIELDS}::test_extra_fields_make_no_difference",
          f"{FIELDS}::test_nobody_makes_themselves_or_others_an_owner"),
    check("16.3.1, 16.3.2, 16.3.3", "signing in, refusals and changes of roles are noted",
          "accounts/test_events.py::test_it_works", "accounts/test_log.py::test_a_refusal_is_in_the_log",
          "accounts/test_teams.py::test_a_change_of_role_is_noted_and_counts_at_once",
          f"{TYPED}::test_the_log_cannot_be_changed"),
    check("16.4.1", "nobody forges a line of the log", f"{ANSWERS}::test_cr_and_lf_forge_no_line",
          f"{SECURITY}::test_nobody_can_forge_a_line_of_the_log"),
    check("16.5.1", "an error shows no trace", f"{ANSWERS}::test_an_error_shows_no_trace",
          "api/test_machines.py::test_a_fault_of_ours"),
    check("16.5.3", "an error in paying undoes everything", reason="nothing is paid for yet: it comes with the wallet"),
]  # fmt: skip

# Beside the list
MORE = [
    check("", "the check for production", f"{PUBLIC}::test_the_check_for_production_finds_nothing"),
    check("", "API keys: scopes, expiry, last use", "api/test_keys.py::test_a_key_does_no_more_than_its_scopes",
          "api/test_keys.py::test_an_expired_key", "api/test_keys.py::test_the_last_use_is_noted_once_a_minute"),
]  # fmt: skip


@cache
def functions(place: str) -> set[str]:
    path = ROOT / "tests" / place
    tree = ast.parse(path.read_text(encoding="utf-8")) if path.exists() else ast.Module([], [])
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_there_are_44_checks_of_70_requirements():
    ids = [number for each in CHECKS for number in re.findall(r"\d+\.\d+\.\d+", each.ids)]
    assert len(CHECKS) == 44
    assert len(ids) == len(set(ids)) == 70


@pytest.mark.parametrize("each", [*CHECKS, *MORE], ids=lambda each: each.ids.replace(" ", "") or each.what)
def test_each_names_tests_that_exist_or_a_reason(each: Check):
    assert bool(each.tests) != bool(each.reason), "tests, or a reason why there are none"
    missing = [test for test in each.tests if test.partition("::")[2] not in functions(test.partition("::")[0])]
    assert not missing
