"""The engines `tensorrt` and `tensorrt_rtx` on one NVIDIA GPU."""

import logging

import torch

from lingbot_ros.engine.export.exported import FORM, form_of
from lingbot_ros.engine.interface import EngineOptions, GraphSpec, ProgramInfo, TensorSpec
from lingbot_ros.engine.precision import PRECISIONS, check_precision
from lingbot_ros.engine.quality import quality_key, require_quality
from lingbot_ros.engine.tensorrt.library import RTX, TENSORRT, Flavour, load_library, log_of, require_driver
from lingbot_ros.engine.tensorrt.plans import PlanMaker
from lingbot_ros.engine.tensorrt.program import TensorRtProgram, place_of
from lingbot_ros.engine.tensorrt.progress import BuildProgress
from lingbot_ros.engine.torch_engine import default_threads, use_threads
from lingbot_ros.errors import EngineError, InputError, LingbotError

BATCHES = (1, 8)
"""Rows of a forward, one plan each."""

_TOLD_EACH = 0.1
"""Of a build."""

logger = logging.getLogger(__name__)


def graph_dtype(precision: str) -> torch.dtype:
    """The type of arithmetic and caches: what is quantised has float16 around it, which every GPU since Turing has."""
    return torch.float16 if precision in ("int8", "fp8") else PRECISIONS[check_precision(precision)]


class TensorRtEngine:
    """Loads plans, which are built first where there are none. Fails with a code of docs/performance.md."""

    batches: tuple[int, ...] | None = BATCHES
    storage: torch.dtype | None = None

    def __init__(self, flavour: Flavour, options: EngineOptions) -> None:
        """Checks driver, library and options, in this order; raises EngineError or InputError."""
        self._flavour, self.options = flavour, options
        self.dtype = graph_dtype(options.precision)
        try:
            require_driver()
        except EngineError as error:
            raise EngineError(f"{error}{_also(flavour)}") from error
        trt = load_library(flavour)
        if not options.device.startswith("cuda"):
            raise InputError("device", options.device, f"{flavour.name} runs on an NVIDIA GPU; use cuda")
        if not torch.cuda.is_available():
            raise EngineError(
                f"engine: NO_DRIVER: {flavour.name} keeps its tensors in PyTorch's, and PyTorch {torch.__version__} "
                "sees no GPU; install a CUDA build of PyTorch"
            )
        log_of(trt).verbose = options.verbose
        self._maker = PlanMaker(flavour, trt, options.precision, folder=options.engine_file_path)
        gpu = f"{torch.cuda.get_device_name(options.device)}, {options.device}"
        threads = options.threads or default_threads()
        self.info = ProgramInfo(flavour.name, str(trt.__version__), gpu, options.precision, threads)

    def place(self, spec: TensorSpec) -> str:
        return place_of(spec, self.options.device)

    def use_threads(self) -> None:
        use_threads(self.info.threads)

    def is_ready(self, graph: GraphSpec) -> bool:
        return self._maker.find(graph) is not None

    def load(self, graph: GraphSpec) -> TensorRtProgram:
        """The program of a graph, whose plan is built first if that was not done before."""
        precision, where = self.options.precision, self.options.engine_file_path
        if form_of(graph, precision) != FORM:
            require_quality(self._flavour.name, quality_key(graph.weights, precision, self.dtype), where)
        plan = self._maker.make(graph, BuildProgress(_Tell(graph.name)), self.options.force_engine_update)
        return TensorRtProgram(self._maker.trt, graph, plan, precision, self.options.device)


def new_tensorrt(options: EngineOptions) -> TensorRtEngine:
    """TensorRT, for data-centre GPUs."""
    return TensorRtEngine(TENSORRT, options)


def new_tensorrt_rtx(options: EngineOptions) -> TensorRtEngine:
    """TensorRT-RTX, for RTX GPUs; its plans can be built without a GPU."""
    return TensorRtEngine(RTX, options)


def _also(flavour: Flavour) -> str:
    """What else is missing here, or what can be done here without a GPU."""
    try:
        load_library(flavour)
    except LingbotError as error:
        return f". Also {str(error).removeprefix('engine: ')}"
    if flavour.builds_without_gpu:
        return f". Plans can be compiled here: lingbot engines build MODEL --engine {flavour.name}"
    return ""


class _Tell:
    """Logs a build's progress, ten times at most."""

    def __init__(self, name: str) -> None:
        self._name, self._next = name, _TOLD_EACH

    def __call__(self, share: float, left_s: float) -> None:
        if share >= self._next:
            self._next = share + _TOLD_EACH
            logger.info("building the %s graph: %.0f %%, about %.0f s left", self._name, 100 * share, left_s)
