"""Whether stored tensors are those that a network of another library expects."""

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from lingbot_ros.errors import ModelError
from lingbot_ros.model.finite import require_finite

_LISTED_PROBLEMS = 5


def check_state(found: Mapping[str, Tensor], expected: Mapping[str, Tensor], what: str, path: Path) -> None:
    """Raise ModelError naming each tensor that is missing, unexpected, of another shape or not finite.

    `what` names the network.
    """
    problems = [f"missing {name}" for name in expected if name not in found]
    problems += [f"unexpected {name}" for name in found if name not in expected]
    problems += [
        f"{name} is {list(found[name].shape)}, must be {list(tensor.shape)}"
        for name, tensor in expected.items()
        if name in found and found[name].shape != tensor.shape
    ]
    if problems:
        more = f" and {len(problems) - _LISTED_PROBLEMS} more" if len(problems) > _LISTED_PROBLEMS else ""
        raise ModelError(f"{what}: {path} does not fit: {'; '.join(problems[:_LISTED_PROBLEMS])}{more}")
    require_finite(found, f"{what}: {path}", "get the file again")
