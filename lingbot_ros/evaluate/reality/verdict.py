"""What a study says, in sentences and as a table for a terminal."""

from math import isfinite

from lingbot_ros.evaluate.clip_report import shown_frames
from lingbot_ros.evaluate.fidelity.sensitivity import BLIND_BELOW
from lingbot_ros.evaluate.reality.fidelity import Fidelity, Looks
from lingbot_ros.evaluate.reality.study import Study


def verdict(study: Study, model: str) -> list[str]:
    """Three sentences in plain text."""
    return [_reach(study, model), _divergence(study), _following(study)]


def table(study: Study) -> str:
    """The curves at a few frames."""
    frames = shown_frames(study.horizon)
    rows = (
        ("PSNR, dB", [study.psnr_db[frame - 1].value for frame in frames]),
        ("  repeating the last real image", [study.frozen_db[frame - 1].value for frame in frames]),
        ("  under another window's actions", [study.other_db[frame - 1].value for frame in frames]),
        ("SSIM", [study.ssim[frame - 1].value for frame in frames]),
        ("worst patch, grey levels", [study.local_error[frame - 1].value for frame in frames]),
        ("skill over repeating", [study.skill[frame - 1] for frame in frames]),
    )
    lines = [f"{'frame':<34}" + "".join(f"{frame:>8}" for frame in frames)]
    lines += [f"{name:<34}" + "".join(_cell(value) for value in values) for name, values in rows]
    lines += ["", *(f"{name:<34} {value} ({note})" for name, value, note in fidelity_table(study.fidelity, study.fps))]
    return "\n".join(lines)


def fidelity_table(found: Fidelity, fps: float) -> list[tuple[str, str, str]]:
    """Figure, value and meaning of each, in plain text."""
    following, real = found.following, found.following_real
    usable = found.usable.usable_frames
    return [
        ("effect of the actions", _known(found.effect_ratio), f"1 is none; below {BLIND_BELOW:g} it is blind to them"),
        ("an action shows late by", _known(found.latency_frames, "{:g} frames"), _causal(found)),
        (
            "actions read off imagined frames",
            _known(following.mean if following else None),
            f"1 is perfect, 0 a guess; off real frames {_known(real.mean if real else None)}",
        ),
        (
            "of what can be read off real ones",
            _known(found.following_share, "{:.0%}"),
            "not said where real frames are read too badly (below 0.3)",
        ),
        (
            "PSNR keeps 20 dB for",
            f"{usable} frames",
            f"{usable / fps:.1f} s; {found.usable.slope_per_frame:+.2f} dB a frame",
        ),
        ("flicker", _known(found.flicker, "{:.4f}"), f"1 is still; real frames {_known(found.flicker_real, '{:.4f}')}"),
        (
            "looks of the last frame",
            _last(found.looks),
            f"against the last real image; real: {_last(found.looks_real)}",
        ),
    ]


def _last(looks: Looks) -> str:
    return ", ".join(
        f"{name} {values[-1]:+.1f}" if name == "exposure" else f"{name} x {values[-1]:.2f}"
        for name, values in looks.items()
    )


def _causal(found: Fidelity) -> str:
    if found.looks_ahead is None:
        return ""
    return "NON_CAUSAL: it shows before it is sent" if found.looks_ahead else "never before it is sent"


def _known(value: float | None, form: str = "{:.2f}") -> str:
    return "-" if value is None else form.format(value)


def calibration_line(study: Study) -> str:
    """What the windows are worth as a calibration of the live monitor."""
    found = study.calibration
    if found is None:
        return "The recording is too short to calibrate the live monitor, which takes 30 windows of it or more"
    return (
        f"Calibration of the live monitor: {found.windows} windows of {found.window} frames; a normal window is "
        f"stopped with probability {found.alpha:g} at most"
    )


def _cell(value: float) -> str:
    return f"{value:>8.2f}" if isfinite(value) else f"{'-':>8}"


def _reach(study: Study, model: str) -> str:
    length = f"{study.horizon} frames ({study.horizon / study.fps:.1f} s) after {study.context} real ones"
    said = f"{model} foresees {len(study.names)} windows of {length}"
    end = f"{study.psnr_db[-1].value:.1f} dB at the last frame, where repeating the last real image has"
    reach = (
        "better than repeating the last real image to the end"
        if study.usable_frames == study.horizon
        else f"better than repeating the last real image for {study.usable_frames} frames"
    )
    return f"{said} {reach}: {end} {study.frozen_db[-1].value:.1f} dB."


def _divergence(study: Study) -> str:
    whole = f"{study.kept} of {len(study.names)} windows stay together to the end"
    limit = f"an object is elsewhere once the worst patch is off by more than {study.limit:g} grey levels"
    if not isfinite(study.divergence_s):
        return f"Reality and imagination: {whole} ({limit})."
    return f"Reality and imagination part after {study.divergence_s:.1f} s (median); {whole} ({limit})."


def _following(study: Study) -> str:
    cost = study.follows_db
    said = f"Other actions cost {cost.value:.2f} dB [{cost.low:.2f}, {cost.high:.2f}]"
    return f"{said}: it follows its actions." if study.follows else f"{said}: that it follows its actions is not shown."
