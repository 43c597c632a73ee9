-- Guards lists of changes: every version of a row carries the number of its transaction; see crm/sql/change_numbers.sql.
ALTER TABLE leads_lead ADD COLUMN changed_in bigint NOT NULL DEFAULT crm_change_number();
CREATE INDEX leads_by_change ON leads_lead (changed_in, id);
CREATE TRIGGER change_is_numbered BEFORE UPDATE ON leads_lead FOR EACH ROW EXECUTE FUNCTION crm_number_change();
