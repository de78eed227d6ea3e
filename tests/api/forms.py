"""The form with which programs upload a model."""

from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile

from tests.factories import linear_onnx


def linear_form(**other: Any) -> dict[str, Any]:
    """Return the fields of an upload; `file` may be bytes, None leaves a field out."""
    fields = {"name": "Linear", "framework": "onnx", "file": linear_onnx()} | other
    if isinstance(fields["file"], bytes):
        fields["file"] = SimpleUploadedFile("linear.onnx", fields["file"])
    return {name: value for name, value in fields.items() if value is not None}


def upload(program: Any, path: str = "models/upload/", headers: dict[str, str] | None = None, **other: Any) -> Any:
    return program.client.post(f"/api/{path}", linear_form(**other), headers=headers)
