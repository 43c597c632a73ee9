-- Guards lists of changes: every version of a row carries the number of its transaction; see crm/sql/change_numbers.sql.
ALTER TABLE clients_client ADD COLUMN changed_in bigint NOT NULL DEFAULT crm_change_number();
CREATE INDEX clients_by_change ON clients_client (changed_in, id);
CREATE TRIGGER change_is_numbered BEFORE UPDATE ON clients_client FOR EACH ROW EXECUTE FUNCTION crm_number_change();
