"""A server on loopback that speaks the part of Labelbox's API that imports use.

GraphQL with uploads in multipart form, and status files; it makes jobs, keeps their lines, and
fails as it is told to.
"""

from __future__ import annotations

import json
import re
import threading
from collections import Counter
from collections.abc import Callable
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

KEY = "sk-test-0123456789-secret"
PROJECT = "cproject00000000000000000"
#: What can go wrong with a request: before it is handled, after it, or with the answer.
FAULTS = (
    "429",
    "429-plain",
    "500",
    "502",
    "graphql-500",
    "drop",
    "drop-middle",
    "502-after",
    "drop-after",
)

Line = dict[str, Any]


class Job:
    """An import job: the lines as they came, and how often it was asked for."""

    def __init__(self, id: str, name: str, kind: str, content: bytes) -> None:
        self.id, self.name, self.kind = id, name, kind
        self.raw = content.split(b"\n")
        self.lines: list[Line] = [json.loads(line) for line in self.raw]
        self.looks = 0
        self.state = "RUNNING"


class Labelbox:
    """Start it with `with`; `endpoint` is for the SDK's client.

    - `fault(what, number)` is asked for each request: what is `create`, `find` or `status`, number
      how many of that kind came before; it names one of `FAULTS`, `cut`, `torn` or `gone` (of
      statuses), or None;
    - `refuse(line)`: the errors of a line, None where it is taken;
    - `fail(job)`: whether a job ends FAILED;
    - `created`: called with each job that was made;
    - `hidden(job)`: whether it is not to be found;
    - `tells`: whether a FAILED job has a status file;
    - `why`: what the file of errors of a FAILED job says of it as a whole, if it has one;
    - `looks`: a job is done when it was asked for so often.
    """

    def __init__(
        self,
        *,
        fault: Callable[[str, int], str | None] = lambda what, number: None,
        refuse: Callable[[Line], list[Any] | None] = lambda line: None,
        fail: Callable[[Job], bool] = lambda job: False,
        created: Callable[[Job], None] = lambda job: None,
        hidden: Callable[[Job], bool] = lambda job: False,
        tells: bool = False,
        why: str = "",
        looks: int = 1,
    ) -> None:
        self.fault, self.refuse, self.fail, self.created = fault, refuse, fail, created
        self.hidden, self.tells, self.why, self.looks = hidden, tells, why, looks
        self.jobs: list[Job] = []
        self.requests: Counter[str] = Counter()
        self.lock = threading.Lock()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            # Head and body in one packet: else each answer waits for a delayed acknowledgement.
            wbufsize = 1 << 16
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                outer.post(self)

            def do_GET(self) -> None:
                outer.get(self)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        class Quiet(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request: Any, client_address: Any) -> None:
                pass  # connections that clients or we ourselves broke off

        self._server = Quiet(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def endpoint(self) -> str:
        return f"{self.address}/graphql"

    @property
    def taken(self) -> Counter[str]:
        """How often each line was accepted by a job that is not FAILED, by uuid or whole."""
        return Counter(
            line.get("uuid") or json.dumps(line)
            for job in self.jobs
            if job.state != "FAILED"
            for line in job.lines
            if self.refuse(line) is None
        )

    # ------------------------------------------------------------------ requests

    def _fault(self, what: str) -> str | None:
        with self.lock:
            number = self.requests[what]
            self.requests[what] += 1
        return self.fault(what, number)

    def post(self, handler: BaseHTTPRequestHandler) -> None:
        length = int(handler.headers["Content-Length"])
        multipart = handler.headers["Content-Type"].startswith("multipart/")
        what = "create" if multipart else "find"
        fault = self._fault(what)
        if fault == "drop-middle":
            handler.rfile.read(length // 2)
            return _drop(handler)
        body = handler.rfile.read(length)
        if fault == "drop":
            return _drop(handler)
        if fault == "429":
            message = {"message": "You have exceeded the request limit"}
            return _answer(handler, message, 429)
        if fault == "429-plain":
            return _answer(handler, {"message": "slow down"}, 429)
        if fault in ("500", "502"):
            return _answer(handler, {}, int(fault))
        if fault == "graphql-500":
            error = {"message": "prisma", "extensions": {"code": "INTERNAL_SERVER_ERROR"}}
            return _answer(handler, {"errors": [error]})
        if fault and fault.startswith("error:"):
            _, code, message = fault.split(":", 2)
            error = {"message": message, "extensions": {"code": code}}
            return _answer(handler, {"errors": [error]})
        if handler.headers["Authorization"] != f"Bearer {KEY}":
            error = {"message": "who are you", "extensions": {"code": "AUTHENTICATION_ERROR"}}
            return _answer(handler, {"errors": [error]})
        answer = self._create(handler, body) if multipart else self._find(json.loads(body))
        if fault == "502-after":
            return _answer(handler, {}, 502)
        if fault == "drop-after":
            return _drop(handler)
        return _answer(handler, answer)

    def _create(self, handler: BaseHTTPRequestHandler, body: bytes) -> Any:
        head = f"Content-Type: {handler.headers['Content-Type']}\r\n\r\n".encode()
        parts = BytesParser().parsebytes(head + body).get_payload()
        fields: dict[str, bytes] = {
            part.get_param("name", header="content-disposition"): part.get_payload(decode=True)
            for part in parts
        }
        asked = json.loads(fields.pop("operations"))
        files = json.loads(fields.pop("map"))
        ((name, content),) = fields.items()
        variables = asked["variables"]
        assert files == {name: ["variables.file"]}
        assert variables["contentLength"] == len(content)
        if variables["projectId"] != PROJECT:
            return _not_found()
        kind = "label" if "createLabelImport(" in asked["query"] else "mal"
        with self.lock:
            job = Job(f"job{len(self.jobs)}", variables["name"], kind, content)
            self.jobs.append(job)
        self.created(job)
        return {"data": {re.search(r"\{\s*(\w+)\(", asked["query"])[1]: self._told(job, asked)}}

    def _find(self, asked: Any) -> Any:
        variables = asked["variables"]
        kind = "label" if "labelImport(" in asked["query"] else "mal"
        wanted = (variables["name"], kind)
        found = [j for j in self.jobs if (j.name, j.kind) == wanted and not self.hidden(j)]
        if not found or variables["projectId"] != PROJECT:
            return _not_found()
        job = found[0]
        job.looks += 1
        if job.looks >= self.looks:
            job.state = "FAILED" if self.fail(job) else "FINISHED"
        return {"data": {re.search(r"\{\s*(\w+)\(", asked["query"])[1]: self._told(job, asked)}}

    def _told(self, job: Job, asked: Any) -> Any:
        done = job.state == "FINISHED" or (job.state == "FAILED" and self.tells)
        project = re.search(r"project\s*\{([^{}]*)", asked["query"])
        fields = dict.fromkeys(project[1].split()) if project else {}
        return {
            "id": job.id,
            "name": job.name,
            "state": job.state,
            "inputFileUrl": None,
            "errorFileUrl": f"{self.address}/errors/{job.id}"
            if job.state == "FAILED" and self.why
            else None,
            "statusFileUrl": f"{self.address}/status/{job.id}?at={job.looks}" if done else None,
            "progress": "100%" if done else "10%",
            "project": fields | {"id": PROJECT},
        }

    def get(self, handler: BaseHTTPRequestHandler) -> None:
        fault = self._fault("status")
        if fault in ("500", "502", "429"):
            return _answer(handler, {}, int(fault))
        if fault == "drop":
            return _drop(handler)
        if fault == "gone":
            return _answer(handler, {}, 403)
        if handler.path.startswith("/errors/"):
            error = {"name": "JobError", "message": self.why}
            return _answer(handler, {"status": "FAILURE", "errors": [error]})
        id = re.search(r"/status/(\w+)", handler.path)[1]
        job = next(job for job in self.jobs if job.id == id)
        rows = []
        for line in job.lines:
            errors = self.refuse(line)
            row = {
                "uuid": line.get("uuid", "0000aaaa-0000-4000-8000-00000000aaaa").upper(),
                "dataRow": line["dataRow"],
                "status": "SUCCESS" if errors is None else "FAILURE",
            }
            rows.append(row if errors is None else row | {"errors": errors})
        rows.reverse()  # no order is promised
        data = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows).encode()
        if fault == "torn":  # written by halves: the answer is whole, the file is not
            data = data[: len(data) // 2]
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(data)))
        handler.end_headers()
        if fault == "cut":
            handler.wfile.write(data[: len(data) // 2])
            return _drop(handler)
        handler.wfile.write(data)
        return None


def _not_found() -> Any:
    error = {"message": "not there", "extensions": {"code": "RESOURCE_NOT_FOUND"}}
    return {"errors": [error], "data": None}


def _answer(handler: BaseHTTPRequestHandler, answer: Any, status: int = 200) -> None:
    data = json.dumps(answer).encode()
    handler.send_response(status)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", str(len(data)))
    handler.end_headers()
    handler.wfile.write(data)


def _drop(handler: BaseHTTPRequestHandler) -> None:
    """Break the connection off without an answer."""
    import socket

    handler.close_connection = True
    handler.wfile.flush()
    handler.connection.shutdown(socket.SHUT_RDWR)
