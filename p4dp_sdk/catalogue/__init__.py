"""The data model, as data: what tables and columns there are, and what each may be used for."""

from p4dp_sdk.catalogue.load import load_catalogue
from p4dp_sdk.catalogue.model import Catalogue, Code, CodeSystem, Column, Role, Table, Unit

__all__ = ["Catalogue", "Code", "CodeSystem", "Column", "Role", "Table", "Unit", "load_catalogue"]
