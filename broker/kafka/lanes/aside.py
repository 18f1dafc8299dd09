"""The process beside a worker that does what takes long: begun when it is needed, ended when it takes too long."""

from __future__ import annotations

import asyncio
import struct
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from broker import log

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import BinaryIO

logger = log.get(__name__)

_LENGTH = struct.Struct(">Q")
BUDGET_SECONDS = 120.0
"""For one document, whatever it holds."""


class Aside:
    """Runs ``code`` in a Python of its own, and has tasks done there one after the other, as bytes for bytes."""

    def __init__(self, code: str, seconds: float = BUDGET_SECONDS) -> None:
        self._code, self._seconds = code, seconds
        self._process: asyncio.subprocess.Process | None = None
        self._one_at_a_time = asyncio.Lock()

    async def do(self, task: bytes) -> bytes | None:
        """What came of it; None where it took more time or memory than there is for one."""
        async with self._one_at_a_time:
            try:
                return await asyncio.wait_for(self._do(task), self._seconds)
            except (TimeoutError, asyncio.IncompleteReadError, OSError) as error:
                logger.error("aside.ended", reason=repr(error)[:200])  # noqa: TRY400 - what was too much is no fault of ours
                await self.close()
                return None

    async def _do(self, task: bytes) -> bytes:
        process = await self._begun()
        assert process.stdin is not None  # noqa: S101 - both are pipes
        assert process.stdout is not None  # noqa: S101
        process.stdin.write(_LENGTH.pack(len(task)) + task)
        await process.stdin.drain()
        (length,) = _LENGTH.unpack(await process.stdout.readexactly(_LENGTH.size))
        return await process.stdout.readexactly(length)

    async def _begun(self) -> asyncio.subprocess.Process:
        if self._process is None or self._process.returncode is not None:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-c", self._code, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
            )
            logger.info("aside.begun")
        return self._process

    async def close(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()


def serve(carry_out: Callable[[bytes], bytes], given: BinaryIO, taken: BinaryIO) -> None:
    """In that process: do each task that comes, until who began it is gone."""
    with suppress(BrokenPipeError):
        while head := given.read(_LENGTH.size):
            result = carry_out(given.read(_LENGTH.unpack(head)[0]))
            taken.write(_LENGTH.pack(len(result)) + result)
            taken.flush()
