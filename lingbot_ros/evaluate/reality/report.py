"""Writes a study: `against.json`, `index.html`, and `trust.json` where the windows suffice for a calibration."""

import base64
from collections.abc import Sequence
from datetime import datetime, timezone
from html import escape
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from lingbot_ros.evaluate.clip_report import shown_frames
from lingbot_ros.evaluate.machine import describe_machine, describe_versions
from lingbot_ros.evaluate.policy_report.style import STYLE
from lingbot_ros.evaluate.reality.comparison import Comparison
from lingbot_ros.evaluate.reality.plot import curves
from lingbot_ros.evaluate.reality.study import Study
from lingbot_ros.evaluate.reality.verdict import calibration_line, fidelity_table, table, verdict
from lingbot_ros.evaluate.report_files import write_text
from lingbot_ros.evaluate.results.files import save_json
from lingbot_ros.evaluate.results.plain import plain
from lingbot_ros.evaluate.rollouts.stepper import Frames

SCHEMA = "lingbot.against/1"
CALIBRATION_FILE = "trust.json"

_WIDEST_PX = 140


def write_against(
    folder: Path, study: Study, compared: Sequence[Comparison], model: dict[str, Any], source: str, command: str
) -> str:
    """Write the files and return the report for a terminal. model: as `describe_model`. Raises ResourceError."""
    folder.mkdir(parents=True, exist_ok=True)
    sentences = verdict(study, model["name"])
    record = {
        "schema": SCHEMA,
        "verdict": sentences,
        **plain(study),
        "usable_frames": study.usable_frames,
        "divergence_s": study.divergence_s,
        "follows": study.follows,
        "model": model,
        "source": source,
        "command": command,
        "created": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "versions": describe_versions(),
        "machine": describe_machine(),
    }
    save_json(folder / "against.json", plain(record))
    write_text(folder / "index.html", _page(study, compared, sentences, model, source, command))
    if study.calibration is not None:
        study.calibration.save(folder / CALIBRATION_FILE)
    wrote = "against.json, index.html" + (f", {CALIBRATION_FILE}" if study.calibration is not None else "")
    return "\n".join(["", *sentences, "", table(study), "", calibration_line(study), f"wrote {wrote} to {folder}"])


def _page(
    study: Study,
    compared: Sequence[Comparison],
    sentences: Sequence[str],
    model: dict[str, Any],
    source: str,
    command: str,
) -> str:
    reach, *others = sentences
    state = "believed" if study.follows and study.usable_frames == study.horizon else "doubtful"
    series = [
        ("imagined", [one.value for one in study.psnr_db]),
        ("the last real image repeated", [one.value for one in study.frozen_db]),
        ("under another window's actions", [one.value for one in study.other_db]),
    ]
    facts = [
        ("Command", command),
        ("Recording", source),
        ("Model", f"{model['name']}, weights {model['weights_sha256']}"),
        ("Versions", ", ".join(f"{name} {version}" for name, version in describe_versions().items())),
        ("Machine", ", ".join(str(value) for value in describe_machine().values())),
    ]
    parts = [
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"/>',
        '<meta name="viewport" content="width=device-width, initial-scale=1"/>',
        f"<title>Against reality</title><style>{STYLE}</style></head><body><main>",
        f'<header class="{state}"><h1>Does it happen as imagined?</h1><p class="lead">{escape(reach)}</p>',
        *(f"<p>{escape(sentence)}</p>" for sentence in others),
        "</header>",
        f"<section><h2>Error over horizon</h2>{curves(series, 'PSNR, dB')}{_table(study)}</section>",
        f"<section><h2>Where they part</h2>{_local(study)}{_diverged(study)}</section>",
        f"<section><h2>Does it do what it is told?</h2>{_fidelity(study)}</section>",
        f"<section><h2>Live monitor</h2><p>{escape(calibration_line(study))}.</p></section>",
        f"<section><h2>Windows</h2><p>Real above imagined.</p>{_strips(compared)}</section>",
        "<section><h2>To repeat it</h2><dl>",
        *(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in facts),
        "</dl></section></main></body></html>",
    ]
    return "\n".join(parts)


def _table(study: Study) -> str:
    rows = []
    for frame in shown_frames(study.horizon):
        at = frame - 1
        skill, decibels = study.skill[at], study.psnr_db[at]
        cells = [
            f"{frame}",
            f"{frame / study.fps:.1f} s",
            f"<b>{decibels.value:.1f}</b><small>{decibels.low:.1f} to {decibels.high:.1f}</small>",
            f"{study.frozen_db[at].value:.1f}",
            f"{study.other_db[at].value:.1f}",
            f"{study.ssim[at].value:.3f}",
            "nothing moved" if np.isnan(skill) else f"{skill:.2f}",
        ]
        rows.append("<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>")
    heads = ("frame", "time", "PSNR, dB (95 %)", "last image", "other actions", "SSIM", "skill")
    head = "".join(f"<th>{name}</th>" for name in heads)
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table></div>'


def _fidelity(study: Study) -> str:
    rows = "".join(
        f"<tr><td>{escape(name)}</td><td><b>{escape(value)}</b><small>{escape(note)}</small></td></tr>"
        for name, value, note in fidelity_table(study.fidelity, study.fps)
    )
    looks = study.fidelity.looks, study.fidelity.looks_real
    sharp = [(name, one["sharpness"]) for name, one in zip(("imagined", "real"), looks, strict=True)]
    drawn = curves(sharp, "sharpness over that of the last real image")
    return f'<table class="loose"><tbody>{rows}</tbody></table>{drawn}'


def _local(study: Study) -> str:
    values = [one.value for one in study.local_error]
    return curves([("mean over windows", values), ("limit", [study.limit] * len(values))], "worst patch, grey levels")


def _diverged(study: Study) -> str:
    parted = [
        f"<li>{escape(name)}: after {frame / study.fps:.1f} s (frame {frame})</li>"
        for name, frame in zip(study.names, study.diverged, strict=True)
        if frame is not None
    ]
    return f"<ul>{''.join(parted[:20])}</ul>" if parted else "<p>No window diverges.</p>"


def _strips(compared: Sequence[Comparison]) -> str:
    """The best, the median and the worst window."""
    order = np.argsort([one.mse.mean() for one in compared], kind="stable")
    chosen = {"worst": order[-1], "median": order[len(order) // 2], "best": order[0]}
    figures = []
    for kind, index in chosen.items():
        one = compared[index]
        at = [frame - 1 for frame in shown_frames(len(one.mse))]
        caption = f"{kind}: {one.name}; frames {', '.join(str(number + 1) for number in at)}"
        data = base64.b64encode(_strip(one.real[at], one.imagined[at])).decode()
        image = f'<img alt="{escape(caption)}" src="data:image/png;base64,{data}"/>'
        figures.append(f"<figure>{image}<figcaption>{escape(caption)}</figcaption></figure>")
    return "".join(figures)


def _strip(real: Frames, imagined: Frames) -> bytes:
    scale = min(1.0, _WIDEST_PX / real.shape[2])
    size = (round(real.shape[2] * scale), round(real.shape[1] * scale))
    rows = [
        np.hstack([cv2.resize(frame, size, interpolation=cv2.INTER_AREA) for frame in frames])
        for frames in (real, imagined)
    ]
    _, data = cv2.imencode(".png", cv2.cvtColor(np.vstack(rows), cv2.COLOR_RGB2BGR))
    return bytes(data)
