"""The XML Schema of exported windows, made from the columns that they have."""

from __future__ import annotations

from collections.abc import Iterable
from xml.sax.saxutils import escape, quoteattr

from pipeline.store.queries.columns import Column, Kind
from pipeline.store.queries.meanings import meaning
from pipeline.web.formats import UNITS, XML_ROOT, XML_ROW, header

_TYPES: dict[Kind, str] = {"count": "long", "bytes": "long", "time": "dateTime", "flag": "boolean", "text": "string"}
_HEAD = f"""\
<?xml version="1.0" encoding="UTF-8"?>
<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" version="1">
  <xs:element name="{XML_ROOT}">
    <xs:complexType>
      <xs:sequence>
        <xs:element name="{XML_ROW}" type="row" minOccurs="0" maxOccurs="unbounded"/>
      </xs:sequence>
    </xs:complexType>
  </xs:element>
  <xs:complexType name="row">
"""
_FOOT = "  </xs:complexType>\n</xs:schema>\n"


def xsd(columns: Iterable[Column]) -> str:
    """One optional attribute a column: what is none is left out."""
    return _HEAD + "".join(_attribute(column) for column in columns) + _FOOT


def _attribute(column: Column) -> str:
    (name,) = header((column,))
    unit = UNITS.get(column.kind, "1")
    says = (meaning(column.name) or "") + ("" if unit == "1" else f" Unit: {unit}.")
    return (
        f'    <xs:attribute name={quoteattr(name)} type="xs:{_TYPES.get(column.kind, "double")}">\n'
        f"      <xs:annotation><xs:documentation>{escape(says)}</xs:documentation></xs:annotation>\n"
        "    </xs:attribute>\n"
    )
