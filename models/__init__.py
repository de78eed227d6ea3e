"""The shared models. `from models import Machine` works at any time: a name is imported when it is first used."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .api_key import ApiKey
    from .audit import AuditEntry
    from .billing import Credit, CreditIXIOO, Debit, DebitIXIOO, Operation
    from .column import Column
    from .consulting import ConsultingRequest
    from .data_lines_operation import DataLinesOperation
    from .encdec_configuration import EncDecConfiguration
    from .graph import Graph
    from .graph_link import GraphLink
    from .idempotency import IdempotentCall
    from .invite import Invite, InviteRequest
    from .logger import EasyAutoMLLogger
    from .machine import Machine
    from .machine_billing import Billing
    from .machine_table_lock_write import MachineTableLockWrite
    from .membership import Membership
    from .model_version import ModelVersion
    from .nn_model import NNModel
    from .public_link import PublicLink
    from .server import Server
    from .team import Team
    from .usage import Usage
    from .user import User
    from .work import Work

_FILES = {
    "api_key": ("ApiKey",),
    "audit": ("AuditEntry",),
    "billing": ("Credit", "CreditIXIOO", "Debit", "DebitIXIOO", "Operation"),
    "column": ("Column",),
    "consulting": ("ConsultingRequest",),
    "data_lines_operation": ("DataLinesOperation",),
    "encdec_configuration": ("EncDecConfiguration",),
    "graph": ("Graph",),
    "graph_link": ("GraphLink",),
    "idempotency": ("IdempotentCall",),
    "invite": ("Invite", "InviteRequest"),
    "logger": ("EasyAutoMLLogger",),
    "machine": ("Machine",),
    "machine_billing": ("Billing",),
    "machine_table_lock_write": ("MachineTableLockWrite",),
    "membership": ("Membership",),
    "model_version": ("ModelVersion",),
    "nn_model": ("NNModel",),
    "public_link": ("PublicLink",),
    "server": ("Server",),
    "team": ("Team",),
    "usage": ("Usage",),
    "user": ("User",),
    "work": ("Work",),
}
_FILE_OF = {name: file for file, names in _FILES.items() for name in names}

__all__ = [
    "ApiKey",
    "AuditEntry",
    "Billing",
    "Column",
    "ConsultingRequest",
    "Credit",
    "CreditIXIOO",
    "DataLinesOperation",
    "Debit",
    "DebitIXIOO",
    "EasyAutoMLLogger",
    "EncDecConfiguration",
    "Graph",
    "GraphLink",
    "IdempotentCall",
    "Invite",
    "InviteRequest",
    "Machine",
    "MachineTableLockWrite",
    "Membership",
    "ModelVersion",
    "NNModel",
    "Operation",
    "PublicLink",
    "Server",
    "Team",
    "Usage",
    "User",
    "Work",
]

# Type checkers must see every name above, hence the import under TYPE_CHECKING and this function only at run time.
if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        if name not in _FILE_OF:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(f".{_FILE_OF[name]}", __name__), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return __all__
