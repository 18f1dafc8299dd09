"""The facts of ALADI's digital certificate of origin (COD), 1.8 to 4.1."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import TYPE_CHECKING

from tests.support.independent import forms
from tests.support.independent.facts import Facts, Line, Party, Value, Values
from tests.support.independent.trees import allowed, amounts, constant, find, measures, moments, tariffs, values

if TYPE_CHECKING:
    from lxml import etree

ROOTS = {"{http://www.w3.org/2001/12/soap-envelope}CertOrigin"}
CURRENCIES = {
    "US$": "USD", "U$S": "USD", "USD": "USD", "DOLAR": "USD", "DOLARES": "USD", "DÓLARES": "USD", "DOLAR USA": "USD",
    "DOLARES ESTADOUNIDENSES": "USD", "DÓLARES ESTADOUNIDENSES": "USD",
    "DÓLAR ESTADOUNIDENSE": "USD", "EURO": "EUR", "EUROS": "EUR", "REAL": "BRL", "PESOS ARGENTINOS": "ARS", "R$": "BRL",
}  # fmt: skip
MODES = {
    "MAR": "1",
    "FER": "2",
    "CAR": "3",
    "TER": "3",
    "ROD": "3",
    "TERRESTRE": "3",
    "AER": "4",
    "AÉR": "4",
    "POS": "5",
    "FLU": "8",
}
"""The first letters of a means of transport in words to Recommendation 19."""


def read(root: etree._Element) -> Facts:
    """The facts of one certificate."""
    (certified,) = find(root, "CODEH") or find(root, ".//CODEH")
    (form,) = find(certified, "CODExporter/COD/*[starts-with(local-name(),'Form')]")
    exporter, importer = _party(form, "Exporter"), _party(form, "Importer")
    consignee = _party(form, "Consignee")
    named = next((v.text for v in values(form, ".//LocalCurrency")), "")
    lines = tuple(_line(goods, exporter.country, named) for goods in find(form, "GoodsList/Goods"))
    issued = moments(certified, "CertificationEH/CertificateDate")
    declared = moments(form, "Declaration/DeclarationDate")
    arrives = values(form, "Transport/TransportCountryDestination")
    return Facts(
        lines=lines,
        parties={
            "exporter": exporter,
            "importer": importer,
            "consignee": consignee,
            "issuer": Party(
                values(certified, "EH/EHName"),
                values(certified, "EH/EHId", form=forms.identifier),
                values(certified, "EH/EHCountry"),
            ),
        },
        number=values(certified, "CertificationEH/CertificateID", form=forms.identifier),
        kind=(Value("864"),),
        issued=issued or declared,
        invoice=values(form, "Invoices/Invoice/InvoiceNo", form=forms.identifier),
        invoiced=allowed(moments(form, "Invoices/Invoice/InvoiceDate")),
        total=_sum(lines),
        export=exporter.country,
        destination=arrives or importer.country,
        mode=tuple(Value(mode_of(v.text), v.at) for v in values(form, "Transport/TransportMeans") if mode_of(v.text)),
        means=allowed(values(form, "Transport/TransportMeans")),
    )


def currency_of(text: str) -> str:
    """ISO 4217 of a currency in words; empty where it is none we know."""
    name = text.strip().upper()
    return CURRENCIES.get(name, name if len(name) == 3 else "")


def mode_of(text: str) -> str:
    """Recommendation 19 of a means of transport in words."""
    name = text.strip().upper()
    return next((code for start, code in MODES.items() if name.startswith(start)), "")


def _party(form: etree._Element, role: str) -> Party:
    return Party(
        values(form, f"{role}/{role}BusinessName"),
        values(form, f"{role}/{role}TaxIdentification", f"{role}/{role}TaxID", form=forms.identifier),
        values(form, f"{role}/{role}Country"),
    )


def _line(goods: etree._Element, origin: Values, named: str) -> Line:
    unit = next((v.text for v in values(goods, "GoodsItemMeasureUnit")), "")
    quantity = measures(goods, "GoodsItemWeightAmount", unit=unit)
    return Line(
        description=values(goods, "GoodsItemName"),
        quantity=tuple(v for v in quantity if not is_mass(v)) + allowed(tuple(v for v in quantity if is_mass(v))),
        amount=amounts(
            goods, "GoodsItemValue", "GoodsItemFOB", "GoodsItemValueFOB", currency=currency_of(named), named=named
        ),
        net=tuple(v for v in quantity if is_mass(v)),
        tariff=tariffs(goods, "GoodsItemCode"),
        origin=origin,
    )


def is_mass(value: Value) -> bool:
    """Whether a quantity is a weight."""
    return value.text.endswith(" KGM")


def _sum(lines: tuple[Line, ...]) -> Values:
    """What the goods are worth together, where a currency is told."""
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for line in lines:
        for value in line.amount[:1]:
            plain, _, currency = value.text.partition(" ")
            sums[currency] += Decimal(plain)
    return constant(*(forms.amount(str(total), currency) for currency, total in sums.items() if currency))
