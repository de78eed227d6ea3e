"""Every model, for the administrators of the site."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db import models

from . import (
    ApiKey,
    AuditEntry,
    Billing,
    Column,
    ConsultingRequest,
    Credit,
    CreditIXIOO,
    DataLinesOperation,
    Debit,
    DebitIXIOO,
    EasyAutoMLLogger,
    EncDecConfiguration,
    Graph,
    GraphLink,
    IdempotentCall,
    Invite,
    InviteRequest,
    Machine,
    MachineTableLockWrite,
    Membership,
    ModelVersion,
    NNModel,
    Operation,
    PublicLink,
    Server,
    Team,
    Usage,
    User,
    Work,
)
from .audit import AuditAction, record

if TYPE_CHECKING:
    DjangoModelAdmin = admin.ModelAdmin[Any]
else:
    DjangoModelAdmin = admin.ModelAdmin


class ModelAdmin(DjangoModelAdmin):
    """Staff see here what they may see elsewhere: a permission says what they may do with it, not whose it is."""

    def get_queryset(self, request: Any) -> models.QuerySet[Any]:
        visible_to = getattr(self.model._default_manager, "visible_to", None)
        rows: models.QuerySet[Any] = visible_to(request.user) if visible_to else super().get_queryset(request)
        return rows.order_by(*self.get_ordering(request)) if self.get_ordering(request) else rows


class LookOnlyAdmin(ModelAdmin):
    """Looked at, not changed: history is history, and the rest changes on its own pages.

    There roles count, what is done is noted in the log, and what hangs on it (files, links, trainings) goes along.
    """

    def has_add_permission(self, request: Any) -> bool:
        return False

    def has_change_permission(self, request: Any, obj: models.Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: Any, obj: models.Model | None = None) -> bool:
        return False


@admin.register(User)
class UserAdmin(ModelAdmin):
    list_display = ("email", "first_name", "last_name", "is_active", "is_staff", "is_super_admin", "date_joined")
    list_filter = ("is_active", "is_staff", "is_super_admin")
    search_fields = ("email", "first_name", "last_name")
    ordering = ("email",)
    filter_horizontal = ("groups", "user_permissions")
    exclude = ("password",)
    # Money moves through operations only.
    readonly_fields = ("user_balance", "user_ixioo_balance", "coupon_balance", "last_login", "date_joined")
    powers = ("is_staff", "is_superuser", "is_super_admin", "groups", "user_permissions")

    def get_readonly_fields(self, request: Any, obj: User | None = None) -> tuple[str, ...]:
        """Who may change people, but not everything, cannot make themselves more powerful."""
        return self.readonly_fields if request.user.is_superuser else (*self.readonly_fields, *self.powers)

    def has_change_permission(self, request: Any, obj: User | None = None) -> bool:
        """Nor take over the account of somebody who is: a new address there gets a new password."""
        is_above = obj is not None and (obj.is_superuser or obj.is_super_admin) and not request.user.is_superuser
        return super().has_change_permission(request, obj) and not is_above

    def has_add_permission(self, request: Any) -> bool:
        return False  # people sign up and choose a password themselves

    def has_delete_permission(self, request: Any, obj: models.Model | None = None) -> bool:
        return False  # `manage.py account_delete` takes files, trainings and shared machines into account

    def save_model(self, request: Any, obj: User, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        noted = sorted({*self.powers, "is_active"} & set(form.changed_data))
        if noted:
            record(AuditAction.POWERS_CHANGED, actor=request.user, target=obj, powers=noted)


@admin.register(Team)
class TeamAdmin(LookOnlyAdmin):
    list_display = ("name", "admin_user", "created_at")
    search_fields = ("name", "admin_user__email")
    exclude = ("url", "permission")
    list_select_related = ("admin_user",)


@admin.register(Machine)
class MachineAdmin(LookOnlyAdmin):
    list_display = ("machine_name", "machine_owner_user", "machine_owner_team", "machine_status", "machine_level")
    list_filter = ("machine_status", "machine_level")
    search_fields = ("machine_name", "machine_owner_user__email")
    fields = (
        "machine_name",
        "machine_description",
        "machine_owner_user",
        "machine_owner_team",
        "machine_level",
        "machine_status",
        "machine_status_message",
        "model_version",
        "rows_count",
        "source_name",
    )

    def get_queryset(self, request: Any) -> models.QuerySet[Machine]:
        return (
            Machine.objects.visible_to(request.user).light().select_related("machine_owner_user", "machine_owner_team")
        )


@admin.register(Work)
class WorkAdmin(LookOnlyAdmin):
    list_display = ("id", "machine_name", "kind", "state", "progress", "user", "server", "created_at")
    list_filter = ("is_work_training", "is_work_solving", "server")
    search_fields = ("machine_name", "user__email")
    list_select_related = ("user", "server")


@admin.register(Membership)
class MembershipAdmin(LookOnlyAdmin):
    list_display = ("team", "user", "role", "joined_at")
    list_filter = ("role",)
    search_fields = ("team__name", "user__email")
    list_select_related = ("team", "user")


@admin.register(AuditEntry)
class AuditEntryAdmin(LookOnlyAdmin):
    list_display = ("at", "actor_name", "action", "object_name", "team_name", "ip")
    list_filter = ("action",)
    search_fields = ("actor_name", "object_name", "team_name")


class SecretAdmin(LookOnlyAdmin):
    """What opens something is made and revoked on its own page; the administration shows that it exists."""

    exclude = ("token_seed", "token_hash", "mail_hash", "key_hash")


@admin.register(Invite)
class InviteAdmin(SecretAdmin):
    list_display = ("team", "email", "role", "invited_by", "uses", "max_uses", "expires_at", "revoked_at")
    list_select_related = ("team", "invited_by")


@admin.register(InviteRequest)
class InviteRequestAdmin(LookOnlyAdmin):
    list_display = ("email", "invite", "created_at", "answered_at")
    list_select_related = ("invite__team",)


@admin.register(PublicLink)
class PublicLinkAdmin(SecretAdmin):
    list_display = ("machine", "name", "created_by", "uses", "max_uses", "expires_at", "revoked_at")
    list_select_related = ("machine", "created_by")


@admin.register(GraphLink)
class GraphLinkAdmin(SecretAdmin):
    list_display = ("machine", "title", "created_by", "uses", "expires_at", "revoked_at")
    list_select_related = ("machine", "graph", "created_by")


@admin.register(ApiKey)
class ApiKeyAdmin(SecretAdmin):
    list_display = ("name", "start", "user", "team", "scopes", "expires_at", "revoked_at", "last_used_at")
    list_select_related = ("user", "team")


@admin.register(Operation)
class OperationAdmin(LookOnlyAdmin):
    list_display = ("id", "kind", "machine_name", "machine_owner", "operation_user", "date_time")
    search_fields = ("id", "machine_name", "operation_user__email")
    list_select_related = ("machine_owner", "operation_user")


@admin.register(Credit, Debit, CreditIXIOO, DebitIXIOO)
class MovementAdmin(LookOnlyAdmin):
    list_display = ("id", "user", "amount", "date_time")
    search_fields = ("user__email",)
    list_select_related = ("user",)


@admin.register(Billing)
class BillingAdmin(LookOnlyAdmin):
    list_display = ("id", "machine_name", "machine_owner_user", "Operation_User", "date_time")
    list_select_related = ("machine_owner_user", "Operation_User")


@admin.register(EasyAutoMLLogger)
class LoggerAdmin(LookOnlyAdmin):
    list_display = ("timestamp", "level", "logger", "message", "host_name")
    search_fields = ("message", "logger")


@admin.register(DataLinesOperation)
class DataLinesOperationAdmin(LookOnlyAdmin):
    list_display = ("id", "machine_id", "rows", "is_added_for_learning", "is_added_for_solving", "user", "date_time")
    list_select_related = ("user",)


@admin.register(ConsultingRequest)
class ConsultingRequestAdmin(LookOnlyAdmin):
    list_display = ("id", "category", "state", "user", "consultant_user", "amount_usd", "created_at")
    list_filter = ("category",)
    list_select_related = ("user", "consultant_user")

    def get_queryset(self, request: Any) -> models.QuerySet[Any]:
        return super().get_queryset(request).defer("file")


@admin.register(Server)
class ServerAdmin(ModelAdmin):
    list_display = ("server_name", "server_info_ready", "server_date_time")


@admin.register(Graph)
class GraphAdmin(LookOnlyAdmin):
    list_display = ("id", "machine", "title", "x", "y")
    list_select_related = ("machine",)


@admin.register(Column)
class ColumnAdmin(LookOnlyAdmin):
    list_display = ("name", "machine", "type", "role")
    list_filter = ("type", "role")
    search_fields = ("name", "machine__machine_name")
    list_select_related = ("machine",)


@admin.register(NNModel, EncDecConfiguration)
class PartAdmin(LookOnlyAdmin):
    list_display = ("id",)

    def get_queryset(self, request: Any) -> models.QuerySet[Any]:
        return super().get_queryset(request).only("pk")


@admin.register(ModelVersion)
class ModelVersionAdmin(LookOnlyAdmin):
    list_display = ("machine", "number", "framework", "format", "state", "served", "uploaded_by", "created_at")
    list_filter = ("state", "framework", "format", "served")
    list_select_related = ("machine", "uploaded_by")
    exclude = ("file", "onnx")

    def get_queryset(self, request: Any) -> models.QuerySet[Any]:
        return super().get_queryset(request).defer("file", "onnx")


@admin.register(Usage)
class UsageAdmin(LookOnlyAdmin):
    list_display = ("machine", "api_key", "day", "calls", "rows")
    list_select_related = ("machine", "api_key")


@admin.register(IdempotentCall)
class IdempotentCallAdmin(LookOnlyAdmin):
    list_display = ("api_key", "status", "created_at")
    exclude = ("body", "key")  # what was asked and answered is its caller's alone
    list_select_related = ("api_key",)


@admin.register(MachineTableLockWrite)
class LockAdmin(ModelAdmin):
    """A lock left behind by a process that died may be deleted here."""

    list_display = ("table_name", "locked_at")
    readonly_fields = ("table_name", "locked_at", "holder")

    def has_add_permission(self, request: Any) -> bool:
        return False
