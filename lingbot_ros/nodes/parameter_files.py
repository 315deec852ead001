"""Parameter files that were given to a node and hold nothing for it."""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

import yaml

_FLAG, _LEAF = "--params-file", "ros__parameters"


def parameter_files(arguments: Sequence[str]) -> list[str]:
    """The paths after each `--params-file` of a command line."""
    return [path for flag, path in pairwise(arguments) if flag == _FLAG]


def useless_file(path: str, node_name: str) -> str | None:
    """A sentence for a file that ROS could read but that sets no parameter of this node; None for any other.

    node_name: fully qualified, e.g. `/robot1/imagination`.
    """
    with open(path, encoding="utf-8") as file:
        names = list(_node_names(yaml.safe_load(file), ""))
    if any(_pattern(name).fullmatch(node_name) for name in names):
        return None
    found = f"parameters of {', '.join(sorted(names))}" if names else "no parameters"
    return f"{path} sets nothing: it has {found}, and this node is {node_name}; begin it with `{node_name}:` or `/**:`"


def _node_names(tree: Any, prefix: str) -> Iterator[str]:
    """Names that have parameters; namespaces may be written as nested keys."""
    if not isinstance(tree, Mapping):
        return
    for key, below in tree.items():
        if key == _LEAF:
            if below:
                yield prefix or "/"
        else:
            yield from _node_names(below, f"{prefix}/{str(key).strip('/')}")


def _pattern(name: str) -> re.Pattern[str]:
    """As ROS matches: `*` is one part of a name, `**` any number of them."""
    forms = {"*": "/[^/]+", "**": "(?:/[^/]+)*"}
    return re.compile("".join(forms.get(part, "/" + re.escape(part)) for part in name.strip("/").split("/")))
