"""What `dir` shows of every package, for notebooks and editors that complete names."""

from importlib import import_module

import pytest

PACKAGES = ("snap_catalog", "snap_graphs", "snap_encode", "snap_gcn", "snap_evo", "snap_eval")


@pytest.mark.parametrize("name", [*PACKAGES, "snap_graphs.torch.build"])
def test_every_public_name_of_a_package_is_listed_and_there(name: str) -> None:
    package = import_module(name)
    assert set(package.__all__) <= set(dir(package))
    assert all(hasattr(package, public) for public in package.__all__)
