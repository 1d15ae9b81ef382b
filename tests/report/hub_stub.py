"""A Hugging Face hub on loopback, as far as its client needs one to upload an export."""

import base64
import hashlib
import http.server
import json
import re
import threading
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

TOKEN, READER = "hf_writes0123456789", "hf_reads0123456789"


@dataclass
class Files:
    """A repository: its visibility, its newest files, and the header of each commit."""

    private: bool
    contents: dict[str, bytes] = field(default_factory=dict)
    large: set[str] = field(default_factory=set)
    headers: list[dict[str, Any]] = field(default_factory=list)

    @property
    def newest(self) -> str:
        return hashlib.sha1(json.dumps([len(self.headers), *sorted(self.contents)]).encode()).hexdigest()

    def siblings(self) -> list[dict[str, Any]]:
        found = []
        for name, content in self.contents.items():
            about: dict[str, Any] = {"rfilename": name, "size": len(content), "blobId": git_name(content)}
            if name in self.large:
                about["blobId"] = git_name(b"a pointer")
                about["lfs"] = {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content), "pointerSize": 9}
            found.append(about)
        return found


def git_name(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


class Hub:
    """What the hub keeps, and every (method, path) that was asked of it. `answers` overrule it by path."""

    def __init__(self) -> None:
        self.repositories: dict[str, Files] = {}
        self.objects: dict[str, bytes] = {}
        self.asked: list[tuple[str, str]] = []
        self.answers: dict[str, tuple[int, str]] = {}
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def _handler(self) -> type[http.server.BaseHTTPRequestHandler]:
        hub = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, format: str, *args: object) -> None:
                pass

            def answer(self) -> None:
                body = self._body()
                path = urlsplit(self.path).path
                hub.asked.append((self.command, path))
                status, found, headers = hub.answer(self.command, path, body, self.headers.get("Authorization"))
                content = json.dumps(found).encode()
                self.send_response(status)
                for name, value in (
                    headers | {"Content-Type": "application/json", "Content-Length": str(len(content))}
                ).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            def _body(self) -> bytes:
                if self.headers.get("Transfer-Encoding") != "chunked":
                    return self.rfile.read(int(self.headers.get("Content-Length", 0)))
                body = b""
                while size := int(self.rfile.readline(), 16):
                    body += self.rfile.read(size)
                    self.rfile.readline()
                self.rfile.readline()
                return body

            do_GET = do_POST = do_PUT = do_HEAD = answer  # noqa: N815

        return Handler

    def answer(self, method: str, path: str, body: bytes, authorization: str | None) -> tuple[int, Any, dict[str, str]]:
        for pattern, (status, message) in self.answers.items():
            if re.search(pattern, path):
                return status, {"error": message}, {"X-Error-Message": message}
        if path.startswith("/objects/"):
            self.objects[path.rpartition("/")[2]] = body
            return 200, {}, {}
        if authorization not in (f"Bearer {TOKEN}", f"Bearer {READER}"):
            wrong = "Invalid credentials in Authorization header"
            return HTTPStatus.UNAUTHORIZED, {"error": wrong}, {"X-Error-Message": wrong}
        if path == "/api/validate-yaml":
            return 200, {"errors": [], "warnings": [{"message": "advice"}]}, {}
        if path == "/api/repos/create":
            if authorization != f"Bearer {TOKEN}":
                why = 'You don\'t have the rights to create a model under the namespace "owner"'
                return HTTPStatus.FORBIDDEN, {"error": why}, {"X-Error-Message": why}
            asked = json.loads(body)
            name = f"{asked['organization']}/{asked['name']}"
            self.repositories[name] = Files(
                asked.get("visibility") == "private", {".gitattributes": b"*.safetensors filter=lfs\n"}
            )
            return 200, {"url": f"{self.url}/{name}"}, {}
        name = re.sub(r"^/(api/models/)?([^/]+/[^/]+?)(\.git/.*|/.*)?$", r"\2", path)
        if name not in self.repositories:
            return HTTPStatus.NOT_FOUND, {"error": "Repository not found"}, {"X-Error-Code": "RepoNotFound"}
        repository = self.repositories[name]
        if method == "GET":
            return 200, {"id": name, "sha": repository.newest, "siblings": repository.siblings()}, {}
        asked = path.split(name)[1]
        if asked == "/preupload/main":
            modes = [
                {
                    "path": each["path"],
                    "uploadMode": "regular" if each["path"].endswith(".md") else "lfs",
                    "shouldIgnore": False,
                }
                for each in json.loads(body)["files"]
            ]
            return 200, {"files": modes}, {}
        if asked == ".git/info/lfs/objects/batch":
            objects = [
                each | {"actions": {"upload": {"href": f"{self.url}/objects/{each['oid']}"}}}
                for each in json.loads(body)["objects"]
            ]
            return 200, {"objects": objects, "transfer": "basic"}, {}
        if asked == "/commit/main":
            return self._commit(name, [json.loads(line) for line in body.splitlines()])
        return HTTPStatus.NOT_FOUND, {"error": f"the stub has no {path}"}, {}

    def _commit(self, name: str, lines: list[dict[str, Any]]) -> tuple[int, Any, dict[str, str]]:
        repository = self.repositories[name]
        if lines[0]["value"].get("parentCommit") != repository.newest:
            why = "A commit has happened since. Please refresh and try again."
            return HTTPStatus.PRECONDITION_FAILED, {"error": why}, {"X-Error-Message": why}
        for line in lines:
            value = line["value"]
            if line["key"] == "header":
                repository.headers.append(value)
            if line["key"] == "file":
                repository.contents[value["path"]] = base64.b64decode(value["content"])
            if line["key"] == "lfsFile":
                repository.contents[value["path"]] = self.objects[value["oid"]]
                repository.large.add(value["path"])
            if line["key"] == "deletedFile":
                del repository.contents[value["path"]]
        return 200, {"commitUrl": f"{self.url}/{name}/commit/{repository.newest}", "commitOid": repository.newest}, {}
