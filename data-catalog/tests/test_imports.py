import subprocess
import sys

_SCRIPT = """
import sys
from snap_catalog.imports import keep_pandas_from_pyarrow
keep_pandas_from_pyarrow()
{}
"""


def run(code: str) -> str:
    script = [sys.executable, "-c", _SCRIPT.format(code)]
    return subprocess.run(script, capture_output=True, text=True, check=True).stdout.strip()


def test_pyarrow_loads_no_pandas_for_arrays() -> None:
    code = "import runpy, pyarrow, snap_catalog.parquet as p\n"
    code += "exec(compile('pa.array([1, 2]).to_pylist()', 'x', 'exec'), vars(p))\n"
    assert run(code + "print('pandas' in sys.modules)") == "False"


def test_others_import_pandas_as_ever() -> None:
    assert run("import pandas; print(pandas.Series([1, 2]).sum())") == "3"
