import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction

from clients.audit_codes import ClientsAction
from crm.models import AuditEvent
from crm.privacy import erasures
from crm.security import audit
from crm.security.audit import merkle

pytestmark = pytest.mark.django_db(transaction=True)


def write(cast, count=5, **fields):
    with transaction.atomic():
        return [
            audit.record(
                actor=cast.agent,
                action=ClientsAction.NOTE_ADDED,
                target=cast.client,
                client_id=cast.client.pk,
                reason=f"note {n}",
                **fields,
            )
            for n in range(count)
        ]


def tamper(sql, *parameters):
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(sql, parameters)
        cursor.execute("SET session_replication_role = origin")


def test_only_a_declared_code_is_recorded(cast):
    for action in ("clients.note_added", "clients.made_up"):
        with pytest.raises(TypeError, match="isn't an audit code"), transaction.atomic():
            audit.record(actor=cast.agent, action=action, target=cast.client)
    assert not AuditEvent.objects.exists()


def test_a_code_is_stored_as_it_always_was(cast):
    row = write(cast, 1)[0]
    assert type(row.action) is str and row.action == "clients.note_added"
    assert AuditEvent.objects.get(action=ClientsAction.NOTE_ADDED) == row


def test_the_log_verifies_and_a_body_reads_back(cast):
    rows = write(cast, before={"status": "new"}, after={"status": "contacted"})
    audit.seal_pending()
    verdict = audit.verify()
    assert verdict.holds and verdict.rows == 5 and verdict.unsealed == 0
    assert audit.body_of(AuditEvent.objects.get(pk=rows[0].pk))["after"] == {"status": "contacted"}


@pytest.mark.parametrize(
    "sql", ["UPDATE crm_auditevent SET action = 'x'", "DELETE FROM crm_auditevent", "TRUNCATE crm_auditevent CASCADE"]
)
def test_the_database_refuses_changes(cast, sql):
    write(cast, 1)
    with pytest.raises(DatabaseError, match="append-only"), connection.cursor() as cursor:
        cursor.execute(sql)


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ("UPDATE crm_auditevent SET action = 'forged' WHERE id = %s", "was changed"),
        ("UPDATE crm_auditevent SET body = body || 'x'::bytea WHERE id = %s", "was changed"),
        ("DELETE FROM crm_auditevent WHERE id = %s", "was deleted"),
    ],
)
def test_a_row_tampered_with_behind_the_triggers_is_named(cast, sql, told):
    rows = write(cast)
    audit.seal_pending()
    tamper(sql, rows[2].pk)
    verdict = audit.verify()
    assert not verdict.holds
    assert f"audit row {rows[2].pk}" in verdict.problems[0] and told in verdict.problems[0]
    with pytest.raises(SystemExit):
        call_command("verify_audit")


def test_a_removed_seal_is_noticed(cast):
    write(cast, 1)
    first = audit.seal_pending()
    write(cast, 1)
    audit.seal_pending()
    tamper("DELETE FROM crm_auditleaf WHERE seal_id = %s", first.pk)
    tamper("DELETE FROM crm_auditseal WHERE id = %s", first.pk)
    assert any("a seal is missing" in problem for problem in audit.verify().problems)


def problems() -> str:
    return "\n".join(audit.verify().problems)


def test_swapped_rows_are_both_named(cast):
    rows = write(cast)
    audit.seal_pending()
    one, other = rows[1].pk, rows[3].pk
    tamper(
        "UPDATE crm_auditevent e SET body = o.body FROM crm_auditevent o WHERE (e.id, o.id) IN ((%s, %s), (%s, %s))",
        one,
        other,
        other,
        one,
    )
    assert f"audit row {one} " in problems() and f"audit row {other} " in problems()


def test_a_changed_leaf_is_named_and_breaks_its_seal(cast):
    rows = write(cast)
    seal = audit.seal_pending()
    tamper("UPDATE crm_auditleaf SET leaf_hash = sha256('x'::bytea) WHERE event_id = %s", rows[2].pk)
    assert f"audit row {rows[2].pk} of seal {seal.pk} was changed" in problems()
    assert f"the leaves of seal {seal.pk} do not add up to its root" in problems()


@pytest.mark.parametrize(("place", "said"), [(0, "before"), (2, "audit row {pk} of seal"), (4, "after")])
def test_a_row_removed_with_its_leaf_is_named_by_its_neighbours(cast, place, said):
    rows = write(cast)
    audit.seal_pending()
    pk = rows[place].pk
    tamper("DELETE FROM crm_auditleaf WHERE event_id = %s", pk)
    tamper("DELETE FROM crm_auditevent WHERE id = %s", pk)
    assert said.format(pk=pk) in audit.verify().problems[0]


def test_the_newest_seal_removed_leaves_rows_without_a_chain(cast):
    write(cast, 1)
    audit.seal_pending()
    rows = write(cast, 2)
    last = audit.seal_pending()
    tamper("DELETE FROM crm_auditseal WHERE id = %s", last.pk)
    assert audit.verify().problems == [
        f"audit row {row.pk} was sealed by seal {last.pk}, which is gone" for row in rows
    ]


def test_a_row_slipped_in_behind_the_sealer_is_named(cast):
    rows = write(cast)
    seal = audit.seal_pending()
    # As of a transaction that had ended; that of the row copied may not be one, while others use the same server.
    tamper(
        "INSERT INTO crm_auditevent (at, transaction_id, actor_label, action, target_type, target_id, request_id, body, "
        "is_encrypted) SELECT at, %s, 'Nobody', action, target_type, target_id, '', body, false "
        "FROM crm_auditevent WHERE id = %s RETURNING id",
        seal.horizon - 1,
        rows[0].pk,
    )
    forged = AuditEvent.objects.order_by("-id").first()
    assert f"audit row {forged.pk} was slipped in" in problems()


def test_a_chain_cut_off_with_its_rows_is_told_by_a_head_kept_elsewhere(cast):
    write(cast, 1)
    audit.seal_pending()
    write(cast, 1)
    last = audit.seal_pending()
    head = audit.verify().head
    for sql in (
        "DELETE FROM crm_auditevent WHERE id IN (SELECT event_id FROM crm_auditleaf WHERE seal_id = %s)",
        "DELETE FROM crm_auditleaf WHERE seal_id = %s",
        "DELETE FROM crm_auditseal WHERE id = %s",
    ):
        tamper(sql, last.pk)
    assert audit.verify().holds, "nothing inside the database can tell"
    assert audit.verify(head=head).problems == [f"the head {head} is not in the chain: seals were cut off or made anew"]
    with pytest.raises(SystemExit):
        call_command("verify_audit", "--head", head)


def test_a_row_is_proved_by_its_siblings_alone(cast):
    rows = write(cast, 7)
    audit.seal_pending()
    proof = audit.prove([rows[3].pk])[rows[3].pk]
    leaf = merkle.leaf_hash(proof.row_text.encode())
    assert merkle.root_from_proof(leaf, [(side, bytes.fromhex(h)) for side, h in proof.siblings]).hex() == proof.root


def test_erasing_a_client_leaves_the_proof_intact(cast):
    rows = write(cast)
    audit.seal_pending()
    erasures.destroy_client_key(cast.client.pk)
    assert audit.body_of(AuditEvent.objects.get(pk=rows[0].pk)) == {"erased": True}
    assert audit.verify().holds


def test_a_transaction_that_commits_late_is_sealed_late_not_skipped(cast):
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute(
                "INSERT INTO crm_auditevent (at, transaction_id, actor_label, action, target_type, target_id, request_id, "
                "body, is_encrypted) VALUES (now(), pg_current_xact_id()::text::bigint, 'slow', 'a.b', 't', '1', '', '{}', false)"
            )
            write(cast, 2)  # younger rows, committed first
            assert audit.seal_pending().leaf_count == 2
            write(cast, 1)
            assert audit.seal_pending().leaf_count == 1
            cursor.execute("COMMIT")
    finally:
        other.close()
    assert audit.seal_pending().leaf_count == 1
    assert audit.verify().holds and audit.verify().unsealed == 0
