"""The heart: data in, machine trained, answers out."""

import os

# ONNX Runtime 1.31 starts threads on import that keep a database and call home. Tables stay on this server.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
