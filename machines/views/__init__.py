"""The pages of machines. A view fetches what this person may see, checks a form, calls one service and answers."""

from machines.views.data import column, columns, reading_cancel, rows, source, upload
from machines.views.machines import delete, detail, download, machine_list
from machines.views.prediction import predict
from machines.views.public import public_form
from machines.views.sharing import sharing, sharing_revoke, sharing_team
from machines.views.solving import answers, answers_cancel, answers_delete, answers_errors, answers_file, solve
from machines.views.training import training, training_cancel, training_finish

__all__ = [
    "answers",
    "answers_cancel",
    "answers_delete",
    "answers_errors",
    "answers_file",
    "column",
    "columns",
    "delete",
    "detail",
    "download",
    "machine_list",
    "predict",
    "public_form",
    "reading_cancel",
    "rows",
    "sharing",
    "sharing_revoke",
    "sharing_team",
    "solve",
    "source",
    "training",
    "training_cancel",
    "training_finish",
    "upload",
]
