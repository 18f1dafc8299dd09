"""Records that no honest client sends, and an honest neighbour who must not notice."""

import ctypes
import threading
import time
from pathlib import Path

import confluent_kafka
import psutil

from broker.relay import ids

_LIBRARY = next(Path(confluent_kafka.__file__).parent.parent.glob("confluent_kafka.libs/librdkafka*.so*"))


class AnyBytes:
    """A producer with any bytes as the name of a header: librdkafka's own, whose wrapper takes text alone."""

    def __init__(self, bootstrap, **conf):
        self._lib = lib = ctypes.CDLL(str(_LIBRARY))
        lib.rd_kafka_conf_new.restype = lib.rd_kafka_new.restype = ctypes.c_void_p
        lib.rd_kafka_headers_new.restype = ctypes.c_void_p
        error = ctypes.create_string_buffer(512)
        given = ctypes.c_void_p(lib.rd_kafka_conf_new())
        settings = {
            "bootstrap.servers": bootstrap,
            "message.max.bytes": "1000000000",
            "log_level": "0",
            "linger.ms": "20",
        }
        for name, value in {**settings, **conf}.items():
            assert lib.rd_kafka_conf_set(given, name.encode(), str(value).encode(), error, 512) == 0, error.value
        self._client = ctypes.c_void_p(lib.rd_kafka_new(0, given, error, 512))
        assert self._client.value, error.value

    def send(self, topic, value, key=None, headers=(), partition=0):
        """Names, keys and values are bytes or None; the numbers are those of librdkafka's ``rd_kafka_vtype_t``."""
        size = ctypes.c_size_t
        given = [self._client, 1, ctypes.c_char_p(topic.encode()), 3, ctypes.c_int32(partition), 7, 2]
        if value is not None:
            given += [4, ctypes.c_char_p(value), size(len(value))]
        if key is not None:
            given += [5, ctypes.c_char_p(key), size(len(key))]
        if headers:
            given += [10, self._headers(headers)]
        while (code := self._lib.rd_kafka_producev(*given, 0)) == -184:  # its queue is full
            self._lib.rd_kafka_poll(self._client, 100)
        assert code == 0, code

    def _headers(self, headers):
        """A list that librdkafka takes over with the record."""
        made = ctypes.c_void_p(self._lib.rd_kafka_headers_new(ctypes.c_size_t(len(headers))))
        for name, value in headers:
            sizes = ctypes.c_ssize_t(len(name)), ctypes.c_ssize_t(-1 if value is None else len(value))
            self._lib.rd_kafka_header_add(made, ctypes.c_char_p(name), sizes[0], ctypes.c_char_p(value), sizes[1])
        return made

    def flush(self, seconds=60):
        self._lib.rd_kafka_flush(self._client, int(seconds * 1000))
        assert self._lib.rd_kafka_outq_len(self._client) == 0


class Neighbour:
    """A well-behaved agency: a document now and then, and how long each waits for its receipt."""

    def __init__(self, kit, code, window, every=0.2):
        self.kit, self.code, self.window, self.every = kit, code, window, every
        self.sent = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()

    def _work(self):
        number = 0
        while not self._stop.wait(self.every):
            name = f"{self.code}-{number}"
            self.kit.send(self.code, b"k%d" % (number % 20), f"ok {self.window}; #{number}".encode(), ce_id=name)
            self.kit.producer.flush(10)
            self.sent[ids.message_id(self.code, name)] = time.time()
            number += 1

    def waits(self, since, seconds=30):
        """How long each document waited for its receipt, before that moment and since, sorted; all have come."""
        self.__exit__()
        told = self.kit.until(lambda: len(found := self._receipts()) >= len(self.sent) and found, seconds)
        waits = [(at < since, max(0.0, told[message] - at)) for message, at in self.sent.items()]
        return sorted(wait for is_calm, wait in waits if is_calm), sorted(
            wait for is_calm, wait in waits if not is_calm
        )

    def _receipts(self):
        found = self.kit.inbox(self.code, "receipt")
        return {r.header("swb_message_id"): r.timestamp / 1000 for r in found}


def p95(waits):
    return waits[int(len(waits) * 0.95)] if waits else 0.0


class Memory:
    """The most that a process had resident, as the system counted it (MB)."""

    def __init__(self, process):
        self._process = psutil.Process(process.pid)

    @property
    def peak(self):
        told = Path(f"/proc/{self._process.pid}/status").read_text()
        return int(next(line for line in told.splitlines() if line.startswith("VmHWM")).split()[1]) / 1024


def notices(kit, sender, word):
    """What the sender was told with that word in it."""
    return [r for r in kit.inbox(sender, "notice") if word.encode() in r.value]
