import sys

import pytest
from snap_catalog import lazy


def test_a_name_is_imported_from_its_module_when_it_is_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delitem(sys.modules, "this", raising=False)
    get, _ = lazy.exports("package", {"dis": "dis", "Fraction": "fractions", "s": "this"})
    assert "this" not in sys.modules
    assert get("Fraction").__module__ == "fractions"
    assert "this" not in sys.modules


def test_an_unknown_name_is_an_attribute_error_of_the_package() -> None:
    with pytest.raises(AttributeError, match="module 'package' has no attribute 'missing'"):
        lazy.exports("package", {})[0]("missing")


def test_public_names_are_listed_before_they_are_imported(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delitem(sys.modules, "this", raising=False)
    _, listing = lazy.exports("snap_catalog", {"Later": "this"})
    assert {"Later", "SnapError", "__doc__"} <= set(listing())
    assert listing() == sorted(listing())
    assert "this" not in sys.modules
