"""`lingbot gate`: an exit code for continuous integration, from a report of `lingbot evaluate`."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lingbot_ros.evaluate.policy_report.gate import Limits

HELP = "pass or fail a report of `lingbot evaluate`, by exit code"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the report and its limits."""
    parser.add_argument("report", type=Path, help="folder of a report, or its evaluation.json")
    parser.add_argument("--min-agreement", type=float, metavar="R", help="minimum correlation with the simulator")
    parser.add_argument("--min-agreement-low", type=float, metavar="R", help="minimum lower bound of its interval")
    parser.add_argument(
        "--max-mmrv", type=float, metavar="X", help="maximum MMRV (mean of the worst wrongly ordered gap)"
    )
    parser.add_argument(
        "--max-bias", type=float, metavar="X", help="maximum mean error of the success rates, either way"
    )
    parser.add_argument(
        "--max-hallucinated", type=float, metavar="X", help="maximum upper bound of success under wrong actions"
    )
    parser.add_argument("--min-scorer", type=float, metavar="X", help="minimum agreement of the scorer on real images")
    parser.add_argument("--baseline", type=Path, help="another report, whose correlation must be reached")
    parser.add_argument(
        "--tolerance",
        type=float,
        default=0.02,
        help="how far below the baseline the correlation may be (default %(default)s)",
    )


def run(args: argparse.Namespace) -> int:
    """Returns 0 when every limit is kept and the report gives a ranking, else 1."""
    from lingbot_ros.evaluate.policy_report.gate import judge, read_record

    record = read_record(args.report)
    checks = judge(record, _limits(args))
    for check in checks:
        print(check)
    return 0 if all(check.kept for check in checks) else 1


def _limits(args: argparse.Namespace) -> "Limits":
    from lingbot_ros.evaluate.policy_report.gate import Limits, agreement_of, read_record

    baseline = None if args.baseline is None else agreement_of(read_record(args.baseline))
    return Limits(
        min_agreement=args.min_agreement,
        min_agreement_low=args.min_agreement_low,
        max_mmrv=args.max_mmrv,
        max_bias=args.max_bias,
        max_hallucinated=args.max_hallucinated,
        min_scorer=args.min_scorer,
        baseline=None if baseline is None else baseline - args.tolerance,
    )
