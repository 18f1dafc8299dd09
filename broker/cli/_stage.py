"""A whole installation for as long as a command runs: Kafka, a worker and the mock windows, all gone afterwards."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Self

import click

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import FrameType, TracebackType

_STOP_SECONDS = 15
_ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None
_SWB = (sys.executable, "-c", "from broker.cli import main; main()")


class Stage:
    """A context: what it starts ends with it, whatever ends it, Ctrl-C and the end of the terminal included."""

    def __init__(self) -> None:
        self._exit = ExitStack()
        self._processes: list[tuple[str, subprocess.Popen[bytes], Path]] = []
        self._logs = Path(self._exit.enter_context(tempfile.TemporaryDirectory(prefix="swb-demo-")))

    def __enter__(self) -> Self:
        for number in _ENDS:
            self._exit.callback(signal.signal, number, signal.signal(number, _interrupt))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._exit.close()

    def kafka(self) -> str:
        """Start the Kafka that comes with the package; its address."""
        from broker.embedded.node import EmbeddedKafka  # noqa: PLC0415 - needs an extra that not everybody has

        return self._exit.enter_context(EmbeddedKafka()).bootstrap

    def run(self, name: str, arguments: Sequence[str], bootstrap: str) -> None:
        """Start ``swb`` with these arguments as a process of its own."""
        log = self._logs / f"{name}.log"
        environment = {**os.environ, "SWB_BOOTSTRAP": bootstrap, "SWB_LOG_FORMAT": "json"}
        with log.open("wb") as out, _unheard():  # started and known to be ours: nothing comes between
            process = subprocess.Popen(  # noqa: S603 - our own command
                [*_SWB, *arguments],
                stdout=out,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                env=environment,
                start_new_session=True,  # a Ctrl-C is ours to hear; we then stop it in order
                preexec_fn=_end_with_us,  # noqa: PLW1509 - sets a kernel flag, takes no lock
            )
            self._processes.append((name, process, log))
            self._exit.callback(_stop, process)

    def wait(self, name: str, event: str, seconds: float) -> None:
        """Come back when a process has logged that event, or after so many seconds all the same."""
        log = next(log for known, _, log in self._processes if known == name)
        until = time.monotonic() + seconds
        while f'"event":"{event}"' not in log.read_text(encoding="utf-8", errors="replace"):
            self.check()
            if time.monotonic() > until:
                return
            time.sleep(0.1)

    def check(self) -> None:
        """Raises ClickException with the end of its log when a process has ended by itself."""
        for name, process, log in self._processes:
            if process.poll() is not None:
                raise click.ClickException(f"{name} ended with code {process.returncode}:\n{_tail(log)}")

    def tails(self) -> str:
        """The ends of all logs, for people."""
        return "\n".join(f"--- {name}\n{_tail(log)}" for name, _, log in self._processes)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


@contextmanager
def _unheard() -> Iterator[None]:
    """Signals that end us wait until this is over."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _ENDS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDS)


def _end_with_us() -> None:
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDS)  # inherited from us, who hold them back just now
    if _LIBC is not None:
        _LIBC.prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG: also when we are killed


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _tail(log: Path, lines: int = 12) -> str:
    return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])
