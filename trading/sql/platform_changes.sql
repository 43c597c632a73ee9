-- Guards the history of a platform's settings: append-only.
CREATE OR REPLACE FUNCTION trading_change_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the history of a platform''s settings is append-only';
END $$;
CREATE TRIGGER platform_change_no_change BEFORE UPDATE OR DELETE ON trading_platformchange
  FOR EACH ROW EXECUTE FUNCTION trading_change_append_only();
CREATE TRIGGER platform_change_no_truncate BEFORE TRUNCATE ON trading_platformchange
  FOR EACH STATEMENT EXECUTE FUNCTION trading_change_append_only();
