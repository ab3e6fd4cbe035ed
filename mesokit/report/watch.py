"""Watches the kernel of a running notebook: its memory, its time limit, the processes it started."""

import asyncio
import math
import queue
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

_GRACE = 10  # seconds between the interrupt of a notebook that is over its limit and the end of its kernel
_SAMPLE = 0.25  # seconds between two measurements of memory


class Watch:
    """Watches one kernel from a thread: measures its peak memory and enforces the time limit of the notebook."""

    def __init__(self, limit: float, progress: Callable[[int, int], object]):
        """`limit`: seconds for the whole notebook; `progress(cells done, cells)` is called before each code cell."""
        self.limit, self.progress = limit, progress
        self.started = math.inf
        self.peak = 0
        self.cell: int | None = None  # index of the current code cell
        self.number = 0  # as in In [number]
        self.notebook: Any = None
        self.timed_out = self.interrupted = False
        self.family: set[Any] = set()  # psutil compares pid and start time: a reused pid is never killed
        self.process: subprocess.Popen | None = None
        self.done = threading.Event()

    def start(self) -> None:
        """Start the clock of the time limit."""
        self.started = time.monotonic()

    def seconds(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self.started

    def interrupt(self) -> None:
        """End the notebook for the user: its kernel now, or as soon as it has started."""
        self.interrupted = True
        self.kill()

    def attach(self, manager: Any, client: Any) -> None:
        """Start to watch a kernel that has just started."""
        import psutil

        _keep_polling(client.shell_channel)
        self.manager, self.process = manager, getattr(manager.provisioner, "process", None)
        self.family.add(psutil.Process(manager.provisioner.pid))
        self.sample()
        if self.interrupted:
            self.kill()
        threading.Thread(target=self._watch, daemon=True).start()

    def at(self, cell: Any, cell_index: int) -> None:
        """Note that a code cell starts."""
        self.cell, self.number = cell_index, self.number + 1
        self.progress(cell_index, len(self.notebook.cells))

    def _watch(self) -> None:
        while not self.done.wait(_SAMPLE):
            self.sample()
            over = self.seconds() - self.limit
            if over > 0 and not self.timed_out:
                self.timed_out = True
                with suppress(Exception):  # first an interrupt: its traceback shows the line that hangs
                    asyncio.run(self.manager.interrupt_kernel())
            if over > _GRACE:
                return self.kill()

    def sample(self) -> None:
        """Measure the memory of the kernel and of all processes that it started."""
        import psutil

        total, known, programs = 0, list(self.family), set()  # a copy: two threads measure
        for process in sorted(known, key=lambda one: one.pid):
            with suppress(psutil.Error):
                program = tuple(process.cmdline())
                # A fork shows its parent's memory beside its own, until it runs a program of its own.
                forked = program in programs
                total += process.memory_full_info().uss if forked else process.memory_info().rss
                programs.add(program)
                self.family.update(process.children(recursive=True))
        self.peak = max(self.peak, total)

    def kill(self) -> None:
        """End the kernel and all processes that it started."""
        import psutil

        for process in list(self.family):
            with suppress(psutil.Error):
                process.kill()


def _keep_polling(channel: Any) -> None:
    """Make the shell channel check for messages every half second.

    nbclient sends the messages of Output widgets through the socket on which it waits. This can hide the arrival of the
    cell's reply: without the polling, one run in four never ended (nbclient issue 312).
    """
    receive = channel.get_msg

    async def get_msg(timeout: float | None = None) -> Any:
        while True:
            try:
                return await receive(timeout=0.5 if timeout is None else timeout)
            except queue.Empty:
                if timeout is not None:
                    raise

    channel.get_msg = get_msg
