"""Uploaded files become ONNX here, inside a locked process: `python -m machines.conversion`, see __main__.py."""
