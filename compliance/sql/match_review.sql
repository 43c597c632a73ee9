-- Guards that matches are reviewed together only for one client, or one party of theirs, under one that leads, and are open only while that one is: at the end
-- of every transaction, whoever wrote the rows.
CREATE OR REPLACE FUNCTION compliance_match_is_reviewed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (
    SELECT FROM compliance_hit part JOIN compliance_hit leader ON leader.id = part.part_of_id
    WHERE (part.id = NEW.id OR leader.id = NEW.id)
      AND (leader.client_id <> part.client_id OR leader.party_id IS DISTINCT FROM part.party_id OR leader.part_of_id IS NOT NULL OR part.state = 'open' AND leader.state <> 'open')
  ) THEN
    RAISE EXCEPTION 'match % is reviewed under one of another client, or one that is not open', NEW.id
      USING ERRCODE = 'check_violation', CONSTRAINT = 'match_is_reviewed_with_its_leader';
  END IF;
  RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER new_part_is_reviewed_with_its_leader AFTER INSERT ON compliance_hit
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.part_of_id IS NOT NULL) EXECUTE FUNCTION compliance_match_is_reviewed();
CREATE CONSTRAINT TRIGGER match_is_reviewed_with_its_leader AFTER UPDATE OF state, part_of_id, client_id ON compliance_hit
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION compliance_match_is_reviewed();
