import json
import subprocess
import sys

import pytest
from click.testing import CliRunner, Result
from snap_encode.cli import main


def _read(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["read", *arguments])


def test_a_reading_is_printed_with_its_confidence_and_the_nearest_operator() -> None:
    result = _read("dwsep5x5_d2", "--quiet")
    assert (result.exit_code, result.stderr) == (0, "")
    text, *lines = result.stdout.splitlines()
    assert text == "dwsep5x5_d2"
    shown = dict(line.strip().split("  ", 1) for line in lines)
    assert list(shown) == ["read as", "confidence", "sentence", "nearest"]
    assert shown["read as"].strip() == "dilated separable convolution, kernel 5x5, dilation 2"
    assert shown["sentence"].strip() == "Dilated convolution 5x5"
    assert "darts:dil_conv_5x5" in shown["nearest"]


def test_several_texts_are_read_in_their_order() -> None:
    result = _read("conv 3x3", "maxpool 5x5", "--json", "--quiet")
    conv, pool = json.loads(result.stdout)
    assert (conv["text"], conv["kind"], conv["kernel"]) == ("conv 3x3", "convolution", [3, 3])
    assert (pool["text"], pool["kind"], pool["kernel"]) == ("maxpool 5x5", "max_pooling", [5, 5])
    assert all(each["readable"] and each["confidence"]["kind"] > 0.5 for each in (conv, pool))


def test_json_holds_the_whole_reading() -> None:
    (entry,) = json.loads(_read("Conv 3x3, stride 2, BN, ReLU", "--json", "--quiet").stdout)
    assert set(entry) == {
        *("text", "kind", "kernel", "stride", "dilation", "groups", "expansion", "function"),
        *("follows", "confidence", "readable", "sentence", "nearest"),
    }
    assert (entry["stride"], entry["follows"]) == (2, ["batch norm", "relu"])


@pytest.mark.parametrize("text", ["", "qwrtpsdfg"])
def test_what_is_no_operator_is_said_to_be_none(text: str) -> None:
    result = _read(text, "--quiet")
    assert result.exit_code == 0
    assert "no known operator" in result.stdout
    assert "sentence" not in result.stdout


def test_nothing_to_read_is_misuse() -> None:
    result = _read()
    assert result.exit_code == 2
    assert "Missing argument 'TEXT...'" in result.stderr


def test_importing_the_package_loads_no_rules() -> None:
    code = "import sys, snap_encode; print('snap_encode.reading' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
