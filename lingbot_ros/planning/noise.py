"""Random numbers of the solvers: the same for equal seeds, whatever the batch size."""

import numpy as np

from lingbot_ros.planning.futures import Floats


def generator(seed: int, iteration: int) -> np.random.Generator:
    """That of one iteration of one plan."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(iteration,)))


def coloured(rng: np.random.Generator, rows: int, length: int, columns: int, beta: float) -> Floats:
    """Noise [rows, length, columns] whose power falls with frequency to the power of beta; unit variance at each step.

    beta 0 is white. Made in the frequency domain, as iCEM does (Pinneri et al., 2020).
    """
    if beta == 0 or length == 1:
        return rng.standard_normal((rows, length, columns))
    frequencies = np.fft.rfftfreq(length)
    scale = np.maximum(frequencies, 1.0 / length) ** (-beta / 2)
    shape = (rows, columns, len(frequencies))
    real, imaginary = rng.standard_normal(shape), rng.standard_normal(shape)
    imaginary[..., 0] = 0.0
    real[..., 0] *= np.sqrt(2.0)
    weights = 2.0 * scale**2
    weights[1:] *= 2.0
    if length % 2 == 0:
        imaginary[..., -1] = 0.0
        real[..., -1] *= np.sqrt(2.0)
        weights[-1] /= 2.0
    deviation = np.sqrt(weights.sum()) / length
    return np.fft.irfft(scale * (real + 1j * imaginary), n=length, axis=-1).swapaxes(1, 2) / deviation
