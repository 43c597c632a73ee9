-- Guards the access log: append-only, a partition per month, and a default one so that no read is ever refused a row.
CREATE SEQUENCE crm_accessevent_id_seq AS bigint;
CREATE TABLE crm_accessevent (
  id bigint NOT NULL DEFAULT nextval('crm_accessevent_id_seq'),
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  user_id bigint REFERENCES crm_user (id),
  kind varchar(16) NOT NULL,
  client_id bigint,
  brand_id bigint,
  target varchar(80) NOT NULL DEFAULT '',
  rows integer NOT NULL DEFAULT 1 CONSTRAINT access_rows_are_not_negative CHECK (rows >= 0),
  in_book boolean,
  reason varchar(200) NOT NULL DEFAULT '',
  ip inet,
  session varchar(16) NOT NULL DEFAULT '',
  request_id varchar(40) NOT NULL DEFAULT '',
  device varchar(40) NOT NULL DEFAULT '',
  country varchar(2) NOT NULL DEFAULT '',
  PRIMARY KEY (at, id)
) PARTITION BY RANGE (at);
ALTER SEQUENCE crm_accessevent_id_seq OWNED BY crm_accessevent.id;
CREATE TABLE crm_accessevent_default PARTITION OF crm_accessevent DEFAULT;
CREATE INDEX access_by_user ON crm_accessevent (user_id, at DESC);
CREATE INDEX access_by_client ON crm_accessevent (client_id, at DESC) WHERE client_id IS NOT NULL;
-- What is rare among views and searches: sign-ins, exports, reveals.
CREATE INDEX access_by_kind ON crm_accessevent (kind, at DESC) WHERE kind NOT IN ('view', 'search');
CREATE OR REPLACE FUNCTION crm_access_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the access log is append-only';
END $$;
CREATE TRIGGER access_no_change BEFORE UPDATE OR DELETE ON crm_accessevent
  FOR EACH ROW EXECUTE FUNCTION crm_access_append_only();
CREATE TRIGGER access_no_truncate BEFORE TRUNCATE ON crm_accessevent
  FOR EACH STATEMENT EXECUTE FUNCTION crm_access_append_only();
