"""Gives an ONNX graph's inputs and outputs the names that people know."""

from collections.abc import Mapping
from typing import Any


def rename(model: Any, names: Mapping[str, str]) -> None:
    """Rename values of the main graph, wherever they are used: also inside branches and loops. Changes `model`.

    A new name that is taken by another value already is not given.
    """
    taken = {name for node in model.graph.node for name in (*node.input, *node.output)}
    taken |= {item.name for item in (*model.graph.input, *model.graph.output, *model.graph.initializer)}
    new = {old: name for old, name in names.items() if old != name and name not in taken}
    if len(set(new.values())) == len(new):
        _rename(model.graph, new)


def _rename(graph: Any, new: Mapping[str, str]) -> None:
    for item in (*graph.input, *graph.output, *graph.value_info, *graph.initializer):
        item.name = new.get(item.name, item.name)
    for node in graph.node:
        node.input[:] = [new.get(name, name) for name in node.input]
        node.output[:] = [new.get(name, name) for name in node.output]
        for attribute in node.attribute:
            for inner in [attribute.g] if attribute.HasField("g") else attribute.graphs:
                _rename(inner, new)
