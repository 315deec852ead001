"""YAML that cannot swell: references that expand to many values, and deep nesting, are refused."""

import re
from typing import Any

import yaml

from lingbot_ros.errors import InputError

TEXT_CHARACTERS = 2**18
_MAX_VALUES = 50_000
_MAX_DEPTH = 64


_NOT_OF_ITS_TAG = (yaml.YAMLError, ValueError, OverflowError, TypeError, KeyError, IndexError, AttributeError)
"""What PyYAML raises for a value that is not of the kind which its tag names, such as !!timestamp x."""


class _Loader(yaml.SafeLoader):
    """As YAML 1.2 has it, 2e-3 is a number; to YAML 1.1 it is a word."""


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[-+]?\d[\d_]*(\.[\d_]*)?[eE][-+]?\d+$"), list("-+0123456789")
)


def parse_yaml(text: str, field: str) -> Any:
    """The value of a YAML document. Raises InputError for text that is damaged, too long, too deep or that swells."""
    if len(text) > TEXT_CHARACTERS:
        raise InputError(field, f"{len(text)} characters", f"give at most {TEXT_CHARACTERS}")
    loader = None
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        if node is None:
            return None
        if _values(node, {}, 0, field) > _MAX_VALUES:
            raise InputError(
                field, "too many values", f"give at most {_MAX_VALUES}, each repeat of a reference included"
            )
        return loader.construct_document(node)
    except RecursionError as error:
        raise InputError(field, "values nested too deep", f"nest them at most {_MAX_DEPTH} deep") from error
    except _NOT_OF_ITS_TAG as error:
        raise InputError(field, "a text that is no YAML", f"correct it ({error})") from error
    finally:
        if loader is not None:
            loader.dispose()


def _values(node: yaml.Node, known: dict[int, int | None], depth: int, field: str) -> int:
    """How many values a node has once its references are followed."""
    if depth > _MAX_DEPTH:
        raise InputError(field, "values nested too deep", f"nest them at most {_MAX_DEPTH} deep")
    if id(node) in known:
        count = known[id(node)]
        if count is None:
            raise InputError(field, "a value that contains itself", "write out what is meant")
        return count
    known[id(node)] = None
    children: list[yaml.Node] = []
    if isinstance(node, yaml.MappingNode):
        children = [part for pair in node.value for part in pair]
    elif isinstance(node, yaml.SequenceNode):
        children = node.value
    total = 1 + sum(_values(child, known, depth + 1, field) for child in children)
    known[id(node)] = total
    return total
