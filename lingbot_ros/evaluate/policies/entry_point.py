"""A policy named by the Python function that makes it."""

import importlib
from collections.abc import Callable, Mapping
from typing import Any

from lingbot_ros.errors import InputError


def load_factory(name: str, config: Mapping[str, Any] | None = None) -> Callable[[], Any]:
    """What makes the policy of `module:factory`, called with `config` as keywords. The module is imported at once.

    Raises InputError, naming what was not found.
    """
    module_name, colon, attribute = name.partition(":")
    if not (module_name and colon and attribute):
        raise InputError("entry_point", repr(name), "give MODULE:FACTORY, e.g. my_robot.policies:make_policy")
    try:
        module = importlib.import_module(module_name)
    except ImportError as error:
        fix = f"install it or put its folder on PYTHONPATH ({error})"
        raise InputError("entry_point", repr(name), fix) from error
    factory = getattr(module, attribute, None)
    if not callable(factory):
        raise InputError("entry_point", repr(name), f"{module_name} has no function {attribute}")
    keywords = dict(config or {})

    def make() -> Any:
        policy = factory(**keywords)
        missing = [method for method in ("reset", "act") if not callable(getattr(policy, method, None))]
        if missing:
            fix = f"what it makes must have the methods reset and act; {missing[0]} is missing"
            raise InputError("entry_point", repr(name), fix)
        return policy

    return make
