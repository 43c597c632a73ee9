-- Guards that nothing says what an erased client's tickets were about, and how their files were called: blanks it in the
-- transaction that destroys the key, which seals the messages themselves.
CREATE OR REPLACE FUNCTION support_erase_tickets() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  UPDATE support_ticket SET subject = 'Erased' WHERE client_id = NEW.client_id;
  UPDATE support_ticketfile SET name = 'erased' WHERE sealed_for_id = NEW.client_id AND name <> 'erased';
  RETURN NULL;
END $$;

DROP TRIGGER IF EXISTS tickets_go_with_the_key ON crm_subjectkey;
CREATE TRIGGER tickets_go_with_the_key AFTER UPDATE OF wrapped ON crm_subjectkey
  FOR EACH ROW WHEN (OLD.wrapped IS NOT NULL AND NEW.wrapped IS NULL) EXECUTE FUNCTION support_erase_tickets();
