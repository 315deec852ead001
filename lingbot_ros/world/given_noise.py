"""Sampling noise from a file in the place of the seed's, to compare a film with that of another program."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from lingbot_ros.errors import InputError
from lingbot_ros.input_files.arrays import load_array


class GivenNoise:
    """A .npy file of floats [chunks, draws, channels, chunk, height, width]: draw k of chunk i in `[i, k]`.

    Draws are counted as in `model.noise`: 0 starts a chunk, and few-step models draw anew before each further step. The
    file is mapped, so that it may be large.
    """

    def __init__(self, path: Path, shape: tuple[int, ...], draws: int) -> None:
        """`shape` is a chunk's latent [C, c, h, w]. Raises InputError for a file that does not fit."""
        wanted = f"give a .npy file of floats [chunks, {draws}, {', '.join(map(str, shape))}]"
        if not path.is_file():
            raise InputError("noise", f"'{path}'", f"there is no such file; {wanted}")
        try:
            self._noise = load_array(path, mapped=True)
        except (OSError, ValueError) as error:
            raise InputError("noise", f"'{path}'", f"{wanted} ({error})") from error
        if self._noise.dtype.kind != "f":
            raise InputError("noise", f"'{path}'", wanted)
        if self._noise.ndim != 2 + len(shape) or self._noise.shape[2:] != shape or self._noise.shape[1] < draws:
            raise InputError("noise", f"shape {list(self._noise.shape)}", wanted)

    def draw(self, chunk: int, draw: int) -> Tensor:
        """float32 [1, C, c, h, w]. Raises InputError where the file has no such chunk, or it is not finite."""
        if chunk >= len(self._noise):
            fix = f"the noise is for {len(self._noise)} chunks; end the session there or give more"
            raise InputError("noise", f"chunk {chunk}", fix)
        noise = np.array(self._noise[chunk, draw], np.float32)
        if not np.isfinite(noise).all():
            raise InputError("noise", f"a number that is not finite in chunk {chunk}", "write the file again")
        return torch.from_numpy(noise)[None]
