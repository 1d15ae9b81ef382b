"""Two synthetic studies with their reports, made once for all tests that only read."""

import pytest
from synthetic import GAPS, Tree, grow, study


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    """A study with two gaps and its report, for tests that only read."""
    tree = grow(tmp_path_factory.mktemp("study"), study(), GAPS)
    tree.write()
    return tree


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    """A complete study of the digits alone, as `make demo` leaves one."""
    settings = study(
        "datasets=[digits]",
        "seeds=[0]",
        "score.extractors=[classifier]",
        "methods=[dcgan, sagan-div-d]",
        study="demo",
        protocol="demo",
    )
    tree = grow(tmp_path_factory.mktemp("demo"), settings)
    tree.write()
    return tree
