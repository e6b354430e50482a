"""The entry to the package: compiles a neutral selection into a plan."""

from collections.abc import Sequence

from sqlalchemy.engine import Dialect

from app.selection.catalogue import Catalogue
from app.selection.compilation import Compilation
from app.selection.mapping import Permissions
from app.selection.plan import Plan
from app.selection.roots import compile_root
from app.selection.sql import SqlCompiler
from app.selection.tree import Field


class Compiler:
    """Makes plans for one database. A plan is valid for everyone with the same permissions."""

    def __init__(self, catalogue: Catalogue, dialect: Dialect) -> None:
        self.catalogue = catalogue
        self.sql = SqlCompiler(dialect)

    def query(self, fields: Sequence[Field], permissions: Permissions, *, times_as_text: bool = False) -> Plan:
        """The plan of an operation's root fields. The answer is meant for `encoded`; with `times_as_text`, its times
        are text on both databases, for other encoders. Raises TooComplex when a statement would join too much."""
        compilation = Compilation(self.catalogue, self.sql, permissions, times_as_text=times_as_text)
        roots = [compile_root(compilation, field) for field in fields]
        return Plan(roots, compilation)

    def payload(self, type_name: str, fields: Sequence[Field], permissions: Permissions) -> Plan:
        """The plan of a mutation's payload or a subscription's item. Its row is given at run time."""
        compilation = Compilation(self.catalogue, self.sql, permissions)
        return Plan([], compilation, compilation.item(type_name, {type_name: tuple(fields)}))
