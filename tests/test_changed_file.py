"""Any number changed in a saved result is noticed by ``reluplex-walk verify``."""

import numpy as np

import reluplex_walk as rw
from reluplex_walk.cli.commands import main


def test_every_changed_member_is_noticed(tmp_path, capsys):
    data = rw.datasets.load_stackloss()
    network = rw.ReLUNetwork.random([data.X.shape[1], 2, 1], seed=0)
    path, other = tmp_path / "trajectory.npz", tmp_path / "changed.npz"
    rw.walk(rw.LayerLoss(network, data.X, data.y), seed=0).save(path)
    members = dict(np.load(path))
    assert main(["verify", str(path)]) == 0
    unnoticed = []
    for name, values in members.items():
        if values.dtype.kind in "fiub" and values.size and "version" not in name:
            changed = values.copy()
            if changed.dtype.kind == "b":
                changed.flat[changed.size // 2] = not changed.flat[changed.size // 2]
            else:
                changed.flat[changed.size // 2] += 1
            np.savez(other, **{**members, name: changed})
            if main(["verify", str(other)]) != 1:
                unnoticed.append(name)
    capsys.readouterr()
    assert unnoticed == []
