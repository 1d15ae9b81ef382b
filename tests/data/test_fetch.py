"""Hosts that fail in every way, one after another: the next is asked, the cause is a line, and no password is in it."""

import base64
import http.server
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sagan_div import mirror
from sagan_div.data import fetch
from sagan_div.errors import UserError

CONTENT = bytes(range(256)) * 40
Answer = Callable[[http.server.BaseHTTPRequestHandler], None]
Host = Callable[[Answer], str]


def verify(content: bytes) -> None:
    if content != CONTENT:
        raise ValueError("another file")


def fetched(*sources: str, limit: int = len(CONTENT)) -> tuple[bytes, list[str]]:
    notes: list[str] = []
    return fetch.first_intact(sources, limit, verify, notes.append), notes


def failure(*sources: str, limit: int = len(CONTENT)) -> str:
    with pytest.raises(fetch.NowhereIntact) as caught:
        fetched(*sources, limit=limit)
    text = str(caught.value)
    assert text.isprintable()
    return text


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Iterator[Host]:
    """A function that starts a host with a way to answer and returns its URL. No proxy stands between."""
    monkeypatch.setenv("no_proxy", "*")
    servers = []

    def start(answer: Answer) -> str:
        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, format: str, *args: object) -> None:
                pass

            def do_GET(self) -> None:
                answer(self)
                self.close_connection = True

        class Server(http.server.ThreadingHTTPServer):
            def handle_error(self, request: object, client_address: object) -> None:
                pass  # we have hung up on it

        server = Server(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.socket.close()


def send(handler: http.server.BaseHTTPRequestHandler, content: bytes = CONTENT, status: int = 200, **headers: str) -> None:
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(content)


def stopped(handler: http.server.BaseHTTPRequestHandler) -> None:
    """Half of it, then silence."""
    send(handler, CONTENT[:100], **{"Content-Length": str(len(CONTENT))})
    time.sleep(5)


def dripping(handler: http.server.BaseHTTPRequestHandler) -> None:
    send(handler, b"", **{"Content-Length": str(len(CONTENT))})
    for byte in CONTENT[:100]:
        handler.wfile.write(bytes([byte]))
        time.sleep(0.05)


def dripping_headers(handler: http.server.BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
    for _ in range(100):
        handler.wfile.write(b"X")
        time.sleep(0.05)


def endless(handler: http.server.BaseHTTPRequestHandler) -> None:
    send(handler, b"")
    while True:
        handler.wfile.write(b"x" * 2**16)


FAILING: dict[str, tuple[Answer, str]] = {
    "cut": (lambda handler: send(handler, CONTENT[:99], **{"Content-Length": str(len(CONTENT))}), "another file"),
    "cut chunks": (lambda handler: send(handler, b"999\r\nabc", **{"Transfer-Encoding": "chunked"}), "IncompleteRead"),
    "no status": (lambda handler: handler.wfile.write(b"220 ready \x1b[2J\r\n\r\n"), "BadStatusLine 220 ready"),
    "nothing": (lambda handler: None, "closed connection without response"),
    "escapes": (lambda handler: handler.wfile.write(b"HTTP/1.1 500 \x1b[31mred\r\n\r\n"), "HTTP Error 500"),
    "page": (lambda handler: send(handler, b"<!doctype html><title>Log in</title>"), "another file (it is a web page)"),
    "empty": (lambda handler: send(handler, b""), "another file"),
    "away": (lambda handler: send(handler, b"", 404), "HTTP Error 404"),
    "in a circle": (lambda handler: send(handler, b"", 302, Location=handler.path), "HTTP Error 302"),
    "leading nowhere": (lambda handler: send(handler, b"", 302, Location="http://me:secret@there/"), "a URL that is none"),
    "leading to a file": (lambda handler: send(handler, b"", 302, Location="file:///etc/passwd"), "HTTP Error 302"),
    "many headers": (lambda handler: handler.wfile.write(b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 200), "got more than 100"),
    "digest": (lambda handler: send(handler, b"", 401, **{"WWW-Authenticate": 'Digest realm="x"'}), ""),
    "stopped": (stopped, "stalled after"),
    "dripping": (dripping, "stalled after"),
    "dripping headers": (dripping_headers, "stalled after 0 bytes"),
    "endless": (endless, "more than the 10,240 bytes"),
}


@pytest.mark.parametrize("how", FAILING)
def test_whatever_fails_the_next_place_is_asked(how: str, host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch, "WINDOW", 0.4)
    answer, words = FAILING[how]
    bad, good = host(answer) + "/file", host(send) + "/file"
    content, notes = fetched(bad, good)
    assert (content, notes) == (CONTENT, [f"fetching {bad}", f"fetching {good}"])
    text = failure(bad)
    assert words in text
    assert text.startswith(bad)
    assert "secret" not in text


def test_a_host_that_is_slow_but_comes_is_waited_for(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch, "WINDOW", 0.4)
    monkeypatch.setattr(fetch, "SLOWEST", 1000)

    def slow(handler: http.server.BaseHTTPRequestHandler) -> None:
        send(handler, b"", **{"Content-Length": str(len(CONTENT))})
        for start in range(0, len(CONTENT), 1024):
            handler.wfile.write(CONTENT[start : start + 1024])
            time.sleep(0.1)  # a second in all

    assert fetched(host(slow) + "/file")[0] == CONTENT


def test_nobody_answers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(fetch, "WINDOW", 0.3)
    with socket.socket() as silent:  # accepts and says nothing
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        assert failure(f"http://127.0.0.1:{silent.getsockname()[1]}/x").endswith(("timed out", "stalled after 0 bytes"))
    assert failure("http://127.0.0.1:9/x").endswith("Connection refused")
    assert failure(str(tmp_path)).endswith("Is a directory")
    assert failure("/dev/zero").endswith("has more than the 10,240 bytes that are expected")


def test_files_of_a_folder_and_of_a_file_url(tmp_path: Path) -> None:
    (tmp_path / "a b.gz").write_bytes(CONTENT)
    assert fetched(f"{tmp_path}/a b.gz")[0] == fetched(f"file://{tmp_path}/a b.gz")[0] == CONTENT


# Passwords

SECRET = "p%40ss%2Fw:rd"  # of p@ss/w:rd
EXPECTED = "Basic " + base64.b64encode(b"me:p@ss/w:rd").decode()


def guarded(handler: http.server.BaseHTTPRequestHandler) -> None:
    """To whom has the password; /old leads to another path of the same host."""
    if handler.headers["Authorization"] != EXPECTED:
        send(handler, b"", 401, **{"WWW-Authenticate": 'Basic realm="mirror"'})
    elif handler.path.startswith("/old"):
        send(handler, b"", 302, Location="/new")
    else:
        send(handler)


def with_password(url: str, secret: str = SECRET) -> str:
    return url.replace("://", f"://me:{secret}@")


def test_a_password_in_the_url_opens_and_is_not_shown(host: Host) -> None:
    url = host(guarded)
    for path in ("file", "old"):
        content, notes = fetched(f"{with_password(url)}/{path}")
        assert content == CONTENT
        assert notes == [f"fetching {url.replace('://', '://***@')}/{path}"]
    text = failure(with_password(url, "wrong-one") + "/file")
    assert "HTTP Error 401" in text
    assert "wrong-one" not in text
    assert "me:" not in text


def test_a_password_stays_with_its_host(host: Host) -> None:
    given: list[str | None] = []

    def elsewhere(handler: http.server.BaseHTTPRequestHandler) -> None:
        given.append(handler.headers["Authorization"])
        send(handler)

    other = host(elsewhere)
    leading = host(lambda handler: send(handler, b"", 302, Location=other + "/file"))
    assert fetched(with_password(leading) + "/file")[0] == CONTENT
    assert given == [None]


@pytest.mark.parametrize(
    "place",
    [
        "http://me:secret@127.0.0.1:9",
        "http://secret@127.0.0.1:9",
        "http://me:sec/secret@127.0.0.1:9",
        "http://me:12/secret@127.0.0.1:9",
        "http://me:s@secret@127.0.0.1:9",
        "http://me:secret@127.0.0.1:port",
        "http://me:secret@[::1",
        "http://me:secret @127.0.0.1:9",
        "ftp://me:secret@127.0.0.1",
        "me:secret@127.0.0.1/mirror",
    ],
)
def test_no_spelling_of_a_mirror_shows_its_password(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "*")
    try:
        found = mirror.chosen(place)
        assert found
        text = repr(found) + failure(*found.sources("mnist/file"))
    except UserError as error:
        text = str(error)
    assert "secret" not in text


def test_a_mirror_is_a_folder_or_a_url(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(mirror.VARIABLE, raising=False)
    assert mirror.chosen(None) is None
    monkeypatch.setenv(mirror.VARIABLE, "~/files/")
    found = mirror.chosen("")
    assert found
    assert found.sources("mnist/a.gz") == [f"{Path.home()}/files/mnist/a.gz"]
    assert found.mend.endswith("unset SAGAN_DIV_MIRROR")
    option = mirror.chosen("http://a/")
    assert option
    assert option.sources("b") == ["http://a/b"]
    assert option.mend.endswith("leave out --mirror")
