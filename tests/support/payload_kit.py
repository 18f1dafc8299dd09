"""One payload written by hand, and a window that decides about it by rules of its own."""

from datetime import UTC, datetime

from lxml import etree

from broker.model.documents import Payload, Rule
from broker.model.outcomes import Catalogue
from broker.model.participants import Answering, AnswerStep, Participant
from broker.windows.decide import Window

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
TEXT = """
<MetaData xmlns="urn:wco:datamodel:WCO:DocumentMetaData-DMS:2">
  <Declaration xmlns="urn:wco:datamodel:WCO:DEC-DMS:2" xmlns:ds="urn:wco:datamodel:WCO:Declaration_DS:DMS:2">
    <FunctionalReferenceID>0123456789abcdef0123456789abcdef</FunctionalReferenceID>
    <IssueDateTime><ds:DateTimeString formatCode="102">20260309</ds:DateTimeString></IssueDateTime>
    <InvoiceAmount currencyID="USD">12.50</InvoiceAmount>
    <Exporter><Name>Exporter</Name></Exporter>
    <GoodsShipment>
      <GovernmentAgencyGoodsItem><SequenceNumeric>1</SequenceNumeric>
        <AdditionalDocument><ID>A</ID><TypeCode>864</TypeCode></AdditionalDocument>
        <Commodity><Classification><ID>080610</ID></Classification></Commodity></GovernmentAgencyGoodsItem>
      <GovernmentAgencyGoodsItem><SequenceNumeric>2</SequenceNumeric>
        <AdditionalDocument><TypeCode>864</TypeCode></AdditionalDocument>
        <Commodity><Description>Wood</Description></Commodity></GovernmentAgencyGoodsItem>
    </GoodsShipment>
  </Declaration>
</MetaData>
"""
ITEM = "/MetaData/Declaration/GoodsShipment/GovernmentAgencyGoodsItem[2]"


def payload() -> Payload:
    root = etree.fromstring(TEXT.strip())
    return Payload(TEXT.encode(), root[0])


def rule(test: str, **given) -> Rule:
    return Rule(
        **({"id": "ZZ-1", "each": ".", "at": ".", "message": {"en": "No."}, "code": "Z1"} | {"test": test} | given)
    )


def window(*rules: Rule, **answers) -> Window:
    steps = {"accepted": (AnswerStep("02"), AnswerStep("01", "39")), "rejected": (AnswerStep("03", "41"),)}
    participant = Participant(
        "zz-window",
        "A window",
        "window",
        "ZZ",
        rules=rules,
        answers=Answering(reference="ZZ-####", **(steps | answers)),
    )
    return Window(participant, Catalogue({}, (), {"zz-window": participant}, {}, None))
