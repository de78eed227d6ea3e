"""The pages of machines. A view fetches what this person may see, checks a form, calls one service and answers."""

from machines.views.data import column, columns, rows, source, upload
from machines.views.machines import delete, detail, download, machine_list
from machines.views.prediction import predict
from machines.views.public import public_form
from machines.views.sharing import link_revoke, sharing, sharing_team
from machines.views.training import training, training_cancel, training_finish

__all__ = [
    "column",
    "columns",
    "delete",
    "detail",
    "download",
    "link_revoke",
    "machine_list",
    "predict",
    "public_form",
    "rows",
    "sharing",
    "sharing_team",
    "source",
    "training",
    "training_cancel",
    "training_finish",
    "upload",
]
