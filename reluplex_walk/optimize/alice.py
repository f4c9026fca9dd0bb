"""Alice: a quasi-Newton method whose curvature is a Hessian and a glass of gradient jumps.

After Duersch, Catanach, Safonov and Wendt, Curvature in the Looking-Glass, arXiv 2411.16914, and
the behaviour of their program.  (That of the same name in arXiv 2502.07752 is another one.)
:mod:`reluplex_walk.torch` drives the same rules with PyTorch.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._files import check_member
from .._glass_step import bend
from .._shown import repr_html
from .._validate import integer, positive, real, real_array
from .alice_rules import AliceRules, Means, joint_share, line
from .diverged import DivergedError


@dataclass(frozen=True)
class Alice(AliceRules):
    """The method of arXiv 2411.16914: steps that count the Hessian and the glass, per coordinate.

    The loss after a step x of a coordinate is modelled as ``-|g| x + h x^2/2 + c sqrt(rho) x^1.5``
    with running means of its gradient g, of its curvature h and of the density rho of the jumps of
    its gradient, c = 0.4607; the step is its minimum::

        alpha = 3 rho / (4 pi (|g| + eps))
        |delta| = |g| / (alpha + h + sqrt(alpha (alpha + 2 h)) + eps)

    *Gradients* are taken at nu, which looks ahead of the point mu where the model rests: nu = mu +
    omega delta, mu moves by (1 - beta1) omega delta, so that for affine gradients the running mean
    of gradients at nu is the gradient at mu.

    *Curvature* comes from gradients at both ends and the middle of a random line nu +- s v, v of
    numbers +-1, s the learning rate: h = ``|g+ - g-| / (2 s)`` and
    rho = ``2 ((g+ + g-)/2 - g)^2 / s``.  That takes three gradients, in this order: +, -,
    middle.  Every (quick_steps + 1)-th step does so, the quick ones between take one gradient:
    1.5 on average by default.

    *At first* come burn_in = 1 / (1 - beta1) steps, 10 by default, that measure only: three
    gradients each, and nothing moves.

    *Running means*: that of step k weighs the past by min(beta, (k - 1) / k) and is not corrected
    for bias.  Those of h and rho have beta = 1 - (quick_steps + 1)(1 - beta2).

    *The bound*: ``|delta|`` is kept between the two `limits` times the learning rate, times
    ``|g| / (sqrt(m) + eps)``, m the running mean of squares of gradients: twice a step of Adam.
    So the learning rate is both s and the scale of the largest step.

    Attributes
    ----------
    hessian : {"abs", "rms", "off"}, default "abs"
        h is the running mean of sizes, the root of that of squares, or 0.
    glass : bool, default True
        Whether rho counts.  Without it `hessian` must not be off.
    bounds : bool or {"adam", "gradient", "fixed"}, default True
        What the learning rate is multiplied by: that of Adam as above (True), ``|g|``, or 1.
        False: steps are not bounded.
    quick_steps : int, default 3
        Steps of one gradient between those of three.
    joint : bool, default False
        The sum over coordinates of c sqrt(rho_i) overstates the deviation of the loss along a
        step, since all coordinates cross the same breakpoints: by a factor of 3.2 to 3.4 at 25
        parameters.  True: one density of all coordinates together is estimated from the same
        three gradients, rho = ``2 (v . ((g+ + g-)/2 - g))^2 / s``, and each rho_i is multiplied by
        rho / (sum of sqrt(rho_i))^2.  They keep their proportions, and for a step as long in all
        coordinates the sum becomes what was measured.  This is not in the paper.
    betas : (float, float), default (0.9, 0.999)
        beta1 of the gradient and beta2 of its square, in [0, 1).
    eps : float, default 1e-8
    limits : (float, float), default (0, 2)
        The least and the largest step, in learning rates.
    omega : float, default 1
        How far nu looks ahead, in steps.

    Raises
    ------
    ValueError, TypeError
        If an option does not fit.

    References
    ----------
    Duersch, Catanach, Safonov and Wendt, Curvature in the Looking-Glass: Optimal Methods to Exploit
    Curvature of Expectation in the Loss Landscape, arXiv 2411.16914.

    Examples
    --------
    >>> import numpy as np
    >>> import reluplex_walk as rw
    >>> run = rw.Alice(quick_steps=1).begin([3.0, -2.0], learning_rate=0.1, seed=0)
    >>> sum(run.step(lambda theta: 2.0 * theta, left=3) for _ in range(200))
    410
    >>> bool(np.abs(run.theta).max() < 1.0)
    True
    """

    def begin(self, theta: ArrayLike, learning_rate: float, seed: int = 0) -> "AliceRun":
        """A run that starts at `theta`.

        Parameters
        ----------
        theta : array_like (D,)
            Arrays of floats keep their precision; all else becomes float64.
        learning_rate : float
            The half-length s of the lines of gradients and the scale of the largest step; large
            enough to change every coordinate of theta.
        seed : int, default 0
            Of the lines.

        Returns
        -------
        AliceRun

        Raises
        ------
        ValueError, TypeError
            If an argument does not fit.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> rw.Alice().begin([1.0, 2.0], learning_rate=1e-2, seed=0).theta
        array([1., 2.])
        """
        point = _parameters(theta)
        if not point.dtype.type(self.eps) > 0.0:
            raise ValueError(
                f"eps: expected a number > 0 that {point.dtype} holds, found {self.eps}"
            )
        rate = positive("learning_rate", learning_rate)
        if (point + point.dtype.type(rate) == point - point.dtype.type(rate)).any():
            raise ValueError(_too_small(rate, point))
        return AliceRun(
            options=self,
            learning_rate=rate,
            seed=integer("seed", seed, 0),
            theta=point,
            delta=np.zeros_like(point),
            means=np.zeros((4, point.size), point.dtype),
        )

    @staticmethod
    def restore(arrays: Mapping[str, Any]) -> "AliceRun":
        """The run of which :meth:`AliceRun.arrays` gave `arrays`; it goes on bit for bit.

        Parameters
        ----------
        arrays : mapping of str to array_like
            They hold the options too.

        Returns
        -------
        AliceRun

        Raises
        ------
        ValueError, TypeError
            If they are no arrays of a run.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> run = rw.Alice().begin([1.0, 2.0], learning_rate=1e-2, seed=0)
        >>> rw.Alice.restore(run.arrays()).options == rw.Alice()
        True
        """
        check_member(arrays, "settings", "U", ())
        settings = json.loads(str(np.asarray(arrays["settings"])))
        wanted = {"options", "learning_rate", "seed", "steps", "joint_glass"}
        if not isinstance(settings, dict) or {*settings} != wanted:
            raise ValueError("settings: expected those of a run of Alice")
        check_member(arrays, "theta", "f")
        theta = _parameters(np.asarray(arrays["theta"]))
        dtype = theta.dtype.str[1:]
        check_member(arrays, "delta", dtype, theta.shape)
        check_member(arrays, "means", dtype, (4, *theta.shape))
        return AliceRun(
            options=Alice(**settings["options"]),
            learning_rate=positive("learning_rate", settings["learning_rate"]),
            seed=integer("seed", settings["seed"], 0),
            theta=theta,
            delta=np.array(arrays["delta"]),
            means=np.array(arrays["means"]),
            steps=integer("steps", settings["steps"], 0),
            joint_glass=real("joint_glass", settings["joint_glass"]),
        )


@dataclass(eq=False)
class AliceRun:
    """A run of :class:`Alice`: what it knows, and the next step.

    Attributes
    ----------
    options : Alice
    learning_rate : float
    seed : int
    theta : ndarray (D,)
        mu, where the model rests between steps.
    delta : ndarray (D,)
        The last step; gradients are taken ahead of theta by ``options.ahead`` times it.
    means : ndarray (4, D)
        The running means: of gradients, of their squares, of rho, of h (of h^2 with "rms").
    steps : int
        How many were made, those of the burn-in included.
    joint_glass : float
        The running mean of the joint density rho; 0 without `joint`.

    Examples
    --------
    >>> import numpy as np
    >>> import reluplex_walk as rw
    >>> run = rw.Alice().begin(np.array([1.0, -2.0]), learning_rate=0.1, seed=0)
    >>> [run.step(np.sign, left=4) for _ in range(14)]
    [3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 1, 3, 1, 1]
    >>> bool(abs(run.theta).sum() < 3.0), run.clip_share
    (True, 1.0)
    >>> round(run.effective_rate, 6)  # of Adam's bound: (1 - beta1) 2 lr
    0.02
    """

    options: Alice
    learning_rate: float
    seed: int
    theta: NDArray[np.floating]
    delta: NDArray[np.floating]
    means: NDArray[np.floating]
    steps: int = 0
    joint_glass: float = 0.0

    _repr_html_ = repr_html

    def step(self, gradient: Callable[[NDArray[Any]], ArrayLike], left: int) -> int:
        """One step, if it fits in what is `left` of a budget of gradients.

        Parameters
        ----------
        gradient : callable
            Takes a point (D,), gives the gradient there (D,).  The three calls of a step are to
            see the same samples and the same random choices.
        left : int
            How many gradients may be taken.

        Returns
        -------
        int
            How many were: 1 or 3, or 0 where three are due and do not fit.

        Raises
        ------
        ValueError
            If a gradient has another shape, is not finite, or has squares that the type of theta
            does not hold; if the learning rate no longer changes a coordinate of theta.  The run is
            as before the step.  All but the shape are a ``DivergedError``, with which
            :func:`descend` ends as DIVERGED.

        Examples
        --------
        >>> import numpy as np
        >>> import reluplex_walk as rw
        >>> run = rw.Alice().begin(np.ones(3), learning_rate=1e-2, seed=0)
        >>> run.step(lambda theta: theta, left=2), run.step(lambda theta: theta, left=3)
        (0, 3)
        """
        rule, rate, k = self.options, self.learning_rate, self.steps + 1
        charged = 3 if rule.measures(k) else 1
        if charged > left:
            return 0
        nu = self.theta + rule.ahead * self.delta
        joint, ends = self.joint_glass, None
        with np.errstate(over="ignore", invalid="ignore"):
            if charged == 3:
                signs = line(self.seed, k, nu.size).astype(nu.dtype)
                plus, minus = nu + rate * signs, nu - rate * signs
                if (plus == minus).any():
                    raise DivergedError(_too_small(rate, nu))
                ends = self._gradient(gradient, plus), self._gradient(gradient, minus)
            centre = self._gradient(gradient, nu)
            means = np.stack(rule.updated(Means(*self.means), k, centre, ends, rate))
            if ends is not None and rule.joint:
                joint = rule.joint_updated(joint, k, float(signs @ bend(*ends, centre)), rate)
        if not np.isfinite(means).all():
            raise DivergedError(
                f"gradient: expected numbers whose squares {nu.dtype} holds, "
                f"found up to {float(np.abs(centre).max()):g} in size in step {k}"
            )
        self.means, self.joint_glass, self.steps = means, joint, k
        if k > rule.burn_in:
            self.delta = rule.delta(Means(*means), rate, self._share())
            self.theta = self.theta + rule.phi * self.delta
        return charged

    def _share(self) -> float:
        """What rho is multiplied by so that the densities of coordinates make the joint one."""
        if not self.options.joint:
            return 1.0
        return joint_share(self.joint_glass, float(np.sqrt(self.means[2]).sum()))

    def _gradient(
        self, gradient: Callable[[NDArray[Any]], ArrayLike], point: NDArray[Any]
    ) -> NDArray[Any]:
        found = np.asarray(gradient(point), dtype=self.theta.dtype)
        if found.shape != self.theta.shape:
            raise ValueError(
                f"gradient: expected an array of shape {self.theta.shape}, "
                f"found shape {found.shape}"
            )
        finite = np.isfinite(found)
        if not finite.all():
            at = int(np.argmin(finite))
            raise DivergedError(
                f"gradient: expected finite numbers, found {found[at]:g} at index {at} "
                f"in step {self.steps + 1}"
            )
        return found

    @property
    def clip_share(self) -> float:
        """The share of coordinates whose last step was cut, or lengthened, by a bound."""
        if not self.options.bounds:
            return 0.0
        bounded = self.options.bounded(Means(*self.means), self.delta, self.learning_rate)
        return float(bounded.mean())

    @property
    def effective_rate(self) -> float:
        """The length of theta's last move over that of the running mean of gradients."""
        size = float(np.linalg.norm(self.means[0]))
        moved = self.options.phi * float(np.linalg.norm(self.delta))
        return moved / size if size else 0.0

    def arrays(self) -> dict[str, NDArray[Any]]:
        """All of the run, for a file or for :meth:`Alice.restore`.

        Returns
        -------
        dict of str to ndarray
            ``theta``, ``delta`` (D,), ``means`` (4, D), and ``settings``, a text in JSON.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> sorted(rw.Alice().begin([1.0, 2.0], learning_rate=1e-2, seed=0).arrays())
        ['delta', 'means', 'settings', 'theta']
        """
        settings = {
            "options": asdict(self.options),
            "learning_rate": self.learning_rate,
            "seed": self.seed,
            "steps": self.steps,
            "joint_glass": self.joint_glass,
        }
        return {
            "theta": self.theta.copy(),
            "delta": self.delta.copy(),
            "means": self.means.copy(),
            "settings": np.array(json.dumps(settings)),
        }


def _parameters(theta: ArrayLike) -> NDArray[np.floating]:
    """Parameters (D,) as a copy, of its own precision if it is an array of floats."""
    value = real_array("theta", theta, 1, "of shape (D,)")
    if not value.size:
        raise ValueError("theta: expected an array of shape (D,) with D >= 1, found shape (0,)")
    dtype = getattr(theta, "dtype", None)
    return value.astype(dtype) if isinstance(dtype, np.dtype) and dtype.kind == "f" else value


def _too_small(rate: float, point: NDArray[Any]) -> str:
    most = float(np.abs(point).max())
    return (
        f"learning_rate: expected a number that changes theta, which has {most:g} in "
        f"{point.dtype}, found {rate:g}"
    )


__all__ = ["Alice", "AliceRun"]
