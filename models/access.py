"""Who may do what: the one table of roles and actions. Querysets, pages and messages all read it."""

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _


class Role(models.TextChoices):
    """What somebody is in a team, from the least to the most. The owner is `Team.admin_user`; the rest are stored."""

    VIEWER = "viewer", _("Viewer")
    PREDICTOR = "predictor", _("Predictor")
    EDITOR = "editor", _("Editor")
    ADMIN = "admin", _("Admin")
    OWNER = "owner", _("Owner")

    @property
    def rank(self) -> int:
        return list(Role).index(self)

    def may(self, action: "Action") -> bool:
        return self.rank >= LEAST_ROLE[action].rank

    @classmethod
    def stored(cls) -> "list[Role]":
        """The roles that a membership or an invitation can give: there is one owner, made by a transfer."""
        return [role for role in cls if role is not cls.OWNER]

    @classmethod
    def stored_choices(cls) -> "list[tuple[str, Any]]":
        return [(role.value, role.label) for role in cls.stored()]

    @classmethod
    def which_may(cls, action: "Action") -> "list[Role]":
        """The stored roles that may do this."""
        return [role for role in cls.stored() if role.may(action)]


class Action(models.TextChoices):
    """What can be done in a team, with its machines first. A person may do everything with machines of their own."""

    SEE = "see", _("See machines and their quality")
    PREDICT = "predict", _("Ask machines")
    CREATE = "create", _("Make machines in the team")
    EDIT = "edit", _("Change columns, add rows, train")
    DOWNLOAD = "download", _("Download a machine")
    PUBLISH = "publish", _("Publish a form for strangers")
    DELETE = "delete", _("Delete machines, take them out of the team")
    INVITE = "invite", _("Invite people")
    MANAGE = "manage", _("Change roles, remove members, rename the team")
    KEYS = "keys", _("Make and revoke the team's API keys")
    AUDIT = "audit", _("Read the log")
    TRANSFER = "transfer", _("Pass the team on, delete it")


LEAST_ROLE = {
    Action.SEE: Role.VIEWER,
    Action.PREDICT: Role.PREDICTOR,
    Action.CREATE: Role.EDITOR,
    Action.EDIT: Role.EDITOR,
    Action.DOWNLOAD: Role.EDITOR,
    Action.PUBLISH: Role.ADMIN,
    Action.DELETE: Role.ADMIN,
    Action.INVITE: Role.ADMIN,
    Action.MANAGE: Role.ADMIN,
    Action.KEYS: Role.ADMIN,
    Action.AUDIT: Role.ADMIN,
    Action.TRANSFER: Role.OWNER,
}
