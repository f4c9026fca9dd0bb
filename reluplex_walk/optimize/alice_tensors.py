"""What Alice needs of PyTorch: parts, lines, generators, checks that wait for the device once."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from typing import Any

import torch

from .._glass_step import bend
from .._validate import positive
from .alice_rules import AliceRules, Means, joint_share, line

Tensors = list[torch.Tensor]
Ends = list[tuple[torch.Tensor, torch.Tensor] | None]  # gradients at both ends of a line, if any

_OPTIONS = [option.name for option in fields(AliceRules)]
_SHARED = ("quick_steps", "joint", "seed")  # by all groups of parameters


@dataclass
class Part:
    """One tensor of parameters in a step."""

    name: str
    p: torch.Tensor
    rules: AliceRules
    rate: float
    state: dict[str, Any]

    def __post_init__(self) -> None:
        if not self.state:
            self.state.update(step=0, delta=torch.zeros_like(self.p))
            self.state.update({name: torch.zeros_like(self.p) for name in Means._fields})

    @property
    def k(self) -> int:
        """The number of the step to be made, of those that this tensor took part in."""
        return int(self.state["step"]) + 1

    @property
    def means(self) -> Means:
        return Means(*(self.state[name] for name in Means._fields))


def rules_of(group: dict[str, Any]) -> AliceRules:
    return AliceRules(**{name: group[name] for name in _OPTIONS})


def rate_of(group: dict[str, Any]) -> float:
    rate = group["lr"]
    return positive("lr", rate.item() if isinstance(rate, torch.Tensor) else rate)


def check_group(group: dict[str, Any], first: dict[str, Any]) -> None:
    """What is not PyTorch's to check."""
    rules = rules_of(group)
    rate_of(group)
    for name in _SHARED:
        if group[name] != first[name]:
            raise ValueError(
                f"{name}: expected the same in all groups, found {first[name]} and {group[name]}"
            )
    for p in group["params"]:
        if p.dtype not in (torch.float32, torch.float64):
            raise ValueError(
                f"params: expected float32 or float64, found {p.dtype}; "
                "keep parameters in float32 and compute under torch.autocast"
            )
        if not torch.tensor(rules.eps, dtype=p.dtype).item() > 0.0:
            raise ValueError(f"eps: expected a number > 0 in {p.dtype}, found {rules.eps}")


def lines(seed: int, k: int, parts: list[Part]) -> Tensors:
    """The random line of step k: +1 or -1 for every parameter, drawn on no device."""
    signs = torch.from_numpy(line(seed, k, sum(part.p.numel() for part in parts)))
    pieces = signs.split([part.p.numel() for part in parts])
    return [
        piece.to(part.p.device, part.p.dtype).reshape(part.p.shape)
        for part, piece in zip(parts, pieces, strict=True)
    ]


@contextmanager
def random_again(parts: list[Part]) -> Iterator[None]:
    """Afterwards PyTorch's generators are as they were, so that what they gave comes again."""
    devices = {part.p.device for part in parts if part.p.device.type != "cpu"}
    before = torch.get_rng_state()
    modules = [(torch.get_device_module(device), device) for device in devices]
    there = [module.get_rng_state(device) for module, device in modules]
    try:
        yield
    finally:
        torch.set_rng_state(before)
        for (module, device), state in zip(modules, there, strict=True):
            module.set_rng_state(state, device)


def check_lines(parts: list[Part], plus: Tensors, minus: Tensors) -> None:
    """ValueError if a line has no length in some coordinate."""
    if _all([(a != b).all() for a, b in zip(plus, minus, strict=True)]):
        return
    for part, a, b in zip(parts, plus, minus, strict=True):
        if bool((a == b).any()):
            raise ValueError(
                f"lr: expected a number that changes {part.name}, which has "
                f"{float(a.abs().max()):g} in {part.p.dtype}, found {part.rate:g}"
            )


def check_means(parts: list[Part], means: list[Means], centre: Tensors, ends: Ends) -> None:
    """ValueError if gradients were not finite or too large."""
    if _all([torch.isfinite(tensor).all() for mean in means for tensor in mean]):
        return
    for part, g, pair in zip(parts, centre, ends, strict=True):
        for each in (*(pair or ()), g):
            odd = each[~torch.isfinite(each)]
            if odd.numel():
                raise ValueError(
                    f"closure: expected finite gradients, found {odd[0].item()} in "
                    f"{odd.numel()} of {g.numel()} of those of {part.name} in step {part.k}"
                )
    most = max(float(g.abs().max()) for g in centre if g.numel())
    raise ValueError(
        f"closure: expected gradients whose squares {parts[0].p.dtype} holds, "
        f"found up to {most:g} in size in step {parts[0].k}"
    )


def along(parts: list[Part], signs: Tensors, centre: Tensors, ends: Ends) -> tuple[float, float]:
    """The bend in direction of the line, and the half-length of the line that it is counted by.

    That is the largest learning rate; in groups of others the direction has components below 1.
    """
    widest = max(part.rate for part in parts)
    found = [
        part.rate / widest * (v * bend(end[0], end[1], g)).sum()
        for part, v, g, end in zip(parts, signs, centre, ends, strict=True)
        if end is not None
    ]
    return total(found), widest


def share(parts: list[Part], joint: float) -> float:
    """What every rho is multiplied by, so that on the line they make the joint density."""
    widest = max(part.rate for part in parts)
    roots = [(part.rate / widest) ** 1.5 * part.means.glass.sqrt().sum() for part in parts]
    return joint_share(joint, total(roots))


def _all(flags: Tensors) -> bool:
    """Whether all flags are set: one wait for the device."""
    return bool(torch.stack([flag.to(flags[0].device) for flag in flags]).all())


def total(numbers: Tensors) -> float:
    """The sum of numbers that may lie on several devices."""
    if not numbers:
        return 0.0
    return float(torch.stack([number.to(numbers[0].device) for number in numbers]).sum())


__all__ = [
    "Ends",
    "Part",
    "Tensors",
    "along",
    "check_group",
    "check_lines",
    "check_means",
    "lines",
    "random_again",
    "rate_of",
    "rules_of",
    "share",
    "total",
]
