"""Parameters as files and command lines give them: which a node does not know, and which it is nearest to."""

import difflib
from collections.abc import Iterable

from rclpy.node import Node

QOS_PREFIX = "qos_overrides."
"""Declared by publishers and subscriptions, when the node is configured."""


def overrides(node: Node) -> dict[str, object]:
    """Every value that was given to this node, declared or not; None stands for an empty list or nothing."""
    # rclpy can apply overrides, but it cannot list those that nothing declares.
    return {name: parameter.value for name, parameter in node._parameter_overrides.items()}


def unknown_parameters(node: Node, names: Iterable[str]) -> list[str]:
    """A sentence for each of these names that the node has not declared."""
    known = list(node.get_parameters_by_prefix(""))
    return [_sentence(name, known) for name in names if not node.has_parameter(name)]


def _sentence(name: str, known: list[str]) -> str:
    nearest = difflib.get_close_matches(name, known, n=1, cutoff=0.5) or [
        other for other in known if other.rpartition(".")[2] == name.rpartition(".")[2]
    ]
    hint = f"; did you mean '{nearest[0]}'?" if nearest else "; `ros2 param list` names all that there are"
    return f"parameter '{name}' is unknown and was ignored{hint}"
