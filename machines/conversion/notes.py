"""The courtesy note of a report: what a look at the file says about code in it. Nothing depends on it; the lock is the wall."""

from machines.conversion import archive, pickles
from machines.engine.errors import gettext_noop

NO_CODE = gettext_noop("This format cannot hold code.")
TENSORS_ALONE = gettext_noop("Its pickles import nothing but tensors.")
MORE = gettext_noop("Its pickles import more than tensors. It was opened in a locked process only, and answers in one.")
SAFE_MODE = gettext_noop(
    "It was opened in the safe mode of Keras: it holds no Lambda layer and no function of its own."
)
CALCULATES = gettext_noop("None of its operators reaches for files, programs or other computers.")
OWN = ("__torch__.", "torch.jit._pickle.")  # TorchScript's own classes: names, not imports
NOTES = {
    "onnx": NO_CODE,
    "safetensors": NO_CODE,
    "keras": SAFE_MODE,
    "h5": SAFE_MODE,
    "savedmodel": CALCULATES,
    "tflite": CALCULATES,
}


def note(format_name: str, content: bytes) -> str:
    """Return one sentence about a file that was accepted."""
    if format_name in NOTES:
        return NOTES[format_name]
    with archive.opened(content) as members:
        names = [name for name in members.namelist() if name.endswith(".pkl")]
        needs = [need for name in names for need in pickles.needs(archive.read(members, name))]
    return MORE if [need for need in needs if not need.startswith(OWN)] else TENSORS_ALONE
