"""One imagined Push-T environment over a session."""

from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
from numpy.typing import NDArray

from lingbot_ros.tasks.pusht.env.parts import Parts, StartScene, infos
from lingbot_ros.world.session import Session
from lingbot_ros.world.snapshot import Snapshot

Observation = NDArray[np.uint8]


class ImaginedPushT(gymnasium.Env[Any, Any]):
    """Observation: the image, uint8 [96, 96, 3] RGB. Action: where the pusher is drawn to, float32 [2], 0..512.

    Reward, termination and `info["coverage"]`, `info["success_probability"]` are the outcome head's reading of the
    image. `info["trust"]`, of models that estimate it, is how far it can be believed, 0..1, as
    `WorldInfo.trust_definition` says. An episode is truncated where the model's card says that it is no longer to be
    trusted. Equal seeds and actions give equal episodes. `env.unwrapped.observe(image, action)` takes a real image in
    the place of an imagined one; the horizon then counts from there. Copies and pickles go on from
    where the environment stands.
    """

    metadata: dict[str, Any] = {"render_modes": ["rgb_array"], "render_fps": 10}  # noqa: RUF012

    def __init__(
        self,
        render_mode: str | None = None,
        model: str | Path = "pusht-small",
        head: str | Path = "pusht-outcome",
        start: StartScene = "simulator",
        horizon: int | None = None,
        device: str = "auto",
        precision: str = "auto",
        threads: int = 0,
    ) -> None:
        """`horizon`: frames until truncation, by default the card's `max_horizon`. Raises InputError, ModelError."""
        self.parts = Parts.load(model, head, start, horizon, device, precision, threads)
        self.observation_space, self.action_space = self.parts.observation_space, self.parts.action_space
        self.render_mode = render_mode
        self._session: Session | None = None
        self._image = np.zeros(self.parts.observation_space.shape, np.uint8)

    def __getstate__(self) -> dict[str, Any]:
        """What copies and pickles hold: the session as a snapshot, so that both go on alike and apart."""
        session = self._session
        return {**self.__dict__, "_session": None if session is None else session.snapshot()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        if isinstance(state["_session"], Snapshot):
            self._session = self.parts.world.restore(state["_session"])

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Begin at a new scene; `options={"image": image}` gives one, uint8 [h, w, 3] RGB."""
        super().reset(seed=seed)
        picture = self.parts.scene(self.np_random, options)
        noise_seed = int(self.np_random.integers(2**31))
        session = self.parts.world.start(picture, seed=noise_seed)
        if self._session is not None:
            self._session.close()
        self._session, self._image = session, picture
        return picture.copy(), self._info(session)[1]

    def step(self, action: NDArray[np.float32]) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """Imagine 0.1 s. Raises InputError for an action outside the space."""
        if self._session is None:
            raise gymnasium.error.ResetNeeded("call reset before step")
        self._image = self._session.step(np.asarray(action)[None])[0]
        return self._outcome(self._session)

    def observe(
        self, picture: Observation, action: NDArray[np.float32]
    ) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """Live 0.1 s that really happened, instead of `step`: the image that the action led to, uint8 [h, w, 3] RGB.

        What is imagined afterwards starts from it, and the horizon counts from it. Raises as `step` does.
        """
        if self._session is None:
            raise gymnasium.error.ResetNeeded("call reset before observe")
        real = self.parts.world.fit_image(picture)
        self._session.observe(real[None], np.asarray(action)[None])
        self._image = real
        return self._outcome(self._session)

    def render(self) -> Observation | None:
        """The image, with render_mode "rgb_array"."""
        return self._image.copy() if self.render_mode == "rgb_array" else None

    def close(self) -> None:
        """Free the session."""
        if self._session is not None:
            self._session.close()
            self._session = None

    def _outcome(self, session: Session) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        (reward, terminated), info = self._info(session)
        truncated = session.frames_since_real >= self.parts.horizon
        return self._image.copy(), reward, terminated, truncated, info

    def _info(self, session: Session) -> tuple[tuple[float, bool], dict[str, Any]]:
        outcome = self.parts.head(self._image[None])
        info = {name: values[0].item() for name, values in infos(outcome, [session.trust]).items()}
        return (float(outcome.reward[0]), bool(outcome.terminated[0])), info
