"""Alice for PyTorch, on any device (``pip install "reluplex_walk[torch]"``): ``rw.torch.Alice``.

The rules are those of :class:`reluplex_walk.Alice`; here is what drives them: parameter groups, the
closure, the same random choices for the gradients of a step, and the state that is saved.  Nothing
else of the library is loaded, and nothing is compiled.
"""

from collections.abc import Callable
from typing import Any

try:
    import torch
    from torch.optim import Optimizer
except ModuleNotFoundError as error:
    raise ImportError('rw.torch needs PyTorch: pip install "reluplex_walk[torch]"') from error

from ._numbers import short
from ._validate import integer
from .optimize.alice_tensors import (
    Ends,
    Part,
    Tensors,
    along,
    check_group,
    check_lines,
    check_means,
    lines,
    random_again,
    rate_of,
    rules_of,
    share,
    total,
)


class Alice(Optimizer):
    """The optimizer of arXiv 2411.16914: steps that count the Hessian and the glass.

    What it computes is what :class:`reluplex_walk.Alice` says; with the same seed and the same
    gradients both go the same way, on any device.  Gradients are taken ahead of the parameters and,
    every (quick_steps + 1)-th step, at three points of a random line, so that `step` needs a
    closure: one that computes the loss of one batch, calls ``backward`` and returns the loss.  It
    is called once or three times; dropout and whatever else draws from PyTorch's generators is the
    same each time.  Choose the batch outside of it.  Layers that count what they see (batch
    normalisation) see a batch three times then.

    Between steps the parameters are mu, where the model rests: evaluate and save them as they are.
    The first 1 / (1 - beta1) steps measure only; nothing moves.

    Parameters
    ----------
    params : iterable
        Parameters of float32 or float64, or groups of them; every option but `quick_steps`, `joint`
        and `seed` may differ between groups.  A group added later has a burn-in of its own.
    lr : float, default 1e-3
        The half-length of the lines of gradients, and the scale of the largest step.
    hessian : {"abs", "rms", "off"}, default "abs"
        How curvature is averaged.
    glass : bool, default True
        Whether the glass counts.
    bounds : bool or {"adam", "gradient", "fixed"}, default True
        What bounds a step.
    quick_steps : int, default 3
        Steps of one gradient between those of three.
    joint : bool, default False
        Whether the glass is estimated for all parameters of all groups together.
    betas : (float, float), default (0.9, 0.999)
        Of the running means of gradients and of their squares.
    eps : float, default 1e-8
    limits : (float, float), default (0, 2)
        The least and the largest step, in learning rates.
    omega : float, default 1
        How far gradients are taken ahead, in steps.
    seed : int, default 0
        Of the lines.

    Raises
    ------
    ValueError, TypeError
        If an argument does not fit.

    Examples
    --------
    >>> import torch
    >>> import reluplex_walk as rw
    >>> x = torch.linspace(-1.0, 1.0, 50)[:, None]
    >>> _ = torch.manual_seed(0)
    >>> model = torch.nn.Sequential(torch.nn.Linear(1, 16), torch.nn.ReLU(), torch.nn.Linear(16, 1))
    >>> optimizer = rw.torch.Alice(model.parameters(), lr=3e-2)
    >>> def closure():
    ...     loss = (model(x) - x.abs()).abs().mean()
    ...     loss.backward()
    ...     return loss
    >>> losses = [optimizer.step(closure).item() for _ in range(150)]
    >>> losses[-1] < 0.2 * losses[0]
    True
    >>> 0.0 <= optimizer.clip_share <= 1.0, optimizer.effective_rate > 0.0
    (True, True)
    """

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        *,
        hessian: str = "abs",
        glass: bool = True,
        bounds: bool | str = True,
        quick_steps: int = 3,
        joint: bool = False,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        limits: tuple[float, float] = (0.0, 2.0),
        omega: float = 1.0,
        seed: int = 0,
    ) -> None:
        defaults = {
            "lr": lr,
            "hessian": hessian,
            "glass": glass,
            "bounds": bounds,
            "quick_steps": quick_steps,
            "joint": joint,
            "betas": betas,
            "eps": eps,
            "limits": limits,
            "omega": omega,
            "seed": integer("seed", seed, 0),
            "joint_glass": 0.0,  # the running mean; that of the first group counts
        }
        super().__init__(params, defaults)

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add `param_group`, a dict with ``params`` and with options that differ from the defaults.

        Raises ValueError or TypeError if they do not fit.

        Examples
        --------
        >>> import torch
        >>> import reluplex_walk as rw
        >>> weight, bias = torch.ones(3, requires_grad=True), torch.zeros(1, requires_grad=True)
        >>> optimizer = rw.torch.Alice([weight])
        >>> optimizer.add_param_group({"params": [bias], "lr": 1e-2})
        >>> [group["lr"] for group in optimizer.param_groups]
        [0.001, 0.01]
        """
        super().add_param_group(param_group)
        try:
            check_group(self.param_groups[-1], self.param_groups[0])
        except (ValueError, TypeError):
            self.param_groups.pop()
            raise

    def step(self, closure: Any = None) -> Any:
        """One step, with one or three calls of a closure.

        Parameters
        ----------
        closure : callable
            Computes the loss, calls ``backward`` and returns the loss.  Gradients are set to None
            before each call.

        Returns
        -------
        object
            The loss that the closure returned, of the point ahead of the parameters.

        Raises
        ------
        ValueError, TypeError
            If there is no closure, or none that computes gradients; if a gradient is not finite;
            if `lr` no longer changes a parameter.  Parameters and state are as before the step.

        Examples
        --------
        >>> import torch
        >>> import reluplex_walk as rw
        >>> theta = torch.tensor([1.0, -2.0], requires_grad=True)
        >>> optimizer = rw.torch.Alice([theta], lr=0.1)
        >>> def closure():
        ...     loss = (theta * theta).sum()
        ...     loss.backward()
        ...     return loss
        >>> for _ in range(11):
        ...     _ = optimizer.step(closure)
        >>> theta.detach()  # ten measured, one moved by (1 - beta1) times twice the learning rate
        tensor([ 0.9800, -1.9800])
        """
        if not callable(closure):
            raise TypeError(
                "closure: expected a callable that computes the loss and calls backward(), "
                f"found {short(closure)}; Alice takes gradients at several points"
            )
        with torch.no_grad():
            return self._step(closure)

    @property
    def clip_share(self) -> float:
        """The share of parameters whose last step was cut, or lengthened, by a bound."""
        with torch.no_grad():
            parts = self._parts()
            cut = [
                part.rules.bounded(part.means, part.state["delta"], part.rate).sum()
                for part in parts
                if part.rules.bounds
            ]
            return total(cut) / sum(part.p.numel() for part in parts)

    @property
    def effective_rate(self) -> float:
        """The length of the last move of all parameters over that of their mean gradients."""
        with torch.no_grad():
            parts = self._parts()
            moved = [((part.rules.phi * part.state["delta"]) ** 2).sum() for part in parts]
            size = total([(part.means.gradient**2).sum() for part in parts])
            return (total(moved) / size) ** 0.5 if size else 0.0

    def _parts(self) -> list["Part"]:
        """The parameters that are trained."""
        parts = []
        for j, group in enumerate(self.param_groups):
            rules, rate = rules_of(group), rate_of(group)
            for i, p in enumerate(group["params"]):
                if p.requires_grad:
                    names = group.get("param_names")
                    name = names[i] if names else f"parameter {i} of group {j}"
                    parts.append(Part(name, p, rules, rate, self.state[p]))
        if not parts:
            raise ValueError("params: expected one at least that requires a gradient, found none")
        return parts

    def _step(self, closure: Callable[[], Any]) -> Any:
        parts, first = self._parts(), self.param_groups[0]
        k = max(part.k for part in parts)
        waiting = [part.k <= part.rules.burn_in for part in parts]
        measures = any(waiting) or parts[0].rules.measures(k)
        signs = lines(first["seed"], k, parts) if measures else None
        resting = [part.p.clone() for part in parts]
        try:
            loss, centre, ends = self._evaluations(closure, parts, signs)
        finally:
            for part, mu in zip(parts, resting, strict=True):
                part.p.copy_(mu)
        means = [
            part.rules.updated(part.means, part.k, g, end, part.rate)
            for part, g, end in zip(parts, centre, ends, strict=True)
        ]
        check_means(parts, means, centre, ends)
        if first["joint"] and signs is not None:
            first["joint_glass"] = parts[0].rules.joint_updated(
                first["joint_glass"], k, *along(parts, signs, centre, ends)
            )
        for part, mean in zip(parts, means, strict=True):
            part.state.update(mean._asdict(), step=part.k)
        fraction = share(parts, first["joint_glass"]) if first["joint"] else 1.0
        for part, waits in zip(parts, waiting, strict=True):
            if not waits:
                part.state["delta"] = part.rules.delta(part.means, part.rate, fraction)
                part.p.add_(part.rules.phi * part.state["delta"])
        return loss

    def _evaluations(
        self, closure: Callable[[], Any], parts: list["Part"], signs: Tensors | None
    ) -> tuple[Any, Tensors, Ends]:
        """Loss and gradients at nu, and for each part the gradients at both ends of its line."""
        nus = [part.p + part.rules.ahead * part.state["delta"] for part in parts]
        ends: Ends = [None] * len(parts)
        if signs is not None:
            ways = [part.rate * v for part, v in zip(parts, signs, strict=True)]
            plus = [nu + way for nu, way in zip(nus, ways, strict=True)]
            minus = [nu - way for nu, way in zip(nus, ways, strict=True)]
            check_lines(parts, plus, minus)
            with random_again(parts):
                _, up = self._gradients(closure, parts, plus)
            up = [g.clone() for g in up]  # the next backward may write into the same memory
            with random_again(parts):
                _, down = self._gradients(closure, parts, minus)
            ends = list(zip(up, [g.clone() for g in down], strict=True))
        loss, centre = self._gradients(closure, parts, nus)
        return loss, centre, ends

    def _gradients(
        self, closure: Callable[[], Any], parts: list["Part"], points: Tensors
    ) -> tuple[Any, Tensors]:
        """The loss and the gradients at `points`."""
        for part, point in zip(parts, points, strict=True):
            part.p.copy_(point)
        self.zero_grad(set_to_none=True)
        with torch.enable_grad():
            loss = closure()
        found = [part.p.grad for part in parts]
        if all(g is None for g in found):
            raise ValueError("closure: expected one that calls backward(), found no gradient")
        for part, g in zip(parts, found, strict=True):
            if g is not None and g.layout != torch.strided:
                raise ValueError(
                    f"closure: expected dense gradients, found {g.layout} for {part.name}"
                )
        return loss, [
            torch.zeros_like(part.p) if g is None else g.detach()
            for part, g in zip(parts, found, strict=True)
        ]


__all__ = ["Alice"]
