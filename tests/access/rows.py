"""The rows: one per address. Roles x LEAST_ROLE (models.access) make the expected answers of them."""

from itertools import product
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile

from models import Column
from models.access import Action
from tests.access.table import METHODS, PUBLIC, SIGNED_IN, STAFF, Answer, Row, rows
from tests.access.world import MEMBERS, ROLES, Tenant
from tests.factories import linear_onnx
from tests.machines.houses import csv_bytes, file_of

SEE, PREDICT, CREATE, EDIT, DOWNLOAD, PUBLISH, DELETE, INVITE, MANAGE, KEYS, AUDIT, TRANSFER = Action

# The staff look after the work of every team.
ANY_TEAM = {f"POST {who} foreign": {Answer.LET_IN} for who in ("staff", "super admin")}

OWN = rows(
    Row("healthz", PUBLIC),
    Row("dashboards:home", PUBLIC),
    Row("dashboards:log", STAFF),
    Row("dashboards:demo-table", PUBLIC),
    Row("dashboards:profile", SEE, SEE, is_idle=True),
    Row("dashboards:profile-cancel", post=SEE, is_idle=True),
    Row("dashboards:profile-associations", SEE),
    Row("dashboards:profile-column", SEE),
    Row("dashboards:report", SEE),
    Row("dashboards:report-table", SEE),
    Row("dashboards:report-html", SEE),
    Row("dashboards:training-table", SEE),
    Row("dashboards:report-pdf", SEE),
    Row("dashboards:work", SIGNED_IN),
    Row("dashboards:notices", SIGNED_IN, SIGNED_IN, data=lambda tenant: {"work": tenant.work.pk}, is_idle=True),
    Row("dashboards:work-cancel", post=EDIT),
    Row("dashboards:work-finish", post=EDIT),
    Row("dashboards:servers", STAFF),
    Row("dashboards:server-drain", post=STAFF, but=ANY_TEAM),
    Row("dashboards:server-resume", post=STAFF, but=ANY_TEAM),
    Row("dashboards:server-work-cancel", post=STAFF, but=ANY_TEAM),
    Row("dashboards:server-work-retry", post=STAFF, but=ANY_TEAM),
)


def a_table(tenant: Tenant) -> dict[str, Any]:
    return {"file": file_of(csv_bytes()), "name": "Another", "team": tenant.team.pk}


def columns_of(*columns: Column) -> dict[str, Any]:
    """Return what the form of these columns sends, with another description."""
    fields = ("type", "role")
    data = {f"{column.pk}-{field}": getattr(column, field) for column in columns for field in fields}
    return data | {f"{column.pk}-description": "changed" for column in columns}


def some_rows(tenant: Tenant) -> dict[str, Any]:
    return {"file": file_of(csv_bytes()), "format": "csv"}


# The rows somebody had answered are theirs: the machine's maker asked here.
OTHERS = [role for role in MEMBERS if role not in {"viewer", "maker"}]
WHO_LOOKS, WHO_POSTS = ({f"{method} {role}": {Answer.MISSING} for role in OTHERS} for method in ("GET", "POST"))

A_LINK = {"name": "For everybody", "length": "whole", "days": "30"}

# Reading needs a file in the storage: what these two change is shown by their own tests.
MACHINES = rows(
    Row("machines:list", SIGNED_IN),
    Row("machines:new", SIGNED_IN, SIGNED_IN, data=a_table, is_heavy=True),
    Row("machines:detail", SEE),
    Row("machines:source", EDIT, EDIT, is_idle=True),
    Row("machines:columns", EDIT, EDIT, data=lambda tenant: columns_of(*tenant.machine.columns.all())),
    Row("machines:column", post=EDIT, data=lambda tenant: columns_of(tenant.column)),
    Row("machines:rows", EDIT, EDIT, is_idle=True),
    Row("machines:reading-cancel", post=EDIT, is_idle=True),
    Row("machines:training", SEE, EDIT, data=lambda tenant: {"level": 1}),
    Row("machines:training-finish", post=EDIT),
    Row("machines:training-cancel", post=EDIT),
    Row("machines:predict", PREDICT, PREDICT, is_idle=True),
    Row("machines:solve", PREDICT, PREDICT, data=some_rows),
    Row("machines:answers", PREDICT, but=WHO_LOOKS),
    Row("machines:answers-file", PREDICT, but=WHO_LOOKS),
    Row("machines:answers-errors", PREDICT, but=WHO_LOOKS),
    Row("machines:answers-cancel", post=PREDICT, but=WHO_POSTS, is_idle=True),
    Row("machines:answers-delete", post=PREDICT, but=WHO_POSTS),
    Row("machines:download", DOWNLOAD),
    Row("machines:sharing", PUBLISH, PUBLISH, data=lambda tenant: A_LINK),
    Row("machines:sharing-team", post=DELETE, data=lambda tenant: {"team": ""}),
    Row("machines:link-revoke", post=PUBLISH),
    Row("machines:delete", DELETE, DELETE),
)


A_GRAPH = {"kind": "4", "x": "size", "hue": "", "col": "", "row": "", "graph_name": "Sizes"}

GRAPHS = rows(
    Row("graphs:everywhere", SIGNED_IN),
    Row("graphs:list", SEE),
    Row("graphs:new", EDIT, EDIT, data=lambda tenant: A_GRAPH),
    Row("graphs:order", post=EDIT, data=lambda tenant: {"ids": [tenant.graph.pk]}),
    Row("graphs:show", SEE),
    Row("graphs:table", SEE),
    Row("graphs:edit", EDIT, EDIT, data=lambda tenant: A_GRAPH),
    Row("graphs:move", post=EDIT, data=lambda tenant: {"to": "up"}),
    Row("graphs:duplicate", post=EDIT),
    Row("graphs:delete", EDIT, EDIT),
    Row("graphs:sharing", PUBLISH, PUBLISH, data=lambda tenant: {"graph": "", "days": "30", "allowed_sites": ""}),
    Row("graphs:link-revoke", post=PUBLISH),
)


def a_model(tenant: Tenant) -> dict[str, Any]:
    return {"file": SimpleUploadedFile("linear.onnx", linear_onnx()), "name": "Another", "team": tenant.team.pk}


# Of three numbers and one answer, as the model of the tenants has them.
WORDS = {f"type{number}-{field}": value for number, name in enumerate(("Age", "Height", "Weight"), 1)
         for field, value in (("name", name), ("type", "number"))} | {"kind1-name": "Risk", "kind1-kind": "number"}  # fmt: skip

MODELS = rows(
    Row("uploaded:list", SIGNED_IN),
    Row("uploaded:new", SIGNED_IN, SIGNED_IN, data=a_model, is_heavy=True),
    Row("uploaded:detail", SEE),
    Row("uploaded:inputs", EDIT, EDIT, data=lambda tenant: WORDS),
    Row("uploaded:replace", EDIT, EDIT, data=a_model, is_heavy=True),
    Row("uploaded:checking-cancel", post=EDIT, is_idle=True),
    Row("uploaded:version-use", post=EDIT),
    Row("uploaded:version-delete", EDIT, EDIT),
    Row("uploaded:version-file", DOWNLOAD),
)

# Whoever is signed in is led on before the method is looked at.
LED_ON = {method: {Answer.LET_IN, Answer.NO_METHOD} for method in ("PATCH", "DELETE")}

# allauth's forms take PUT for POST (Django's ProcessFormView); no browser sends it, and the same rules hold.
ALLAUTH = rows(
    Row("account_login", PUBLIC, PUBLIC, PUBLIC, but=LED_ON),
    Row("account_signup", PUBLIC, PUBLIC, PUBLIC, but=LED_ON),
    Row("account_logout", PUBLIC, PUBLIC),
    Row("account_inactive", PUBLIC),
    Row("account_email", SIGNED_IN, SIGNED_IN),
    Row("account_email_verification_sent", PUBLIC),
    Row("account_change_password", SIGNED_IN, SIGNED_IN, SIGNED_IN),
    Row("account_set_password", SIGNED_IN, SIGNED_IN, SIGNED_IN, but=LED_ON | {"anonymous": {Answer.SIGN_IN}}),
    Row("account_reset_password", PUBLIC, PUBLIC, PUBLIC),
    Row("account_reset_password_done", PUBLIC),
    Row("account_reset_password_from_key", PUBLIC, PUBLIC, PUBLIC, but=LED_ON),
    Row("account_reset_password_from_key_done", PUBLIC),
    Row("account_confirm_login_code", PUBLIC, PUBLIC, PUBLIC, but=LED_ON | {"anonymous": {Answer.SIGN_IN}}),
    Row("account_confirm_email", PUBLIC, PUBLIC, but={"POST": {Answer.MISSING}}),
    Row("account_reauthenticate", SIGNED_IN, SIGNED_IN, SIGNED_IN),
)

# Nobody of the cast has a second factor: there is nothing to turn off, and no codes.
NOT_TURNED_ON = {method: {Answer.MISSING} for method in METHODS} | {"anonymous": {Answer.SIGN_IN}}

SECOND_FACTOR = rows(
    Row("mfa_index", PUBLIC, PUBLIC, PUBLIC, PUBLIC, PUBLIC),  # leads to accounts:security
    Row("mfa_authenticate", PUBLIC, PUBLIC, PUBLIC, but=LED_ON | {"anonymous": {Answer.SIGN_IN}}),
    Row("mfa_reauthenticate", SIGNED_IN, SIGNED_IN, SIGNED_IN, but=LED_ON | {"anonymous": {Answer.SIGN_IN}}),
    Row("mfa_activate_totp", SIGNED_IN, SIGNED_IN, SIGNED_IN),
    Row("mfa_deactivate_totp", SIGNED_IN, SIGNED_IN, SIGNED_IN, but=NOT_TURNED_ON),
    Row("mfa_generate_recovery_codes", SIGNED_IN, SIGNED_IN, SIGNED_IN),
    Row("mfa_view_recovery_codes", SIGNED_IN, but={"GET": {Answer.MISSING}, "anonymous": {Answer.SIGN_IN}}),
    Row("mfa_download_recovery_codes", SIGNED_IN, but=NOT_TURNED_ON),
)

PROFILE = {
    "first_name": "New", "last_name": "Name", "user_profile": "new", "time_format": "24H", "date_format": "YMD",
    "date_separator": "-", "datetime_separator": " ", "decimal_separator": ".",
}  # fmt: skip

# Who never asked for their data has no file: the maker did.
NEVER_ASKED = {f"GET {role}": {Answer.MISSING} for role in ROLES if role not in {"maker", "anonymous"}}

ACCOUNTS = rows(
    Row("accounts:profile", SIGNED_IN, SIGNED_IN, data=lambda tenant: PROFILE),
    Row("accounts:security", SIGNED_IN),
    Row("accounts:session-end", post=SIGNED_IN, is_idle=True),
    Row("accounts:sessions-end", post=SIGNED_IN, is_idle=True),
    Row("accounts:activity", SIGNED_IN),
    Row("accounts:data", SIGNED_IN),
    Row("accounts:export", post=SIGNED_IN),
    Row("accounts:export-file", SIGNED_IN, but=NEVER_ASKED),
    Row("accounts:export-delete", post=SIGNED_IN, is_idle=True),
    Row("accounts:delete", SIGNED_IN, SIGNED_IN, data=lambda tenant: {"email": tenant.people["maker"].email}),
    Row("accounts:deleted", PUBLIC),
    Row("accounts:keys", SIGNED_IN, SIGNED_IN, data=lambda tenant: {"name": "A key", "scopes": ["read"], "days": "30"}),
    Row("accounts:key-revoke", post=SIGNED_IN),
)

NOT_A_MEMBER = {f"{method} super admin": {Answer.MISSING} for method in ("GET", "POST")}
TERMS = {"role": "viewer", "days": 7, "landing": "home", "language": "en"}
NEW_KEY = {"name": "A key", "scopes": ["read"], "days": "30"}

TEAMS = rows(
    Row("teams:list", SIGNED_IN),
    Row("teams:new", SIGNED_IN, SIGNED_IN, data=lambda tenant: {"name": "Another"}),
    Row("teams:switch", post=SIGNED_IN, data=lambda tenant: {"workspace": tenant.team.pk}, is_idle=True),
    Row("teams:detail", SEE),
    Row("teams:settings", SEE, MANAGE, data=lambda tenant: {"name": "Renamed"}),
    Row("teams:transfer", TRANSFER, TRANSFER, data=lambda tenant: {"to": tenant.people["admin"].pk, "sure": "on"}),
    Row("teams:delete", TRANSFER, TRANSFER, data=lambda tenant: {"name": tenant.team.name}),
    Row("teams:leave", SEE, SEE, who="viewer", but=NOT_A_MEMBER | {"POST owner own": {Answer.REFUSED}}),
    Row("teams:member", SEE, MANAGE, data=lambda tenant: {"role": "editor"}),
    Row("teams:remove", MANAGE, MANAGE),
    Row("teams:why", SEE, query=lambda tenant: {"person": tenant.people["viewer"].pk, "action": "edit"}),
    Row(
        "teams:invites",
        INVITE,
        INVITE,
        data=lambda tenant: TERMS | {"way": "link", "uses": 1, "machine": tenant.machine.pk},
    ),
    Row("teams:invites-bulk", INVITE, INVITE, data=lambda tenant: TERMS | {"addresses": "new@example.org"}),
    Row("teams:invite", post=INVITE, data=lambda tenant: {"action": "grant", "request": tenant.request.pk}),
    Row("teams:keys", KEYS, KEYS, data=lambda tenant: NEW_KEY),
    Row("teams:key-revoke", post=KEYS),
    Row("teams:log", AUDIT),
    Row("teams:log-csv", AUDIT),
)

# Whoever brings a token that opens nothing gets the same page, whatever the reason.
# Only members are told that they are in the team already.
ENDED = ("revoked", "expired", "used up", "unknown")
CLOSED = {f"{method} {state}": {Answer.MISSING} for method in ("GET", "POST") for state in ENDED}

MEMBERS_KNOW = {
    f"{method} {role} {state}": {Answer.LET_IN} for method, role, state in product(("GET", "POST"), MEMBERS, ENDED[:3])
}

TOKENS = rows(
    Row("invites:kept", PUBLIC, PUBLIC, but={"GET": {Answer.MISSING}, "POST": {Answer.MISSING}}),  # nothing is kept
    Row("invites:open", PUBLIC, PUBLIC, but=CLOSED | MEMBERS_KNOW | {"POST anonymous open": {Answer.SIGN_IN}}),
    Row("public:form", PUBLIC, PUBLIC, but=CLOSED),
    Row("shown:page", PUBLIC, but={"GET writes": set()}),  # how often it was opened
    Row("shown:graph", PUBLIC),
    Row("shown:table", PUBLIC),
)

ROWS = OWN | MACHINES | GRAPHS | MODELS | ALLAUTH | SECOND_FACTOR | ACCOUNTS | TEAMS | TOKENS


def a_file(tenant: Tenant) -> dict[str, Any]:
    file = SimpleUploadedFile("linear.onnx", linear_onnx())
    return {"name": "Another", "framework": "onnx", "file": file, "layers": "", "input_columns": ""}


API = rows(
    Row("api:machines", SEE),
    Row("api:machine", SEE),
    Row("api:machine-predict", post=PREDICT, data=lambda tenant: {"rows": [{"size": 41.5}]}, is_idle=True),
    Row("api:machine-download", DOWNLOAD),
    Row("api:machine-train", post=EDIT, data=lambda tenant: {"level": 1}),
    Row("api:docs", PUBLIC),
    Row("api:schema", PUBLIC),
    Row("api:models", SEE),
    Row("api:model-upload", post=CREATE, data=a_file),
    Row("api:model", SEE, delete=DELETE),
    Row("api:model-predict", post=PREDICT, data=lambda tenant: {"input_data": [1, 2, 3]}, is_idle=True),
    Row("api:model-versions", SEE, post=EDIT, data=a_file),
    Row("api:model-version-use", post=EDIT),
    Row("api:work", SEE),
    Row("api:work-cancel", post=EDIT),
    Row("api:work-finish", post=EDIT),
)
