"""A mapping brought as XSLT 1.0: it translates with our code lists, and says that it cannot explain itself."""

from __future__ import annotations

import shutil

import pytest
from click.testing import CliRunner

from broker import catalogue
from broker.cli import explain
from broker.line import process
from broker.model.documents import Message
from broker.model.errors import Misconfigured
from broker.model.ids import NO_MESSAGE_ID

STYLESHEET = """<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform" xmlns:swb="urn:swb:codes"
    swb:version="7" exclude-result-prefixes="swb">
  <xsl:param name="message-id"/>
  <xsl:template match="/order">
    <MetaData xmlns="urn:wco:datamodel:WCO:DocumentMetaData-DMS:2">
      <WCODataModelVersionCode>3.6</WCODataModelVersionCode><WCOTypeName>DEC</WCOTypeName>
      <Declaration xmlns="urn:wco:datamodel:WCO:DEC-DMS:2" xmlns:ds="urn:wco:datamodel:WCO:Declaration_DS:DMS:2">
        <FunctionCode>9</FunctionCode>
        <FunctionalReferenceID><xsl:value-of select="$message-id"/></FunctionalReferenceID>
        <IssueDateTime><ds:DateTimeString formatCode="102">20260102</ds:DateTimeString></IssueDateTime>
        <TypeCode>380</TypeCode>
        <GoodsShipment>
          <xsl:if test="swb:listed('iso-3166-1', to)">
            <Destination><CountryCode><xsl:value-of select="to"/></CountryCode></Destination>
          </xsl:if>
          <GovernmentAgencyGoodsItem><SequenceNumeric>1</SequenceNumeric>
            <Commodity><Description><xsl:value-of select="what"/></Description><GoodsMeasure>
              <TariffQuantity unitCode="{swb:translate('cod-unit-to-rec-20', unit)}">
                <xsl:value-of select="count"/></TariffQuantity>
            </GoodsMeasure></Commodity>
          </GovernmentAgencyGoodsItem>
        </GoodsShipment>
      </Declaration>
    </MetaData>
  </xsl:template>
</xsl:stylesheet>"""
SCHEMA = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="order"/></xs:schema>"""
ORDER = b"<order><to>PE</to><what>Pipes</what><count>3</count><unit>UNIDADES</unit></order>"


@pytest.fixture
def root(tmp_path):
    for name in ("mappings/codelists", "xsd/wco"):
        shutil.copytree(catalogue.data_root() / name, tmp_path / name)
    folder = tmp_path / "mappings" / "documents" / "order" / "toy-1"
    folder.mkdir(parents=True)
    (folder / "document.toml").write_text('name = "Toy order"\nroot = "order"\nschema = "toy/order.xsd"\n')
    (folder / "mapping.xslt").write_text(STYLESHEET)
    (tmp_path / "xsd" / "toy").mkdir()
    (tmp_path / "xsd" / "toy" / "order.xsd").write_text(SCHEMA)
    return tmp_path


def test_a_stylesheet_translates_with_our_code_lists(root):
    loaded = catalogue.load(root)
    outcome = process.process(Message(NO_MESSAGE_ID, ORDER), loaded)
    assert outcome.is_accepted, outcome.findings
    text = outcome.payload.content.decode()
    assert 'unitCode="C62"' in text
    assert "<CountryCode>PE</CountryCode>" in text
    assert loaded.document_types["order/toy-1"].mapping.id.startswith("order/toy-1@7+")


def test_it_says_that_it_has_no_lineage(root, tmp_path, monkeypatch):
    monkeypatch.setattr(catalogue, "data_root", lambda: root)
    file = tmp_path / "order.xml"
    file.write_bytes(ORDER)
    shown = CliRunner().invoke(explain.command, [str(file)])
    assert shown.exit_code == 0
    assert "cannot say where its values come from" in shown.output


def test_a_stylesheet_reads_no_file(root):
    file = root / "mappings" / "documents" / "order" / "toy-1" / "mapping.xslt"
    file.write_text(STYLESHEET.replace('select="what"', "select=\"document('/etc/hostname')\""))
    outcome = process.process(Message(NO_MESSAGE_ID, ORDER), catalogue.load(root))
    assert not outcome.is_accepted


def test_a_broken_stylesheet_is_told_when_it_loads(root):
    file = root / "mappings" / "documents" / "order" / "toy-1" / "mapping.xslt"
    file.write_text(STYLESHEET.replace("</xsl:template>", ""))
    with pytest.raises(Misconfigured, match=r"mapping\.xslt"):
        catalogue.load(root).document_types["order/toy-1"].mapping.warm()
