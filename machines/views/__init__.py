"""The pages of machines. A view fetches what this person may see, checks a form, calls one service and answers."""

from machines.views.data import column, columns, rows, source, upload
from machines.views.machines import delete, detail, download, machine_list
from machines.views.prediction import predict
from machines.views.training import training, training_cancel, training_finish

__all__ = [
    "column",
    "columns",
    "delete",
    "detail",
    "download",
    "machine_list",
    "predict",
    "rows",
    "source",
    "training",
    "training_cancel",
    "training_finish",
    "upload",
]
