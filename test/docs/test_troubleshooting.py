"""docs/troubleshooting.md quotes messages as the program prints them: each is found in the code."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "troubleshooting.md"
_VALUE = "\0"
"""In a message of the code: a value that is filled in."""


def quoted() -> list[str]:
    return re.findall(r"```text\n(.*?)\n```", PAGE.read_text(), flags=re.DOTALL)


@cache
def texts() -> tuple[str, ...]:
    """Per file of the program: every text with _VALUE for each value, and what InputError makes of its arguments."""
    found = [(ROOT / "lingbot").read_text().replace("\\$", "$")]
    for path in sorted((ROOT / "lingbot_ros").rglob("*.py")):
        nodes = list(ast.walk(ast.parse(path.read_text())))
        calls = [node for node in nodes if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "InputError"]
        refusals = [[text_of(argument) for argument in call.args] for call in calls if len(call.args) == 3]
        told = [f"{field}: got {_VALUE}; {fix}" for field, _, fix in refusals]
        found.append("\n".join([*filter(None, map(text_of, nodes)), *told]))
    return tuple(found)


def text_of(node: ast.AST) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.FormattedValue):
        return f"'{_VALUE}'" if node.conversion == ord("r") else _VALUE
    if isinstance(node, ast.JoinedStr):
        return "".join(map(text_of, node.values))
    return ""


def is_printed(message: str) -> bool:
    """Whether one file has all that stands between the values of the message."""
    return any(all(piece.strip() in text for piece in message.split("...")) for text in texts())


@pytest.mark.parametrize("message", quoted())
def test_the_message_is_one_of_the_program(message: str) -> None:
    assert is_printed(message), message


def test_a_message_that_nobody_prints_is_found_out() -> None:
    assert len(quoted()) > 20
    assert not is_printed("the flux capacitor is empty: fill it")
