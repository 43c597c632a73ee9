"""What `make mutants` itself does right: a fault meets the tests that run its line, and living functions become faulty."""

import json
import sys
import types

from tests.mutants import runner

SOURCE = "def limit(n):\n    return n < 5\n\n\ndef twice(n):\n    return [each(n) for each in (lambda m: m * 2,)]\n"


def living(monkeypatch, tmp_path) -> types.ModuleType:
    (tmp_path / "room.py").write_text(SOURCE)
    module = types.ModuleType("room")
    exec(compile(SOURCE, str(tmp_path / "room.py"), "exec"), module.__dict__)
    monkeypatch.setattr(runner, "ROOT", tmp_path)
    monkeypatch.setitem(sys.modules, "room", module)
    return module


def fault(code: str = SOURCE, **values):
    return {"path": "room.py", "places": {"room.py": [2]}, "is_in_function": True, "code": code} | values


def test_a_living_function_becomes_faulty_wherever_it_is_kept(monkeypatch, tmp_path):
    module = living(monkeypatch, tmp_path)
    kept = [module.limit]  # as `from room import limit` keeps it
    swap = runner._swap(fault(SOURCE.replace("<", "<=")), {"room.py": [module.limit, module.twice]})
    assert swap is not None
    assert not kept[0](5)
    swap()
    assert kept[0](5) and module.twice(3) == [6]


def test_a_nested_function_that_went_needs_a_new_process(monkeypatch, tmp_path):
    module = living(monkeypatch, tmp_path)
    code = SOURCE.replace("[each(n) for each in (lambda m: m * 2,)]", "n")
    assert runner._swap(fault(code), {"room.py": [module.limit, module.twice]}) is None


def test_tests_that_run_the_line_are_chosen_the_near_and_quick_first():
    recorded = {
        "tests/verbs/test_locks.py::a": {"seconds": 0.1, "lines": {"ib/tree.py": [2]}},
        "tests/wallet/test_b.py::b": {"seconds": 0.1, "lines": {"ib/tree.py": [1, 2]}},
        "tests/ib/test_c.py::slow": {"seconds": 9.0, "lines": {"ib/tree.py": [2]}},
        "tests/ib/test_c.py::quick": {"seconds": 1.0, "lines": {"ib/tree.py": [2, 3]}},
        "tests/ib/test_c.py::slower": {"seconds": 9.5, "lines": {"ib/tree.py": [2]}},
        "tests/ib/test_c.py::past_it": {"seconds": 0.1, "lines": {"ib/tree.py": [3]}},
    }
    drawn = fault(path="ib/tree.py", places={"ib/tree.py": [2]})
    near = [f"tests/ib/test_c.py::{name}" for name in ("quick", "slow", "slower")]
    assert runner.choose(drawn, recorded, 20) == [*near, "tests/wallet/test_b.py::b", "tests/verbs/test_locks.py::a"]
    few = [*near, "tests/verbs/test_locks.py::a"]
    assert runner.choose(drawn, recorded, 5) == few, "three at least, and those of the verbs have a time of their own"


def test_of_the_tests_of_every_verb_those_of_the_drawn_modules_stay(tmp_path):
    def item(nodeid: str, **params: str) -> types.SimpleNamespace:
        return types.SimpleNamespace(nodeid=nodeid, callspec=types.SimpleNamespace(params=params))

    (tmp_path / "drawn.json").write_text(json.dumps({"modules": ["ib/tree.py"]}))
    config = types.SimpleNamespace(option=types.SimpleNamespace(faults=tmp_path / "drawn.json"))
    locks = "tests/verbs/test_locks.py::test"
    stays = [item(f"{locks}[1]", name="ib.tree.move_partner"), item("tests/ib/test_c.py::c", name="x")]
    goes = [item(f"{locks}[2]", name="ib.trees.move"), item(f"{locks}[3]", name="ib.tree"), item(f"{locks}_all")]
    items = [*goes, *stays]
    runner.pytest_collection_modifyitems(config, items)
    assert items == stays


def test_a_constant_that_no_line_names_meets_all_tests_of_its_module():
    recorded = {"tests/ib/test_c.py::c": {"seconds": 0.1, "lines": {"ib/tree.py": [7]}}}
    assert runner.choose(fault(path="ib/tree.py", places={"ib/tree.py": [1]}), recorded, 5) == []
    drawn = fault(path="ib/tree.py", places={"ib/tree.py": [1]}, is_in_function=False)
    assert runner.choose(drawn, recorded, 5) == list(recorded)
