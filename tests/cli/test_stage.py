"""What a stage starts ends with it."""

import click
import pytest

from broker.cli import _stage
from broker.cli._stage import Stage


@pytest.fixture
def python(monkeypatch):
    monkeypatch.setattr(_stage, "_SWB", (_stage.sys.executable, "-S", "-c"))


def test_what_it_starts_ends_with_it(python):
    with Stage() as stage:
        stage.run("sleeper", ['print("""{"event":"up"}""", flush=True); import time; time.sleep(60)'], "127.0.0.1:1")
        stage.wait("sleeper", "up", 20)
        stage.check()
        ((_, process, log),) = stage._processes
        assert process.poll() is None
        assert '"event":"up"' in stage.tails()
    assert process.poll() is not None
    assert not log.exists()


def test_a_process_that_ends_by_itself_is_told_with_the_end_of_its_log(python):
    with Stage() as stage:
        stage.run("short", ["print('last words'); raise SystemExit(3)"], "127.0.0.1:1")
        stage._processes[0][1].wait(20)
        with pytest.raises(click.ClickException, match="short ended with code 3:\nlast words"):
            stage.check()
