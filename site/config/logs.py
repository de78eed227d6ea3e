"""How the log is written: without secrets, and nobody's input can make one line of the console look like two."""

import logging
import re
from http import HTTPStatus

# Everything that begins a new line somewhere, or that a terminal obeys.
_CONTROLS = [*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029]
ESCAPES = {code: f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" for code in _CONTROLS}
ESCAPES |= {ord("\n"): "\\n", ord("\r"): "\\r", ord("\t"): "\\t"}
IN_TRACES = {code: text for code, text in ESCAPES.items() if chr(code) not in "\n\t"}


NAMES = r"(?:password|passwd|passphrase|secret|token|api[-_ ]?key|authorization|cookie|session_?(?:id|key))\w{0,20}"
VALUE = r"""("[^"]*"|'[^']*'|[^\s,;&}})]+)"""
SECRETS = (
    # name=value, "name": "value", name: Bearer value
    (re.compile(rf"""(?i)({NAMES})(["']?\s*[:=]\s*)((?:bearer|basic|token)\s+)?{VALUE}"""), r"\1\2***"),
    (re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{8,}"), r"\1 ***"),
    (re.compile(r"://[^\s/:@]*:[^\s/@]+@"), "://***@"),
    (re.compile(r"/(invites|p|g|confirm-email|reset/key)/[^/\s]+"), r"/\1/***"),
)


def without_secrets(text: str) -> str:
    text = text.replace("\0", "")  # PostgreSQL refuses it
    for pattern, replacement in SECRETS:
        text = pattern.sub(replacement, text)
    return text


class DiskFullInOneLine(logging.Filter):
    """Leaves out the traceback where the disk is full: the status says it all, and everybody meets it at once."""

    def filter(self, record: logging.LogRecord) -> bool:
        if getattr(record, "status_code", None) == HTTPStatus.INSUFFICIENT_STORAGE:
            record.exc_info = None
        return True


class LineFormatter(logging.Formatter):
    """One record, one line. The lines of a traceback follow it, set in, so that none passes for a record.

    Secrets are hidden here too: what stands on the console is kept by whatever runs the site.
    """

    def format(self, record: logging.LogRecord) -> str:
        return without_secrets(super().format(record))

    def formatMessage(self, record: logging.LogRecord) -> str:  # logging's name
        return super().formatMessage(record).translate(ESCAPES)

    def formatException(self, ei: object) -> str:
        return _set_in(super().formatException(ei))  # type: ignore[arg-type]  # as the library calls it

    def formatStack(self, stack_info: str) -> str:
        return _set_in(super().formatStack(stack_info))


def _set_in(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.translate(IN_TRACES).split("\n"))
