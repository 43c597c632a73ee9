-- Guards that an AML case rests on something: an alert, what a person saw, or the case whose monitoring ended. At the end of the
-- transaction that opens it, because the case is there before its alerts and referrals.
CREATE OR REPLACE FUNCTION compliance_aml_case_has_a_ground() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM compliance_amlalert WHERE case_id = NEW.id)
    AND NOT EXISTS (SELECT FROM compliance_amlreferral WHERE case_id = NEW.id) THEN
    RAISE EXCEPTION 'AML case % has no alert, no referral and no case before it', NEW.id
      USING ERRCODE = 'check_violation', CONSTRAINT = 'aml_case_has_a_ground';
  END IF;
  RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER aml_case_has_a_ground AFTER INSERT ON compliance_amlcase
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.follows_id IS NULL) EXECUTE FUNCTION compliance_aml_case_has_a_ground();
