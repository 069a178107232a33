"""A stand-in for the HTTP interface of the Hugging Face hub: revisions, downloads, commits.

It knows as much of that interface as huggingface_hub uses to fetch and to publish a folder.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

Files = dict[str, bytes]

TOKEN = "Bearer of-the-test"
"""What may read private repositories, and write."""


class Hub:
    """The server: `repositories` hold the files of each revision; files in `cut` are sent in part only."""

    def __init__(self) -> None:
        self.repositories: dict[str, dict[str, Files]] = {}
        self.private: set[str] = set()
        self.cut: set[str] = set()
        self.sizes: dict[str, int] = {}
        self.large: dict[str, bytes] = {}
        self.requests: list[str] = []
        hub = self

        class Handler(_Handler):
            owner = hub

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True)
        self.thread.start()
        self.endpoint = f"http://127.0.0.1:{self.server.server_port}"

    def close(self) -> None:
        """Stop serving."""
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def put(self, repository: str, files: Files, revision: str = "main") -> str:
        """Make files the content of a branch; return the commit."""
        commit = hashlib.sha1(repr(sorted(files.items())).encode(), usedforsecurity=False).hexdigest()
        self.repositories.setdefault(repository, {}).update({revision: files, commit: files})
        return commit

    def commit_of(self, repository: str, revision: str) -> str:
        """Return the commit of a revision."""
        revisions = self.repositories[repository]
        return next(each for each in revisions if len(each) == 40 and revisions[each] == revisions[revision])


class _Handler(BaseHTTPRequestHandler):
    owner: Hub
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_GET(self) -> None:
        """Answer questions about repositories, and send files."""
        hub, path = self.owner, unquote(urlsplit(self.path).path)
        hub.requests.append(f"{self.command} {path}")
        if found := re.fullmatch(r"/api/models/([^/]+/[^/]+)(?:/revision/(.+))?", path):
            if self._known(found[1], found[2] or "main"):
                self._json(self._about(found[1], found[2] or "main"))
        elif found := re.fullmatch(r"/api/models/([^/]+/[^/]+)/tree/([^/]+)", path):
            if self._known(found[1], found[2]):
                self._json([{"type": "file", **file} for file in self._about(found[1], found[2])["siblings"]])
        elif found := re.fullmatch(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", path):
            if self._known(found[1], found[2]):
                self._file(found[1], found[2], found[3])
        else:
            self._refuse(404, "EntryNotFound")

    do_HEAD = do_GET

    def do_POST(self) -> None:
        """Make repositories, and commit to them."""
        hub, path = self.owner, urlsplit(self.path).path
        hub.requests.append(f"{self.command} {path}")
        body = self._body()
        if self.headers.get("Authorization") != TOKEN:
            return self._refuse(401, None)
        if path == "/api/repos/create":
            about = json.loads(body)
            name = f"{about['organization']}/{about['name']}"
            hub.repositories.setdefault(name, {"main": {}, "0" * 40: {}})
            return self._json({"url": f"{hub.endpoint}/{name}", "id": name})
        if path == "/api/validate-yaml":
            return self._json({"errors": [], "warnings": []})
        if found := re.fullmatch(r"/api/models/(.+)/preupload/main", path):
            return self._json(
                {
                    "files": [
                        {
                            "path": file["path"],
                            "uploadMode": "lfs" if file["path"].endswith(".safetensors") else "regular",
                            "shouldIgnore": False,
                        }
                        for file in json.loads(body)["files"]
                    ]
                }
            )
        if path.endswith(".git/info/lfs/objects/batch"):
            return self._json(
                {
                    "transfer": "basic",
                    "objects": [
                        {**each, "actions": {"upload": {"href": f"{hub.endpoint}/lfs/{each['oid']}"}}}
                        for each in json.loads(body)["objects"]
                    ],
                }
            )
        found = re.fullmatch(r"/api/models/(.+)/commit/main", path)
        assert found, path
        files = dict(hub.repositories[found[1]]["main"])
        for line in map(json.loads, body.splitlines()):
            value = line["value"]
            if line["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "lfsFile":
                files[value["path"]] = hub.large[value["oid"]]
        commit = hub.put(found[1], files)
        self._json({"commitUrl": f"{hub.endpoint}/{found[1]}/commit/{commit}", "commitOid": commit})

    def do_PUT(self) -> None:
        """Take a large file."""
        self.owner.large[self.path.rpartition("/")[2]] = self._body()
        self._send(200, b"")

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        parts = []
        while size := int(self.rfile.readline(), 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _known(self, repository: str, revision: str) -> bool:
        """Return whether something is there and may be seen; else refuse it, as the hub does."""
        hub = self.owner
        hidden = repository in hub.private and self.headers.get("Authorization") != TOKEN
        if repository not in hub.repositories or hidden:
            self._refuse(401, None if hidden else "RepoNotFound")
            return False
        if revision not in hub.repositories[repository]:
            self._refuse(404, "RevisionNotFound")
            return False
        return True

    def _about(self, repository: str, revision: str) -> dict[str, Any]:
        files = self.owner.repositories[repository][revision]
        siblings = [
            {
                "rfilename": name,
                "path": name,
                "size": self.owner.sizes.get(name, len(data)),
                "oid": hashlib.sha256(data).hexdigest(),
            }
            for name, data in files.items()
        ]
        commit = self.owner.commit_of(repository, revision)
        return {"id": repository, "sha": commit, "siblings": siblings, "tags": [], "private": False}

    def _file(self, repository: str, revision: str, name: str) -> None:
        data = self.owner.repositories[repository][revision].get(name)
        if data is None:
            return self._refuse(404, "EntryNotFound")
        headers = {
            "ETag": f'"{hashlib.sha256(data).hexdigest()}"',
            "X-Repo-Commit": self.owner.commit_of(repository, revision),
        }
        self._send(200, data, headers, len(data) // 2 if name in self.owner.cut else None)

    def _json(self, value: object) -> None:
        self._send(200, json.dumps(value).encode(), {"Content-Type": "application/json"})

    def _refuse(self, status: int, code: str | None) -> None:
        self._send(status, b"{}", {"X-Error-Code": code} if code else {})

    def _send(
        self, status: int, data: bytes, headers: dict[str, str] | None = None, cut: int | None = None
    ) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(data)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data[:cut])
        if cut is not None:
            self.close_connection = True
