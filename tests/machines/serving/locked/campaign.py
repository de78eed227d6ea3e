"""Runs attacks one after the other through a Runner and prints what came of each: `python campaign.py REQUEST`.

A process of its own, so that it can be another user, and what it kills is not the test.
"""

import json
import os
import sys

REQUEST = json.loads(sys.argv[1]) if __name__ == "__main__" else {}
sys.path += [place for place in REQUEST.get("path", []) if place not in sys.path]

import numpy as np  # noqa: E402  (the path comes first)

from machines.serving.locked import runner as module  # noqa: E402
from machines.serving.locked.lock import Limits, Protection  # noqa: E402
from machines.serving.signature import Signature, Tensor  # noqa: E402

SIGNATURE = Signature((Tensor("attack", "str"),), (Tensor("said", "str"),))
LOADER = "tests.machines.serving.locked.attacks"
SECONDS = 1.0


def main(*, names: list[str], at: dict[str, object], loader: str, is_locked: bool) -> None:
    """`loader`: "attack" in a forked child without files, "attack-fresh" in a fresh interpreter with some."""
    if not is_locked:
        module.protection = lambda: Protection(False, "left out, to see that the attacks do attack")
        module.WITHOUT_LOCK = frozenset({loader})
    runner = module.Runner(limits=Limits(memory_mb=256), loaders={loader: LOADER})
    hosted = module.Hosted(loader, lambda: json.dumps(at).encode(), SIGNATURE)
    said = {name: _attack(runner, hosted, name) for name in names}
    runner.close()
    print(json.dumps({"said": said, "user": os.getuid()}))


def _attack(runner: module.Runner, hosted: module.Hosted, name: str) -> str:
    try:
        answer = runner.call("model", hosted, {"attack": np.array([name], dtype=object)}, seconds=SECONDS)
    except module.RunnerError as error:
        return f"stopped: {error.reason}: {error.details}"
    return str(answer["said"][0])


if __name__ == "__main__":
    main(**{name: REQUEST[name] for name in ("names", "at", "loader", "is_locked")})
