"""`python -m devkit.local_host`: run a function app on this machine without Azure."""

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from enum import Enum, auto
from pathlib import Path

from devkit.local_host.errors import LocalHostError
from devkit.local_host.host import LocalHost, Options
from devkit.local_host.listing import list_functions
from devkit.local_host.logs import configure_logging
from devkit.local_host.ready import remove_ready, write_ready

_GRACE = 10.0
_HIGHEST_PORT = 65535


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until SIGINT or SIGTERM.

    Returns:
        0 after a signal, 1 if the app cannot be indexed, 2 for wrong use.
    """
    given = _parser().parse_args(arguments)
    app = given.app.resolve()
    options = Options(
        app=app,
        state=(given.state or app / ".steward" / "local_host").resolve(),
        port=given.port,
        timers=given.timers,
        sweep=given.sweep,
    )
    ready = given.ready.resolve() if given.ready else None
    folder = Path.cwd()
    host = LocalHost(options)
    configure_logging(app, host.function_of)
    try:
        ending = asyncio.run(_serve(host, options, ready, given))
    except LocalHostError as error:
        print(f"local host: {error}", file=sys.stderr)
        return error.exit_code
    if ending is _Ending.RESTART:
        os.chdir(folder)
        given_here = sys.argv[1:] if arguments is None else arguments
        os.execv(sys.executable, [sys.executable, "-m", __package__, *given_here, "--port", str(host.port)])  # noqa: S606 - there is no shell to go through
    if ending is not _Ending.FINISHED:
        # Threads cannot be ended, and the interpreter would wait for them.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(1 if ending is _Ending.FAILED else 0)
    return 0


class _Ending(Enum):
    FINISHED = auto()
    LEFT_BEHIND = auto()
    FAILED = auto()
    RESTART = auto()


async def _serve(host: LocalHost, options: Options, ready: Path | None, given: argparse.Namespace) -> _Ending:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopping.set)
    if given.stop_with_stdin:
        try:
            loop.add_reader(sys.stdin.fileno(), _read_stdin, stopping)
        except OSError:
            raise LocalHostError("--stop-with-stdin needs a pipe or a terminal as stdin") from None
    await host.start()
    if ready:
        write_ready(ready, host, os.getpid())
    _print_banner(host, options, show_key=given.show_key)
    host.failed.add_done_callback(lambda _: stopping.set())
    await stopping.wait()
    if ready:
        remove_ready(ready)
    if not host.failed.done():
        return _Ending.FINISHED if await host.stop(given.grace) else _Ending.LEFT_BEHIND
    failure = host.failed.result()
    print(f"local host: {failure.sentence}", file=sys.stderr, flush=True)
    await host.stop(grace=0.0)
    return _Ending.RESTART if failure.restart else _Ending.FAILED


def _read_stdin(stopping: asyncio.Event) -> None:
    if not os.read(sys.stdin.fileno(), 4096):
        asyncio.get_running_loop().remove_reader(sys.stdin.fileno())
        stopping.set()


def _print_banner(host: LocalHost, options: Options, *, show_key: bool) -> None:
    print(list_functions(host.functions, host.url, datetime.now(UTC)))
    print(f"\nListening on {host.url}. Keys: {options.state / 'keys.json'}")
    if show_key or sys.stdout.isatty():
        print(f"Operator key: {host.keys.operator}")
    print("Stop with Ctrl+C.", flush=True)


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > _HIGHEST_PORT:
        raise argparse.ArgumentTypeError(f"'{text}' is not a port; write 0 to {_HIGHEST_PORT}")
    return int(text)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m devkit.local_host", description=__doc__)
    parser.add_argument("--app", type=Path, default=Path(), help="folder with function_app.py (default: this one)")
    parser.add_argument("--port", type=_port, default=7071, help="port on 127.0.0.1, 0 for a free one (default: 7071)")
    parser.add_argument("--state", type=Path, help="folder for queues, keys, timers (default: APP/.steward/local_host)")
    parser.add_argument("--ready", type=Path, help="file to write, as JSON, once the host listens; it holds the keys")
    parser.add_argument("--no-timers", dest="timers", action="store_false", help="do not call timer functions")
    parser.add_argument(
        "--sweep",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="call the timer function 'watchdog' once at start",
    )
    parser.add_argument(
        "--grace", type=float, default=_GRACE, help="seconds running functions get at the end (default: 10)"
    )
    parser.add_argument("--stop-with-stdin", action="store_true", help="stop when stdin is closed")
    parser.add_argument("--show-key", action="store_true", help="print the operator key even if stdout is no terminal")
    return parser


if __name__ == "__main__":
    sys.exit(main())
