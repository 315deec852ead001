"""`lingbot doctor`: what is installed, what works, and how to fix the rest."""

import argparse
import json
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lingbot_ros.cli.doctor.finding import Finding

HELP = "check this machine and environment, and print a fix for each problem"

_ROOT = Path(__file__).resolve().parents[3]
_SCHEMA = 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the format of the report."""
    parser.add_argument("--json", action="store_true", help="print the report as JSON")


def run(args: argparse.Namespace) -> int:
    """Print each finding when it is available. Returns 1 if anything needed by default does not work, else 0."""
    from lingbot_ros.cli.doctor.dds_checks import check_dds, check_users
    from lingbot_ros.cli.doctor.device_checks import check_devices
    from lingbot_ros.cli.doctor.finding import State
    from lingbot_ros.cli.doctor.machine_checks import check_machine
    from lingbot_ros.cli.doctor.model_checks import check_models
    from lingbot_ros.cli.doctor.software_checks import check_software

    parts: dict[str, Callable[[], Iterable[Finding]]] = {
        "machine": lambda: check_machine(_ROOT),
        "software": check_software,
        "engines and devices": check_devices,
        "ROS 2 network": lambda: (check() for check in (check_dds, check_users)),
        "models": check_models,
    }
    report: dict[str, list[Finding]] = {}
    for part, check in parts.items():
        if not args.json:
            print(f"{part}:", flush=True)
        report[part] = []
        for finding in check():
            report[part].append(finding)
            if not args.json:
                _print(finding)
    problems = sum(finding.state is State.PROBLEM for findings in report.values() for finding in findings)
    if args.json:
        _print_json(report, problems)
    else:
        print(f"{problems} problem{'s' * (problems != 1)}" if problems else "no problems; start with ./lingbot imagine")
    return 1 if problems else 0


def _print(finding: "Finding") -> None:
    print(f"  {finding.state.value:<8} {finding.subject}: {finding.found}", flush=True)
    if finding.advice:
        print(f"           -> {finding.advice}", flush=True)


def _print_json(report: "dict[str, list[Finding]]", problems: int) -> None:
    parts = {
        part: [{"subject": f.subject, "state": f.state.value, "found": f.found, "advice": f.advice} for f in findings]
        for part, findings in report.items()
    }
    json.dump({"schema": _SCHEMA, "problems": problems, "parts": parts}, sys.stdout, indent=2)
    print()
