"""`AtOnce`: the schema of its operations one by one, there and back."""

from django.db import connection, migrations, models
from django.db.migrations.state import ProjectState

from crm.migration_operations import AtOnce

SIZE_IS_NOT_NEGATIVE = models.CheckConstraint(condition=models.Q(size__gte=0), name="size_is_not_negative")


def run(operation, before: ProjectState, *, back_to: ProjectState | None = None) -> ProjectState:
    after = before.clone()
    if back_to is None:
        operation.state_forwards("scratch", after)
    with connection.schema_editor() as editor:
        if back_to is None:
            operation.database_forwards("scratch", editor, before, after)
        else:
            operation.database_backwards("scratch", editor, before, back_to)
    return after


def shape(table: str) -> tuple[set[str], set[str]]:
    with connection.cursor() as cursor:
        if table not in connection.introspection.table_names(cursor):
            return set(), set()
        columns = {column.name for column in connection.introspection.get_table_description(cursor, table)}
        return columns, set(connection.introspection.get_constraints(cursor, table))


def test_a_table_is_created_once_with_its_later_fields_indexes_and_constraints(db):
    key = ("id", models.BigAutoField(primary_key=True))
    create = AtOnce(
        [
            migrations.CreateModel("Thing", [key]),
            migrations.CreateModel(
                "Part", [key, ("thing", models.ForeignKey("scratch.Thing", models.PROTECT, db_index=False))]
            ),
            migrations.AddField("thing", "size", models.IntegerField(default=0)),
            migrations.AddIndex("thing", models.Index(fields=["size"], name="things_by_size")),
            migrations.AddConstraint("thing", SIZE_IS_NOT_NEGATIVE),
        ]
    )
    empty = ProjectState()
    made = run(create, empty)
    columns, held = shape("scratch_thing")
    assert columns == {"id", "size"} and {"things_by_size", "size_is_not_negative"} <= held
    assert shape("scratch_part")[0] == {"id", "thing_id"}
    assert "scratch_part_thing_id_dae3fd79" not in shape("scratch_part")[1]

    change = AtOnce(
        [
            migrations.AlterField("part", "thing", models.ForeignKey("scratch.Thing", models.PROTECT)),
            migrations.AddField("part", "name", models.CharField(max_length=9, default="")),
            migrations.RemoveConstraint("thing", "size_is_not_negative"),
        ]
    )
    changed = run(change, made)
    assert shape("scratch_part")[0] == {"id", "thing_id", "name"}
    assert "scratch_part_thing_id_dae3fd79" in shape("scratch_part")[1]  # the index that it had not before
    assert "size_is_not_negative" not in shape("scratch_thing")[1]

    run(change, changed, back_to=made)
    assert shape("scratch_part")[0] == {"id", "thing_id"} and "size_is_not_negative" in shape("scratch_thing")[1]
    run(create, made, back_to=empty)
    assert shape("scratch_thing") == shape("scratch_part") == (set(), set())


def test_an_atonce_says_all_that_it_does():
    described = AtOnce([migrations.RemoveIndex("thing", "things_by_size"), migrations.DeleteModel("Thing")]).describe()
    assert "things_by_size" in described and "Delete model Thing" in described
