"""The SPS certificate that is issued, replaced and withdrawn, and what came of it where."""

from broker.paths import data_root

SAMPLES = data_root() / "mappings" / "documents" / "sps" / "sps-certificate-17" / "samples"


def document(name):
    return (SAMPLES / f"{name}.xml").read_bytes()


def original() -> bytes:
    """The certificate that the samples replace and withdraw: the withdrawn one, as it was issued."""
    issued = document("withdrawn")
    assert issued.count(b">40<") == 1
    return issued.replace(b">40<", b">70<")


def to(written, topic, kind="payload"):
    return [p for p in written if p.topic == topic and p.header("ce_type") == f"swb.{kind}"]
