"""The summary of a walk in words."""

from collections.abc import Mapping
from typing import Any

from ..proof.certificate import METHODS


def in_words(figures: Mapping[str, Any]) -> str:
    """The figures of :meth:`Trajectory.summary_dict`, one line for each subject."""
    f = figures
    lines = [
        ("status", f"{f['status']}: {f['message']}"),
        ("proof", f"{f['proof']}: {METHODS[f['proof']]}"),
        ("loss", f"{f['loss']:.10g} (start {f['loss_start']:.10g})"),
        ("problem", f"network {f['network']}, layer {f['layer']}, {f['n']} samples, {f['kind']}"),
        ("pivots", f"{f['n_pivots']} ({f['zero_length_pivots']} of length zero)"),
        ("active", f"{f['rank']} of {f['dim']} dimensions, {f['tied']} tied"),
        ("least slope", f"{f['smallest_slope']:.4g} ({'strict' if f['strict'] else 'weak'})"),
        ("walk", f"{f['step']} steps, rule {f['rule']}, seed {f['seed']}"),
        ("time", f"{f['seconds']:.3g} s"),
    ]
    return "\n".join(f"{name:<12} {text}" for name, text in lines)


__all__ = ["in_words"]
