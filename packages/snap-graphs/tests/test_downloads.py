import errno
import gc
import hashlib
import io
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from snap_catalog import Benchmark, SnapError
from snap_catalog.catalog import SourceFile
from snap_graphs.downloads import cached, fetch
from snap_graphs.sources import own_source

CONTENT = bytes(range(256)) * 20_000
SHA256 = hashlib.sha256(CONTENT).hexdigest()
Answer = Callable[[BaseHTTPRequestHandler], None]


def whole(request: BaseHTTPRequestHandler, content: bytes = CONTENT) -> None:
    request.send_response(200)
    request.send_header("Content-Length", str(len(content)))
    request.end_headers()
    request.wfile.write(content)


def other(request: BaseHTTPRequestHandler) -> None:
    whole(request, CONTENT[::-1])


def cut(request: BaseHTTPRequestHandler) -> None:
    request.send_response(200)
    request.send_header("Content-Length", str(len(CONTENT)))
    request.end_headers()
    request.wfile.write(CONTENT[: len(CONTENT) // 2])


def missing(request: BaseHTTPRequestHandler) -> None:
    request.send_error(404)


def busy(request: BaseHTTPRequestHandler) -> None:
    request.send_error(503)


class Server:
    """Serves one file on this machine, answering each request as message; the last answer stays."""

    def __init__(self) -> None:
        self.answers: list[Answer] = [whole]
        self.requests = 0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.requests += 1
                answers = outer.answers
                (answers.pop(0) if len(answers) > 1 else answers[0])(self)

            def log_message(self, *_: Any) -> None:
                pass

        self.http = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}/data.bin"


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    thread = threading.Thread(target=server.http.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.http.shutdown()
    thread.join()
    server.http.server_close()


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SNAP_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("pooch.core.time.sleep", lambda _: None)
    return tmp_path / "cache"


def entry(*files: SourceFile, package: str | None = None) -> Benchmark:
    return Benchmark("toy", "nb201", "Toy", "MIT", "", (), package, files)


def kept(cache: Path) -> list[str]:
    return sorted(p.name for p in cache.rglob("*") if p.is_file())


def test_a_file_is_downloaded_once_and_checked(server: Server, cache: Path) -> None:
    facts = entry(SourceFile("data.bin", len(CONTENT), SHA256, server.url))
    assert cached(facts) is None
    path = fetch(facts)
    assert path == cache / "toy" / "data.bin"
    assert path.read_bytes() == CONTENT
    assert (fetch(facts), cached(facts), server.requests) == (path, path, 1)
    assert kept(cache) == ["data.bin"]


@pytest.mark.parametrize("fault", [busy, cut, other])
def test_a_failure_that_passes_is_retried(server: Server, fault: Answer) -> None:
    server.answers = [fault, fault, whole]
    path = fetch(entry(SourceFile("data.bin", None, SHA256, server.url)))
    assert path.read_bytes() == CONTENT
    assert server.requests == 3


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (other, f"the download has another SHA-256 than the catalogued {SHA256}"),
        (cut, "the connection was interrupted"),
        (missing, "answers 404 Not Found"),
        (busy, "answers 503 Service Unavailable"),
    ],
)
def test_a_failure_that_stays_is_told_in_one_line_and_keeps_nothing(
    server: Server, cache: Path, fault: Answer, reason: str
) -> None:
    server.answers = [fault]
    file = SourceFile("data.bin", None, SHA256, server.url, page="https://example.org/toy")
    with pytest.raises(SnapError) as caught:
        fetch(entry(file))
    assert str(caught.value) == (
        f"{server.url}: {reason}; nothing was saved; "
        f"get it from https://example.org/toy into {cache / 'toy'}"
    )
    assert kept(cache) == []


def test_a_mirror_serves_where_the_first_address_fails(server: Server) -> None:
    nowhere = "http://127.0.0.1:9/data.bin"
    path = fetch(entry(SourceFile("data.bin", None, SHA256, nowhere, (server.url,))))
    assert path.read_bytes() == CONTENT


def test_all_addresses_are_named_where_none_answers(cache: Path) -> None:
    urls = ("http://127.0.0.1:9/a", "http://127.0.0.1:9/b")
    with pytest.raises(SnapError, match=r"9/a: no connection; http.*9/b: no connection; nothing"):
        fetch(entry(SourceFile("data.bin", None, None, urls[0], urls[1:])))
    assert kept(cache) == []


@pytest.fixture
def dropped_connection() -> Iterator[None]:
    """Collect the connection that pooch leaves open where writing fails."""
    yield
    gc.collect()


DROPPED = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


class FullDisk(io.FileIO):
    """Has room for one megabyte."""

    def write(self, block: Any) -> int:
        if self.tell() + len(block) > 1 << 20:
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().write(block)


@DROPPED
@pytest.mark.usefixtures("dropped_connection")
def test_a_full_disk_is_told_and_keeps_nothing(
    server: Server, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pooch.downloaders.open", FullDisk, raising=False)
    with pytest.raises(SnapError) as caught:
        fetch(entry(SourceFile("data.bin", None, SHA256, server.url)))
    assert str(caught.value) == (
        f"{cache / 'toy' / 'data.bin'}: cannot be saved (no space left on device); "
        "free some space, or set SNAP_CACHE"
    )
    assert kept(cache) == []


def test_a_cache_that_cannot_be_written_to_is_told(
    server: Server, monkeypatch: pytest.MonkeyPatch, unwritable: Path
) -> None:
    monkeypatch.setenv("SNAP_CACHE", str(unwritable))
    with pytest.raises(SnapError, match=r"cannot be saved .*; choose another folder, or set SNAP_"):
        fetch(entry(SourceFile("data.bin", None, SHA256, server.url)))


@DROPPED
@pytest.mark.usefixtures("dropped_connection")
def test_an_interrupted_download_keeps_nothing(
    server: Server, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("snap_graphs.downloads._Bar.update", interrupt)
    with pytest.raises(KeyboardInterrupt):
        fetch(entry(SourceFile("data.bin", None, SHA256, server.url)))
    assert kept(cache) == []


def test_a_file_without_a_checksum_is_pinned_on_first_use(server: Server, cache: Path) -> None:
    facts = entry(SourceFile("data.bin", url=server.url))
    path = fetch(facts)
    assert kept(cache) == ["data.bin", "data.bin.sha256"]
    assert path.with_name("data.bin.sha256").read_text() == f"{SHA256}\n"
    path.write_bytes(CONTENT[:-1])
    for use in (fetch, cached):
        with pytest.raises(SnapError, match=rf"not {SHA256}, pinned on first use in"):
            use(facts)
    path.unlink()
    server.answers = [other]
    with pytest.raises(SnapError, match=rf"another SHA-256 than {SHA256}, pinned"):
        fetch(facts)
    assert kept(cache) == ["data.bin.sha256"]
    server.answers = [whole]
    assert fetch(facts).read_bytes() == CONTENT


def test_a_file_put_into_the_cache_by_hand_is_checked_and_used(cache: Path) -> None:
    facts = entry(SourceFile("other.bin"), SourceFile("data.bin", None, SHA256))
    path = cache / "toy" / "data.bin"
    path.parent.mkdir(parents=True)
    path.write_bytes(CONTENT)
    assert cached(facts) == fetch(facts) == path
    path.write_bytes(b"other")
    with pytest.raises(SnapError, match=f"not the catalogued {SHA256}; delete the file"):
        cached(facts)


def test_a_file_of_another_size_than_the_catalogued_is_refused(server: Server) -> None:
    facts = entry(SourceFile("data.bin", 7, None, server.url))
    with pytest.raises(SnapError, match="has 5,120,000 bytes, not the catalogued 7"):
        fetch(facts)


def test_what_cannot_be_fetched_is_told_with_the_remedy() -> None:
    by_hand = entry(SourceFile("a.tar", page="https://example.org/a"), SourceFile("b.tar"))
    for facts, name, fault in (
        (by_hand, None, "toy cannot be downloaded by a program; get a.tar from https://example"),
        (by_hand, "c", "toy has no file 'c'; the catalog has a.tar, b.tar"),
        (entry(package="toys"), None, "run: pip install toys"),
        (entry(), "c", "the catalog has none"),
        (entry(), None, "see its publication"),
    ):
        with pytest.raises(SnapError, match=fault):
            fetch(facts, name)


def test_progress_is_told_on_standard_error(
    server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    server.answers = [cut, whole]
    fetch(entry(SourceFile("data.bin", None, SHA256, server.url)), quiet=False)
    message = capsys.readouterr()
    assert message.out == ""
    assert message.err.splitlines()[-1] == "data.bin: 5,120,000 of 5,120,000"


def test_a_source_is_sought_in_the_cache_then_a_package_then_a_download(
    server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    packaged = replace(entry(SourceFile("inside.bin"), package="toys"), name="packaged")
    served = entry(SourceFile("data.bin", None, SHA256, server.url))
    assert own_source("toy", [packaged, served]) == fetch(served)
    found = tmp_path / "inside.bin"
    monkeypatch.setattr(
        "snap_graphs.sources.installed_file", lambda facts: found if facts.package else None
    )
    assert own_source("toy", [packaged, served]) == fetch(served)
    fetch(served).unlink()
    assert own_source("toy", [packaged, served]) == found
    assert server.requests == 1


def test_without_any_source_one_message_says_where_to_get_it(cache: Path) -> None:
    packaged = entry(SourceFile("inside.bin"), package="toys")
    by_hand = entry(SourceFile("a.tar", page="https://example.org/a"))
    with pytest.raises(SnapError) as caught:
        own_source("toy", [packaged, by_hand])
    assert str(caught.value) == (
        f"toy is neither in the cache ({cache}) nor installed; run: pip install toys; "
        "or get a.tar from https://example.org/a; "
        "then give the file: snap-graphs convert toy OUT --source FILE"
    )
    with pytest.raises(SnapError, match="toy has no files in the catalog; give your own"):
        own_source("toy", [])
