"""The audit log. `record` writes a row in the caller's transaction; a sealer closes batches; `verify` proves them."""

from crm.security.audit.record import bodies_of, body_of, record, record_many
from crm.security.audit.seal import seal_pending, unsealed
from crm.security.audit.verify import Proof, prove, verify

__all__ = ["Proof", "bodies_of", "body_of", "prove", "record", "record_many", "seal_pending", "unsealed", "verify"]
