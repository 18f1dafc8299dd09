"""The leaves that gave a value, and those that decided it, as the traced twin tells them."""

import pytest

from tests.support.mapping_kit import translated

DOCUMENT = '<a><b u="KGM">1</b><b>2</b><c>y</c><d>z</d></a>'


def behind(rows, target):
    _, explanation = translated(DOCUMENT, rows)
    (origin,) = [o for o in explanation.lineage if o.target.endswith(target)]
    return [s.path for s in origin.sources], [s.path for s in origin.deciders]


@pytest.mark.parametrize(
    ("row", "sources", "deciders"),
    [
        ('from = "c"', ["/a/c"], []),
        ('from = ["x", "c"]', ["/a/c"], []),
        ('from = ["c", "d"], join = " "', ["/a/c", "/a/d"], []),
        ('from = "c", when = "d = \'z\'"', ["/a/c"], ["/a/d"]),
        ("from = \"b[@u='KGM']\"", ["/a/b[1]"], ["/a/b[1]/@u"]),
    ],
)
def test_a_value_has_its_sources_and_its_deciders(row, sources, deciders):
    assert behind(f'{{to = "Exporter/Name", {row}}}]', "Exporter/Name") == (sources, deciders)
