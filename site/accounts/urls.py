"""People, teams, invitations and keys. The names of allauth's pages (`account_login` ...) belong to no namespace."""

from django.urls import include, path
from django.views.generic import RedirectView

from accounts.views import account, arrival, invites, keys, log, people, security, teams

own = [
    path("profile/", people.profile, name="profile"),
    path("security/", security.security, name="security"),
    path("sessions/<int:session_pk>/end/", security.session_end, name="session-end"),
    path("sessions/end/", security.sessions_end, name="sessions-end"),
    path("activity/", security.activity, name="activity"),
    path("data/", account.data, name="data"),
    path("export/", account.export, name="export"),
    path("export/file/", account.export_file, name="export-file"),
    path("export/delete/", account.export_delete, name="export-delete"),
    path("delete/", account.delete, name="delete"),
    path("deleted/", account.deleted, name="deleted"),
    path("keys/", keys.own_keys, name="keys"),
    path("keys/<int:key_pk>/revoke/", keys.own_key, name="key-revoke"),
]

team_pages = [
    path("", teams.team_list, name="list"),
    path("new/", teams.new, name="new"),
    path("switch/", teams.switch, name="switch"),
    path("<int:pk>/", teams.detail, name="detail"),
    path("<int:pk>/settings/", teams.settings, name="settings"),
    path("<int:pk>/transfer/", teams.transfer, name="transfer"),
    path("<int:pk>/delete/", teams.delete, name="delete"),
    path("<int:pk>/leave/", teams.leave, name="leave"),
    path("<int:pk>/members/<int:user_pk>/", teams.member, name="member"),
    path("<int:pk>/members/<int:user_pk>/remove/", teams.remove, name="remove"),
    path("<int:pk>/why/", teams.why, name="why"),
    path("<int:pk>/invites/", invites.invite_list, name="invites"),
    path("<int:pk>/invites/bulk/", invites.invite_bulk, name="invites-bulk"),
    path("<int:pk>/invites/<int:invite_pk>/", invites.invite_change, name="invite"),
    path("<int:pk>/keys/", keys.team_keys, name="keys"),
    path("<int:pk>/keys/<int:key_pk>/revoke/", keys.team_key, name="key-revoke"),
    path("<int:pk>/log/", log.log, name="log"),
    path("<int:pk>/log.csv", log.log_csv, name="log-csv"),
]

invitations = [
    path("", arrival.invite_kept, name="kept"),
    path("<str:token>/", arrival.invite_open, name="open"),
]

urlpatterns = [
    path("accounts/", include((own, "accounts"))),
    path("accounts/email/", people.email, name="account_email"),  # in place of allauth's
    path("accounts/signup/", arrival.sign_up, name="account_signup"),  # these two show the invitation one comes with
    path("accounts/login/", arrival.sign_in, name="account_login"),
    path("accounts/", include("allauth.account.urls")),
    path("accounts/2fa/", RedirectView.as_view(pattern_name="accounts:security"), name="mfa_index"),  # it is all there
    path("accounts/2fa/", include("allauth.mfa.urls")),
    path("teams/", include((team_pages, "teams"))),
    path("invites/", include((invitations, "invites"))),
]
