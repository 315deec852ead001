"""The arguments that `lingbot train` and `lingbot distill` share."""

import argparse
import sys
from pathlib import Path
from typing import Any


class _Deprecated(argparse.Action):
    """An option by its old name: it still works, and says what to write."""

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Any, option: str | None = None
    ) -> None:
        print(f"{parser.prog}: {option} is deprecated, write --{self.dest.replace('_', '-')}", file=sys.stderr)
        setattr(namespace, self.dest, values)


def add_run_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the run's files, limits, arithmetic and validation."""
    parser.add_argument("--config", type=Path, required=True, help="training YAML, e.g. config/training/small.yaml")
    parser.add_argument("--data", type=Path, required=True, help="folder of the data set")
    parser.add_argument("--run", type=Path, required=True, help="folder of this run: checkpoint, logs, validation")
    parser.add_argument("--iterations", type=int, default=3000, help="of the complete run (default %(default)s)")
    parser.add_argument("--minutes", type=float, help="stop this sitting after so many minutes")
    parser.add_argument(
        "--export",
        type=Path,
        metavar="MODEL",
        help="write the averaged weights into this folder; on your own data with a card, where there is none",
    )
    parser.add_argument("--device", default="cpu", help="cpu or cuda (default %(default)s)")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads (default %(default)s)")
    parser.add_argument(
        "--precision", default="bf16", choices=("bf16", "f32"), help="of the arithmetic (default %(default)s)"
    )
    parser.add_argument(
        "--compile", action="store_true", help="compile the model first, which takes a minute or more; for a GPU"
    )
    parser.add_argument(
        "--loaders", type=int, default=0, help="threads that prepare clips; 0 reads them in between (default 0)"
    )
    parser.add_argument(
        "--eval-every",
        type=int,
        default=500,
        metavar="N",
        help="iterations between validations on held-out windows, 0: none but the gate's (default %(default)s)",
    )
    parser.add_argument("--look-every", dest="eval_every", type=int, action=_Deprecated, help=argparse.SUPPRESS)
    parser.add_argument(
        "--validation", type=Path, metavar="DATA", help="data set to validate on; without it a task simulates episodes"
    )
    parser.add_argument("--no-gate", action="store_true", help="never stop the run because of its validation")
