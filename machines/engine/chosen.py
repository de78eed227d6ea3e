"""Which network a machine has: what was wished for, or chosen where nothing was."""

from collections.abc import Sequence
from typing import Any

from machines.engine.export import Answer
from machines.engine.plan import Plan
from machines.engine.prepare import Target
from machines.engine.training import loss_for


def chosen(plan: Plan, targets: Sequence[Target]) -> dict[str, Any]:
    """How a network was trained, as data; the loss by output."""
    return {
        "loss": {target.column.name: loss_for(target, plan.parameters.loss) for target in targets},
        "optimizer": plan.parameters.optimizer,
        "shape": list(plan.shape.widths),
        "members": plan.shape.members,
        "pieces": plan.pieces,
        "dropout": plan.shape.dropout,
        "learning_rate": plan.rate,
        "batch_size": plan.batch,
        "epochs": plan.epochs,
    }


def heaviest(answers: Sequence[Answer]) -> dict[str, Any]:
    """The network that counts most in the blends, with its `name` and `weight` (mean over the outputs).

    Where none answers usual rows: one whose answers were learned from, whose intervals these have, or that answers
    incomplete rows. {} without any.
    """
    weighed = [(c, w) for answer in answers for c, w in answer.usual.parts]
    weighed += [(other, 0.0) for c, _ in weighed for other in c.others]
    weighed += [(answer.usual.spread, 0.0) for answer in answers if answer.usual.spread]
    weighed += [(c, 0.0) for answer in answers if answer.doubt for c, _ in answer.doubt.parts]
    networks = {id(c): c for c, _ in weighed if c.network}
    if not networks:
        return {}
    weights = {key: sum(w for c, w in weighed if id(c) == key) / len(answers) for key in networks}
    key = max(weights, key=weights.__getitem__)
    return {"name": networks[key].name, "weight": round(weights[key], 4), **networks[key].network}
