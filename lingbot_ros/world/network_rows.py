"""Rows of a batch whose model is a network: their tensors lie side by side in tiles, one forward a tile."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from lingbot_ros.control.camera import Lens
from lingbot_ros.errors import InputError
from lingbot_ros.model.autoencoder import DecoderState, Frames
from lingbot_ros.world.assembly import new_control
from lingbot_ros.world.branch import ChunkInputs
from lingbot_ros.world.loaded_model import LoadedModel
from lingbot_ros.world.parts import FinishedChunk
from lingbot_ros.world.rows import read_each
from lingbot_ros.world.session import Session, SessionRegistry
from lingbot_ros.world.tile import Tile, tile_sizes


class NetworkRows:
    """See `rows.Rows`."""

    def __init__(self, model: LoadedModel, registry: SessionRegistry, size: int) -> None:
        self._model, self._registry = model, registry
        self._tiles = [Tile(model.networks[0], model.ring, rows) for rows in tile_sizes(size, model.engine.batches)]
        self._seats = [(tile, seat) for tile in self._tiles for seat in range(tile.rows)]

    def new_session(self, row: int, seed: int, lens: Lens | None) -> Session:
        tile, seat = self._seats[row]
        control = new_control(self._model.card, self._model.device, lens)
        return Session(self._model, self._registry, f"row-{row}", "", seed, control, [[tile.seat(seat)]])

    def read(
        self, sessions: Mapping[int, Session], controls: NDArray[np.float64]
    ) -> tuple[dict[int, ChunkInputs], dict[int, InputError]]:
        return read_each(sessions, controls)

    def imagine(self, sessions: Mapping[int, Session], inputs: Mapping[int, ChunkInputs]) -> Frames:
        latents = self._latents(sessions, inputs)
        frames, state = [], DecoderState()
        for row, mine in inputs.items():
            shown, _ = self._model.decoder.decode(latents[row], state)
            sessions[row].commit(FinishedChunk(mine, latents[row], shown, None))
            frames.append(shown)
        return np.stack(frames)

    def _latents(self, sessions: Mapping[int, Session], inputs: Mapping[int, ChunkInputs]) -> dict[int, Tensor]:
        """Latents [1, C, c, h, w] by row."""
        latents: dict[int, Tensor] = {}
        try:
            for tile in self._tiles:
                mine = {self._seats[row][1]: row for row in inputs if self._seats[row][0] is tile}
                if mine:
                    chunks = {seat: inputs[row] for seat, row in mine.items()}
                    noises = {seat: sessions[row].noise for seat, row in mine.items()}
                    made = tile.imagine(chunks, noises, self._model.sampler)
                    latents |= {row: made[seat : seat + 1] for seat, row in mine.items()}
        except BaseException:
            for row in inputs:
                sessions[row].roll_back()
            raise
        return latents
