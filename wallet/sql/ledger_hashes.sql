-- Guards the ledger's evidence: the hash of a request, which the same key must repeat, and of a journal's content, which
-- seals hold.
CREATE OR REPLACE FUNCTION ledger_request_hash(
  kind text, phase text, brand bigint, reverses bigint, resolves bigint, rate numeric, rate_on date, lines text
) RETURNS bytea LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT sha256(convert_to(kind || '|' || phase || '|' || brand || '|' || coalesce(reverses::text, '-') || '|' ||
    coalesce(resolves::text, '-') || '|' || coalesce(trim_scale(round(rate, 12))::text, '-') || '|' || coalesce(rate_on::text, '-')
    || '|' || lines, 'UTF8'))
$$;

CREATE OR REPLACE FUNCTION ledger_content_hash(
  id bigint, key text, posted_at timestamptz, business_on date, description text, actor bigint, request_hash bytea,
  expires_at timestamptz
) RETURNS bytea LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT sha256(convert_to(id || '|' || key || '|' || (extract(epoch FROM posted_at) * 1000000)::bigint || '|' ||
    business_on || '|' || coalesce(actor::text, '-') || '|' || encode(request_hash, 'hex') || '|' || description
    || coalesce('|expires ' || (extract(epoch FROM expires_at) * 1000000)::bigint, ''), 'UTF8'))
$$;
