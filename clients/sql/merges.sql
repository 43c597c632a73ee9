-- Guards that a merged record leads to the one that is kept now, also in statements that match many clients; NULL of NULL, so
-- that `coalesce(clients_kept(c.merged_into_id), c.id)` costs nothing where nobody was merged.
CREATE OR REPLACE FUNCTION clients_kept(p_client bigint) RETURNS bigint LANGUAGE plpgsql STABLE STRICT AS $$
DECLARE
  v_next bigint;
BEGIN
  LOOP
    SELECT merged_into_id INTO v_next FROM clients_client WHERE id = p_client;
    EXIT WHEN v_next IS NULL;
    p_client := v_next;
  END LOOP;
  RETURN p_client;
END $$;

-- Guards that erasing somebody erases the records that were merged into theirs: their keys are destroyed with it.
CREATE OR REPLACE FUNCTION clients_erase_merged() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE crm_subjectkey SET wrapped = NULL, destroyed_at = NEW.destroyed_at
  WHERE wrapped IS NOT NULL AND client_id IN (SELECT id FROM clients_client WHERE merged_into_id = NEW.client_id);
  RETURN NULL;
END $$;
DROP TRIGGER IF EXISTS erase_merged ON crm_subjectkey;
CREATE TRIGGER erase_merged AFTER UPDATE OF wrapped ON crm_subjectkey
  FOR EACH ROW WHEN (OLD.wrapped IS NOT NULL AND NEW.wrapped IS NULL) EXECUTE FUNCTION clients_erase_merged();
