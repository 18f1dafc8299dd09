"""A short run of the fuzzer; ``SWB_FUZZ_RECORDS`` makes it longer, ``make fuzz`` is the long form."""

import os
import sys

from tests.kafka import fuzz
from tests.support.relay_kit import Kit


def test_whatever_is_sent_is_answered_or_kept(kafka_bootstrap, tmp_path, unique):
    name = unique("f").replace("-", "")
    kit = Kit(kafka_bootstrap, tmp_path, **{f"{name}farm": "agency", f"{name}wa": "window", f"{name}wb": "window"})
    try:
        found = fuzz.run(kit, int(os.environ.get("SWB_FUZZ_RECORDS", "3000")))
    finally:
        kit.close()
    sys.stdout.write(f"{found}\n")
    assert found["named"] > 500
    assert found["peak_mb"] < 600
