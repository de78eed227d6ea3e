"""The folder of a work: there lies what must survive a crash, and what it makes."""

import shutil
from pathlib import Path
from uuid import uuid4

from machines import storage
from models import Work


def folder_of(work: Work) -> Path:
    """Return the work's folder, made if need be and recorded."""
    if not work.folder:
        work.folder = f"works/{uuid4().hex}"
        Work.objects.filter(pk=work.pk).update(folder=work.folder)
    folder = storage.absolute(work.folder)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def remove_folder_of(work: Work) -> None:
    if work.folder:
        shutil.rmtree(storage.absolute(work.folder), ignore_errors=True)
