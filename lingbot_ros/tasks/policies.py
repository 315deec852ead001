"""The policies that a command line can name."""

import numpy as np

from lingbot_ros.checkpoints.cards import ControlSpec
from lingbot_ros.errors import InputError
from lingbot_ros.tasks.policy import Circle, Policy, Wander
from lingbot_ros.tasks.pusht.pilot import PushTPilot

POLICIES = ("demo", "random", "circle")


def default_policy(model: str) -> str:
    """The policy for a model when nobody chose one: the demo plays Push-T alone."""
    return "demo" if model.startswith("pusht") else "random"


def make_policy(name: str, model: str, spec: ControlSpec, seed: int) -> Policy:
    """A policy for a model. Raises InputError for one that cannot drive it."""
    if name not in POLICIES:
        raise InputError("policy", f"'{name}'", f"use one of {', '.join(POLICIES)}")
    if spec.kind != "action":
        fix = f"{model} is driven by a camera: name it with --model and give --image, --poses"
        raise InputError("policy", f"'{name}'", fix)
    low, high, rng = np.array(spec.low), np.array(spec.high), np.random.default_rng(seed)
    if name == "random":
        return Wander(low, high, rng)
    if name == "circle":
        return Circle(low, high)
    if not model.startswith("pusht"):
        raise InputError("policy", "'demo'", f"it plays Push-T and cannot drive {model}; use random or circle")
    return PushTPilot(rng)
