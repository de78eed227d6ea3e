"""Uploads under way: they lie in the storage, where the sweeper finds what a killed process leaves."""

import tempfile
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import TemporaryUploadedFile, UploadedFile
from django.core.files.uploadhandler import FileUploadHandler, TemporaryFileUploadHandler


class IncomingFile(TemporaryUploadedFile):
    """An uploaded file under a name of ours, gone when it is closed."""

    def __init__(self, *about: Any) -> None:
        folder = settings.STORAGE_ROOT / "incoming"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = tempfile.NamedTemporaryFile(dir=folder, prefix="", suffix=".upload")  # noqa: SIM115  (closed by the request)
        UploadedFile.__init__(self, file, *about)


class StorageUploadHandler(TemporaryFileUploadHandler):
    """Writes uploads to where they stay, never to memory nor to a small /tmp. A disk that fails leaves nothing there."""

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        FileUploadHandler.new_file(self, *args, **kwargs)
        self.file = IncomingFile(self.file_name, self.content_type, 0, self.charset, self.content_type_extra)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        try:
            self.file.write(raw_data)
        except OSError:
            self.file.close()
            raise

    def file_complete(self, file_size: int) -> UploadedFile[Any] | None:
        try:
            return super().file_complete(file_size)
        except OSError:  # what was not written yet
            self.file.close()
            raise
