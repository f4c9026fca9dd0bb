"""What the tests of ensembles compare with: the rows that this process makes alone."""

import pytest

import reluplex_walk as rw
from tests.problems.ensembles import LOSS, slopes


@pytest.fixture(scope="session")
def serial():
    return rw.ensemble(LOSS, 60, measures=[slopes])
