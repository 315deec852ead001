"""Random numbers that depend on what they are for, so that no two parts of an evaluation share a stream."""

import hashlib

import numpy as np


def sequence(root: int, role: str, *index: int) -> np.random.SeedSequence:
    """The seed sequence of a role, such as "bootstrap" or a policy's name, below the seed `root` >= 0."""
    digest = hashlib.sha256(role.encode()).digest()
    return np.random.SeedSequence(root, spawn_key=(int.from_bytes(digest[:4], "big"), *index))


def generator(root: int, role: str, *index: int) -> np.random.Generator:
    """A PCG64 generator of that sequence."""
    return np.random.Generator(np.random.PCG64(sequence(root, role, *index)))


def derived_seed(root: int, role: str, *index: int) -> int:
    """One integer, 0 to 2^32 - 1, for programs that seed themselves."""
    return int(sequence(root, role, *index).generate_state(1)[0])
