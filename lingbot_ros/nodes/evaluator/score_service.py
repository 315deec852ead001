"""The service `~/score_rollout`: images, or a bag, judged by the task's scorer and beside what the model imagines."""

from math import nan
from pathlib import Path
from typing import Any

import numpy as np
from rclpy.executors import Executor

from lingbot_msgs.msg import MetricValue, RolloutScore
from lingbot_msgs.srv import ScoreRollout
from lingbot_ros.bridge.images import image_to_rgb
from lingbot_ros.errors import ErrorCode, InputError, LingbotError
from lingbot_ros.evaluate.image_metrics.appearance import flicker, sharpness_ratio
from lingbot_ros.evaluate.image_metrics.pixels import skill
from lingbot_ros.evaluate.policies.contract import Frame, Start
from lingbot_ros.evaluate.policy_task import PolicyTask
from lingbot_ros.evaluate.reality.comparison import Comparison, Window, compare, psnr
from lingbot_ros.evaluate.reality.episodes import bag_images
from lingbot_ros.evaluate.rollouts.stepper import Frames
from lingbot_ros.evaluate.value import ValueEstimator, advantages
from lingbot_ros.model.autoencoder import resize_image
from lingbot_ros.nodes import qos
from lingbot_ros.nodes.awaiting import on_worker
from lingbot_ros.nodes.evaluator.context import EvaluatorContext
from lingbot_ros.nodes.evaluator.messages import metric, scored

_NEVER = "reality and imagination stay together to the end"
_STILL = "nothing moves in the images"


class ScoreService:
    """Requests take turns on a thread; an evaluation that runs meanwhile goes on between their steps."""

    def __init__(self, running: EvaluatorContext, executor: Executor, estimator: ValueEstimator | None) -> None:
        self._running, self._executor, self._estimator = running, executor, estimator
        self._service = running.node.create_service(
            ScoreRollout, "~/score_rollout", self._answer, qos_profile=qos.ANSWERS, callback_group=running.requests
        )

    def destroy(self) -> None:
        self._running.node.destroy_service(self._service)

    async def _answer(self, request: ScoreRollout.Request, response: ScoreRollout.Response) -> Any:
        try:
            self._running.require_active()
            work = self._running.scoring.submit(self._score, request, response)
            await on_worker(self._executor, work)
        except Exception as error:  # the boundary to the client: it gets the code, the log gets the traceback
            self._running.refuse("score_rollout", error, response)
        return response

    def _score(self, request: ScoreRollout.Request, response: ScoreRollout.Response) -> None:
        task = self._running.task(request.task)
        if request.scorer not in ("", task.scorer.name):
            raise InputError("scorer", request.scorer, f"the task {task.name} has {task.scorer.name}")
        images = self._images(request)
        response.score = self._judged(task, images)
        if not request.actions:
            return
        actions = _actions(request, len(images) - 1)
        window = Window("given", images, actions)
        found = compare(self._running.worlds.single(), window, other=actions[::-1])
        response.imagined = self._judged(task, np.concatenate([images[:1], found.imagined]))
        response.imagined.arm, response.imagined.model = RolloutScore.ARM_IMAGINED, self._running.model.name
        response.psnr = found.psnr_db.tolist()
        response.errors = self._errors(found, images[0])

    def _images(self, request: ScoreRollout.Request) -> Frames:
        """At the model's size, uint8 [T + 1, H, W, 3]."""
        size = self._running.model.height, self._running.model.width
        if request.bag:
            images = bag_images(Path(request.bag).expanduser(), request.topic, size)
        else:
            every = enumerate(request.images)
            read = [resize_image(image_to_rgb(image, f"images[{index}]"), *size) for index, image in every]
            images = np.stack(read) if read else np.empty((0, *size, 3), np.uint8)
        if len(images) < 2:
            raise InputError("images", f"{len(images)} of them", "give the first image and at least one after it")
        return images

    def _judged(self, task: PolicyTask, images: Frames) -> RolloutScore:
        try:
            scores = task.scorer.begin(Start("given", images[0]), images[0]).score(images[1:])
        except LingbotError:
            raise
        except Exception as error:  # a scorer is the task's code
            what = f"scorer: {task.scorer.name} failed on these images ({type(error).__name__}: {error})"
            raise LingbotError(what, ErrorCode.INVALID_INPUT) from error
        message = scored(scores.tolist(), task, self._running.now())
        message.trusted_frames = min(message.frames, self._running.model.max_horizon or 0)
        if self._estimator is not None:
            values = self._estimator.values(images).tolist()
            message.value, message.advantage = values, advantages(values)
        return message

    def _errors(self, found: Comparison, first: Frame) -> list[MetricValue]:
        """first: the image that both begin with. Inverse dynamics takes many rollouts: `lingbot evaluate --against`."""
        parted = None if found.diverged is None else found.diverged / self._running.model.fps
        n = len(found.mse)
        assert found.other_mse is not None
        imagined, real = (np.concatenate([first[None], frames]) for frames in (found.imagined, found.real))
        return [
            metric("psnr", float(found.psnr_db.mean()), unit="dB", n=n),
            metric("ssim", float(found.ssim.mean()), n=n),
            metric("local_error", float(found.local_error.max()), unit="grey levels", n=n),
            metric("skill", skill(imagined=imagined, reference=real), n=n, why_not=_STILL),
            metric("other_actions_cost", float((found.psnr_db - psnr(found.other_mse)).mean()), unit="dB", n=n),
            metric("flicker", flicker(found.imagined), n=n),
            metric("flicker_given", flicker(found.real), n=n),
            metric("sharpness", float(sharpness_ratio(imagined)[-1]), n=n),
            metric("sharpness_given", float(sharpness_ratio(real)[-1]), n=n),
            metric("divergence_time", nan if parted is None else parted, unit="s", n=n, why_not=_NEVER),
        ]


def _actions(request: ScoreRollout.Request, count: int) -> Any:
    if len(request.actions) != count:
        what = f"{len(request.actions)} actions for {count + 1} images"
        raise InputError("actions", what, "give one for each image after the first")
    lengths = {len(action.values) for action in request.actions}
    if len(lengths) != 1:
        raise InputError("actions", f"of {sorted(lengths)} values", "give every action the same number of values")
    return np.array([action.values for action in request.actions], np.float64)
