"""Policies with deliberately wrong actions: an evaluation in which these succeed does not listen to actions."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from lingbot_ros.errors import InputError
from lingbot_ros.evaluate.policies.checked import check_actions
from lingbot_ros.evaluate.policies.contract import Actions, Observation, PolicyFailure, RowPolicies, Start
from lingbot_ros.evaluate.seeds import generator

UNIVERSAL = ("zero", "flipped", "random")
"""Controls that cannot succeed in most tasks; the reference has to show it."""

CONTROLS = (*UNIVERSAL, "dropped", "delayed")


@dataclass(frozen=True)
class ActionSpace:
    """low, high [dim]: the box of actions. rest(start) [dim]: the action that keeps the robot where it is at a start:
    zeros for relative actions, the robot's position for absolute ones.
    """

    low: Actions
    high: Actions
    rest: Callable[[Start], Actions]


class Rewrite(Protocol):
    """How a control changes a chunk [n, dim] of one rollout, whose memory it may change."""

    def __call__(self, chunk: Actions, memory: "RowMemory") -> Actions: ...


@dataclass
class RowMemory:
    """What a control knows of one rollout: the resting action [dim], random numbers, actions [dim] still to come."""

    rest: Actions
    rng: np.random.Generator
    waiting: list[Actions] = field(default_factory=list)
    sent: int = 0


class Control:
    """Another policy's actions, rewritten; it sees what the policy sees, and the policy sees what comes of them."""

    def __init__(self, name: str, policy: RowPolicies, space: ActionSpace, rewrite: Rewrite) -> None:
        self.name = name
        self._policy, self._space, self._rewrite = policy, space, rewrite
        self._memory: dict[int, RowMemory] = {}
        self.alone_on = getattr(policy, "alone_on", None)

    def begin(self, row: int, start: Start, seed: int) -> PolicyFailure | None:
        rest = np.array(self._space.rest(start), np.float64)
        self._memory[row] = RowMemory(rest, generator(seed, "control"))
        return self._policy.begin(row, start, seed)

    def act(self, rows: Sequence[int], observations: Sequence[Observation]) -> list[Actions | PolicyFailure]:
        answers: list[Actions | PolicyFailure] = []
        for row, answer in zip(rows, self._policy.act(rows, observations), strict=True):
            chunk = answer if isinstance(answer, PolicyFailure) else check_actions(answer, len(self._space.low))
            answers.append(chunk if isinstance(chunk, PolicyFailure) else self._rewritten(chunk, self._memory[row]))
        return answers

    def end(self, row: int) -> None:
        self._memory.pop(row, None)
        self._policy.end(row)

    def close(self) -> None:
        """The policy belongs to whoever made it."""

    def _rewritten(self, chunk: Actions, memory: RowMemory) -> Actions:
        changed = self._rewrite(chunk, memory)
        memory.sent += len(chunk)
        return changed


def zero() -> Rewrite:
    """The robot stays where it is."""
    return lambda chunk, memory: np.repeat(memory.rest[None], len(chunk), axis=0)


def flipped() -> Rewrite:
    """Actions mirrored about the resting action."""
    return lambda chunk, memory: 2 * memory.rest - chunk


def random(space: ActionSpace, held_steps: int = 4) -> Rewrite:
    """Uniform in the box of actions, a new one every `held_steps`."""

    def rewrite(chunk: Actions, memory: RowMemory) -> Actions:
        drawn = []
        for step in range(memory.sent, memory.sent + len(chunk)):
            if step % held_steps == 0:
                memory.waiting = [memory.rng.uniform(space.low, space.high)]
            drawn.append(memory.waiting[0])
        return np.stack(drawn)

    return rewrite


def dropped(share: float = 0.5) -> Rewrite:
    """That share of actions is lost on the way; the robot repeats the last one that arrived, at first its rest."""

    def rewrite(chunk: Actions, memory: RowMemory) -> Actions:
        arrived = []
        for action in chunk:
            if memory.rng.random() >= share:
                memory.waiting = [action]
            arrived.append(memory.waiting[0] if memory.waiting else memory.rest)
        return np.stack(arrived)

    return rewrite


def delayed(steps: int = 10) -> Rewrite:
    """Actions arrive that many steps later; until the first one the robot rests."""

    def rewrite(chunk: Actions, memory: RowMemory) -> Actions:
        if not memory.sent:
            memory.waiting = [memory.rest] * steps
        memory.waiting += list(chunk)
        out, memory.waiting = memory.waiting[: len(chunk)], memory.waiting[len(chunk) :]
        return np.stack(out)

    return rewrite


def make_control(kind: str, policy: RowPolicies, space: ActionSpace) -> Control:
    """The control `kind` of CONTROLS with its usual strength, named POLICY/KIND. Raises InputError for another kind."""
    rewrites: dict[str, Callable[[], Rewrite]] = {
        "zero": zero,
        "flipped": flipped,
        "random": lambda: random(space),
        "dropped": dropped,
        "delayed": delayed,
    }
    if kind not in rewrites:
        raise InputError("control", repr(kind), f"use one of {', '.join(CONTROLS)}")
    return Control(f"{policy.name}/{kind}", policy, space, rewrites[kind]())
