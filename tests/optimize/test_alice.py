"""Alice against an implementation of single numbers, and against what its formulas promise."""

import numpy as np
import pytest

import reluplex_walk as rw
from reluplex_walk._files import open_archive, write_archive
from reluplex_walk._glass_step import length
from reluplex_walk.optimize.alice_rules import line
from reluplex_walk.optimize.diverged import DivergedError

from ..problems.kinked import kinked
from ..references.naive_alice import naive_alice

SIZE = 6


def run_of(alice, theta=None, rate=1e-2, seed=3):
    start = np.linspace(-1.0, 2.0, SIZE) if theta is None else theta
    return alice.begin(start, learning_rate=rate, seed=seed)


def walk(run, gradient, steps):
    path = []
    for _ in range(steps):
        assert run.step(gradient, 3) in (1, 3)
        path.append(run.theta)
    return np.array(path)


# ---------------------------------------------------------------- the method

VARIANTS = [
    {},
    {"hessian": "rms"},
    {"hessian": "off"},
    {"glass": False},
    {"quick_steps": 0, "betas": (0.8, 0.99)},
    {"quick_steps": 7, "bounds": "gradient", "limits": (0.1, 0.5)},
    {"bounds": "fixed", "limits": (0.05, 1.0), "omega": 0.7},
    {"hessian": "rms", "bounds": False, "eps": 1e-3},
    {"betas": (0.0, 0.9), "omega": 1.5},
]


@pytest.mark.parametrize("options", VARIANTS, ids=str)
def test_agrees_with_single_numbers(options):
    gradient = kinked(SIZE, seed=1)
    run = run_of(rw.Alice(**options))
    path = walk(run, gradient, 200)
    beta1, beta2 = options.get("betas", (0.9, 0.999))
    low, high = options.get("limits", (0.0, 2.0))
    bound = options.get("bounds", True)
    same = {k: v for k, v in options.items() if k in ("hessian", "glass", "quick_steps", "eps")}
    naive = naive_alice(
        np.linspace(-1.0, 2.0, SIZE).tolist(),
        lambda theta: gradient(np.array(theta)).tolist(),
        lambda k: line(3, k, SIZE).tolist(),
        200,
        1e-2,
        bound={True: "adam", False: None}.get(bound, bound),
        beta1=beta1,
        beta2=beta2,
        least=low,
        most=high,
        omega=options.get("omega", 1.0),
        **same,
    )
    np.testing.assert_allclose(path, naive, rtol=0.0, atol=1e-12)
    assert np.abs(path[-1] - path[0]).max() > 1e-2  # it went somewhere


def test_first_steps_measure_only():
    run = run_of(rw.Alice())
    start = run.theta
    gradient = kinked(SIZE, seed=1)
    for _ in range(10):
        assert run.step(gradient, 3) == 3
        assert (run.theta == start).all()
    run.step(gradient, 3)
    assert (run.theta != start).all()


def test_the_most_quick_steps():
    """The running mean of curvature then is the last value: beta3 = 0 but for rounding."""
    run = run_of(rw.Alice(betas=(0.0, 0.999), quick_steps=999))
    walk(run, lambda theta: theta * theta, 999)
    before = run.theta + run.options.ahead * run.delta
    run.step(lambda theta: theta * theta, 3)
    np.testing.assert_allclose(run.means[3], 2.0 * np.abs(before), rtol=1e-9)


@pytest.mark.parametrize(("beta1", "steps"), [(0.0, 1), (0.5, 2), (0.8, 5), (0.9, 10), (0.99, 100)])
def test_length_of_the_burn_in(beta1, steps):
    assert rw.Alice(betas=(beta1, 0.999)).burn_in == steps


@pytest.mark.parametrize(("quick", "average"), [(0, 3.0), (1, 2.0), (3, 1.5), (7, 1.25)])
def test_gradients_charged_are_those_taken(quick, average):
    calls = 0

    def gradient(theta):
        nonlocal calls
        calls += 1
        return theta

    run = run_of(rw.Alice(quick_steps=quick))
    assert sum(run.step(gradient, 3) for _ in range(16)) == calls  # with the burn-in
    before = calls
    assert sum(run.step(gradient, 3) for _ in range(400)) == calls - before == 400 * average


def test_never_takes_more_than_is_left():
    run = run_of(rw.Alice())
    gradient = kinked(SIZE, seed=1)
    assert [run.step(gradient, left) for left in (0, 1, 2)] == [0, 0, 0]
    assert (run.steps, run.step(gradient, 3)) == (0, 3)
    walk(run, gradient, 11)
    assert run.steps == 12  # 13 is a quick one
    assert (run.step(gradient, 0), run.step(gradient, 1)) == (0, 1)


def test_looks_ahead_exactly():
    """With an affine gradient the running mean at nu is the gradient where the model rests."""
    rng = np.random.default_rng(0)
    root = rng.normal(size=(SIZE, SIZE))
    A, b = root @ root.T / SIZE + np.eye(SIZE), rng.normal(size=SIZE)
    for omega in (0.5, 1.0, 2.0):
        run = run_of(rw.Alice(omega=omega))
        for _ in range(150):
            resting = run.theta
            run.step(lambda theta: A @ theta + b, 3)
            np.testing.assert_allclose(run.means[0], A @ resting + b, rtol=0.0, atol=1e-12)
        assert np.abs(run.means[0]).max() < np.abs(A @ np.linspace(-1.0, 2.0, SIZE) + b).max()


def test_bounds():
    gradient = kinked(SIZE, seed=1)
    run = run_of(rw.Alice(), rate=1e-3)
    free = run_of(rw.Alice(bounds=False), rate=1e-3)
    for _ in range(100):
        run.step(gradient, 3)
        free.step(gradient, 3)
        mean, square = run.means[:2]
        most = 2e-3 * (np.abs(mean) / (np.sqrt(square) + 1e-8))
        assert (np.abs(run.delta) <= most).all()
        assert run.clip_share == np.mean(np.abs(run.delta) == most) or run.steps <= 10
    assert 0.0 < run.clip_share <= 1.0
    still = run_of(rw.Alice())
    assert (still.clip_share, still.effective_rate) == (0.0, 0.0)
    walk(still, lambda theta: 0.0 * theta, 12)
    assert (still.clip_share, still.effective_rate) == (0.0, 0.0)
    assert free.clip_share == 0.0
    assert np.abs(free.delta).max() > np.abs(run.delta).max()


def test_steps_go_against_the_gradient_and_by_the_rate_they_say():
    run = run_of(rw.Alice())
    for _ in range(30):
        before = run.theta
        run.step(kinked(SIZE, seed=1), 3)
        moved, mean = run.theta - before, run.means[0]
        assert (moved * mean <= 0.0).all()
        rate = np.linalg.norm(moved) / np.linalg.norm(mean)
        assert run.effective_rate == pytest.approx(rate, rel=1e-9)


def test_curvature_is_found():
    """|h| of a parabola along the axes; no glass where there are no jumps."""
    h = np.array([0.5, 1.0, 3.0, 10.0])
    run = run_of(rw.Alice(), np.ones(4))
    walk(run, lambda theta: h * theta, 10)
    np.testing.assert_allclose(run.means[3], h, rtol=1e-9)
    assert run.means[2].max() < 1e-20


# ---------------------------------------------------------------- the joint glass


def test_joint_glass_is_that_of_the_line():
    """One breakpoint with the normal u and a jump of 2 u, beside the point where all lines begin.

    Then (g+ + g-)/2 - g0 is +-u on every line that crosses it away from the middle: all do.
    """
    u = np.array([1.0, -2.0, 0.5])

    def gradient(theta):
        return np.sign(u @ theta - 1e-9) * u

    options = rw.Alice(joint=True, hessian="off", bounds=False, quick_steps=0)
    run = run_of(options, np.zeros(3), rate=0.1)
    walk(run, gradient, 11)
    lines = np.array([line(3, k, 3) for k in range(1, 12)])
    joint = np.mean(2.0 * (lines @ u) ** 2 / 0.1)
    alone = 2.0 * u * u / 0.1
    np.testing.assert_allclose(run.joint_glass, joint, rtol=1e-12)
    np.testing.assert_allclose(run.means[2], alone, rtol=1e-12)
    share = joint / np.sqrt(alone).sum() ** 2
    np.testing.assert_allclose(
        run.delta, np.sign(u) * length(np.abs(u), share * alone, 0.0, 1e-8), rtol=1e-12
    )


def test_joint_steps_are_longer():
    """The sum over coordinates overstates the glass."""
    gradient = kinked(40, seed=2)
    lengths = []
    for joint in (False, True):
        run = run_of(rw.Alice(hessian="off", bounds=False, joint=joint), np.ones(40))
        walk(run, gradient, 11)
        lengths.append(np.linalg.norm(run.delta))
    assert lengths[1] > 3.0 * lengths[0]


# ---------------------------------------------------------------- saving, and what does not fit


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_goes_on_bit_for_bit(tmp_path, dtype):
    gradient = kinked(SIZE, seed=1)
    alice = rw.Alice(joint=True, bounds="adam", limits=(0.01, 1.5))
    run = run_of(alice, np.linspace(-1.0, 2.0, SIZE).astype(dtype))
    walk(run, gradient, 37)
    write_archive(tmp_path / "run.npz", "test", run.arrays())
    again = rw.Alice.restore(open_archive(tmp_path / "run.npz", "test"))
    assert again.options == alice
    assert (walk(run, gradient, 50) == walk(again, gradient, 50)).all()
    assert run.theta.dtype == again.theta.dtype == again.means.dtype == dtype
    assert (run.clip_share, run.effective_rate) == (again.clip_share, again.effective_rate)


def test_arrays_are_copies():
    run = run_of(rw.Alice())
    walk(run, kinked(SIZE, seed=1), 15)
    arrays, before = run.arrays(), run.theta.copy()
    for name in ("theta", "delta", "means"):
        arrays[name][:] = 7.0
    assert (run.theta == before).all()
    start = np.ones(2)
    assert rw.Alice().begin(start, 0.1, 0).theta is not start


def test_float32_stays_near_float64():
    gradient = kinked(SIZE, seed=1)
    ends = []
    for dtype in (np.float32, np.float64):
        run = run_of(rw.Alice(), np.linspace(-1.0, 2.0, SIZE).astype(dtype))
        ends.append(walk(run, gradient, 30)[-1])
    assert ends[0].dtype == np.float32
    np.testing.assert_allclose(ends[0], ends[1], atol=1e-4)


def test_lines_are_fair_and_differ():
    signs = np.array([line(0, k, 100) for k in range(400)], dtype=float)
    assert {*np.unique(signs)} == {-1.0, 1.0}
    assert np.abs(signs.mean(axis=0)).max() < 5.0 / 20.0
    between = np.corrcoef(signs.T) - np.eye(100)
    assert np.abs(between).max() < 6.0 / 20.0
    assert (line(0, 1, 100) != line(1, 1, 100)).any()


def test_what_a_gradient_may_not_be():
    run = run_of(rw.Alice())
    gradient = kinked(SIZE, seed=1)
    walk(run, gradient, 12)
    before = run.arrays()

    def broken(theta):
        g = gradient(theta)
        g[2] = np.nan
        return g

    with pytest.raises(DivergedError, match=r"gradient: .* finite .* nan at index 2 in step 13"):
        run.step(broken, 3)
    with pytest.raises(ValueError, match=r"shape \(6,\), found shape \(2, 3\)") as wrong:
        run.step(lambda theta: theta.reshape(2, 3), 3)
    assert not isinstance(wrong.value, DivergedError)
    with pytest.raises(
        DivergedError, match=r"gradient: .* squares float64 holds, found up to 1e\+200"
    ):
        run.step(lambda theta: np.full(SIZE, 1e200), 3)
    after = run.arrays()
    assert all((before[name] == after[name]).all() for name in before)
    assert run.step(gradient, 3) == 1


def test_a_rate_below_the_rounding_of_theta():
    with pytest.raises(ValueError, match="learning_rate: expected a number that changes theta"):
        rw.Alice().begin([1.0, 1e9], learning_rate=1e-9, seed=0)
    run = rw.Alice().begin(np.array([1.0], np.float32), learning_rate=1e-6, seed=0)
    run.theta = np.array([100.0], np.float32)
    with pytest.raises(
        DivergedError, match=r"changes theta, which has 100 in float32, found 1e-06"
    ):
        run.step(lambda theta: theta, 3)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"hessian": "full"}, "hessian: expected one of abs, rms, off"),
        ({"hessian": "off", "glass": False}, "hessian: expected abs or rms where glass is False"),
        ({"glass": 1}, "glass: expected True or False"),
        ({"glass": False, "joint": True}, "joint: expected False where glass is False"),
        ({"bounds": "sgd"}, "bounds: expected one of adam, gradient, fixed"),
        ({"bounds": 2}, "bounds: expected True or False"),
        ({"quick_steps": -1}, "quick_steps: expected an integer >= 0"),
        ({"quick_steps": 1000}, r"quick_steps: expected at most 1 / \(1 - betas\[1\]\) - 1"),
        ({"betas": (0.9, 1.0)}, "betas: expected two numbers in"),
        ({"betas": (0.9,)}, "betas: expected two numbers, found 1"),
        ({"betas": 0.9}, "betas: expected two numbers, found 0.9"),
        ({"betas": "ab"}, "betas: expected two numbers, found 'ab'"),
        ({"betas": (0.9, "b")}, r"betas\[1\]: expected a number, found 'b'"),
        ({"limits": 2.0}, "limits: expected two numbers, found 2.0"),
        ({"eps": 0.0}, "eps: expected a number > 0"),
        ({"limits": (2.0, 1.0)}, "limits: expected two numbers 0 <= least <= largest"),
        ({"omega": -1.0}, "omega: expected a number > 0"),
    ],
    ids=str,
)
def test_options_that_do_not_fit(options, words):
    with pytest.raises((ValueError, TypeError), match=words):
        rw.Alice(**options)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (([], 0.1, 0), r"theta: expected an array of shape \(D,\) with D >= 1"),
        (([[1.0]], 0.1, 0), r"theta: expected an array of shape \(D,\), found shape \(1, 1\)"),
        (([np.nan], 0.1, 0), "theta: expected finite numbers"),
        (([1.0], 0.0, 0), "learning_rate: expected a number > 0"),
        (([1.0], np.inf, 0), "learning_rate: expected a finite number"),
        (([1.0], 0.1, -1), "seed: expected an integer >= 0"),
        ((np.array([1.0], np.float16), 0.1, 0), "eps: expected a number > 0 that float16 holds"),
    ],
)
def test_beginnings_that_do_not_fit(arguments, words):
    with pytest.raises(ValueError, match=words):
        rw.Alice().begin(*arguments)


def test_arrays_that_are_no_run():
    arrays = run_of(rw.Alice()).arrays()
    for name in arrays:
        with pytest.raises(ValueError, match=name):
            rw.Alice.restore({key: value for key, value in arrays.items() if key != name})
    with pytest.raises(ValueError, match="means: expected shape"):
        rw.Alice.restore({**arrays, "means": arrays["means"][:3]})
    with pytest.raises(ValueError, match="delta: expected dtype f8"):
        rw.Alice.restore({**arrays, "delta": arrays["delta"].astype(np.float32)})
    with pytest.raises(ValueError, match="settings"):
        rw.Alice.restore({**arrays, "settings": np.array("[]")})
