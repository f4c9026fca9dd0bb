"""What is printed and shown of a walk: its main figures as text, and a picture as HTML."""

from base64 import b64encode
from collections.abc import Callable
from io import BytesIO
from typing import Any

from ..proof.certificate import METHODS


def as_text(d: dict[str, Any], tau: float) -> str:
    """The main figures `d` of a walk, a line each; `tau` of the pinball loss."""
    kind = f"{d['kind']}, tau {tau:g}" if d["kind"] == "pinball" else d["kind"]
    lines = [
        ("status", f"{d['status']}: {d['message']}"),
        ("proof", f"{d['proof']}: {METHODS[d['proof']]}"),
        *([("because", d["reason"]), ("remedy", d["remedy"])] if d["reason"] else []),
        ("loss", f"{d['loss']:.10g} (start {d['loss_start']:.10g})"),
        ("problem", f"network {d['network']}, layer {d['layer']}, {d['n']} samples, {kind}"),
        ("pivots", f"{d['n_pivots']} ({d['zero_length_pivots']} of length zero)"),
        ("active", f"{d['rank']} of {d['dim']} dimensions, {d['tied']} tied"),
        ("least slope", f"{d['smallest_slope']:.4g} ({'strict' if d['strict'] else 'weak'})"),
        *([("note", note)] if (note := _of_one_basis(d)) else []),
        *([("off", off(d["dead_neurons"], d["neurons"]))] if d["dead_neurons"] else []),
        ("walk", f"{d['step']} steps, rule {d['rule']}, seed {d['seed']}"),
        ("time", f"{d['seconds']:.3g} s"),
    ]
    return "\n".join(f"{name:<12} {text}" for name, text in lines)


def off(dead: int, neurons: int) -> str:
    """In words, that so many neurons are dead."""
    verb = "neuron is" if dead == neurons == 1 else "neurons are"
    return f"{dead} of {neurons} {verb} off for every sample"


def _of_one_basis(d: dict[str, Any]) -> str:
    """What negative slopes mean at a degenerate end; empty where there are none."""
    if not d["tied"] or (d["smallest_slope"] >= 0.0 and not d["descending"]):
        return ""
    proved = d["status"] in ("LOCAL_MINIMUM", "GLOBAL_MINIMUM")
    return (
        "a half-edge of one basis that descends may have no length: tied breakpoints bend it up "
        f"at once; {'the proof looks at all of them' if proved else 'alone it decides nothing'}"
    )


def picture(draw: Callable[[Any], Any]) -> str:
    """What `draw` draws on a Figure, as HTML; nothing where matplotlib is not installed."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        return ""
    png = BytesIO()
    figure = Figure(figsize=(8.0, 6.0), layout="constrained")  # not one of pyplot's
    draw(figure)
    figure.savefig(png, format="png", dpi=100)
    data = b64encode(png.getvalue()).decode()
    return (
        '<img style="max-width:100%" alt="overview of the walk" '
        f'src="data:image/png;base64,{data}">'
    )


__all__ = ["as_text", "off", "picture"]
