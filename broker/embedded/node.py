"""The Apache Kafka that comes with the package: the released broker on loopback, for demo, tests and laptops."""

from __future__ import annotations

import atexit
import ctypes
import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Self

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from broker.embedded import jars
from broker.model.errors import Failed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType

_CLUSTER = "MkU3OEVBNTcwNTJENDM2Qk"
_START_SECONDS = 60
_STOP_SECONDS = 20
_HOST = "127.0.0.1"
# Small and quick to start: a laptop's broker, not a server's.
JAVA_OPTIONS = ("-Xms256m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Djava.awt.headless=true")
_LOGGING = (
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-Dorg.slf4j.simpleLogger.log.kafka.server=info",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSZ",
)


@dataclass
class KafkaNode:
    """One broker of a cluster, its ports and folder; ``process`` while it runs."""

    id: int
    port: int
    internal_port: int
    controller_port: int
    folder: Path
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def log(self) -> Path:
        return self.folder / "kafka.log"

    @property
    def pid(self) -> int:
        """The process, for signals and limits; raises Failed when it does not run."""
        if self.process is None or self.process.poll() is not None:
            raise Failed(f"Kafka node {self.id} does not run")
        return self.process.pid

    def tail(self, lines: int = 15) -> str:
        """The end of its log, for people."""
        if not self.log.exists():
            return "(no log)"
        return "\n".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])


class EmbeddedKafka:
    """A cluster of one node or three, KRaft, as a context manager or by ``start`` and ``stop``.

    Clients use the listener CLIENT (``bootstrap``) by ``protocol``. The nodes speak to each other over INTERNAL
    (``internal_bootstrap``), always in the clear, where a test finds a way in without rights of its own.
    The nodes die with the thread that starts them (Linux), unless ``detached``.
    """

    def __init__(
        self,
        *,
        nodes: int = 1,
        data: Path | None = None,
        port: int | None = None,
        protocol: str = "PLAINTEXT",
        properties: Mapping[str, str] | None = None,
        format_arguments: Sequence[str] = (),
        java_options: Sequence[str] = JAVA_OPTIONS,
        max_file_size: int | None = None,
        detached: bool = False,
    ) -> None:
        self.protocol = protocol
        self.properties = dict(properties or {})
        self._format_arguments = tuple(format_arguments)
        self._java_options = tuple(java_options)
        self._max_file_size = max_file_size
        self._detached = detached
        self._command: tuple[str, ...] = ()
        ports = _free_ports(3 * nodes, () if port is None else (port,))
        self._is_temporary = data is None
        self.folder = data.absolute() if data else Path(tempfile.mkdtemp(prefix="swb-kafka-"))
        self.nodes = [
            KafkaNode(n + 1, ports[3 * n], ports[3 * n + 1], ports[3 * n + 2], self.folder / f"node-{n + 1}")
            for n in range(nodes)
        ]

    @property
    def bootstrap(self) -> str:
        """The clients' addresses."""
        return ",".join(f"{_HOST}:{node.port}" for node in self.nodes)

    @property
    def internal_bootstrap(self) -> str:
        """The same cluster in the clear, as ``User:ANONYMOUS``."""
        return ",".join(f"{_HOST}:{node.internal_port}" for node in self.nodes)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> Self:
        """Format what is new, start all nodes, and come back when every one of them answers."""
        if not self._detached:
            atexit.register(self.stop)
        try:
            classpath = os.pathsep.join(map(str, jars.jars()))
            self._command = (str(jars.java()), *self._java_options, *_LOGGING, "-cp", classpath)
            self._format()
            for node in self.nodes:
                self._launch(node)
            self.wait()
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """Stop what runs, all nodes at once; a temporary folder goes too."""
        atexit.unregister(self.stop)
        running = [node.process for node in self.nodes if node.process is not None]
        for process in running:
            process.send_signal(signal.SIGCONT)  # a node that a test has halted could not hear the next
            process.terminate()
        deadline = time.monotonic() + _STOP_SECONDS
        for process in running:
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if self._is_temporary:
            shutil.rmtree(self.folder, ignore_errors=True)

    def start_node(self, number: int, *, wait: bool = True) -> None:
        """Start one node again, with the data and ports it had."""
        node = self.nodes[number - 1]
        self._launch(node)
        if wait:
            self.wait()

    def stop_node(self, number: int) -> None:
        """Stop one node as an operator would."""
        process = self.nodes[number - 1].process
        if process is not None:
            process.terminate()
            process.wait(_STOP_SECONDS)

    def kill_node(self, number: int) -> None:
        """SIGKILL to one node."""
        process = self.nodes[number - 1].process
        if process is not None:
            process.kill()
            process.wait()

    def wait(self, seconds: float = _START_SECONDS) -> None:
        """Come back when all nodes that were started are members of the cluster; a dead one fails at once."""
        deadline = time.monotonic() + seconds
        running = [node for node in self.nodes if node.process is not None]
        for node in running:
            while not _answers(node.internal_port):
                self._alive(node, deadline)
        admin = AdminClient({"bootstrap.servers": self.internal_bootstrap, "log_level": 0})
        while len(_members(admin)) < len(running):
            for node in running:
                self._alive(node, deadline)

    def _alive(self, node: KafkaNode, deadline: float) -> None:
        """Waits a moment; raises Failed with the end of the log when the node is dead or out of time."""
        if node.process is None or node.process.poll() is not None:
            raise Failed(f"Kafka node {node.id} ended while starting. Its log ends:\n{node.tail()}")
        if time.monotonic() > deadline:
            raise Failed(f"Kafka node {node.id} does not answer in time. Its log ends:\n{node.tail()}")
        time.sleep(0.05)

    def _format(self) -> None:
        """Prepare the folders of nodes that have none yet, side by side."""
        new = [node for node in self.nodes if not (node.folder / "data" / "meta.properties").exists()]
        for node in self.nodes:
            node.folder.mkdir(parents=True, exist_ok=True)
            lines = (f"{key}={value}\n" for key, value in self._properties(node).items())
            (node.folder / "server.properties").write_text("".join(lines), encoding="utf-8")
        with ExitStack() as stack:
            formats = [
                stack.enter_context(
                    subprocess.Popen(  # noqa: S603 - our own Java with our own arguments
                        [
                            *self._command,
                            "kafka.tools.StorageTool",
                            "format",
                            "-g",
                            "-t",
                            _CLUSTER,
                            "-c",
                            str(node.folder / "server.properties"),
                            *self._format_arguments,
                        ],
                        stdout=subprocess.PIPE,
                        stderr=subprocess.STDOUT,
                    )
                )
                for node in new
            ]
            for process in formats:
                said, _ = process.communicate(timeout=_START_SECONDS)
                if process.returncode:
                    raise Failed(f"Kafka's data folder could not be prepared: {said.decode(errors='replace')[-2000:]}")

    def _launch(self, node: KafkaNode) -> None:
        with node.log.open("ab") as log:
            node.process = subprocess.Popen(  # noqa: S603 - our own Java with our own arguments
                [*self._command, "kafka.Kafka", str(node.folder / "server.properties")],
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                start_new_session=True,  # a Ctrl-C is ours to hear; we then stop it in order
                preexec_fn=self._bind,  # noqa: PLW1509 - sets two kernel flags, takes no lock
            )

    def _bind(self) -> None:
        """In the child, before Java: its limits, and its end with ours."""
        if self._max_file_size is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (self._max_file_size, resource.RLIM_INFINITY))
        if not self._detached and _LIBC is not None:
            _LIBC.prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG

    def _properties(self, node: KafkaNode) -> dict[str, str]:
        several = len(self.nodes) > 1
        copies, quorum = ("3", "2") if several else ("1", "1")
        return {
            "process.roles": "broker,controller",
            "node.id": str(node.id),
            "listeners": f"CLIENT://{_HOST}:{node.port},INTERNAL://{_HOST}:{node.internal_port},"
            f"CONTROLLER://{_HOST}:{node.controller_port}",
            "advertised.listeners": f"CLIENT://{_HOST}:{node.port},INTERNAL://{_HOST}:{node.internal_port}",
            "listener.security.protocol.map": f"CLIENT:{self.protocol},INTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "controller.listener.names": "CONTROLLER",
            "inter.broker.listener.name": "INTERNAL",
            "controller.quorum.voters": ",".join(f"{n.id}@{_HOST}:{n.controller_port}" for n in self.nodes),
            "log.dirs": str(node.folder / "data"),
            "num.partitions": "4",
            "default.replication.factor": copies,
            "min.insync.replicas": quorum,
            "offsets.topic.replication.factor": copies,
            "offsets.topic.num.partitions": "1",
            "transaction.state.log.replication.factor": copies,
            "transaction.state.log.min.isr": quorum,
            "transaction.state.log.num.partitions": "1",
            "share.coordinator.state.topic.replication.factor": copies,
            "share.coordinator.state.topic.min.isr": quorum,
            "group.initial.rebalance.delay.ms": "0",
            "auto.create.topics.enable": "false",
            "num.network.threads": "2",
            "num.io.threads": "2",
            "log.cleaner.dedupe.buffer.size": "2097152",  # the default of 128 MiB is taken at start
            "log.segment.bytes": "16777216",
            "log.index.size.max.bytes": "131072",  # enough for it; the kernel zeroes all of it at the first touch
            "broker.session.timeout.ms": "3000",  # a node that was killed may come back at once
            "broker.heartbeat.interval.ms": "500",
            "replica.fetch.max.bytes": "17825792",
            **self.properties,
        }


_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


def _free_ports(count: int, wanted: Sequence[int]) -> list[int]:
    """Ports of loopback nobody listens on, the wanted ones first; raises Failed where a wanted one is taken."""
    with ExitStack() as stack:
        taken = []
        for port in [*wanted, *[0] * (count - len(wanted))]:
            listener = stack.enter_context(socket.socket())
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listener.bind((_HOST, port))
            except OSError:
                raise Failed(f"Port {port} is in use; name another with --port, or stop what listens there.") from None
            taken.append(listener.getsockname()[1])
        return taken


def _answers(port: int) -> bool:
    with suppress(OSError), socket.create_connection((_HOST, port), timeout=1):
        return True
    return False


def _members(admin: AdminClient) -> list[object]:
    with suppress(KafkaException):
        return list(admin.describe_cluster(request_timeout=2).result(3).nodes)
    return []
