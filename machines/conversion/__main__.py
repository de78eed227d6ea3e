"""Checks one uploaded file in a locked process of its own. Speaks as machines.engine.job says.

The request: {"path", "file_name", "framework": "tensorflow" | "pytorch" | "onnx", "layers": specification or null,
"onnx_path": where to write the converted model}.
The answer: {"format", "served": "converted" | "native", "signature": Signature.to_json(), "report": {...}}; or an error
with a sentence that says what is wrong with the file and what to do.
The report: {"seconds", "opset", "operators": {name: count}, "parameters": count, "onnx_sha256", "onnx_bytes",
"parity": {"batches": [3, 7], "worst": largest difference} or null, "why_native": sentence or "", "varies": bool,
"scanner": [sentences], "notices": [Notice.to_json()], "is_locked": bool}.
"""
