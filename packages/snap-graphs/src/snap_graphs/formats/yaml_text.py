"""Read untrusted YAML."""

from typing import Any

import yaml  # type: ignore[import-untyped]
from snap_catalog.nested import entries_once

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_LIKE_NAMES = tuple(f"tag:yaml.org,2002:{kind}" for kind in ("int", "float", "bool", "timestamp"))
"""Tags that YAML gives to the names 001, 1e5, true and 2020-01-01."""
_DEEPEST = 16
"""Maximum levels of nesting."""


class _Loader(_LOADER):  # type: ignore[misc, valid-type]
    """Loader that keeps ids as text and refuses repeated entries."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        for key, value in node.value:
            if key.value == "id" and value.tag in _LIKE_NAMES:
                value.tag = "tag:yaml.org,2002:str"
        entries_once([(key.value, None) for key, _ in node.value if isinstance(key.value, str)])
        entries: dict[Any, Any] = super().construct_mapping(node, deep)
        return entries


def parse_yaml(text: str) -> Any:
    """Load YAML without aliases, which could expand a small file enormously.

    Raises:
        ValueError: it is not YAML, has an alias or a repeated entry, or is nested too deeply.
    """
    try:
        _check(text)
        return yaml.load(text, Loader=_Loader)
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from error


def _check(text: str) -> None:
    depth = 0
    for event in yaml.parse(text, Loader=_LOADER):
        if isinstance(event, yaml.AliasEvent):
            raise yaml.YAMLError("it has an alias (*name), which is not allowed; expand it")
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST:
            raise yaml.YAMLError(f"it is nested more than {_DEEPEST} levels deep")
