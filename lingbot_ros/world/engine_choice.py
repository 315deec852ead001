"""What `auto` means for a model on this machine: the fastest engine that can run it, by measurement."""

import logging
import shlex
import statistics
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from lingbot_ros.checkpoints.cards import ModelCard
from lingbot_ros.checkpoints.files import ModelFiles
from lingbot_ros.engine.export.probe import probe_tensors
from lingbot_ros.engine.interface import EngineOptions, GraphSpec, Program
from lingbot_ros.engine.onnx_engine import OnnxEngine
from lingbot_ros.engine.registry import new_engine
from lingbot_ros.engine.tensorrt.library import FLAVOURS
from lingbot_ros.engine.torch_engine import TorchEngine
from lingbot_ros.errors import LingbotError
from lingbot_ros.world.exported_graphs import all_graphs

WORTH_IT = 1.1
"""How many times as fast another engine must be before it takes PyTorch's place."""

_FORWARDS = 8

logger = logging.getLogger(__name__)


def choose_engine(
    card: ModelCard,
    files: ModelFiles,
    options: EngineOptions,
    light_decoder: Path | None = None,
    words: Sequence[str] = (),
) -> EngineOptions:
    """The options with `auto` decided; one line in the log says why.

    Only graphs that were exported before are considered, so that loading stays fast: half a second to measure.
    `light_decoder`: the file of the one that is to make the frames, if any. `words`: the arguments with which the
    graphs of this card are exported.
    """
    eager = replace(options, engine="torch")
    wanted = " ".join([shlex.quote(card.name), *words])
    for name in FLAVOURS:
        if refusal := _refusal_of_tensorrt(card, files, replace(options, engine=name), light_decoder, wanted):
            logger.info("auto: not %s: %s", name, refusal)
        else:
            logger.info("engine auto: %s; its plans were built before", name)
            return replace(options, engine=name)
    try:
        engine = OnnxEngine(options)
        graphs = [graph for _, graph in all_graphs(card, files, light_decoder=light_decoder)]
        if not all(engine.is_ready(graph) for graph in graphs):
            logger.info("engine auto: torch; onnxruntime: NOT_EXPORTED, `lingbot export %s --to onnx` does it", wanted)
            return eager
        step = next(graph for graph in graphs if graph.name == "step")
        gain = speed_against(engine.load(step), TorchEngine(eager).load(step), step)
    except LingbotError as error:
        logger.info("engine auto: torch; onnxruntime: %s", error)
        return eager
    chosen = "onnxruntime" if gain >= WORTH_IT else "torch"
    logger.info("engine auto: %s; onnxruntime is %.2f times as fast as torch here", chosen, gain)
    return replace(options, engine=chosen)


def _refusal_of_tensorrt(
    card: ModelCard, files: ModelFiles, options: EngineOptions, light_decoder: Path | None, wanted: str
) -> str:
    """Why TensorRT is not taken; empty if it is. Plans are not built for `auto`: that takes minutes."""
    try:
        engine = new_engine(options)
        graphs = all_graphs(card, files, dtype=engine.dtype, light_decoder=light_decoder)
        if all(engine.is_ready(graph) for _, graph in graphs):
            return ""
        return f"NOT_EXPORTED: `lingbot engines build {wanted} --engine {options.engine}` makes its plans"
    except LingbotError as error:
        return str(error).removeprefix("engine: ")


def speed_against(program: Program, other: Program, graph: GraphSpec, forwards: int = _FORWARDS) -> float:
    """How many times as fast one program of a graph is as the other: medians of processor time, taking turns."""
    contexts = [one.context(probe_tensors(graph)) for one in (program, other)]
    spent: list[list[float]] = [[], []]
    for turn in range(forwards + 1):
        for which in (0, 1) if turn % 2 else (1, 0):
            started = time.process_time()
            contexts[which].run()
            if turn:  # the first warms up
                spent[which].append(time.process_time() - started)
    for context in contexts:
        context.close()
    return statistics.median(spent[1]) / statistics.median(spent[0])
