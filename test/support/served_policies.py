"""Policies for workers, which know nothing of the tests: only NumPy is imported here."""

import os
import time

import numpy as np


class Faulty:
    """Sends where the image is brightest, with noise; from its third action on it fails in one way."""

    def __init__(self, how: str = "") -> None:
        self._how, self._count, self._rng = how, 0, np.random.default_rng(0)

    def reset(self, seed: int) -> None:
        self._count, self._rng = 0, np.random.default_rng(seed)

    def act(self, observation: object) -> np.ndarray:
        self._count += 1
        if self._count >= 3:
            if self._how == "crash":
                raise RuntimeError("the gripper is gone")
            if self._how == "die":
                print("the driver gave up", flush=True)
                os._exit(7)
            if self._how == "nan":
                return np.array([1.0, np.nan])
            if self._how == "stall":
                time.sleep(600)
            if self._how == "late":
                time.sleep(0.6)
        return observation.image.mean((0, 1))[:2] + self._rng.normal(0, 1, 2)  # type: ignore[attr-defined]
