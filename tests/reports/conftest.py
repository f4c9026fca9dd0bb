"""One browser for all tests of pages."""

import pytest

from tests.reports.browser import launched


@pytest.fixture(scope="session")
def browser():
    """Chromium without a window, or a skip that says why there is none."""
    starting = launched()
    try:
        found = starting.__enter__()
    except RuntimeError as reason:
        pytest.skip(str(reason))
    yield found
    starting.__exit__(None, None, None)
