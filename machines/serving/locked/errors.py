"""What can go wrong with an uploaded model's answer, in one word that says whether asking again makes sense."""


class RunnerError(RuntimeError):
    """The model gave no usable answer. `reason`: "deadline", "memory", "crash", "busy", "input", "output", "load" or "lock"."""

    def __init__(self, reason: str, details: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.details = details  # for the log; may quote what the model said, so never shown as HTML
