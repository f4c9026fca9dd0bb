"""The head of a report, which notebooks show for every result: it claims what is proved."""

import inspect
import subprocess
import sys
from html.parser import HTMLParser

import numpy as np
import pytest

import reluplex_walk as rw
from reluplex_walk.reports.head import head
from reluplex_walk.reports.report import sections_of
from reluplex_walk.reports.said.record import Mark
from reluplex_walk.reports.words import known, said
from tests.reports.made import RESULTS, fit, lines, loss, traj

NO_RESULTS = {
    # what goes in
    "Alice", "HeldOut", "LayerLoss", "NetworkLoss", "ReLUNetwork", "Dataset", "WalkOptions",
    "Tolerances",
    # names of reasons, warnings, errors
    "CertificateError", "Ended", "GlassWarning", "RankWarning", "Reason", "WalkStatus",
}  # fmt: skip
MODULES = (rw, rw.taylor, rw.chains, rw.glass, rw.density, rw.activations, rw.measures, rw.datasets)


def public_results():
    """All public classes that are results: a new one has to be made in `made.py`, too."""
    classes = {
        value.__name__: value
        for module in MODULES
        for value in (getattr(module, name) for name in module.__all__)
        if inspect.isclass(value)
        and value.__name__ not in NO_RESULTS
        and not value.__name__.endswith("Progress")  # what callbacks are told
    }
    from reluplex_walk.estimators.network import Averaged
    from reluplex_walk.regions.along import Passage

    return {**classes, "Averaged": Averaged, "Passage": Passage}


class Tags(HTMLParser):
    """Whether tags are closed, and the text between them."""

    def __init__(self):
        super().__init__()
        self.open, self.text = [], []

    def handle_starttag(self, tag, attributes):
        if tag not in ("img", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def text_of(html):
    tags = Tags()
    tags.feed(html)
    assert not tags.open
    return " ".join("".join(tags.text).split())


@pytest.mark.parametrize("name", sorted(public_results()))
def test_every_public_result_has_the_head(name):
    cls = public_results()[name]
    assert known(cls)
    assert name in RESULTS
    result = RESULTS[name]()
    assert type(result) is cls
    shown, what = text_of(result._repr_html_()), said(result)
    assert what.title in shown
    assert f"{what.mark.sign} {what.mark.word}: {what.verdict}" in shown  # no colour alone
    for sentence in what.sentences:
        assert sentence.replace("`", "") in shown
    for label, value in what.figures.items():
        assert f"{label}{value}" in shown
    assert "nan" not in shown.lower().split()
    assert result._repr_html_().startswith(head(result).removesuffix("</div>"))


def test_the_badge_says_what_is_proved():
    ended, cut = traj(), rw.walk(loss(), max_pivots=2)
    assert said(ended).mark is Mark.PROVED
    assert "local minimum" in said(ended).verdict
    assert said(cut).mark is Mark.OPEN
    assert cut.status.message in head(cut)
    assert "proved: strict" not in head(cut)


def _stop(*_):
    raise StopIteration


def net():
    return loss().network


LITTLE = {
    "no regions": lambda: rw.enumerate_regions(loss(), 1.0, time_limit=1e-9),
    "no minima": lambda: rw.LocalMinima(),
    "no crossings": lambda: rw.crossings(lines(), [5.0, 5.0], [5.0, 5.000001]),
    "a line without breakpoints": lambda: rw.line_section(lines(), [50.0, 50.0], [1, 0], (0, 1e-6)),
    "a cut graph": lambda: rw.vertex_graph(loss(), max_vertices=3),
    "no pivots": lambda: rw.walk(loss(), max_pivots=0),
    "no regions passed": lambda: rw.walk(loss(), max_pivots=0).regions(),
    "a walk": lambda: rw.minimize(loss(), max_walks=3, callback=_stop),
    "no walks": lambda: rw.ensemble(loss(), walks=3, time_limit=1e-9),
    "no ends": lambda: rw.ensemble(loss(), walks=3, max_pivots=1).minima(),
    "nothing seen": lambda: rw.ensemble(loss(), walks=3, max_pivots=1).unseen(),
    "a gap": lambda: rw.global_minimum(loss(), box=1.0, time_limit=1e-9),
    "a part of a process": lambda: rw.quantile_process(fit().X, fit().y, callback=_stop),
    "a part of a path": lambda: rw.quantile_penalty_path(fit().X, fit().y, callback=_stop),
    "some minimisers": lambda: rw.lad(np.zeros((4, 1)), [1.0, 2.0, 4.0, 9.0]).solutions(1),
    "a cut training": lambda: rw.train(
        loss().network, loss().X, loss().y, callback=_stop, rounds=2
    ),
    "divergence": lambda: rw.descend(loss(), "sgd", 30, learning_rate=1e300),
    "no jumps": lambda: rw.glass.jumps(loss(), loss().theta, loss().theta + 1e-9),
    "a cut tree": lambda: rw.merge_tree(loss(), max_vertices=3),
    "no horizon": lambda: rw.taylor.regret(
        net(), loss().X, loss().y, learning_rate=0.1, horizons=[5], callback=_stop
    ),
}
NOTHING_PROVED = {
    "a walk", "no pivots", "no walks", "no ends", "a gap", "a part of a process",
    "a part of a path", "a cut training", "divergence", "a cut tree", "no horizon",
}  # fmt: skip


@pytest.mark.parametrize("name", LITTLE)
def test_what_came_to_little_has_a_head_and_claims_little(name):
    result = LITTLE[name]()
    shown, what = text_of(head(result)), said(result)
    assert "nan" not in shown.lower().split()
    assert "None" not in shown
    assert (what.mark is Mark.OPEN) == (name in NOTHING_PROVED)
    sections_of(result)


def test_text_is_escaped():
    pd = pytest.importorskip("pandas")
    table = pd.DataFrame({"<b>&x": [0.0, 1.0, 2.0]})
    named = rw.lad(table, pd.Series([1.0, 3.0, 4.0], name="<script>alert(1)</script>"))
    for html in (head(named), named._repr_html_(), named.summary()._repr_html_()):
        assert "<script" not in html
        assert "&lt;script&gt;" in html
    assert "&lt;b&gt;&amp;x" in named._repr_html_()


def test_what_is_unknown_is_shown_by_its_text():
    html = head([1, "<2>"])
    assert "nothing is claimed" in html
    assert "&lt;2&gt;" in html


def test_a_head_is_small_and_fits_dark_pages():
    html = head(traj())
    assert len(html) < 10_000
    assert "background:transparent" in html
    assert not any(word in html for word in ("<script", "http", "background:#", "color:black"))


def test_heads_need_the_core_install_alone():
    code = (
        "import sys\n"
        "for name in ('plotly', 'matplotlib', 'pandas', 'sklearn'): sys.modules[name] = None\n"
        "import reluplex_walk as rw\n"
        "net = rw.ReLUNetwork.random([1, 2, 1], seed=0)\n"
        "traj = rw.walk(rw.LayerLoss(net, [[0.0], [1.0], [2.0]], [0.0, 1.0, 0.0]))\n"
        "assert 'Walk' in traj._repr_html_() and '<img' not in traj._repr_html_()\n"
        "assert 'regression' in rw.lad([[0.0], [1.0]], [1.0, 2.0])._repr_html_()\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=300)
