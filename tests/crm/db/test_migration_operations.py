"""`AtOnce`: the schema of its operations one by one, there and back."""

from django.db import connection, migrations, models
from django.db.migrations.state import ProjectState

from crm.db.migration_operations import AtOnce, together

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


def test_neighbours_are_taken_together_and_two_on_one_thing_are_not():
    number, text = models.IntegerField(default=0), models.CharField(max_length=9, default="")
    add_size, alter_size = migrations.AddField("thing", "size", number), migrations.AlterField("Thing", "size", text)
    add_name, own = migrations.AddField("thing", "name", text), migrations.RunSQL("SELECT 1")
    drop, put = migrations.RemoveConstraint("thing", "held"), migrations.AddConstraint("thing", SIZE_IS_NOT_NEGATIVE)
    taken = together([add_size, add_name, drop, put, alter_size, own, add_name])
    assert [getattr(one, "operations", one) for one in taken] == [
        [add_size, add_name, drop, put],
        alter_size,
        own,
        add_name,
    ]


def test_only_what_a_new_table_is_made_with_stays_with_its_making():
    create = migrations.CreateModel("Thing", [("id", models.BigAutoField(primary_key=True))])
    index = migrations.AddIndex("thing", models.Index(fields=["id"], name="things"))
    options, drop = migrations.AlterModelOptions("thing", {"ordering": ["id"]}), migrations.RemoveField("thing", "id")
    taken = together([create, index, options, drop, migrations.DeleteModel("Thing")])
    assert [getattr(one, "operations", None) for one in taken] == [[create, index], [options, drop], None]


def test_migrations_taken_together_make_the_same_tables(db):
    """Each of these operations once by itself, once with its neighbours."""
    key = ("id", models.BigAutoField(primary_key=True))
    size = models.CheckConstraint(condition=models.Q(size__gte=1), name="thing_has_a_size")
    operations = [
        migrations.CreateModel("Thing", [key, ("size", models.IntegerField(default=1))]),
        migrations.AddField("thing", "name", models.CharField(max_length=9, default="")),
        migrations.AddIndex("thing", models.Index(fields=["name"], name="things_by_name")),
        migrations.CreateModel("Part", [key, ("thing", models.ForeignKey("scratch.Thing", models.PROTECT))]),
        migrations.AddConstraint("thing", size),
        migrations.AlterField("thing", "name", models.CharField(max_length=90, default="")),
        migrations.RemoveIndex("thing", "things_by_name"),
        migrations.AddField("part", "note", models.TextField(default="")),
        migrations.RemoveConstraint("thing", "thing_has_a_size"),
        migrations.RemoveField("part", "note"),
    ]
    shapes = []
    for taken in (operations, together(operations)):
        state = ProjectState()
        for operation in taken:
            state = run(operation, state)
        shapes.append((shape("scratch_thing"), shape("scratch_part")))
        for model in ("Part", "Thing"):
            state = run(migrations.DeleteModel(model), state)
    assert len(together(operations)) < 6
    assert shapes[0] == shapes[1]
