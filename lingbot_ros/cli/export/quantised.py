"""Export in INT8 or FP8: calibrate, compare with float32, measure, and say whether it is good enough to be offered."""

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import torch

    from lingbot_ros.checkpoints.cards import ModelCard
    from lingbot_ros.checkpoints.files import ModelFiles
    from lingbot_ros.engine.export.recording import Forward, RecordingEngine
    from lingbot_ros.engine.interface import Engine
    from lingbot_ros.engine.onnx_engine import OnnxEngine
    from lingbot_ros.world import World

_CALIBRATED_ON = 16
"""Forwards, of twice as many chunks or more: neighbours tell the same."""


def export_quantised(args: argparse.Namespace) -> int:
    """Returns 0 where the precision is offered, 1 where it loses too much; both are written down and printed."""
    import torch

    from lingbot_ros.checkpoints.files import locate
    from lingbot_ros.cli.engines.graphs import asked_card
    from lingbot_ros.engine.export.recording import RecordingEngine
    from lingbot_ros.engine.interface import EngineOptions
    from lingbot_ros.engine.onnx_engine import BATCHES, OnnxEngine
    from lingbot_ros.engine.quality import Quality, quality_key, write_quality
    from lingbot_ros.engine.torch_engine import TorchEngine
    from lingbot_ros.evaluate.precision_loss import frames_db
    from lingbot_ros.world.network import checkpoint_digest

    card, _ = asked_card(args)
    files = locate(card)
    dtype = torch.float32 if args.to == "onnx" else torch.float16
    recording = RecordingEngine()
    recorded = _world(card, files, recording)
    print(f"calibrating {args.precision} on {_CALIBRATED_ON} forwards", flush=True)
    forwards = _record(recorded, recording)
    errors = [_export(args, card, files, rows, dtype, forwards) for rows in args.rows or BATCHES]
    world = _world(card, files, TorchEngine(EngineOptions(threads=1)))
    trial = OnnxEngine(EngineOptions(precision=args.precision, threads=1), trial=dtype)
    other = _world(card, files, trial)
    quality = Quality(
        args.precision,
        max(errors),
        frames_db(world, other),
        _losses(world, other, args.episodes),
        _gain(card, files, trial) if args.to == "onnx" else None,
    )
    folder = write_quality(quality_key(checkpoint_digest(files.digest, 0), args.precision, dtype), quality, args.out)
    for chunks, db in quality.frames_db.items():
        print(f"frames after {chunks} chunks: {db:.1f} dB apart from f32")
    for name, loss in quality.losses.items():
        print(f"{name}: worse by {loss:.3f}")
    print(f"{'not offered: ' + quality.refusal if quality.refusal else 'offered'} ({folder})")
    return 1 if quality.refusal else 0


def _world(card: "ModelCard", files: "ModelFiles", engine: "Engine") -> "World":
    from lingbot_ros.world import World
    from lingbot_ros.world.load_options import LoadOptions
    from lingbot_ros.world.loaded_model import LoadedModel

    options = LoadOptions(card.name, engine="torch", device="cpu", precision="f32", threads=1)
    return World(LoadedModel(card, files, options, engine))


def _record(world: "World", recording: "RecordingEngine") -> "list[Forward]":
    """Forwards of a rollout that fills the cache twice, spread over it."""
    from lingbot_ros.world.random_controls import random_rollout

    stream = world.card.stream
    random_rollout(world, max(2 * stream.window // stream.chunk, 2 * _CALIBRATED_ON))
    every = max(len(recording.forwards) // _CALIBRATED_ON, 1)
    kept = recording.forwards[::every][:_CALIBRATED_ON]
    recording.forwards.clear()
    return kept


def _export(
    args: argparse.Namespace,
    card: "ModelCard",
    files: "ModelFiles",
    rows: int,
    dtype: "torch.dtype",
    forwards: "Sequence[Forward]",
) -> float:
    """Quantise the step graph; returns its largest error on the recorded forwards, as a share of the largest value."""
    from dataclasses import replace

    import numpy as np
    import torch

    from lingbot_ros.engine.artifacts import artifact_key, write_artifact
    from lingbot_ros.engine.export.exported import FORM, export_artifact, find_exported, form_of
    from lingbot_ros.engine.export.probe import computed, probe_tensors
    from lingbot_ros.engine.export.quantize import quantize
    from lingbot_ros.engine.onnx_engine import OnnxProgram
    from lingbot_ros.world.exported_graphs import exported_graphs

    step = exported_graphs(card, files, rows, dtype)[-1]
    artifact = find_exported(step)
    if artifact is None:
        artifact = export_artifact(step)
        write_artifact(artifact_key(step, FORM), artifact)
    types = {spec.name: torch.empty(0, dtype=spec.dtype).numpy().dtype for spec in step.inputs}
    feeds = [{name: np.repeat(one.feed[name], rows, 0).astype(types[name]) for name in types} for one in forwards]
    quantised = replace(quantize(step, artifact, args.precision, feeds), quantised_probe={})
    program = OnnxProgram(step, quantised, 1, precision=args.precision)
    tensors = probe_tensors(step)
    context = program.context(tensors)
    quantised = replace(quantised, quantised_probe=computed(step, tensors, context.run))
    error = peak = 0.0
    for feed, forward in zip(feeds, forwards, strict=True):
        for name, values in feed.items():
            tensors[name].copy_(torch.from_numpy(values))
        context.run()
        error = max(error, float(np.abs(tensors["prediction"].numpy() - forward.prediction).max()))
        peak = max(peak, float(np.abs(forward.prediction).max()))
    context.close()
    key = artifact_key(step, form_of(step, args.precision))
    folder = write_artifact(key, quantised)
    if args.to == "onnx" and args.out is not None:
        folder = write_artifact(key, quantised, args.out)
    print(f"{step.name}, {rows} row{'s' if rows > 1 else ''}: {folder}", flush=True)
    print(f"  one forward is at most {error / peak:.2%} of the largest value away from f32", flush=True)
    return error / peak


def _losses(world: "World", other: "World", episodes: int) -> dict[str, float]:
    """From the report of the model's task, on the same windows in both precisions."""
    from lingbot_ros.evaluate.evaluation import EvaluationOptions
    from lingbot_ros.tasks.registry import find_task

    if world.card.task is None:
        return {}
    options = EvaluationOptions(episodes, seed=0, context=4, horizon=64, other=other)
    return find_task(world.card.task).evaluate(world, options).losses


def _gain(card: "ModelCard", files: "ModelFiles", trial: "OnnxEngine") -> float:
    """How many times as fast as the float32 graph on this CPU, by processor time."""
    from lingbot_ros.engine.interface import EngineOptions
    from lingbot_ros.engine.onnx_engine import OnnxEngine
    from lingbot_ros.world.engine_choice import speed_against
    from lingbot_ros.world.exported_graphs import exported_graphs

    step = exported_graphs(card, files)[-1]
    return speed_against(trial.load(step), OnnxEngine(EngineOptions(threads=1)).load(step), step)
