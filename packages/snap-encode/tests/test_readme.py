import re
from pathlib import Path

import pytest

_README = Path(__file__).parents[1] / "README.md"


def test_the_example_of_the_readme_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (example,) = re.findall(r"^```python\n(.*?)^```$", _README.read_text("utf-8"), re.M | re.S)
    monkeypatch.chdir(tmp_path)
    exec(compile(example, str(_README), "exec"), {})
    assert [file.suffix for file in tmp_path.iterdir()] == [".parquet"]
