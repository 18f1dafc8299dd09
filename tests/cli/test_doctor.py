"""``swb doctor``: each check a line, and whether this Kafka will do."""

import json

import pytest

from broker.kafka.admin import doctor
from broker.kafka.admin.doctor import CheckResult


@pytest.mark.parametrize(
    ("states", "code", "verdict"),
    [
        (["ok", "ok"], 0, "This Kafka will do."),
        (["ok", "warning"], 0, "This Kafka will do, with 1 warnings."),
        (["missing", "not tried"], 1, "This Kafka will not do: check-0, check-1."),
    ],
)
def test_what_is_missing_decides(swb, monkeypatch, states, code, verdict):
    results = [CheckResult(f"check-{n}", f"Check {n}", state, "said", 0.1) for n, state in enumerate(states)]
    monkeypatch.setattr(doctor, "examine", lambda *_: iter(results))
    left, out, _ = swb("doctor", "--bootstrap", "127.0.0.1:1")
    assert left == code
    assert out.splitlines()[-1] == verdict
    left, out, _ = swb("doctor", "--bootstrap", "127.0.0.1:1", "-o", "json")
    assert (left, [check["state"] for check in json.loads(out)["checks"]]) == (code, states)
