"""The package as a library: what ``import broker`` gives, and what that costs."""

import subprocess
import sys

import pytest

import broker
from broker.embedded.jars import Unavailable
from broker.kafka.lanes.leave import Leave
from broker.model.errors import Failed, Misconfigured, Refused
from tests.project.test_readme import example
from tests.support.paths import ROOT


@pytest.mark.parametrize("name", broker.__all__)
def test_every_public_name_is_there_and_tells_what_it_is(name):
    value = getattr(broker, name)
    assert name == "__version__" or value.__doc__
    assert name in dir(broker)


def test_a_name_that_is_not_public_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'secret'"):
        broker.secret  # noqa: B018 - asking is the test


def test_one_error_is_above_all():
    for error in (Refused, Failed, Misconfigured, Unavailable, Leave):
        assert issubclass(error, broker.BrokerError), error


def test_importing_the_package_imports_nothing_else():
    code = "import sys, broker; print([m for m in sys.modules if m.startswith('broker.') or m in ('lxml', 'pydantic')])"
    shown = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"


def test_the_example_of_the_readme_runs(monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    exec(compile(example("Use it as a library"), "README.md", "exec"), {})
    shown = capsys.readouterr().out
    assert "accepted by pe-vuce, sg-tradenet" in shown
    assert "cac:InvoiceLine[1]/cac:Item/cbc:Name" in shown
