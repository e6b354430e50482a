"""What the statements of all plans have in common is made once."""

import sqlalchemy as sa

from app.selection.scope import Builder

first = sa.Table("first", sa.MetaData(), sa.Column("id", sa.Integer))
second = sa.Table("second", sa.MetaData(), sa.Column("id", sa.Integer))


def test_builders_share_the_aliases_of_a_table() -> None:
    one, other = Builder(), Builder()
    assert one.alias(first) is other.alias(first)
    assert one.alias(second) is other.alias(second)


def test_an_alias_has_a_name_of_its_own_within_a_statement() -> None:
    builder = Builder()
    found = [builder.alias(first), builder.alias(first), builder.alias(second), Builder(first_alias=3).alias(first)]
    assert [getattr(alias, "name", None) for alias in found] == ["t1", "t2", "t3", "t4"]
