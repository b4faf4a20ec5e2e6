# ruff: noqa: SLF001 - MiniStack has no inner interface; its version is pinned, tests/e2e check
"""
MiniStack's process: `python -m paperpost_cli.cloud.emulator_host --port N --state-dir DIR`.

It differs from the bare `ministack` command, each time for a reason found by running it:

* IAM is enforced (AUTH=true) and it listens on loopback alone, which counts as encrypted transport:
  else a bucket policy that refuses plain HTTP (aws:SecureTransport) would refuse every handler.
* A batch call to SQS asks for the permission of the single call, as in AWS, where
  sqs:SendMessageBatch is no action of its own (Service Authorization Reference, read 2026-11-23).
* Stream consumers wait half a second between batches, as a batching window has them do in AWS;
  MiniStack invokes for every record as soon as it sees it.
* Its own schedulers never start: the launcher fires the stack's schedules (`schedules.py`).
* All state is one file, replaced atomically every few seconds and on `POST /_paperpost/save`, so a
  kill -9 loses seconds, and never leaves one service's state older than another's. It may be taken
  up at another port. S3 objects go to
  disk at once by themselves.
* Unread stream records are part of that state. MiniStack keeps the consumers' positions, not the
  records: after a restart a consumer would sleep through as many new records as it had read.
* A message that was received and not deleted is offered again after a restart: its function is
  gone, and nobody would wait out a visibility time-out of minutes. With `--wait`, no function gets
  anything before `POST /_paperpost/poll`: the launcher first tells them where AWS is now.
* `POST /_paperpost/clock?<seconds>` sets CLOCK_OFFSET_S in every function's configuration, and of
  every invocation, as MiniStack sets what changes from call to call: a replay moves its clock
  often, and UpdateFunctionConfiguration would start every function anew each time.
* A failed invocation leaves the line `ERROR RequestId: <id>` and the reason in the function's log.
* An empty AWS_ENDPOINT_URL of a function counts as none, as for botocore, so that its worker gets
  MiniStack's address and not AWS's.
* An `AWS::SES::EmailIdentity` has the DkimDNSTokenName and -Value attributes that templates output.
* On SIGTERM, or when standard input ends because the launcher died, it stops polling event sources,
  lets running invocations finish, saves and ends.
* Its temporary folder lies under the state folder and is emptied at each start.
"""

import argparse
import asyncio
import fcntl
import json
import logging
import os
import re
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, TextIO, TypeAlias

from hypercorn.asyncio import serve
from hypercorn.config import Config

SAVE_PATH = "/_paperpost/save"
READY_PATH = "/_paperpost/ready"
IDLE_PATH = "/_paperpost/idle"
POLL_PATH = "/_paperpost/poll"
CLOCK_PATH = "/_paperpost/clock"
_CLOCK_VARIABLE = "CLOCK_OFFSET_S"
_LOCK_WAIT_S = 30.0
_INVOCATIONS_END_WITHIN_S = 20.0
_STREAM_WINDOW_S = 0.5
_LOOK_AGAIN_S = 0.02
_SAVING_SHARE = 20
"""At most one part in so many of the time goes into saving, however large the state grows."""

_Scope: TypeAlias = dict[str, Any]
_Receive: TypeAlias = Callable[[], Awaitable[dict[str, Any]]]
_Send: TypeAlias = Callable[[dict[str, Any]], Awaitable[None]]

logger = logging.getLogger("paperpost.emulator")


def main() -> int:
    """Serve until told to stop; 0 after a clean end."""
    parser = argparse.ArgumentParser(description="MiniStack, as the laptop cloud needs it.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--state-dir", type=Path, required=True)
    parser.add_argument("--save-every", type=float, default=3.0, help="seconds")
    parser.add_argument("--wait", action="store_true", help="poll event sources when told to")
    arguments = parser.parse_args()
    state_dir: Path = arguments.state_dir.resolve()
    state_dir.mkdir(parents=True, exist_ok=True)
    lock = _lock(state_dir / "lock")
    _use_own_temporary_folder(state_dir / "tmp")
    os.environ.update(_settings(state_dir, arguments.port))
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(message)s")
    host = Host(
        Snapshot(state_dir / "state.json", port=arguments.port),
        save_every_s=arguments.save_every,
        polls=not arguments.wait,
    )
    asyncio.run(host.serve(arguments.port))
    shutil.rmtree(state_dir / "tmp", ignore_errors=True)
    lock.close()
    # MiniStack's worker threads are not all daemons; nothing of theirs is left to wait for.
    sys.stderr.flush()
    os._exit(0)


def _settings(state_dir: Path, port: int) -> dict[str, str]:
    """MiniStack's settings, which it reads from the environment when it is imported."""
    return {
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "MINISTACK_HOST": "127.0.0.1",
        "MINISTACK_REGION": "us-east-1",
        "MINISTACK_ACCOUNT_ID": "000000000000",
        "AUTH": "true",
        "PERSIST_STATE": "1",
        "STATE_DIR": str(state_dir / "ministack"),
        "S3_PERSIST": "1",
        "S3_DATA_DIR": str(state_dir / "s3"),
        "LAMBDA_EXECUTOR": "local",
        "DOCKER_HOST": f"unix://{state_dir / 'no-docker.sock'}",
        "SFTP_ENABLED": "0",
        "IOT_MTLS_ENABLED": "0",
        "LOG_LEVEL": "WARNING",
    }


def _lock(path: Path) -> TextIO:
    """The state folder's lock; a host whose launcher died may hold it for the seconds it saves."""
    held = path.open("w")
    deadline = time.monotonic() + _LOCK_WAIT_S
    while True:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise SystemExit(f"another emulator uses {path.parent}") from None
            time.sleep(0.1)
        else:
            return held


def _use_own_temporary_folder(folder: Path) -> None:
    """Make an empty folder the temporary one, for MiniStack and the handlers alike."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    os.environ["TMPDIR"] = str(folder)
    tempfile.tempdir = None


class Snapshot:
    """All of MiniStack's state in one file."""

    def __init__(self, path: Path, *, port: int) -> None:
        self.path = path
        self._persistence: Any = import_module("ministack.core.persistence")
        # Queues are known by their address: at another port they would be found by nobody.
        self._parts: dict[str, str] = {"paperpost_port": str(port)}
        self._saved: dict[str, Any] = {}
        if path.exists():
            text = path.read_text("utf-8")
            if former := re.match(r'\{"paperpost_port":(\d+)$', text, re.MULTILINE):
                text = text.replace(f"http://127.0.0.1:{former[1]}/", f"http://127.0.0.1:{port}/")
            self._saved = json.loads(text, object_hook=self._persistence._json_object_hook)

    def load(self, service: str) -> dict[str, Any] | None:
        """What was saved for *service*; None if nothing was."""
        found: dict[str, Any] | None = self._saved.pop(service, None)
        return found

    def save(self, services: dict[str, Callable[[], Any]]) -> None:
        """Replace the file by the present state of *services*."""
        for service, get_state in services.items():
            text = self._text(service, get_state)
            if text is not None:
                self._parts[service] = text
        fresh = self.path.with_suffix(".new")
        with fresh.open("w", encoding="utf-8") as out:
            separator = "{"
            for service, text in self._parts.items():
                out.write(f'{separator}"{service}":{text}\n')
                separator = ","
            out.write("}\n" if self._parts else "{}\n")
        fresh.replace(self.path)

    def _text(self, service: str, get_state: Callable[[], Any]) -> str | None:
        """The state as JSON; None where it kept changing under us and the last one must do."""
        for _ in range(3):
            try:
                state = get_state()
                if state is None:
                    return None
                return json.dumps(state, default=self._persistence._json_default)
            except RuntimeError:  # a poller's thread changed a dict while it was copied
                continue
            except TypeError as exc:
                logger.warning("the state of %s cannot be saved: %s", service, exc)
                return None
        logger.warning("the state of %s changed while it was saved; the older one stays", service)
        return None


class Host:
    """MiniStack in this process."""

    def __init__(self, snapshot: Snapshot, *, save_every_s: float, polls: bool) -> None:
        self._snapshot = snapshot
        self._save_every_s = save_every_s
        self._polls = polls
        self._requests = 0
        self._clock_offset_s = "0"
        self._polling = threading.Event()
        self._app: Any = import_module("ministack.app")
        self._lambda: Any = import_module("ministack.services.lambda_svc")
        self._dynamodb: Any = import_module("ministack.services.dynamodb")
        self._adapt()

    def _adapt(self) -> None:
        for name in ("scheduler", "eventbridge"):
            service: Any = import_module(f"ministack.services.{name}")
            service.start_scheduler = _nothing
        runtime: Any = import_module("ministack.core.lambda_runtime")
        runtime.Worker._spawn = _without_empty_endpoint(runtime.Worker._spawn)
        runtime.Worker.invoke = self._with_clock(runtime.Worker.invoke)
        per_call = json.dumps(list(runtime.DURABLE_ENV_VARS))
        runtime._PYTHON_WORKER_SCRIPT = runtime._PYTHON_WORKER_SCRIPT.replace(
            per_call, json.dumps([*runtime.DURABLE_ENV_VARS, _CLOCK_VARIABLE])
        )
        provisioners: Any = import_module("ministack.services.cloudformation.provisioners")
        identity = provisioners._RESOURCE_HANDLERS["AWS::SES::EmailIdentity"]
        for name in ("create", "update"):
            identity[name] = _with_dkim_records(identity[name])
        for name in ("_poll_sqs", "_poll_kinesis", "_poll_dynamodb_streams"):
            setattr(self._lambda, name, self._only_while_polling(getattr(self._lambda, name)))
        self._lambda._poll_dynamodb_streams = _with_rests(
            self._lambda._poll_dynamodb_streams, unread=lambda: self.work()["unread"]
        )
        self._lambda._execute_function_warm = _with_error_line(self._lambda._execute_function_warm)
        self._app.pin_request_origin = _as_if_by_tls(self._app.pin_request_origin)
        actions: Any = import_module("ministack.core.iam_actions")
        actions.extract_iam_action = _batches_as_single_calls(actions.extract_iam_action)
        self._app.load_state = self._snapshot.load
        self._app.save_all = lambda _services: self.save()
        self._prune_blobs = self._lambda._prune_orphan_code_blobs
        self._lambda._prune_orphan_code_blobs = self._keep_blobs
        self._blobs: set[str] | None = None

    async def serve(self, port: int) -> None:
        """Serve until a signal comes or standard input ends, then save."""
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        threading.Thread(target=_when_parent_ends, args=(loop, stop), daemon=True).start()
        import_module("ministack.core.hypercorn_compat").install()
        config = Config()
        config.bind = [f"127.0.0.1:{port}"]
        config.keep_alive_timeout = 75
        config.graceful_timeout = 1
        saving = asyncio.create_task(self._save_now_and_then())
        await serve(self, config, shutdown_trigger=lambda: self._drained(stop))  # type: ignore[arg-type]
        saving.cancel()
        import_module("ministack.core.lambda_runtime").reset()

    async def __call__(self, scope: _Scope, receive: _Receive, send: _Send) -> None:
        """Answer our own paths; everything else is MiniStack's."""
        if scope["type"] == "lifespan":
            await self._app.app(scope, receive, self._ready(send))
            return
        if scope["type"] == "http":
            if scope["path"] in (SAVE_PATH, READY_PATH, IDLE_PATH, POLL_PATH, CLOCK_PATH):
                if scope["path"] == SAVE_PATH:
                    self.save()
                if scope["path"] == POLL_PATH:
                    self._polling.set()
                if scope["path"] == CLOCK_PATH:
                    self._set_clock(scope["query_string"].decode())
                await _answer(send, self.work())
                return
            self._requests += 1
        await self._app.app(scope, receive, send)

    def work(self) -> dict[str, int]:
        """Running invocations (`running`), and stream records still to be read (`unread`)."""
        unread = 0
        for (account, region, table), records in list(self._dynamodb._stream_records._data.items()):
            trimmed = self._dynamodb._stream_trimmed._data.get((account, region, table), 0)
            end = trimmed + len(records)
            unread += sum(end - at for at in self._positions(account, region, table))
        return {"running": self._running(), "unread": unread}

    def _set_clock(self, offset_s: str) -> None:
        self._clock_offset_s = offset_s
        for function in list(self._lambda._functions._data.values()):
            environment = function["config"].get("Environment") or {}
            environment.get("Variables", {})[_CLOCK_VARIABLE] = offset_s

    def _with_clock(self, invoke: Callable[..., Any]) -> Callable[..., Any]:
        """Each call knows the clock of its own moment."""

        def invoked(worker: object, event: object, request_id: str, **how: Any) -> Any:  # noqa: ANN401 - MiniStack's
            how["durable"] = {**(how.get("durable") or {}), _CLOCK_VARIABLE: self._clock_offset_s}
            return invoke(worker, event, request_id, **how)

        return invoked

    def _ready(self, send: _Send) -> _Send:
        """Restore what MiniStack does not, between its own restoring and the first request."""

        async def sent(message: dict[str, Any]) -> None:
            if message["type"] == "lifespan.startup.complete":
                self._restore_streams(self._snapshot.load("paperpost_streams"))
                self._offer_again()
                if self._polls:
                    self._polling.set()
            await send(message)

        return sent

    def _offer_again(self) -> None:
        """Make visible what functions had received that ended with the former process."""
        sqs: Any = import_module("ministack.services.sqs")
        now = time.time()
        for _, queue in sqs._queues.all_items():
            for message in queue["messages"]:
                if message["receive_count"]:
                    message["visible_at"] = min(message["visible_at"], now)

    async def _drained(self, stop: asyncio.Event) -> None:
        """Wait for the word to stop, then for the invocations that run."""
        await stop.wait()
        self._polling.clear()
        deadline = time.monotonic() + _INVOCATIONS_END_WITHIN_S
        # MiniStack has no event for it.
        while self._running() and time.monotonic() < deadline:  # noqa: ASYNC110
            await asyncio.sleep(0.05)

    async def _save_now_and_then(self) -> None:
        seen, pause_s = 0, self._save_every_s
        while True:
            await asyncio.sleep(pause_s)
            if seen == self._requests:
                continue
            seen = self._requests
            began = time.monotonic()
            try:
                self.save()
            except OSError as exc:  # a full disk now is no reason to give up saving for good
                logger.warning("the state was not saved: %s", exc)
            pause_s = max(self._save_every_s, _SAVING_SHARE * (time.monotonic() - began))

    def save(self) -> None:
        """Save everything; on the event loop's thread, so no request is half done."""
        services = self._app._build_persistence_save_dict()
        self._snapshot.save({**services, "paperpost_streams": self._streams})
        if self._blobs is not None:
            self._prune_blobs(self._blobs)

    def _keep_blobs(self, referenced: set[str]) -> None:
        """Put off removing old code until the file that no longer names it is in place."""
        self._blobs = referenced

    def _only_while_polling(self, poll: Callable[[], bool]) -> Callable[[], bool]:
        def polled() -> bool:
            return self._polling.is_set() and poll()

        return polled

    def _running(self) -> int:
        """How many functions run now."""
        return int(self._lambda.executions_in_flight()[0])

    def _streams(self) -> dict[str, Any]:
        """The stream records that some consumer has not read yet, and where they begin."""
        tables = []
        for (account, region, table), records in list(self._dynamodb._stream_records._data.items()):
            trimmed = self._dynamodb._stream_trimmed._data.get((account, region, table), 0)
            read = min(self._positions(account, region, table), default=trimmed)
            begin = max(read, trimmed)
            tables.append([account, region, table, begin, records[begin - trimmed :]])
        return {"tables": tables, "sequence": self._dynamodb._stream_seq_counter}

    def _positions(self, account: str, region: str, table: str) -> Iterator[int]:
        prefix = f"arn:aws:dynamodb:{region}:{account}:table/{table}/stream/"
        for key, mapping in list(self._lambda._esms._data.items()):
            if mapping.get("EventSourceArn", "").startswith(prefix):
                yield self._lambda._dynamodb_stream_positions._data.get(key, 0)

    def _restore_streams(self, saved: dict[str, Any] | None) -> None:
        if saved is None:
            return
        self._dynamodb._stream_seq_counter = saved["sequence"]
        for account, region, table, begin, records in saved["tables"]:
            self._dynamodb._stream_records._data[(account, region, table)] = records
            self._dynamodb._stream_trimmed._data[(account, region, table)] = begin


def _with_error_line(execute: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    def executed(func: dict[str, Any], event: object, request_id: str) -> dict[str, Any]:
        result = execute(func, event, request_id)
        if result.get("error"):
            reason = result.get("log") or json.dumps(result.get("body"))
            result["log"] = f"{reason}\nERROR RequestId: {request_id}"
        return result

    return executed


def _with_dkim_records(provision: Callable[..., Any]) -> Callable[..., Any]:
    ses: Any = import_module("ministack.services.ses")

    def provisioned(*args: object, **kwargs: object) -> tuple[str, dict[str, str]]:
        domain, attributes = provision(*args, **kwargs)
        for number, token in enumerate(ses._dkim_tokens(domain), start=1):
            attributes[f"DkimDNSTokenName{number}"] = f"{token}._domainkey.{domain}"
            attributes[f"DkimDNSTokenValue{number}"] = f"{token}.dkim.amazonses.com"
        return domain, attributes

    return provisioned


def _without_empty_endpoint(spawn: Callable[[Any], None]) -> Callable[[Any], None]:
    def spawned(worker: Any) -> None:  # noqa: ANN401 - a MiniStack Worker
        variables = worker.config.get("Environment", {}).get("Variables", {})
        if variables.get("AWS_ENDPOINT_URL") == "":
            kept = {k: v for k, v in variables.items() if k != "AWS_ENDPOINT_URL"}
            worker.config = {**worker.config, "Environment": {"Variables": kept}}
        spawn(worker)

    return spawned


def _as_if_by_tls(pin: Callable[[str, bool], None]) -> Callable[[str, bool], None]:
    def pinned(source_ip: str, _secure: bool) -> None:  # noqa: FBT001 - MiniStack's signature
        pin(source_ip, True)

    return pinned


def _with_rests(poll: Callable[[], bool], *, unread: Callable[[], int]) -> Callable[[], bool]:
    """*poll*, which answers whether to look again at once, with a rest behind each find."""
    rested_at = 0.0

    def polled() -> bool:
        nonlocal rested_at
        if time.monotonic() < rested_at:
            time.sleep(_LOOK_AGAIN_S)
            return unread() > 0
        found = poll()
        if found:
            rested_at = time.monotonic() + _STREAM_WINDOW_S
        return found

    return polled


def _batches_as_single_calls(extract: Callable[..., str | None]) -> Callable[..., str | None]:
    def extracted(*args: object, **kwargs: object) -> str | None:
        action = extract(*args, **kwargs)
        return action.removesuffix("Batch") if action and action.startswith("sqs:") else action

    return extracted


def _when_parent_ends(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    sys.stdin.read()
    loop.call_soon_threadsafe(stop.set)


async def _answer(send: _Send, value: dict[str, int]) -> None:
    body = json.dumps(value).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _nothing() -> None:
    """Stand where MiniStack starts its schedulers."""


if __name__ == "__main__":
    sys.exit(main())
