"""`lingbot bench`: what a step costs on each engine here."""

import argparse
from pathlib import Path

HELP = "measure engines side by side on this machine"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the model, the engines and what to measure."""
    parser.add_argument("name", nargs="?", help="name or folder of an action model with a network")
    parser.add_argument("--engine", default="onnxruntime", help="the engine to measure (default %(default)s)")
    parser.add_argument("--against", default="torch", help="the engine to compare with (default %(default)s)")
    parser.add_argument("--rows", type=int, nargs="+", default=[1, 8], help="worlds per forward pass (default 1 8)")
    parser.add_argument("--rounds", type=int, default=60, help="steps of each engine (default %(default)s)")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads (default %(default)s)")
    parser.add_argument("--json", type=Path, help="also write the figures into a file")
    parser.add_argument(
        "--gpu",
        nargs="*",
        metavar="PART",
        help="instead, run the measurements that need a GPU: parity, small, 1.3b, 14b, build, train (default: all)",
    )
    parser.add_argument(
        "--device", default="cuda", help="with --gpu: the device; cpu runs them at tiny sizes, as a trial"
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("benchmarks/results"),
        help="with --gpu: folder of reports (default %(default)s)",
    )


def run(args: argparse.Namespace) -> int:
    """Measure, print a table, write the file."""
    if args.gpu is not None:
        return _run_gpu_day(args)
    from lingbot_ros.errors import InputError

    if args.name is None:
        raise InputError("name", "nothing", "name a model, or give --gpu")
    import json
    from dataclasses import asdict

    from lingbot_ros.evaluate.engine_speed import compare_engines
    from lingbot_ros.evaluate.machine import describe_machine, describe_versions

    print(f"{args.name}: milliseconds of processor time per world and chunk, engines taking turns")
    print(f"{'engine':<50} {'worlds':>6} {'p50':>8} {'p95':>8} {'as fast':>8}")
    found = []
    for rows in args.rows:
        for speed in compare_engines(args.name, (args.against, args.engine), rows, args.rounds, args.threads):
            print(f"{speed.engine:<50} {rows:>6} {speed.p50_ms:>8.2f} {speed.p95_ms:>8.2f} {speed.gain:>7.2f}x")
            found.append(asdict(speed))
    if args.json is not None:
        report = {"model": args.name, "machine": describe_machine(), "versions": describe_versions(), "engines": found}
        args.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    return 0


def _run_gpu_day(args: argparse.Namespace) -> int:
    from lingbot_ros.errors import InputError
    from lingbot_ros.evaluate.gpu_day.day import PARTS, run_day

    for part in args.gpu:
        if part not in PARTS:
            raise InputError("--gpu", part, f"give {', '.join(PARTS)}, or nothing for all")
    return 1 if run_day(args.gpu or PARTS, args.device, args.out) else 0
