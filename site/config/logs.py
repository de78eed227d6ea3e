"""How a line of the console's log is written: nobody's input can make it look like two."""

import logging

# Everything that begins a new line somewhere, or that a terminal obeys.
_CONTROLS = [*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029]
ESCAPES = {code: f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" for code in _CONTROLS}
ESCAPES |= {ord("\n"): "\\n", ord("\r"): "\\r", ord("\t"): "\\t"}
IN_TRACES = {code: text for code, text in ESCAPES.items() if chr(code) not in "\n\t"}


class LineFormatter(logging.Formatter):
    """One record, one line. The lines of a traceback follow it, set in, so that none passes for a record."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # logging's name
        return super().formatMessage(record).translate(ESCAPES)

    def formatException(self, ei: object) -> str:
        return _set_in(super().formatException(ei))  # type: ignore[arg-type]  # as the library calls it

    def formatStack(self, stack_info: str) -> str:
        return _set_in(super().formatStack(stack_info))


def _set_in(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.translate(IN_TRACES).split("\n"))
