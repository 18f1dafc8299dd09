"""``swb elements``: what a mapping may fill."""

import json

import pytest


def test_a_class_with_what_it_holds(swb):
    code, out, _ = swb("elements", "GoodsShipment/GovernmentAgencyGoodsItem/Commodity")
    assert code == 0
    lines = {line.split()[3].rpartition("/")[2]: line.split() for line in out.splitlines()}
    assert lines["Description"][:3] == ["137", "1..1", "an..512"]  # WCO DM 3.6, 137: an..512
    assert lines["Classification"][2] == "class"


def test_an_element_is_found_by_its_id(swb):
    code, out, _ = swb("elements", "--find", "109", "-o", "json")
    found = [json.loads(line) for line in out.splitlines()]
    assert code == 0
    assert [(one["path"], one["format"], sorted(one["attributes"])) for one in found] == [
        ("InvoiceAmount", "n..16,3", ["currencyID"])
    ]


def test_all_levels(swb):
    alone, deep = swb("elements")[1].splitlines(), swb("elements", "--all")[1].splitlines()
    assert len(deep) > 3 * len(alone)
    assert set(alone) < set(deep)


@pytest.mark.parametrize(
    ("path", "says"),
    [("GoodsShipmnt", "Declaration has no element GoodsShipmnt"), ("InvoiceAmount/ID", "it is no class")],
)
def test_a_path_that_leads_nowhere(swb, path, says):
    code, _, err = swb("elements", path)
    assert (code, says in err) == (2, True)
